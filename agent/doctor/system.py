"""Checks of the operating system: release, kernel, service, watchdog, account, folders."""

from __future__ import annotations

import errno
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.doctor.account import group_names
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import ACCOUNT, UNIT, Blocked, Machine
from agent.words import N_, _, ngettext

RELEASES: Final = ("12", "13")
MANY_RESTARTS: Final = 3
EXIT_CONFIG: Final = "2"
"""The daemon's exit code where the configuration is wrong."""


@dataclass(frozen=True, slots=True)
class Release:
    """What /etc/os-release says."""

    name: str
    id: str
    like: str
    version: str


def probe_release(machine: Machine) -> Release | None:
    """From /etc/os-release."""
    text = machine.text("/etc/os-release")
    if text is None:
        return None
    found = {key: value.strip("\"'") for key, _, value in (line.partition("=") for line in text.splitlines())}
    return Release(
        found.get("PRETTY_NAME", "?"),
        found.get("ID", ""),
        found.get("ID_LIKE", ""),
        found.get("VERSION_ID", ""),
    )


def judge_release(found: Release | None) -> Finding:
    """Debian 12 and 13, and Raspberry Pi OS, which says that it is Debian or is like it."""
    if found is None:
        return warning(_("the system does not say what it is"), _("install Debian 12 or 13"))
    if "debian" not in (found.id, *found.like.split()) or found.version not in RELEASES:
        return warning(
            _("{name} was never tried").format(name=found.name),
            _("install Debian 12 or 13, or Raspberry Pi OS 64-bit"),
        )
    return ok(found.name)


@dataclass(frozen=True, slots=True)
class Kernel:
    """The kernel that runs, and those that have modules on the disk."""

    running: str
    installed: Sequence[str]


def probe_kernel(machine: Machine) -> Kernel:
    """From uname and /lib/modules."""
    running = machine.text("/proc/sys/kernel/osrelease") or platform.release()
    return Kernel(running, [path.name for path in machine.glob("/lib/modules/*")])


def judge_kernel(found: Kernel) -> Finding:
    """After an update the old kernel finds its modules no more: a USB card that is plugged in stays dead."""
    if not found.installed:
        return absent(_("no modules on this disk"))
    if found.running not in found.installed:
        return warning(
            _("the kernel {running} was replaced by an update").format(running=found.running),
            _("start the machine anew: sudo reboot"),
        )
    return ok(found.running)


def probe_unit(machine: Machine) -> dict[str, str] | None:
    """What systemd says of the service."""
    return machine.unit()


def probe_service(machine: Machine) -> dict[str, str] | None:
    """The same; a service that has no configuration to run with is another check's word."""
    unit = machine.unit()
    idle = unit is not None and unit.get("LoadState") == "loaded" and unit.get("ActiveState") != "active"
    if idle and machine.config_error() is not None:
        raise Blocked("config")
    return unit


def judge_unit(found: dict[str, str] | None) -> Finding:
    """Installed, enabled, active."""
    if found is None:
        return absent(_("no systemd runs here"))
    if found.get("LoadState") != "loaded":
        return fault(
            _("the service {unit} is not installed").format(unit=UNIT), _("sudo ./systemd/install.sh")
        )
    if found.get("ActiveState") not in {"active", "activating", "reloading"}:
        if found.get("ExecMainStatus") == EXIT_CONFIG:
            return fault(
                _("the agent refuses its configuration"),
                _("loa check-config, then: sudo systemctl restart {unit}").format(unit=UNIT),
            )
        if found.get("ActiveState") == "failed":
            return fault(
                _("the agent has failed ({result})").format(result=found.get("Result", "?")),
                _("see why: journalctl -u {unit} -n 30").format(unit=UNIT),
            )
        return fault(_("the agent does not run"), _("sudo systemctl enable --now {unit}").format(unit=UNIT))
    if found.get("SubState") == "auto-restart":
        return fault(
            _("the agent ends as soon as it has started ({result})").format(result=found.get("Result", "?")),
            _("see why: journalctl -u {unit} -n 30").format(unit=UNIT),
        )
    if found.get("UnitFileState") not in {"enabled", "enabled-runtime", "static", "linked"}:
        return fault(
            _("the agent will not start with the machine"),
            _("sudo systemctl enable {unit}").format(unit=UNIT),
        )
    return ok(_("runs, and starts with the machine"))


def judge_restarts(found: dict[str, str] | None) -> Finding:
    """A service that falls and gets up again looks healthy in between."""
    if found is None or found.get("LoadState") != "loaded":
        return absent(_("no systemd runs here") if found is None else _("not installed"))
    count = int(found.get("NRestarts", "0") or 0)
    if count >= MANY_RESTARTS:
        return warning(
            _("systemd had to start the agent again {count} times").format(count=count),
            _("see why: journalctl -u {unit} -p warning -n 50").format(unit=UNIT),
        )
    return ok(
        ngettext("started again {count} time", "started again {count} times", count).format(count=count)
    )


