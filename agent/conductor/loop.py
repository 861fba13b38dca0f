"""The conductor: takes an event, lets every part make true what should be true, sleeps until that changes."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.clock import Clock
from agent.conductor.events import StopAsked
from playlists.units import MonotonicS

log = logging.getLogger("loa.conductor")

LONGEST_SLEEP_S = 60.0
MANY_EVENTS = 200
"""After so many events in a row a turn is taken, however many wait."""

SAY_AGAIN_S = 60.0
TRY_AGAIN_S = 1.0
"""A part that failed is asked again after this time."""

Part = Callable[[], MonotonicS | None]
"""Makes something true; returns when it must be asked again at the latest."""


class Conductor:
    """Owns the thread that owns all state."""

    def __init__(self, clock: Clock) -> None:
        """Handlers are added with `on`, parts with `each_turn`."""
        self._clock = clock
        self._handlers: dict[type, Callable[[Any], None]] = {}
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._parts: list[tuple[str, Part]] = []
        self._broken: Callable[[str, Exception | None], None] = lambda _name, _error: None
        self._failed: dict[str, _Failing] = {}
        self.turns = 0
        self.stop_asked: StopAsked | None = None

    def post(self, event: object) -> None:
        """Hand over an event; from any thread, never blocks."""
        self._queue.put(event)

    def on(self, event: type, handler: Callable[[Any], None]) -> None:
        """Have events of this class handled."""
        self._handlers[event] = handler

    def each_turn(self, name: str, part: Part) -> None:
        """Have `part` asked at each turn, in the order of these calls."""
        self._parts.append((name, part))

    def when_broken(self, told: Callable[[str, Exception | None], None]) -> None:
        """`told(part, error)` hears of a part that raised what it should not: the others go on.

        `told(part, None)` says that it works again.
        """
        self._broken = told

    def run(self) -> StopAsked:
        """Conduct until somebody asks to stop."""
        while True:
            wake = self.step()
            if self.stop_asked is not None:
                return self.stop_asked
            self._await(wake)

    def step(self) -> MonotonicS:
        """Handle what waits and take one turn; returns when the next one is due at the latest."""
        for _ in range(MANY_EVENTS):
            try:
                event = self._queue.get_nowait()
            except queue.Empty:
                break
            self._handle(event)
        return self._turn() if self.stop_asked is None else self._clock.monotonic()

    def drain(self) -> None:
        """Handle what waits, after `run` has returned."""
        while not self._queue.empty():
            self._handle(self._queue.get_nowait())

    def _await(self, wake: MonotonicS) -> None:
        wait_s = wake - self._clock.monotonic()
        if wait_s > 0:
            try:
                event = self._queue.get(timeout=wait_s)
            except queue.Empty:
                return
            self._handle(event)

    def _handle(self, event: object) -> None:
        if isinstance(event, StopAsked):
            self.stop_asked = event
            return
        handler = self._handlers.get(type(event))
        if handler is None:
            log.debug("nobody handles %r", event)
            return
        self._guard(type(event).__name__, lambda: handler(event))

    def _turn(self) -> MonotonicS:
        self.turns += 1
        wake = MonotonicS(self._clock.monotonic() + LONGEST_SLEEP_S)
        for name, part in self._parts:
            found = self._guard(name, part)
            if found is not None:
                wake = min(wake, found)
        return wake

    def _guard(self, name: str, act: Callable[[], MonotonicS | None]) -> MonotonicS | None:
        try:
            found = act()
        except Exception as error:  # noqa: BLE001 - see below
            # a mistake of ours in one room must not silence the node in a storm
            self._note(name, error)
            return MonotonicS(self._clock.monotonic() + TRY_AGAIN_S)
        if name in self._failed:
            del self._failed[name]
            self._broken(name, None)
        return found

    def failing_for_s(self, name: str) -> float:
        """For how long this part has failed at each turn."""
        failing = self._failed.get(name)
        return 0.0 if failing is None else self._clock.monotonic() - failing.since

    def _note(self, name: str, error: Exception) -> None:
        now = self._clock.monotonic()
        failing = self._failed.setdefault(name, _Failing(now))
        failing.times += 1
        if failing.told != repr(error) or now >= failing.told_at + SAY_AGAIN_S:
            failing.told, failing.told_at = repr(error), now
            log.error("%s failed (%d times)", name, failing.times, exc_info=error)
            self._broken(name, error)


@dataclass(slots=True)
class _Failing:
    """A part that raises at each turn: its traceback is told once, not hundreds of times a second."""

    since: MonotonicS
    times: int = 0
    told: str = ""
    told_at: MonotonicS = MonotonicS(0.0)
