"""Checks of the disk: room, read-only, errors, wear, the system's journal, the play log.

Sources: Linux Documentation/ABI/testing/sysfs-class-mmc and JEDEC eMMC 5.0 (`life_time`: tenths of its life that are
used, 0x0b is beyond; `pre_eol_info`: 1 normal, 2 four fifths of the spare blocks used, 3 nine tenths).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.control.client import ControlError
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import UNIT, Machine
from agent.journal.database import FILE, QUICK_CHECK_MAX_BYTES
from agent.words import N_, _, ngettext

MB: Final = 1_000_000
FULL_MB: Final = 200.0
"""Where the daemon raises its fault."""
NEARLY_FULL_MB: Final = 500.0
FEW_INODES: Final = 0.05
BIG_JOURNAL_MB: Final = 1_000.0

_ERRORS: Final = re.compile(
    r"mmc\d.*(error|timeout|timed out|stuck)|I/O error|EXT4-fs error|F2FS-fs.*error|Remounting filesystem read-only"
    r"|Buffer I/O|blk_update_request|Medium Error|uncorrect",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system under one of the node's folders."""

    folder: Path
    free_mb: float
    size_mb: float
    inodes_free: float | None
    """Share of them; None where the file system has none."""
    read_only: bool


def probe_disks(machine: Machine) -> list[Disk]:
    """Of state and cache; where they lie on one disk, it counts once."""
    disks: dict[int, Disk] = {}
    paths = machine.config.paths
    for path in (paths.state, paths.cache):
        folder = next((there for there in (path, *path.parents) if there.is_dir()), Path("/"))
        found = os.statvfs(folder)
        inodes = found.f_favail / found.f_files if found.f_files else None
        disk = Disk(
            folder,
            found.f_bavail * found.f_frsize / MB,
            found.f_blocks * found.f_frsize / MB,
            inodes,
            bool(found.f_flag & os.ST_RDONLY),
        )
        disks.setdefault(folder.stat().st_dev, disk)
    return list(disks.values())


def judge_space(found: Sequence[Disk]) -> Finding:
    """The daemon plays on without room, and remembers nothing."""
    disk = min(found, key=lambda disk: disk.free_mb)
    text = _("{free:.0f} MB are free at {folder}").format(free=disk.free_mb, folder=disk.folder)
    remedy = _("loa reset --cache, or see what takes it: sudo du -xh / | sort -h | tail")
    if disk.free_mb < FULL_MB:
        return fault(text, remedy)
    if disk.free_mb < NEARLY_FULL_MB:
        return warning(text, remedy)
    return ok(text)


def judge_inodes(found: Sequence[Disk]) -> Finding:
    """A disk can be full of small files."""
    shares = [(disk.inodes_free, disk) for disk in found if disk.inodes_free is not None]
    if not shares:
        return absent(_("this file system has no bound on files"))
    share, disk = min(shares, key=lambda pair: pair[0])
    text = _("{share:.0f} % of the files are free at {folder}").format(share=share * 100, folder=disk.folder)
    if share < FEW_INODES:
        return fault(text, _("find the folder with many files: sudo du --inodes -x / | sort -n | tail"))
    return ok(text)


@dataclass(frozen=True, slots=True)
class Mounts:
    """What is read-only, and whether that is meant."""

    data: Sequence[Path]
    """Folders of the node on a disk that cannot be written."""
    root_read_only: bool
    root_meant_so: bool


def probe_mounts(machine: Machine) -> Mounts:
    """From the file systems themselves, /proc/mounts and /etc/fstab."""
    return Mounts(
        [disk.folder for disk in probe_disks(machine) if disk.read_only],
        "ro" in _options(machine.text("/proc/mounts") or ""),
        "ro" in _options(machine.text("/etc/fstab") or "")
        or "overlay" in (machine.text("/proc/cmdline") or ""),
    )


def _options(table: str) -> list[str]:
    lines = (line.split() for line in table.splitlines())
    found = [fields[3].split(",") for fields in lines if len(fields) > 3 and fields[1] == "/"]
    return found[-1] if found else []