@dataclass(frozen=True, slots=True)
class Watchdog:
    """Whether there is one, and after what time it strikes, as systemd writes it."""

    present: bool
    after: str | None


def probe_watchdog(machine: Machine) -> Watchdog:
    """From /sys/class/watchdog and systemd."""
    answer = machine.run("systemctl", "show", "--property=RuntimeWatchdogUSec")
    value = answer.out.strip().partition("=")[2] if answer is not None and not answer.code else None
    return Watchdog(bool(machine.glob("/sys/class/watchdog/watchdog*")), value)


def judge_watchdog(found: Watchdog) -> Finding:
    """Nobody climbs the pole to press a button."""
    if not found.present or not found.after:
        return absent(_("no hardware watchdog") if not found.present else _("no systemd runs here"))
    if found.after in {"0", "infinity"}:
        return warning(
            _("the hardware watchdog is off: a machine that hangs stays so"),
            _("sudo ./systemd/install.sh turns it on (RuntimeWatchdogSec)"),
        )
    return ok(_("restarts the machine after {after}").format(after=found.after))


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups that the daemon's account needs, has, and that there are."""

    installed: bool
    """Whether the service is."""
    needed: Sequence[str]
    has: frozenset[str] | None
    """None: there is no such account."""
    known: frozenset[str]


def probe_groups(machine: Machine) -> Groups:
    """What the configuration asks for, and /etc/group."""
    config, account, unit = machine.config, machine.account, machine.unit()
    real = config.hardware.gpio == "real" and (config.relays or config.buttons)
    console = config.screen.enabled and config.screen.driver in {"auto", "kmsdrm"}
    needed = [
        *(["audio"] if config.audio.output == "portaudio" else []),
        *(["gpio"] if real else []),
        *(["video", "render"] if console else []),
        *(["input"] if config.screen.enabled and config.screen.touch else []),
    ]
    return Groups(
        unit is not None and unit.get("LoadState") == "loaded",
        needed,
        account.groups if account is not None else None,
        group_names(machine.root),
    )


def judge_groups(found: Groups) -> Finding:
    """Sound cards, pins and screens belong to groups."""
    if found.has is None:
        if not found.installed:
            return absent(_("the service is not installed"))
        return fault(_("the account {name} is missing").format(name=ACCOUNT), _("sudo systemd-sysusers"))
    missing = [name for name in found.needed if name not in found.has]
    unknown = [name for name in missing if name not in found.known]
    if unknown:
        return fault(_("the group {name} is missing").format(name=unknown[0]), _("sudo systemd-sysusers"))
    if missing:
        return fault(
            _("{account} is not in group {groups}").format(account=ACCOUNT, groups=", ".join(missing)),
            _("sudo usermod -aG {groups} {account}; sudo systemctl restart {unit}").format(
                groups=",".join(missing), account=ACCOUNT, unit=UNIT
            ),
        )
    return ok(_("{account} is in {groups}").format(account=ACCOUNT, groups=", ".join(found.needed) or "–"))


@dataclass(frozen=True, slots=True)
class Folder:
    """One of the node's own."""

    path: Path
    there: bool
    writable: bool


def probe_folders(machine: Machine) -> list[Folder]:
    """Whether the daemon may write to its folders."""
    paths, account = machine.config.paths, machine.account
    found = []
    for path in (paths.state, paths.cache, paths.runtime):
        there = path.is_dir()
        if not there:
            writable = False
        elif account is not None:
            writable = account.may_write(path)
        else:
            writable = _can_write(path)
        found.append(Folder(path, there, writable))
    return found


def _can_write(path: Path) -> bool:
    try:
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        # a disk that is full or went read-only is another check's word
        return error.errno in {errno.EROFS, errno.ENOSPC, errno.EDQUOT}
    return True


def judge_folders(found: Sequence[Folder]) -> Finding:
    """What the daemon remembers must survive; the runtime folder comes and goes with it."""
    for folder in found:
        if not folder.there:
            if folder is found[-1]:
                continue
            return fault(
                _("{path} is not there").format(path=folder.path), _("sudo systemd-tmpfiles --create")
            )
        if not folder.writable:
            return fault(
                _("the agent may not write to {path}").format(path=folder.path),
                _("sudo chown -R {account}:{account} {path}").format(account=ACCOUNT, path=folder.path),
            )
    return ok(_("the agent may write to its folders"))


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("release", "system", N_("version of the system"), probe_release, judge_release),
    Check("kernel", "system", N_("kernel and its modules"), probe_kernel, judge_kernel),
    Check("service", "system", N_("service installed, enabled, running"), probe_service, judge_unit),
    Check("restarts", "system", N_("how often the service fell"), probe_unit, judge_restarts),
    Check("watchdog", "system", N_("hardware watchdog"), probe_watchdog, judge_watchdog),
    Check("groups", "system", N_("account and its groups"), probe_groups, judge_groups),
    Check("folders", "system", N_("folders of the agent"), probe_folders, judge_folders),
)
