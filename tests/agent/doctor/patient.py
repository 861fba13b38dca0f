"""A machine to be examined: files below a root, programs on a path, a real broker, feed, sound server and socket.

What it has of its own is written by the tests; what is shared (broker, feed, sink) is real and of the session.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from agent.control.protocol import ControlRequest
from agent.control.server import ControlServer
from agent.doctor.checks import CHECKS
from agent.doctor.examine import Result, examine
from agent.doctor.finding import Verdict
from agent.doctor.machine import Machine
from agent.feeds.http import Client
from agent.feeds.state import LastGood
from agent.feeds.trust import refresh
from agent.update.progress import Outcome, Request, State
from playlists.units import Seconds
from tests.support.centre import CentreUnderTest
from tests.support.pulse import Sink

ROOT_USER = os.geteuid() == 0
UID = 64_001 if ROOT_USER else os.geteuid()
GID = 64_001 if ROOT_USER else os.getegid()

FILES = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/meminfo": "MemTotal:        3884300 kB\nMemFree:         2884300 kB\nMemAvailable:    3184300 kB\n",
    "proc/loadavg": "0.10 0.12 0.09 1/180 4711\n",
    "proc/mounts": "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n",
    "proc/cmdline": "console=tty1 root=PARTUUID=1234-02 rootfstype=ext4\n",
    "proc/sys/kernel/osrelease": "6.12.47+rpt-rpi-v8\n",
    "proc/net/route": "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
    "wwan0\t00000000\t0101A8C0\t0003\t0\t0\t700\t00000000\n",
    "proc/asound/cards": " 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones\n"
    "                      bcm2835 Headphones\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "51200\n",
    "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
    "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0\n",
    "sys/class/watchdog/watchdog0/identity": "Broadcom BCM2835 Watchdog timer\n",
    "sys/class/mmc_host/mmc0/mmc0:0001/life_time": "0x01 0x02\n",
    "sys/class/mmc_host/mmc0/mmc0:0001/pre_eol_info": "0x01\n",
    "sys/class/net/lo/operstate": "unknown\n",
    "sys/class/net/eth0/operstate": "down\n",
    "sys/class/net/wwan0/operstate": "unknown\n",
    "sys/class/net/wwan0/carrier": "1\n",
    "sys/class/net/wwan0/device/uevent": "DRIVER=qmi_wwan\n",
    "sys/class/net/eth0/device/uevent": "DRIVER=bcmgenet\n",
    "sys/class/drm/card1-HDMI-A-1/status": "connected\n",
    "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n',
    "etc/fstab": "PARTUUID=1234-02 / ext4 defaults,noatime 0 1\n",
    "etc/environment": "",
    "etc/systemd/journald.conf": "[Journal]\n#SystemMaxUse=\n",
    "etc/systemd/journald.conf.d/loa.conf": "[Journal]\nSystemMaxUse=100M\n",
    "lib/modules/6.12.47+rpt-rpi-v8/modules.dep": "",
    "boot/firmware/config.txt": "dtparam=audio=on\ngpio=17,27=op,dh\n[all]\n",
    "dev/cec0": "",
    "dev/gpiochip0": "",
    "var/log/journal/0123/system.journal": "x" * 5_000,
}

GROUPS = ("audio", "gpio", "video", "render", "input")

UNIT = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "NRestarts": "0",
    "Result": "success",
    "ExecMainStatus": "0",
    "User": "loa",
}

AMIXER = """Simple mixer control 'PCM',0
  Capabilities: pvolume pvolume-joined pswitch pswitch-joined
  Playback channels: Mono
  Limits: Playback -10239 - 400
  Mono: Playback {value} [{percent}%] [{db}dB] [{switch}]
"""

LGPIO = """
import os
class error(Exception): pass
def gpiochip_open(chip):
    return 0
