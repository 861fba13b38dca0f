"""Leaps of the wall clock, seen by the conductor itself before it decides anything by a new time.

The watcher of the clock posts an event, but that may come a moment after a turn which already reads the new
time: whatever an hour's leap has passed over would begin at once, all of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from agent.clock import Clock
from playlists.units import MonotonicS

log = logging.getLogger("loa.conductor")

LEAP_S = 2.0
"""Smaller steps are only the clock being kept right."""


class Leaps:
    """Compares wall clock and monotonic clock from turn to turn."""

    def __init__(self, clock: Clock, jumped: Callable[[float], None]) -> None:
        """`jumped(by_s)` hears of each leap; positive is forward."""
        self._clock = clock
        self._jumped = jumped
        self._last: tuple[datetime, MonotonicS] = (clock.now(), clock.monotonic())

    def turn(self) -> None:
        """Look; to be asked before every other part."""
        wall, monotonic = self._last
        self._last = now, mono = self._clock.now(), self._clock.monotonic()
        by_s = (now - wall).total_seconds() - (mono - monotonic)
        if abs(by_s) > LEAP_S:
            log.warning("the wall clock jumped by %.1f s: everything is planned anew", by_s)
            self._jumped(by_s)
