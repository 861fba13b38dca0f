"""Broken machines: computer, power, system, configuration, trust, time, storage."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from datetime import datetime
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root

from tests.agent.doctor.patient import GROUPS, ROOT_USER, Patient
from tests.agent.doctor.rows import FAULT, WARNING, case, row, stopped

THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
EMMC = "sys/class/mmc_host/mmc0/mmc0:0001"

# ---- machine and power
row(
    "memory full",
    WARNING,
    "ps aux",
    lambda p: p.write("proc/meminfo", "MemTotal: 3884300 kB\nMemAvailable: 40000 kB\n"),
)
row(
    "memory small",
    WARNING,
    "512 MB",
    lambda p: p.write("proc/meminfo", "MemTotal: 250000 kB\nMemAvailable: 90000 kB\n"),
)
row(
    "temperature warm", WARNING, "shade", lambda p: p.write("sys/class/thermal/thermal_zone0/temp", "74800\n")
)
row(
    "temperature hot",
    FAULT,
    "heat sink",
    lambda p: p.write("sys/class/thermal/thermal_zone0/temp", "86000\n"),
)
row("load", WARNING, "top", lambda p: p.write("proc/loadavg", "9.10 8.70 8.00 9/180 4711\n"))
row("supply low now", FAULT, "5 V supply", lambda p: p.write(THROTTLED, "50005\n"))
row("supply low before", WARNING, "5 V supply", lambda p: p.write(THROTTLED, "50000\n"))
row("supply alarm", FAULT, "5 V supply", lambda p: p.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n"))
row("throttling now", WARNING, "heat sink", lambda p: p.write(THROTTLED, "0xe000e\n"))
row("throttling before", WARNING, "heat sink", lambda p: p.write(THROTTLED, "60000\n"))


@case("supply by vcgencmd", FAULT, "5 V supply")
def _(p: Patient) -> None:
    p.remove(THROTTLED)
    p.program("vcgencmd", "echo throttled=0x50005")


# ---- system
row(
    "release old",
    WARNING,
    "Debian 12",
    lambda p: p.write("etc/os-release", 'PRETTY_NAME="Debian 10"\nID=debian\nVERSION_ID="10"\n'),
)
row(
    "kernel replaced",
    WARNING,
    "reboot",
    lambda p: p.write("proc/sys/kernel/osrelease", "6.6.51+rpt-rpi-v8\n"),
)
row("service missing", FAULT, "install.sh", lambda p: p.unit.update(LoadState="not-found", UnitFileState=""))
row(
    "service disabled", FAULT, "systemctl enable loa-agent", lambda p: p.unit.update(UnitFileState="disabled")
)
row("restarts", WARNING, "journalctl -u loa-agent", lambda p: p.unit.update(NRestarts="14"))
row("watchdog off", WARNING, "RuntimeWatchdogSec", lambda p: setattr(p, "watchdog", "0"))
row(
    "groups one missing",
    FAULT,
    "usermod -aG gpio loa",
    lambda p: p.members([g for g in GROUPS if g != "gpio"]),
)
row(
    "groups no account",
    FAULT,
    "systemd-sysusers",
    lambda p: p.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
)


row("version gone", FAULT, "install.sh repairs", lambda p: p.remove("opt/loa/0.1.0/bin"))
row(
    "update failed",
    WARNING,
    "loa update --show",
    lambda p: p.updated("failed", "it was not healthy within 60 s"),
)
row("update unwatched", FAULT, "restart loa-update.path", lambda p: setattr(p, "update_path", "failed"))
row("update stopped", FAULT, "restart loa-update.path", lambda p: setattr(p, "update_path", "inactive"))
row("version waits", WARNING, "restart loa-agent", lambda p: p.status.update(node={"agent": "0.0.9"}))

row(
    "service stopped",
    FAULT,
    "enable --now loa-agent",
    lambda p: stopped(p, ActiveState="inactive", UnitFileState="disabled"),
)
row(
    "service failed",
    FAULT,
    "journalctl -u loa-agent",
    lambda p: stopped(p, ActiveState="failed", Result="signal"),
)
row("service refuses", FAULT, "check-config", lambda p: stopped(p, ActiveState="failed", ExecMainStatus="2"))
row(
    "service falls",
    FAULT,
    "journalctl",
    lambda p: stopped(p, ActiveState="activating", SubState="auto-restart"),
)
row("socket silent", FAULT, "systemctl start", stopped)


@case("folders not ours", FAULT, "chown -R loa:loa")
def _(p: Patient) -> None:
    if ROOT_USER:
        shutil.chown(p.state, 0, 0)
    p.state.chmod(0o555)


# ---- configuration
row(
    "config away",
    FAULT,
    "loa setup",
    lambda p: (stopped(p, ActiveState="inactive"), (p.etc / "config.toml").symlink_to("nowhere")),
)
row(
    "config wrong",
    FAULT,
    "check-config",
    lambda p: (p.etc / "config.toml").write_text(p.toml().replace("pin = 17", "pin = 99")),
)
row("config-files missing", FAULT, "put it there", lambda p: (p.etc / "password").unlink())
row("config-files no root", FAULT, "put it there", lambda p: (p.etc / "root.json").unlink())
row("config-files empty", FAULT, "anew", lambda p: (p.etc / "password").write_text(""))
row("secrets open", WARNING, "chmod o=", lambda p: (p.etc / "password").chmod(0o644))


@case("config-files unreadable", FAULT, "chgrp loa")
def _(p: Patient) -> None:
    path = p.etc / "password"
    if ROOT_USER:
        shutil.chown(path, 0, 0)
        path.chmod(0o600)
    else:
        path.chmod(0o200)


# ---- trust
row(
    "roots bad key file",
    FAULT,
    "bring the root file anew",
    lambda p: (p.etc / "root.json").write_text("-----BEGIN PUBLIC KEY-----"),
)
row("ceilings", WARNING, 'ceiling = "emergency"', lambda p: p.values.update(ceiling='"routine"'))


def expiry(path: Path, at: str) -> None:
    """What stands in a file of metadata; its signature is the daemon's business."""
    document = json.loads(path.read_bytes())
    document["signed"]["expires"] = at
    path.write_text(json.dumps(document))


