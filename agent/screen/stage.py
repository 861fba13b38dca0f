"""What all zones of a board share, and what each of them can do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import pygame

from agent.screen.card import Moment, Style
from agent.screen.content import Zone
from agent.screen.films import Films
from agent.screen.grid import Box
from agent.screen.ledger import Ledger
from agent.screen.pictures import Pictures
from playlists.units import MonotonicS, Seconds

NEVER: Final = MonotonicS(math.inf)
NOW: Final = MonotonicS(0.0)


@dataclass
class Stage:
    """What zones share: the screen's surface, the style, where to report."""

    surface: pygame.Surface
    style: Style
    pictures: Pictures
    ledger: Ledger
    fail: Callable[[str, str], None]
    """Reports that a bulletin (id) cannot be shown, and why; it is said once for each board."""
    films: Films | None = None
    film_waits: Callable[[str, bool], None] = field(default=lambda _bulletin, _waits: None)
    """Hears that a film with sound waits to be told when to run, or that it has left."""
    transitions: bool = False
    emblem: pygame.Surface | None = None
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Ho_Chi_Minh"))
    clock_known: bool = True

    def moment(self, wall: datetime) -> Moment:
        """What the clock shows."""
        return Moment(wall, self.timezone, self.clock_known)


class Area(Protocol):
    """A zone on the screen."""

    zone: Zone
    box: Box
    next_at: MonotonicS
    """When `advance` is due; `NEVER` while nothing will change by itself."""

    @property
    def showing(self) -> tuple[str, ...]:
        """Ids of the bulletins that are seen in it now."""

    def advance(self, now: MonotonicS, wall: datetime) -> list[Box]:
        """Paint what is due; the boxes that changed."""

    def repaint(self, now: MonotonicS, wall: datetime) -> None:
        """Paint all of it, as it stands: it was covered."""

    def restore(self, now: MonotonicS, wall: datetime) -> None:
        """Paint all of it, as it stands: a part of it was covered for a moment, which ends no showing."""

    def prepare(self) -> bool:
        """Do one small step towards the next change; False when there is nothing to do."""

    def shift(self, seconds: Seconds) -> None:
        """It was covered for so long: nothing went on meanwhile."""

    def close(self, now: MonotonicS) -> None:
        """It is shown no more."""
