"""Which log batches may be under way: pure, no clock of its own.

Batches go out in order, at most `SIZE` unacknowledged. Where nothing is acknowledged for a while, all that is
under way is taken back and sent again, with a growing patience: a centre that is away must not cost a village
its data plan.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from playlists.units import MonotonicS, Seconds

SIZE: Final = 4
FIRST_PATIENCE_S: Final = Seconds(20.0)
LONGEST_PATIENCE_S: Final = Seconds(3_600.0)


class Window:
    """The sender's side of one epoch."""

    def __init__(self, stored_through: int) -> None:
        """Begin after what the centre has acknowledged."""
        self.acked = stored_through
        self._under_way: deque[int] = deque()
        self._patience = FIRST_PATIENCE_S
        self._patient_until = MonotonicS(0.0)

    @property
    def next_after(self) -> int | None:
        """The number after which the next batch begins; None while the window is full."""
        if len(self._under_way) >= SIZE:
            return None
        return self._under_way[-1] if self._under_way else self.acked

    @property
    def deadline(self) -> MonotonicS | None:
        """When patience ends; None while nothing is under way."""
        return self._patient_until if self._under_way else None

    def sent(self, last: int, now: MonotonicS) -> None:
        """A batch up to `last` was handed over."""
        if not self._under_way:
            self._patient_until = MonotonicS(now + self._patience)
        self._under_way.append(last)

    def stored(self, through: int, now: MonotonicS) -> None:
        """The centre has all up to `through`. Less than it once said means that it lost some: begin there."""
        if through < self.acked:
            self._under_way.clear()
        elif through == self.acked:
            # an echo of a batch that came twice, or a centre that waits for one that was lost on the way
            return
        self.acked = through
        self._patience = FIRST_PATIENCE_S
        self._patient_until = MonotonicS(now + self._patience)
        while self._under_way and self._under_way[0] <= through:
            self._under_way.popleft()

    def tick(self, now: MonotonicS) -> bool:
        """Take everything back when patience has ended; True when it has."""
        if not self._under_way or now < self._patient_until:
            return False
        self._under_way.clear()
        self._patience = Seconds(min(self._patience * 2, LONGEST_PATIENCE_S))
        return True

    def take_back(self) -> None:
        """What is under way is lost for sure: send it again at once."""
        self._under_way.clear()
