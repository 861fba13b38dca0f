"""What was tried, and what came of it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.control.client import NotRunning, ask
from agent.doctor.finding import Finding
from agent.doctor.machine import Machine
from agent.setup.trying import in_a_process
from agent.words import _

Meter = Callable[[float], None]
"""Gets a level in dBFS, some times a second."""

POLL_EACH_S = 0.2


@dataclass(frozen=True, slots=True)
class Tried:
    """One line of `loa test`."""

    what: str
    """Part and, where there are several, its name: `relay amplifier`."""
    finding: Finding
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was measured, for scripts. Units are in the names."""


class Bench:
    """What a trial works with."""

    def __init__(self, machine: Machine, meter: Meter = lambda _dbfs: None) -> None:
        self.machine = machine
        self.config = machine.config
        self.meter = meter

    def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Ask the agent. Raises as `agent.control.client.ask` does."""
        return ask(self.machine.socket, op, **arguments)

    def agent_runs(self) -> bool:
        """Whether an agent holds the devices.

        Raises:
            ControlError: one runs, and does not answer us.
        """
        try:
            self.ask("status")
        except NotRunning:
            return False
        return True

    def health(self) -> dict[str, Any]:
        """The agent's health now."""
        health: dict[str, Any] = self.ask("status")["health"]
        return health


def on_the_device(request: Mapping[str, Any]) -> dict[str, Any]:
    """Try on the device itself, in a process of its own: `{"ok": …}`, with `facts` or an `error`."""
    try:
        return in_a_process(request)
    except subprocess.TimeoutExpired as error:
        return {"ok": False, "error": _("no answer within {seconds:.0f} s").format(seconds=error.timeout)}
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return {"ok": False, "error": str(error)}


def until(found: Callable[[], Any], within_s: float) -> Any:
    """What `found` returns once it is something; None where it never is."""
    deadline = time.monotonic() + within_s
    while True:
        value = found()
        if value is not None or time.monotonic() > deadline:
            return value
        time.sleep(POLL_EACH_S)


Trial = Callable[[Bench], Iterator[Tried]]
