"""Network links, traffic and processes, on machines made of files and on this one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.links import Interface, Modem, read_interfaces, read_modem
from drivers.traffic import Counters, read_counters, read_process

ROUTE = (
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    "wwan0\t00000000\t0100A8C0\t0003\t0\t0\t700\t00000000\t0\t0\t0\n"
    "eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
)
WIRELESS = (
    "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
    " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n"
    " wlan0: 0000   50.  -61.  -256        0      0      0      0      0        0\n"
)
DEV = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop\n"
    "    lo: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0\n"
    "  eth0:1000 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n"
    " wwan0: 50 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n"
)
MODEM = {
    "modem": {
        "3gpp": {"operator-name": "Viettel", "registration-state": "home"},
        "generic": {
            "access-technologies": ["lte"],
            "signal-quality": {"recent": "yes", "value": "67"},
            "state": "connected",
            "state-failed-reason": "--",
        },
    }
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    def interface(name: str, **files: str) -> None:
        folder = tmp_path / "sys/class/net" / name
        folder.mkdir(parents=True)
        for file, text in files.items():
            (folder / file).write_text(text + "\n")
        if name not in ("lo", "ifb0"):
            (folder / "device").mkdir()

    interface("lo", operstate="unknown", type="772")
    interface("eth0", operstate="up", type="1", speed="100")
    interface("ifb0", operstate="down", type="1")
    interface("wlan0", operstate="down", type="1", speed="-1")
    (tmp_path / "sys/class/net/wlan0/wireless").mkdir()
    interface("wwan0", operstate="unknown", type="65534", uevent="DEVTYPE=wwan")
    (tmp_path / "proc/net").mkdir(parents=True)
    for name, text in (("route", ROUTE), ("wireless", WIRELESS), ("dev", DEV)):
        (tmp_path / "proc/net" / name).write_text(text)
    return tmp_path


def test_the_way_out_comes_first_and_each_link_says_what_it_knows(machine: Path) -> None:
    assert read_interfaces(machine) == [
        Interface("wwan0", "mobile", up=True, default=True),
        Interface("eth0", "ethernet", up=True, default=False, speed_mbit=100),
        Interface("wlan0", "wifi", up=False, default=False, signal_dbm=-61.0),
    ]


def test_a_machine_that_says_nothing_has_no_links(tmp_path: Path) -> None:
    assert read_interfaces(tmp_path) == []
    assert read_counters(tmp_path) is None


def test_this_machines_links_are_those_of_its_kernel() -> None:
    assert {link.name for link in read_interfaces()} <= {name for _, name in socket.if_nameindex()}


def test_all_interfaces_but_the_loopback_are_counted(machine: Path) -> None:
    assert read_counters(machine) == Counters(received=1_050, sent=207)
    assert read_counters() is not None


def mmcli(tmp_path: Path, text: str, code: int = 0) -> Modem | None:
    script = tmp_path / "mmcli"
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n")
    script.chmod(0o755)
    return read_modem([str(script)])


def test_a_modem_tells_operator_technology_and_signal(tmp_path: Path) -> None:
    assert mmcli(tmp_path, json.dumps(MODEM)) == Modem("connected", "Viettel", "lte", 67)


def test_a_modem_without_a_sim_says_so(tmp_path: Path) -> None:
    generic = {"state": "failed", "state-failed-reason": "sim-missing", "signal-quality": {"value": "--"}}
    assert mmcli(tmp_path, json.dumps({"modem": {"generic": generic}})) == Modem(
        "failed", trouble="sim-missing"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 1),
        ("error: couldn't find modem", 1),
        ("{", 0),
        ("[]", 0),
        ('{"modem": 5}', 0),
        ('{"modem": {}}', 0),
    ],
)
def test_whatever_else_mmcli_says_is_no_modem(tmp_path: Path, text: str, code: int) -> None:
    assert mmcli(tmp_path, text, code) is None


def test_a_modem_manager_that_hangs_or_is_not_there_costs_only_its_patience(tmp_path: Path) -> None:
    assert read_modem([str(tmp_path / "none")]) is None
    assert read_modem(["sleep", "10"], patience_s=0.1) is None


def test_a_process_says_what_it_used_until_it_is_gone() -> None:
    busy = subprocess.Popen(
        [sys.executable, "-c", "sum(range(10_000_000)); print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert busy.stdout is not None
    busy.stdout.readline()
    found = read_process(busy.pid)
    assert found is not None
    assert found.cpu_s > 0.05
    assert 3 < found.memory_mb < 100
    busy.communicate(b"\n")
    assert read_process(busy.pid) is None
    assert read_process(os.getpid()) is not None
