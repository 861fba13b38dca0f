"""Runs the checks beside each other, each within a bound, and never fails itself."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.control.client import ControlError, NotRunning
from agent.doctor.finding import Check, Finding, absent, warning
from agent.doctor.machine import Blocked, Machine, NoConfig
from agent.words import _

ALL_WITHIN_S: Final = 9.5


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one check."""

    check: Check[Any]
    finding: Finding


def examine(
    machine: Machine,
    checks: Sequence[Check[Any]],
    within_s: float = ALL_WITHIN_S,
    progress: Callable[[int], None] = lambda _done: None,
) -> list[Result]:
    """Run all checks; results stand in the order of `checks`. One that has not ended in time is a warning.

    `progress` is told how many have ended, on the caller's thread.
    """
    ended: queue.SimpleQueue[tuple[int, Finding]] = queue.SimpleQueue()

    def run(number: int, check: Check[Any]) -> None:
        ended.put((number, look_at(check, machine)))

    deadline = time.monotonic() + within_s
    for number, check in enumerate(checks):
        # a thread for each: one that hangs in a driver is left behind, and holds nobody up
        threading.Thread(target=run, args=(number, check), name=check.id, daemon=True).start()
    findings: dict[int, Finding] = {}
    while len(findings) < len(checks):
        try:
            number, finding = ended.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        findings[number] = finding
        progress(len(findings))
    late = warning(
        _("no answer within {seconds:.0f} s").format(seconds=within_s),
        _("something hangs; look at: journalctl -k -n 50"),
    )
    return [Result(check, findings.get(number, late)) for number, check in enumerate(checks)]


def look_at(check: Check[Any], machine: Machine) -> Finding:
    """What one check finds; a check that fails is a warning."""
    try:
        return check.judge(check.probe(machine))
    except NoConfig:
        return absent(_("not looked at: the configuration cannot be read"))
    except Blocked as error:
        return absent(_("not looked at before {check} is well").format(check=error))
    except NotRunning:
        return absent(_("not looked at: the agent does not run"))
    except PermissionError as error:
        what = error.filename or error
        return warning(_("{what} may not be looked at").format(what=what), _("sudo loa doctor"))
    except ControlError as error:
        return absent(_("not looked at: {error}").format(error=error))
    except Exception as error:  # noqa: BLE001 - a doctor that falls ill helps nobody
        text = _("the check itself failed: {error}").format(error=f"{type(error).__name__}: {error}"[:200])
        return warning(text, _("look by hand, and report this as a defect"))