def judge_mounts(found: Mounts) -> Finding:
    """A kernel that finds a damaged file system stops writing to it."""
    if found.data:
        return fault(
            _("{folder} is on a disk that is read-only").format(folder=found.data[0]),
            _("back up, reboot (it repairs the disk); if it comes back, change the card"),
        )
    if found.root_read_only and not found.root_meant_so:
        return fault(
            _("the system's disk went read-only"),
            _("reboot (it repairs the disk); if it comes back, change the card"),
        )
    return ok(_("the system is read-only, the data is not") if found.root_read_only else _("can be written"))


def probe_kernel_log(machine: Machine) -> list[str] | None:
    """Lines of the kernel since its start that speak of a failing disk; None where nobody shows them.

    Raises:
        PermissionError: this user may not see them.
    """
    answer = machine.run("journalctl", "-k", "-b", "-q", "--no-pager", "-o", "cat", "-n", "20000")
    if answer is None or answer.code != 0 or not answer.out.strip():
        answer = machine.run("dmesg")
    if answer is None:
        return None
    if answer.code != 0:
        if "not permitted" in answer.err:
            raise PermissionError(None, answer.err.strip(), _("the kernel's log"))
        return None
    return [line.strip() for line in answer.out.splitlines() if _ERRORS.search(line)]


def judge_kernel_log(found: Sequence[str] | None) -> Finding:
    """The card says so before it dies."""
    if found is None:
        return absent(_("the kernel's log is not shown here"))
    if found:
        return fault(
            ngettext("{count} disk error: {line}", "{count} disk errors, last: {line}", len(found)).format(
                count=len(found), line=found[-1][:70]
            ),
            _("change the card or disk soon; back up {folder} first").format(folder="/var/lib/loa"),
        )
    return ok(_("no errors since the start"))


@dataclass(frozen=True, slots=True)
class Emmc:
    """Wear of one eMMC."""

    name: str
    used_tenths: int | None
    spare: int | None


def probe_wear(machine: Machine) -> list[Emmc]:
    """From sysfs; SD cards do not say."""
    found = []
    for path in machine.glob("/sys/class/mmc_host/mmc*/mmc*:*"):
        life = machine.text(f"/sys/class/mmc_host/{path.parent.name}/{path.name}/life_time")
        spare = machine.text(f"/sys/class/mmc_host/{path.parent.name}/{path.name}/pre_eol_info")
        if life or spare:
            tenths = max((int(part, 16) for part in (life or "").split()), default=0)
            found.append(Emmc(path.name, tenths or None, int(spare, 16) or None if spare else None))
    return found


def judge_wear(found: Sequence[Emmc]) -> Finding:
    """The better half of those who fail say so a year ahead."""
    known = [emmc for emmc in found if emmc.used_tenths or emmc.spare]
    if not known:
        return absent(_("this card does not tell its wear"))
    worst = max(known, key=lambda emmc: (emmc.spare or 0, emmc.used_tenths or 0))
    tenths = worst.used_tenths or 0
    text = _("up to {percent} % of its life is used").format(percent=min(tenths, 10) * 10)
    if (worst.spare or 0) >= 3 or tenths >= 11:
        return fault(_("the eMMC is worn out"), _("change it now; back up /var/lib/loa first"))
    if (worst.spare or 0) == 2 or tenths >= 9:
        return warning(text, _("plan to change it; back up /var/lib/loa"))
    return ok(text)


@dataclass(frozen=True, slots=True)
class SystemJournal:
    """Of systemd."""

    size_mb: float
    kept: bool
    """Whether it is on the disk, and not in memory only."""
    bound: str | None
    """What somebody has set as its largest size, as journald.conf(5) writes it."""


def probe_system_journal(machine: Machine) -> SystemJournal:
    """Its files."""
    size = 0
    for path in machine.glob("/var/log/journal/*/*.journal"):
        with contextlib.suppress(FileNotFoundError):  # rotated away meanwhile
            size += path.stat().st_blocks * 512
    return SystemJournal(size / MB, machine.at("/var/log/journal").is_dir(), _bound(machine))