def gpiochip_close(handle): pass
def gpio_get_line_info(handle, number):
    held = dict(pair.split("=") for pair in os.environ.get("HELD", "").split())
    user = held.get(str(number))
    return [0, number, int(user is not None), f"GPIO{number}", user or ""]
"""

STATUS: dict[str, Any] = {
    "node": {"id": "pole-07", "site": "xa-mau", "public_number": "0007", "agent": "0.1.0"},
    "link": "connected",
    "alert_sources": {},
    "health": {
        "faults": [],
        "now": {"audio": None, "screen": None},
        "muted": {},
        "log": {"last": 120, "stored_through": 118},
        "clock": {"state": "synchronised", "error_s": 0.01},
    },
}


@dataclass
class Ward:
    """What all patients of a session share: a real centre and sink, and verified metadata of its feed."""

    centre: CentreUnderTest
    sink: Sink
    feed_url: str
    metadata: Path
    answers: dict[tuple[str, ...], dict[str, Any]]
    """What slow libraries really say here: the same to all patients."""


@contextmanager
def open_ward(centre: CentreUnderTest, sink: Sink, folder: Path) -> Iterator[Ward]:
    """Publish a feed, fetch it as a node does, and keep a child that looks like the workers."""
    centre.publish([])
    url = centre.feed_url
    state = folder / "feeds" / "commune"
    with Client() as client:
        snapshot = refresh(
            url, centre.folder.root.read_bytes(), state / "metadata", datetime.now(UTC), client
        )
        target = snapshot.find("operators.json")
        assert target is not None
        operators = client.read(target.url, 100_000, Seconds(10))
    documents = {sha256(operators).hexdigest(): operators}
    LastGood(state).save(datetime.now(UTC), snapshot.files(), documents)
    workers = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", "agent.player", "agent.screen"],
        stdin=subprocess.PIPE,
    )
    ward = Ward(centre, sink, url, state, {})
    try:
        with admitted(ward) as first:
            ward.answers = first.asked()
        yield ward
    finally:
        assert workers.stdin is not None
        workers.stdin.close()
        workers.wait(10)


class Patient:
    """One node's machine, healthy until a test does something to it."""

    def __init__(self, ward: Ward, home: Path) -> None:
        self.ward = ward
        self.home = home
        self.root = home / "root"
        self.etc = home / "etc"
        self.state = home / "state"
        self.bin = home / "bin"
        self.socket = home / "run" / "control.sock"
        self.status: dict[str, Any] = {**STATUS, "health": {**STATUS["health"]}}
        self.unit = dict(UNIT)
        self.watchdog = "1min"
        self.update_path = "active"
        self.time_services = ["active", "inactive", "inactive", "inactive"]
        self.kernel_log = "mmc0: new high speed SDXC card at address aaaa\n"
        self.disciplined = True
        self.clock_off_s = 0.0
        self.env: dict[str, str] = {}
        self.forget_looks = False
        """Whether slow libraries are asked anew."""
        self.looks: dict[tuple[str, ...], dict[str, Any]] = {}
        """What slow libraries say of this one: hardware that is not here."""
        self.also: set[str] = set()
        """Other checks that rightly say so, too."""
        self.runs = True
        """Whether a daemon answers."""
        self.values: dict[str, str] = {
            "feed_url": f'"{ward.feed_url}"',
            "ceiling": '"emergency"',
            "host": '"127.0.0.1"',
            "port": str(ward.centre.broker.port),
            "device": '"pulse"',
            "languages": '["vi", "en"]',
            "driver": '"auto"',
            "timezone": '"Asia/Ho_Chi_Minh"',
            "extra": "",
        }
        self._make()

    # ---- what it is made of

    def _make(self) -> None:
        for name, text in FILES.items():
            self.write(name, text)
        self.write("sys/class/rtc/rtc0/since_epoch", str(int(time.time())))
        for number in range(4):
            self.write(f"sys/devices/system/cpu/cpu{number}/online", "1\n")
        self.write(
            "etc/passwd", f"root:x:0:0::/root:/bin/sh\nloa:x:{UID}:{GID}::/var/lib/loa:/usr/sbin/nologin\n"
        )
        self.members(GROUPS)
        self.zone("Asia/Ho_Chi_Minh")
        self.write("opt/loa/0.1.0/bin/loa", "")
        (self.root / "opt/loa/current").symlink_to("0.1.0")
        device = self.root / "dev/gpiochip0"
        device.chmod(0o660)
        for folder in (self.etc, self.bin, self.socket.parent):
            folder.mkdir(parents=True)
        (self.etc / "root.json").write_bytes(self.ward.centre.folder.root.read_bytes())
        (self.etc / "password").write_bytes(self.ward.centre.broker.password_file.read_bytes())
        shutil.copytree(self.ward.metadata, self.state / "feeds" / "commune")
        (self.state / "cache").mkdir()
        (self.state / "listener-reference.json").write_text("{}")
        (self.state / "last-good-time").write_text("2026-11-20T05:00:00+00:00\n")
        (self.bin / "lgpio.py").write_text(LGPIO)
        for folder in (self.etc, self.state, self.socket.parent):
            self.give(folder)
        self.give(device)
        (self.etc / "password").chmod(0o640)
        self.mixer(value=-1_000, percent=87, db="-10.00", switch="on")
        self.program("cec-ctl", "true")
        self.modem("connected", 71)
        self.updated("updated", "0.1.0 runs, and is healthy")

    def give(self, path: Path) -> None:
        """Make it the daemon's."""
        for one in (path, *path.rglob("*")):
            if ROOT_USER:
                os.chown(one, UID, GID)

    def write(self, name: str, text: str) -> None:
        """A file of the system."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def remove(self, name: str) -> None:
        """A file or folder of the system, with all in it."""
        path = self.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    def members(self, groups: Sequence[str]) -> None:
        """Groups that the daemon's account is in; gpiochip0 belongs to the account's own."""
        lines = [f"loa:x:{GID}:"]
        lines += [f"{name}:x:{GID + 1 + n}:{'loa' * (name in groups)}" for n, name in enumerate(GROUPS)]
        self.write("etc/group", "\n".join(lines) + "\n")

    def zone(self, name: str) -> None:
        """The machine's time zone."""
        link = self.root / "etc/localtime"
        link.unlink(missing_ok=True)
        link.symlink_to(f"/usr/share/zoneinfo/{name}")

    def program(self, name: str, script: str) -> None:
        """A program that answers as the script says."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def mixer(self, **values: Any) -> None:
        """What amixer says."""
        self.program("amixer", f"cat <<'END'\n{AMIXER.format(**values)}END")

    def updated(self, outcome: Outcome, text: str) -> None:
        """The updater wrote this down."""
        now = datetime.now(UTC)
        request = Request(id="u1", feed="commune", release="0.2.0")
        state = State(
            request=request, before="0.1.0", release="0.2.0", began=now, at=now, outcome=outcome, text=text
        )
        self.write("var/lib/loa-update/state.json", state.model_dump_json())

    def modem(self, state: str, percent: int, reason: str = "--") -> None:
        """What ModemManager says."""
        generic = {"state": state, "state-failed-reason": reason, "signal-quality": {"value": str(percent)}}
        document = {"modem": {"generic": generic, "3gpp": {"operator-name": "Viettel"}}}
        self.program("mmcli", f"cat <<'END'\n{json.dumps(document)}\nEND")

    def fault(self, code: str, text: str) -> None:
        """The daemon reports this."""
        self.status["health"]["faults"] = [{"code": code, "since": "2026-11-23T05:00:00Z", "text": text}]

    def asked(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """What libraries say, each asked in a process of its own."""
        machine = self._machine(self.etc / "config.toml")
        looks = (
            ("device", "pulse", "output"),
            ("device", "pulse", "input"),
            ("decoder",),
            ("screen",),
            ("sink",),
        )
        return {("look", *what): machine.look(*what) for what in (*looks, ("pins", "0", "17", "27"))}

    # ---- examined

    def wall_s(self) -> float:
        """What its clock shows."""
        return time.time() + self.clock_off_s

    def toml(self) -> str:
        """Its configuration."""
        return CONFIG.format(etc=self.etc, state=self.state, run=self.socket.parent, **self.values)

    def examine(self) -> dict[str, Result]:
        """All checks, by name."""
        config = self.etc / "config.toml"
        if not config.exists() and not config.is_symlink():
            config.write_text(self.toml(), encoding="utf-8")
        unit = "\n".join(f"{key}={value}" for key, value in self.unit.items())
        self.program(
            "systemctl",
            f"case \"$1 $2\" in\n'show loa-agent') cat <<'END'\n{unit}\nEND\n;;\n"
            f"'show --property=RuntimeWatchdogUSec') echo RuntimeWatchdogUSec={self.watchdog} ;;\n"
            f"'is-failed loa-update.path') echo {self.update_path}; [ {self.update_path} = failed ] ;;\n"
            f"is-active*) printf '%s\\n' {' '.join(self.time_services)} ;;\nesac",
        )
        self.program("journalctl", f"cat <<'END'\n{self.kernel_log}END")
        machine = self._machine(config)
        known = {} if self.forget_looks else self.ward.answers
        for key, answer in {
            **known,
            **{("look", *what): answer for what, answer in self.looks.items()},
        }.items():
            machine.once(key, lambda answer=answer: answer)
        server = ControlServer(self.socket, self.home / "by-hand", self._post) if self.runs else None
        if server is not None:
            server.start()
        try:
            return {result.check.id: result for result in examine(machine, CHECKS)}
        finally:
            if server is not None:
                server.stop()

    def _machine(self, config: Path) -> Machine:
        return Machine(
            config,
            self.socket,
            root=self.root,
            env={
                **self.ward.sink.env,
                "PATH": f"{self.bin}:{os.environ['PATH']}",
                "PYTHONPATH": str(self.bin),
                **self.env,
            },
            now=lambda: datetime.fromtimestamp(self.wall_s(), UTC),
            disciplined=lambda: (self.disciplined, Seconds(0.01) if self.disciplined else None),
        )

    def _post(self, event: object) -> None:
        assert isinstance(event, ControlRequest)
        event.answer(**self.status)


def wrong(found: Mapping[str, Result]) -> dict[str, tuple[Verdict, str, str]]:
    """What is not well: verdict, text, remedy, by check."""
    return {
        name: (result.finding.verdict, result.finding.text, result.finding.remedy)
        for name, result in found.items()
        if result.finding.verdict in (Verdict.WARNING, Verdict.FAULT)
    }


@contextmanager
def admitted(ward: Ward) -> Iterator[Patient]:
    """A healthy patient, gone at the end."""
    # pytest's own folders are closed to all but their owner, and the daemon's account is another
    with tempfile.TemporaryDirectory(prefix="loa-patient-") as name:
        Path(name).chmod(0o755)
        yield Patient(ward, Path(name))


CONFIG = """
[node]
id = "pole-07"
site = "xa-mau"
languages = {languages}
timezone = {timezone}
[paths]
state = "{state}"
cache = "{state}/cache"
runtime = "{run}"
[[feeds]]
name = "commune"
url = {feed_url}
root = "{etc}/root.json"
ceiling = {ceiling}
[broker]
host = {host}
port = {port}
tls = false
user = "loa"
password_file = "{etc}/password"
[audio]
device = {device}
[listener]
device = "pulse"
[[relays]]
name = "preamp"
pin = 17
active = "low"
[[relays]]
name = "amplifier"
pin = 27
active = "low"
[[zones]]
name = "main"
relays = ["preamp", "amplifier"]
[screen]
enabled = true
driver = {driver}
on_hours = ["05:00-22:00"]
power = "cec"
{extra}
"""
