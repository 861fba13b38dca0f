"""The conductor: takes an event, lets every part make true what should be true, sleeps until that changes."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from typing import Any

from agent.clock import Clock
from agent.conductor.events import StopAsked
from playlists.units import MonotonicS

log = logging.getLogger("loa.conductor")

LONGEST_SLEEP_S = 60.0
MANY_EVENTS = 200
"""After so many events in a row a turn is taken, however many wait."""

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
        self._broken: Callable[[str, Exception], None] = lambda _name, _error: None
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

    def when_broken(self, told: Callable[[str, Exception], None]) -> None:
        """`told(part, error)` hears of a part that raised what it should not: the others go on."""
        self._broken = told

    def run(self) -> StopAsked:
        """Conduct until somebody asks to stop."""
        wake = self._turn()
        while self.stop_asked is None:
            self._take_events(wake)
            if self.stop_asked is None:
                wake = self._turn()
        return self.stop_asked

    def drain(self) -> None:
        """Handle what waits, after `run` has returned."""
        while not self._queue.empty():
            self._handle(self._queue.get_nowait())

    def _take_events(self, wake: float) -> None:
        wait_s = wake - time.monotonic()
        try:
            event = self._queue.get(timeout=wait_s) if wait_s > 0 else self._queue.get_nowait()
        except queue.Empty:
            return
        for _ in range(MANY_EVENTS):
            self._handle(event)
            try:
                event = self._queue.get_nowait()
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

    def _turn(self) -> float:
        self.turns += 1
        wake = self._clock.monotonic() + LONGEST_SLEEP_S
        for name, part in self._parts:
            found = self._guard(name, part)
            if found is not None:
                wake = min(wake, found)
        return wake

    def _guard(self, name: str, act: Callable[[], MonotonicS | None]) -> MonotonicS | None:
        try:
            return act()
        except Exception as error:
            # a mistake of ours in one room must not silence the node in a storm
            log.exception("%s failed", name)
            self._broken(name, error)
            return None
