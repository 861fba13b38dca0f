"""What happened lately, to the millisecond: relay edges, starts and ends, takeovers. In memory only."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from agent.clock import Clock
from playlists.units import MonotonicS

KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `wall` is in UTC; `monotonic_s` orders moments also when the clock was set."""

    wall: datetime
    monotonic_s: MonotonicS
    kind: str
    """`relay`, `sound` or `screen`."""
    name: str
    state: str
    reason: str | None = None


class Timeline:
    """The newest moments. Used by the conductor's thread only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moments: deque[Moment] = deque(maxlen=KEPT)

    def add(
        self, kind: str, name: str, state: str, reason: str | None = None, at: MonotonicS | None = None
    ) -> None:
        """Keep a moment; `at` where it was not just now."""
        now = self._clock.monotonic()
        at = now if at is None else at
        wall = self._clock.now() - timedelta(seconds=now - at)
        self._moments.append(Moment(wall, at, kind, name, state, reason))

    def to_json(self) -> list[dict[str, Any]]:
        """All moments that are kept, oldest first."""
        moments = sorted(self._moments, key=lambda moment: moment.monotonic_s)
        return [asdict(moment) | {"wall": moment.wall.isoformat()} for moment in moments]
