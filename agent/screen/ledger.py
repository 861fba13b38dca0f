"""What was presented, summed. Pure: it is told when something appears and vanishes."""

from __future__ import annotations

from datetime import datetime

from agent.screen.protocol import Shown
from playlists.units import MonotonicS, Seconds


class Ledger:
    """Counts showings and seconds for each bulletin, until they are reported."""

    def __init__(self) -> None:
        self._since: dict[str, MonotonicS] = {}
        self._from: dict[str, datetime] = {}
        self._seconds: dict[str, float] = {}
        self._count: dict[str, int] = {}
        self._unseen: set[str] | None = None
        """What would be seen if the screen showed what is drawn; None while it does."""

    @property
    def open(self) -> bool:
        """Whether there is anything to report, now or later."""
        return bool(self._since or self._from)

    def appear(self, bulletin: str, now: MonotonicS, wall: datetime) -> None:
        """It was presented: one showing begins."""
        if self._unseen is not None:
            self._unseen.add(bulletin)
            return
        self._from.setdefault(bulletin, wall)
        self._count[bulletin] = self._count.get(bulletin, 0) + 1
        self._since.setdefault(bulletin, now)

    def vanish(self, bulletin: str, now: MonotonicS) -> None:
        """It is seen no more."""
        if self._unseen is not None:
            self._unseen.discard(bulletin)
        begun = self._since.pop(bulletin, None)
        if begun is not None:
            self._seconds[bulletin] = self._seconds.get(bulletin, 0.0) + (now - begun)

    def vanish_all(self, now: MonotonicS) -> None:
        """Nothing is seen any more."""
        if self._unseen is not None:
            self._unseen.clear()
        for bulletin in tuple(self._since):
            self.vanish(bulletin, now)

    def lose_sight(self, since: MonotonicS) -> None:
        """The screen has not shown what was drawn since then: nothing counts until it does again."""
        if self._unseen is not None:
            return
        self._unseen = set(self._since)
        for bulletin, begun in self._since.items():
            if begun >= since and self._count.get(bulletin):
                self._count[bulletin] -= 1
            self._seconds[bulletin] = self._seconds.get(bulletin, 0.0) + max(0.0, since - begun)
        self._since.clear()

    def regain_sight(self, now: MonotonicS, wall: datetime) -> None:
        """The screen shows again what is drawn."""
        back, self._unseen = self._unseen or set(), None
        for bulletin in sorted(back):
            self.appear(bulletin, now, wall)

    def report(self, now: MonotonicS, wall: datetime) -> list[Shown]:
        """The sums since the last report; what is still seen goes on counting from now."""
        for bulletin in tuple(self._since):
            self._seconds[bulletin] = self._seconds.get(bulletin, 0.0) + (now - self._since[bulletin])
            self._since[bulletin] = now
        sums = [
            Shown(
                bulletin,
                since.isoformat(timespec="milliseconds"),
                Seconds(round(self._seconds.get(bulletin, 0.0), 3)),
                self._count.get(bulletin, 0),
            )
            for bulletin, since in self._from.items()
        ]
        self._seconds.clear()
        self._count.clear()
        self._from = dict.fromkeys(self._since, wall)
        return sums
