"""The band of spoken words over the zones: put on, turned, and taken off without a trace."""

from __future__ import annotations

from collections.abc import Callable

import pygame

from agent.screen.captions import Band
from agent.screen.grid import Box
from agent.screen.stage import NEVER, NOW
from playlists.units import MonotonicS


class Overlay:
    """At most one band, over what the zones have painted."""

    def __init__(self) -> None:
        self._band: Band | None = None
        self._uncover: Box | None = None
        """Where a band was that is to be seen no more."""

    @property
    def bare(self) -> bool:
        """Whether there is none, nor what one left behind."""
        return self._band is None and self._uncover is None

    @property
    def next_at(self) -> MonotonicS:
        """When `step` is due."""
        if self._uncover is not None:
            return NOW
        return NEVER if self._band is None else self._band.next_at

    def put_on(self, band: Band) -> None:
        """Show this one, in place of the last one."""
        self.drop()
        self._band = band

    def drop(self) -> None:
        """End it; what it covered is seen again after the next step."""
        if self._band is not None:
            self._uncover, self._band = self._band.box, None

    def step(
        self,
        surface: pygame.Surface,
        now: MonotonicS,
        dirty: list[Box],
        restore: Callable[[Box], None],
    ) -> list[Box]:
        """Paint the band over what has changed; the boxes that changed, its own among them.

        `restore` paints what the zones have in a box.
        """
        band = self._band
        turned = band is not None and now >= band.next_at
        if band is not None and turned:
            band.turn(now)
            if band.over:
                self.drop()
                band = None
        gone, self._uncover = self._uncover, None
        if gone is not None and (band is None or band.box != gone):
            restore(gone)
            dirty = [*dirty, gone]
        if band is not None and (turned or any(box.overlaps(band.box) for box in dirty)):
            surface.blit(band.image, band.box[:2])
            dirty = [*dirty, band.box]
        return dirty
