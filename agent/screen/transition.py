"""The turn from one page to the next: the new one is drawn over the old one from the left, with a soft edge.

Each pixel is copied about once in the whole turn, however many frames it has: a cross-fade of a whole zone
copies all of it, mixed, at each frame, which costs more than twice as much (measured: docs/adr/0095).
"""

from __future__ import annotations

from typing import Final

import pygame

from agent.screen.grid import Box
from playlists.units import MonotonicS, Seconds

LASTS_S: Final = Seconds(0.3)
FRAME_S: Final = Seconds(1 / 60)
SOFT_PART: Final = 10
"""The soft edge is so much of the width: one part in ten."""
SLICES: Final = 8
LATE_S: Final = Seconds(0.1)
"""A frame that comes so late is a stutter: the machine is too slow for it."""


class Wipe:
    """One turn, under way."""

    def __init__(self, old: pygame.Surface, new: pygame.Surface, box: Box, now: MonotonicS) -> None:
        self._old, self._new, self._box = old, new, box
        self._begun = now
        self._done_px = 0
        self._slice_px = max(1, box.width // SOFT_PART // SLICES)
        self.next_at = MonotonicS(now + FRAME_S)
        self.over = False
        self.stuttered = False

    def step(self, now: MonotonicS, surface: pygame.Surface) -> Box:
        """Draw what is due; the box that changed."""
        self.stuttered |= now - self.next_at > LATE_S
        share = (now - self._begun) / LASTS_S
        if share >= 1.0 or self.stuttered:
            return self.finish(surface)
        self.next_at = MonotonicS(now + FRAME_S)
        soft_px = self._slice_px * SLICES
        edge = round(share * (self._box.width + soft_px))
        whole = max(self._done_px, min(self._box.width, edge - soft_px))
        begin = self._done_px
        self._copy(self._new, begin, whole, surface)
        for number in range(SLICES):
            left = whole + number * self._slice_px
            right = min(left + self._slice_px, self._box.width)
            if left >= right:
                break
            self._copy(self._old, left, right, surface)
            self._new.set_alpha(255 - 255 * (number + 1) // (SLICES + 1))
            self._copy(self._new, left, right, surface)
        self._new.set_alpha(None)
        self._done_px = whole
        return self._columns(begin, min(self._box.width, whole + soft_px))

    def finish(self, surface: pygame.Surface) -> Box:
        """Draw all that is left of it; the box that changed."""
        self.over = True
        begin, self._done_px = self._done_px, self._box.width
        self._copy(self._new, begin, self._box.width, surface)
        return self._columns(begin, self._box.width)

    def _copy(self, page: pygame.Surface, left: int, right: int, surface: pygame.Surface) -> None:
        if right > left:
            surface.blit(page, (self._box.x + left, self._box.y), (left, 0, right - left, self._box.height))

    def _columns(self, left: int, right: int) -> Box:
        return Box(self._box.x + left, self._box.y, max(1, right - left), self._box.height)