def _bound(machine: Machine) -> str | None:
    places = (
        "usr/lib/systemd/journald.conf.d/*.conf",
        "etc/systemd/journald.conf",
        "etc/systemd/journald.conf.d/*.conf",
    )
    found = None
    for path in (path for place in places for path in machine.glob(place)):
        text = machine.text(str(path.relative_to(machine.root))) or ""
        found = (re.findall(r"^SystemMaxUse=(\S+)", text, re.M) or [found])[-1]
    return found


def judge_system_journal(found: SystemJournal) -> Finding:
    """It may take a tenth of the disk if nobody says otherwise."""
    if not found.kept:
        return ok(_("in memory only: gone after a power cut"))
    text = _("the system's journal has {size:.0f} MB").format(size=found.size_mb)
    if found.size_mb > BIG_JOURNAL_MB:
        return warning(
            text, _("sudo journalctl --vacuum-size=100M; then: sudo ./systemd/install.sh bounds it")
        )
    if found.bound is None:
        return warning(
            _("nobody bounds the system's journal: it may take a tenth of the disk"),
            _("sudo ./systemd/install.sh bounds it (SystemMaxUse=100M)"),
        )
    return ok(_("{size:.0f} MB, at most {bound}").format(size=found.size_mb, bound=found.bound))


@dataclass(frozen=True, slots=True)
class PlayLog:
    """The daemon's own journal."""

    damage: str | None
    aside: Sequence[str]
    """Damaged ones that were set aside."""
    there: bool = True
    looked_at: bool = True


def probe_play_log(machine: Machine) -> PlayLog:
    """Read it through where nobody has it open; a daemon that runs has done so itself."""
    folder = machine.config.paths.state / "journal"
    aside = [path.name for path in sorted(folder.glob("damaged-*.db"))]
    try:
        faults = machine.status()["health"]["faults"]
    except ControlError:
        pass
    else:
        return PlayLog(next((fault["text"] for fault in faults if fault["code"] == "journal"), None), aside)
    path = folder / FILE
    if not path.exists():
        return PlayLog(None, aside, there=False)
    if path.stat().st_size > QUICK_CHECK_MAX_BYTES:
        return PlayLog(None, aside, looked_at=False)
    with tempfile.TemporaryDirectory(prefix="loa-doctor-") as name:
        for part in (path, path.with_name(path.name + "-wal")):
            if part.exists():
                shutil.copyfile(part, Path(name, part.name))
        return PlayLog(_damage(Path(name, path.name)), aside)


def _damage(path: Path) -> str | None:
    try:
        with contextlib.closing(sqlite3.connect(path)) as db:
            verdict = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
            db.execute("SELECT epoch FROM journal").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return None if verdict == "ok" else verdict


def judge_play_log(found: PlayLog) -> Finding:
    """A damaged one is set aside at the next start, and a new one begun."""
    if found.damage is not None:
        return fault(
            _("the play log: {damage}").format(damage=found.damage[:80]),
            _("sudo systemctl restart {unit} sets it aside; check the disk").format(unit=UNIT),
        )
    if found.aside:
        return warning(
            _("a damaged play log was set aside: {name}").format(name=found.aside[-1]),
            _("send it to the centre, delete it, and watch the disk"),
        )
    if not found.there:
        return absent(_("there is none yet"))
    return ok(_("the play log is whole") if found.looked_at else _("big: looked at when it is read"))


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("disk-space", "storage", N_("room on the disk"), probe_disks, judge_space),
    Check("inodes", "storage", N_("room for more files"), probe_disks, judge_inodes),
    Check("read-only", "storage", N_("disk can be written"), probe_mounts, judge_mounts),
    Check(
        "disk-errors", "storage", N_("disk errors in the kernel's log"), probe_kernel_log, judge_kernel_log
    ),
    Check("disk-wear", "storage", N_("wear of an eMMC"), probe_wear, judge_wear),
    Check(
        "system-journal",
        "storage",
        N_("size of the system's journal"),
        probe_system_journal,
        judge_system_journal,
    ),
    Check("play-log", "storage", N_("play log is whole"), probe_play_log, judge_play_log),
)