def root_ends(p: Patient, at: str) -> None:
    signer = CryptoSigner.generate_ed25519()
    for path in (p.etc / "root.json", p.state / "feeds/commune/metadata/root.json"):
        root = Metadata[Root].from_bytes(path.read_bytes())
        root.signed.expires = datetime.fromisoformat(at)
        root.signed.add_key(signer.public_key, "root")
        root.sign(signer)
        path.write_bytes(root.to_bytes())


def soon(days: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86_400))


row("roots expired", FAULT, "loa station rotate", lambda p: root_ends(p, "2026-11-02T00:00:00Z"))
row("roots ending", WARNING, "loa station rotate", lambda p: root_ends(p, soon(12)))
TIMESTAMP = "feeds/commune/metadata/timestamp.json"
row("signatures expired", WARNING, "loa station serve", lambda p: expiry(p.state / TIMESTAMP, soon(-2)))
row("signatures out of force", FAULT, "loa station serve", lambda p: expiry(p.state / TIMESTAMP, soon(-45)))
row("signatures none", FAULT, "loa test feed", lambda p: shutil.rmtree(p.state / "feeds"))


@case("operators expired", WARNING, "operators.json")
def _(p: Patient) -> None:
    folder = p.state / "feeds/commune"
    (path,) = folder.glob("document-*.json")
    document = json.loads(path.read_bytes())
    for operator in document["operators"]:
        operator["expires"] = "2026-11-02T00:00:00Z"
    path.write_text(json.dumps(document))


@case("certificates expired", FAULT, "bring the next one")
def _(p: Patient) -> None:
    from tests.support.broker import make_certificates

    make_certificates(p.etc, days=-1, since_days=30)
    p.give(p.etc)
    p.values["extra"] = (
        '[[alert_sources]]\nname = "province"\nurl = "https://127.0.0.1/cap.atom"\ncertificates = ["ca.pem"]\n'
    )


# ---- time
row("clock nobody keeps", WARNING, "timesync-status", lambda p: setattr(p, "disciplined", False))
row("time-service none", WARNING, "set-ntp true", lambda p: setattr(p, "time_services", ["inactive"] * 4))
row(
    "battery-clock flat", WARNING, "battery", lambda p: p.write("sys/class/rtc/rtc0/since_epoch", "946684800")
)
row(
    "battery-clock off",
    WARNING,
    "hwclock --systohc",
    lambda p: p.write("sys/class/rtc/rtc0/since_epoch", str(int(time.time()) - 7_200)),
)
row("timezone", WARNING, "set-timezone Asia/Ho_Chi_Minh", lambda p: p.zone("Etc/UTC"))


# ---- storage
row("disk-wear old", WARNING, "plan to change", lambda p: p.write(f"{EMMC}/life_time", "0x09 0x0a\n"))
row("disk-wear spare", WARNING, "plan to change", lambda p: p.write(f"{EMMC}/pre_eol_info", "0x02\n"))
row("disk-wear out", FAULT, "change it now", lambda p: p.write(f"{EMMC}/life_time", "0x0b 0x0b\n"))
row(
    "read-only root",
    FAULT,
    "reboot",
    lambda p: p.write("proc/mounts", "/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n"),
)
row(
    "disk-errors",
    FAULT,
    "change the card",
    lambda p: setattr(p, "kernel_log", "mmc0: error -110 whilst initialising SD card\n"),
)
row(
    "disk-errors ext4",
    FAULT,
    "change the card",
    lambda p: setattr(p, "kernel_log", "EXT4-fs error (device mmcblk0p2): ext4_find_entry\n"),
)


row(
    "system-journal unbound",
    WARNING,
    "SystemMaxUse",
    lambda p: p.remove("etc/systemd/journald.conf.d/loa.conf"),
)


@case("system-journal big", WARNING, "vacuum-size")
def _(p: Patient) -> None:
    with (p.root / "var/log/journal/0123/user.journal").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 1_010_000_000)


@case("play-log damaged", FAULT, "sets it aside")
def _(p: Patient) -> None:
    folder = p.state / "journal"
    folder.mkdir()
    with sqlite3.connect(folder / "journal.db") as db:
        db.execute("CREATE TABLE journal (epoch TEXT)")
        db.executemany("INSERT INTO journal VALUES (?)", [("x" * 500,)] * 200)
    db.close()
    data = bytearray((folder / "journal.db").read_bytes())
    data[8_192:12_288] = b"\xff" * 4_096
    (folder / "journal.db").write_bytes(data)
    # a daemon that runs has the file open, and has looked at it itself
    p.runs = False
    p.also = {"socket"}


@case("play-log set aside", WARNING, "watch the disk")
def _(p: Patient) -> None:
    (p.state / "journal").mkdir()
    (p.state / "journal/damaged-20261120T050000-aaaaaa.db").write_text("x")


row("play-log by the daemon", FAULT, "sets it aside", lambda p: p.fault("journal", "the medium refuses"))
