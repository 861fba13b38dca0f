"""How the picture lies on the screen: turned, inside the overscan, wandering against burn-in. Pure.

The picture is drawn on a canvas that is as much smaller than the screen as it may wander, so that it never
uncovers an edge: what is around it takes the picture's own ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.screen.grid import Box
from agent.screen.manner import Manner
from playlists.units import Seconds

WANDER_EACH_S: Final = Seconds(180.0)
_RING: Final = ((0, 0), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (0, 0))
"""One step at a time, back to where it began."""


@dataclass(frozen=True)
class Fitting:
    """The canvas on the window; `place` maps one to the other."""

    window: tuple[int, int]
    rotate: int
    margin: tuple[int, int]
    shift_px: int

    @property
    def canvas(self) -> tuple[int, int]:
        """Width and height of what is drawn on, as people read it."""
        width = max(64, self.window[0] - 2 * self.margin[0])
        height = max(64, self.window[1] - 2 * self.margin[1])
        return (width, height) if self.rotate in {0, 180} else (height, width)

    @property
    def plain(self) -> bool:
        """Whether the canvas is the window."""
        return self.rotate == 0 and self.margin == (0, 0)

    def offset(self, step: int) -> tuple[int, int]:
        """Where the picture's corner lies after so many steps of wandering."""
        across, down = _RING[step % len(_RING)]
        return self.margin[0] + across * self.shift_px, self.margin[1] + down * self.shift_px

    def place(self, box: Box, step: int) -> Box:
        """Where a box of the canvas lies on the window."""
        width, height = self.canvas
        left, top = self.offset(step)
        match self.rotate:
            case 90:
                turned = Box(height - box.bottom, box.x, box.height, box.width)
            case 180:
                turned = Box(width - box.right, height - box.bottom, box.width, box.height)
            case 270:
                turned = Box(box.y, width - box.right, box.height, box.width)
            case _:
                turned = box
        return Box(left + turned.x, top + turned.y, turned.width, turned.height)

    def point(self, at: tuple[int, int], step: int) -> tuple[int, int]:
        """Where a point of the window lies on the canvas; outside of it, outside of this."""
        width, height = self.canvas
        left, top = self.offset(step)
        x, y = at[0] - left, at[1] - top
        match self.rotate:
            case 90:
                return y, height - 1 - x
            case 180:
                return width - 1 - x, height - 1 - y
            case 270:
                return width - 1 - y, x
            case _:
                return x, y


def fit_to(window: tuple[int, int], manner: Manner) -> Fitting:
    """How the picture lies on a window of this size."""
    cut_x = round(window[0] * manner.overscan_percent / 100)
    cut_y = round(window[1] * manner.overscan_percent / 100)
    return Fitting(window, manner.rotate, (cut_x + manner.shift_px, cut_y + manner.shift_px), manner.shift_px)
