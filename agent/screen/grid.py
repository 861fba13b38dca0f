"""Where zones lie, in pixels. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agent.screen.content import Zone


class Box(NamedTuple):
    """A rectangle in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column that is not in it any more."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """First row that is not in it any more."""
        return self.y + self.height

    def inset(self, x: int, y: int | None = None) -> Box:
        """Smaller by a margin on each side, never below nothing."""
        y = x if y is None else y
        return Box(self.x + x, self.y + y, max(0, self.width - 2 * x), max(0, self.height - 2 * y))

    def contains(self, other: Box) -> bool:
        """Whether `other` lies wholly inside."""
        return (
            other.x >= self.x
            and other.y >= self.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def overlaps(self, other: Box) -> bool:
        """Whether they share a pixel."""
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )


def place(
    zones: Sequence[Zone], grid: tuple[int, int], screen: tuple[int, int], gap: int
) -> tuple[list[tuple[Zone, Box]], list[tuple[Zone, Zone]]]:
    """Pixel boxes of the zones, with `gap` pixels between them and around all.

    A zone that overlaps an earlier one would spoil both: it is left out.

    Returns:
        the zones with their boxes; and the pairs (left out, in whose place).
    """
    columns, rows = grid
    width, height = screen[0] - gap, screen[1] - gap
    placed: list[tuple[Zone, Box]] = []
    refused: list[tuple[Zone, Zone]] = []
    for zone in zones:
        x, y, across, down = zone.at
        left, top = gap + width * x // columns, gap + height * y // rows
        right, bottom = width * (x + across) // columns, height * (y + down) // rows
        box = Box(left, top, max(1, right - left), max(1, bottom - top))
        in_the_way = next((other for other, taken in placed if taken.overlaps(box)), None)
        if in_the_way is None:
            placed.append((zone, box))
        else:
            refused.append((zone, in_the_way))
    return placed, refused
