"""An endless strip of pieces, of which no more is rendered than is about to be seen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import pygame

from agent.screen.grid import Box
from agent.screen.theme import Colour

AHEAD_PX: Final = 240
"""A piece is rendered when it is so far from coming into view."""


@dataclass(frozen=True)
class Piece:
    """A stretch of the strip: some words of one bulletin, or (without text) the mark before it."""

    text: str
    width: int
    bulletin: int


class Tape:
    """The pieces one after the other, round and round; before the first there is nothing.

    What is rendered lies on one surface, so that a view of it is one plain copy. When the view comes near the end of
    the surface, what is seen is moved to its front.
    """

    def __init__(
        self,
        pieces: Sequence[Piece],
        view: tuple[int, int],
        like: pygame.Surface,
        ground: Colour,
        render: Callable[[Piece, pygame.Surface, Box], None],
    ) -> None:
        """`view` is its width and height, `like` where it will be copied to; `render` draws a piece on `ground`."""
        self._pieces = pieces
        self._starts = list(accumulate((piece.width for piece in pieces), initial=0))
        self._view_px, height = view
        self._ground = ground
        self._render = render
        widest = max((piece.width for piece in pieces), default=0)
        self._reach = self._view_px + AHEAD_PX + widest
        self.surface = pygame.Surface((self._reach + self._view_px, height), 0, like)
        self._begin = self._end = 0
        """Positions between which it is rendered."""
        self._next = 0
        self.ink = (0, 0)
        """First of the rows that were drawn on so far, and how many: few words need the room of all marks."""

    @property
    def length(self) -> int:
        """Pixels from a piece to the same piece again."""
        return max(1, self._starts[-1])

    def view(self, position: int) -> int:
        """Where on `surface` the view lies that begins at `position`; negative before the first piece."""
        if not self._begin <= position < self._end:
            self._go_to(position)
        elif position - self._begin + self._reach > self.surface.get_width():
            self.surface.scroll(self._begin - position, 0)
            self._begin = position
        while self._end < position + self._view_px + AHEAD_PX:
            piece = self._pieces[self._next]
            box = Box(self._end - self._begin, 0, piece.width, self.surface.get_height())
            self.surface.fill(self._ground, box)
            self._render(piece, self.surface, box)
            self._see(box)
            self._end += piece.width
            self._next = (self._next + 1) % len(self._pieces)
        return position - self._begin

    def _go_to(self, position: int) -> None:
        self._begin = position
        if position < 0:
            self._next, self._end = 0, 0
            self.surface.fill(self._ground, (0, 0, -position, self.surface.get_height()))
        else:
            at = position % self.length
            self._next = bisect_right(self._starts, at) - 1
            self._end = position - (at - self._starts[self._next])

    def _see(self, box: Box) -> None:
        part = self.surface.subsurface(pygame.Rect(box).clip(self.surface.get_rect()))
        part.set_colorkey(self._ground)  # what has not this colour was drawn
        drawn = part.get_bounding_rect()
        if drawn.height:
            row, rows = self.ink
            top, below = (
                (min(row, drawn.top), max(row + rows, drawn.bottom)) if rows else (drawn.top, drawn.bottom)
            )
            self.ink = (top, below - top)
