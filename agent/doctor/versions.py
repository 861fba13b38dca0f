"""Checks of what is installed: the version that runs, and what became of the last update."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from agent.control.client import ControlError
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import UNIT, Machine
from agent.words import N_, _, retell

WATCHER: Final = "loa-update.path"


@dataclass(frozen=True, slots=True)
class Version:
    """The version that is started next, and the one that runs."""

    current: str
    whole: bool
    """Whether its program is there."""
    running: str | None


def probe_version(machine: Machine) -> Version | None:
    """Where /opt/loa/current points; None on a machine where nothing was installed."""
    link = machine.at("/opt/loa/current")
    if not link.is_symlink():
        return None
    try:
        running = str(machine.status()["node"]["agent"])
    except ControlError:
        running = None
    return Version(link.readlink().name, (link / "bin/loa").exists(), running)


def judge_version(found: Version | None) -> Finding:
    """A link that points nowhere starts nothing; one that has moved on waits for a restart."""
    if found is None:
        return absent(_("nothing is installed in /opt/loa"))
    if not found.whole:
        return fault(
            _("version {version} is not there as a whole").format(version=found.current),
            _("sudo ./systemd/install.sh repairs it"),
        )
    # the folder of a version may say more: 0.1.0-DIGEST-board
    if found.running not in (None, found.current, found.current.partition("-")[0]):
        return warning(
            _("{running} runs, {current} is installed").format(running=found.running, current=found.current),
            _("when nothing sounds: sudo systemctl restart {unit}").format(unit=UNIT),
        )
    return ok(found.current)


@dataclass(frozen=True, slots=True)
class Update:
    """The newest one."""

    release: str
    outcome: str | None
    """None while it is under way."""
    text: str


@dataclass(frozen=True, slots=True)
class Unwatched:
    """The path unit that takes wishes up does not watch."""

    state: str
    """As systemd calls it."""


def probe_update(machine: Machine) -> Update | Unwatched | None:
    """What the updater wrote down, and whether the next wish would be taken up; None where there was none."""
    from agent.update.places import Places
    from agent.update.progress import look

    if machine.at("/opt/loa/current").is_symlink():
        answer = machine.run("systemctl", "is-failed", WATCHER)
        state = answer.out.strip() if answer is not None else ""
        if state in {"failed", "inactive"}:
            return Unwatched(state)
    seen = look(Places(machine.root))
    return Update(seen.state.release or "?", seen.outcome, seen.text) if seen is not None else None


def judge_update(found: Update | Unwatched | None) -> Finding:
    """One that failed leaves the old version running, and should be known; so should that none can come."""
    if isinstance(found, Unwatched):
        return fault(
            _("no update is taken up: {watcher} is {state}").format(watcher=WATCHER, state=found.state),
            _("sudo systemctl reset-failed loa-update.service; sudo systemctl restart {watcher}").format(
                watcher=WATCHER
            ),
        )
    if found is None:
        return absent(_("there was none"))
    if found.outcome is None:
        return ok(_("an update to {release} is under way").format(release=found.release))
    if found.outcome in {"failed", "refused"}:
        text = _("the update to {release} did not come about: {reason}")
        return warning(
            text.format(release=found.release, reason=retell(found.text)[:120]),
            _("the old version runs on; see: loa update --show, and tell the centre"),
        )
    return ok(retell(found.text) or found.outcome)


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("version", "system", N_("installed version runs"), probe_version, judge_version),
    Check("update", "system", N_("the last update went well"), probe_update, judge_update),
)
