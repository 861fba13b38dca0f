"""Checks of the daemon that runs: answers, faults, workers, mutes, reports that wait."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.control.client import ControlError, NotRunning
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import UNIT, Blocked, Machine
from agent.remedies import remedy
from agent.words import N_, _, ngettext, retell

MANY_WAITING: Final = 5_000
ELSEWHERE: Final = ("relay-", "amplifier-", "disk-full", "under-voltage", "hot", "journal")
"""Faults that other checks see for themselves."""


def probe_socket(machine: Machine) -> str | None:
    """Why the daemon does not answer.

    Raises:
        PermissionError: this user may not ask.
    """
    try:
        machine.status()
    except NotRunning:
        unit = machine.unit()
        if unit is not None and unit.get("ActiveState") not in {"active", "reloading"}:
            raise Blocked("service") from None
        return "not-running"
    except ControlError as error:
        if isinstance(error.__cause__, PermissionError):
            raise PermissionError(None, str(error), str(machine.socket)) from error
        return str(error)
    return None


def judge_socket(found: str | None) -> Finding:
    """What `loa status` asks."""
    if found is None:
        return ok(_("answers"))
    if found == "not-running":
        return fault(_("the agent does not answer"), _("sudo systemctl start {unit}").format(unit=UNIT))
    return fault(retell(found), _("sudo systemctl restart {unit}").format(unit=UNIT))


def probe_faults(machine: Machine) -> list[tuple[str, str]]:
    """Codes and texts of the faults that stand."""
    return [(str(one["code"]), str(one["text"])) for one in machine.status()["health"]["faults"]]


def judge_faults(found: Sequence[tuple[str, str]]) -> Finding:
    """What it reports upstream."""
    mine = [(code, text) for code, text in found if not code.startswith(ELSEWHERE)]
    if not mine:
        return ok(_("none but those above") if found else _("none"))
    code, text = mine[0]
    more = _(" (and {more} more)").format(more=len(mine) - 1) if len(mine) > 1 else ""
    return fault(f"{code}: {retell(text)}" + more, remedy(code))


@dataclass(frozen=True, slots=True)
class Workers:
    """Child processes that there should be, and are."""

    wanted: Sequence[str]
    there: frozenset[str]


def probe_workers(machine: Machine) -> Workers:
    """Whoever listens at the socket tells its process number; its children are in /proc."""
    machine.status()
    import psutil

    config = machine.config
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(str(machine.socket))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid = struct.unpack("3i", credentials)[0]
    there: set[str] = set()
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                there.update(word for word in child.cmdline() if word.startswith("agent."))
    return Workers(["agent.player", *(["agent.screen"] if config.screen.enabled else [])], frozenset(there))


def judge_workers(found: Workers) -> Finding:
    """Sound and screen are processes of their own; one that is away for more than a moment is broken."""
    missing = [name for name in found.wanted if name not in found.there]
    if missing:
        return fault(
            _("the process {name} is away").format(name=missing[0]),
            _("see why: journalctl -u {unit} -n 50").format(unit=UNIT),
        )
    return ok(", ".join(name.removeprefix("agent.") for name in found.wanted))


def probe_mute(machine: Machine) -> Mapping[str, str]:
    """Zones that are muted, and until when."""
    muted: Mapping[str, str] = machine.status()["health"]["muted"]
    return muted


def judge_mute(found: Mapping[str, str]) -> Finding:
    """Why a healthy pole is silent."""
    if found:
        until = max(found.values())[:16].replace("T", " ")
        return warning(
            _("muted until {until}; emergencies still sound").format(until=until),
            _("somebody did so (loa log); to lift it: loa unmute"),
        )
    return ok(_("not muted"))


def probe_reports(machine: Machine) -> int | None:
    """Records that wait for the centre; None without a broker."""
    log = machine.status()["health"]["log"]
    return int(log["last"]) - int(log["stored_through"]) if machine.config.broker is not None else None


def judge_reports(found: int | None) -> Finding:
    """They wait for weeks if they must; that nobody takes them should be known."""
    if found is None:
        return absent(_("no broker: nobody takes reports"))
    text = ngettext(
        "{count} record waits for the centre", "{count} records wait for the centre", found
    ).format(count=found)
    if found > MANY_WAITING:
        return warning(text, _("does the centre collect? loa test link, then ask it"))
    return ok(text)


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("socket", "agent", N_("agent answers"), probe_socket, judge_socket),
    Check("faults", "agent", N_("faults that it reports"), probe_faults, judge_faults),
    Check("workers", "agent", N_("processes of sound and screen"), probe_workers, judge_workers),
    Check("mute", "agent", N_("muted"), probe_mute, judge_mute),
    Check("reports", "agent", N_("reports that wait"), probe_reports, judge_reports),
)
