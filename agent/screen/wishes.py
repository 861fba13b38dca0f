"""What residents ask of the board, at its glass or by a push button: the next page, another language, a vote.

It acts on one zone: the one for bulletins that has the most room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agent.screen.content import Zone
from agent.screen.grid import Box
from agent.screen.protocol import Action
from agent.screen.stage import NEVER
from agent.screen.zones import BulletinArea
from playlists.units import MonotonicS, Seconds

LANGUAGE_S: Final = Seconds(120.0)
"""After so long without a touch, the board shows all languages again: another resident stands there."""
VOTE_EACH_S: Final = Seconds(3.0)
"""Presses that follow each other faster are one vote, by one child."""


class Wishes:
    """What is asked of one zone."""

    def __init__(self, target: BulletinArea) -> None:
        self.target = target
        self.language: str | None = None
        """The only one that is shown; None: all."""
        self.next_at = NEVER
        """When `lapse` is due."""
        self._voted_at = MonotonicS(-1e9)

    def act(self, action: Action, now: MonotonicS) -> bool:
        """Do it; whether the conductor must hear of it."""
        if self.next_at != NEVER:
            self.next_at = MonotonicS(now + LANGUAGE_S)
        match action:
            case "next" | "back":
                self.target.skip(now, back=action == "back")
            case "language":
                self._turn_language(now)
            case "useful" | "useless":
                if now - self._voted_at < VOTE_EACH_S:
                    return False
                self._voted_at = now
                return True
            case "read":
                return True
        return False

    def lapse(self, now: MonotonicS) -> None:
        """Nobody has asked for anything for long: show all languages again."""
        self._choose(None, now)

    def shift(self, seconds: Seconds) -> None:
        """The board was covered for so long."""
        self.next_at = MonotonicS(self.next_at + seconds)

    def _turn_language(self, now: MonotonicS) -> None:
        choices = (None, *self.target.languages)
        following = choices.index(self.language) + 1 if self.language in choices else 1
        self._choose(choices[following % len(choices)], now)

    def _choose(self, language: str | None, now: MonotonicS) -> None:
        self.language = language
        self.next_at = NEVER if language is None else MonotonicS(now + LANGUAGE_S)
        self.target.choose(language, now)


def largest_zone(placed: Sequence[tuple[Zone, Box]]) -> Zone | None:
    """The zone for bulletins that has the most room: what residents act on."""
    bulletins = [
        (box.width * box.height, zone) for zone, box in placed if zone.kind not in {"ticker", "clock"}
    ]
    return max(bulletins, key=lambda one: one[0], default=(0, None))[1]
