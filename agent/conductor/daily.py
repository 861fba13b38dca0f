"""When the daily self-test is due: at a wall time, or in the first pause after it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from agent.clock import Clock
from playlists.models.base import ClockState
from playlists.units import MonotonicS
from playlists.wallclock import wall_instants

RETRY = timedelta(minutes=5)
WITHIN = timedelta(hours=2)
"""The test waits for a pause so long; then it is left to the next day."""


class Begin(Protocol):
    """Begins the test; returns whether it did. `last`: it is not tried again today."""

    def __call__(self, *, last: bool) -> bool:
        """See the class."""
        ...


class Daily:
    """Begins a test each day. Runs on the conductor's thread only."""

    def __init__(self, clock: Clock, zone: ZoneInfo, at: str, begin: Begin) -> None:
        """`at` is a wall time, `HH:MM`, in `zone`."""
        self._clock = clock
        self._zone = zone
        hours, minutes = at.split(":")
        self._minute = int(hours) * 60 + int(minutes)
        self._begin = begin
        self._due: tuple[datetime, datetime] | None = None
        """When it is to be tried next, and until when it is tried."""

    def turn(self) -> MonotonicS | None:
        """Begin the test when its time has come; returns when to ask again."""
        if self._clock.state is ClockState.UNSET:
            return None
        now = self._clock.now()
        if self._due is None or now > self._due[1] or self._due[0] - now > timedelta(hours=26):
            self._due = self._next(now)
        if now >= self._due[0]:
            end = self._due[1]
            last = now + RETRY >= end
            self._due = self._next(now) if self._begin(last=last) or last else (now + RETRY, end)
        wait_s = (self._due[0] - now).total_seconds()
        return MonotonicS(self._clock.monotonic() + max(0.0, wait_s))

    def _next(self, now: datetime) -> tuple[datetime, datetime]:
        found = next(
            instant
            for instant in wall_instants({self._minute}, self._zone, now, days=2)
            if (wall := instant.astimezone(self._zone)).hour * 60 + wall.minute == self._minute
        )
        return found, found + WITHIN
