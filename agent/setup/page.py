"""The test page: where is up, is anything cut off, are colours and Vietnamese letters right."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import pygame

from agent.screen.display import Display
from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.manner import Manner

BARS: Final = (
    (255, 255, 255),
    (255, 220, 0),
    (0, 200, 220),
    (0, 180, 60),
    (200, 0, 160),
    (210, 30, 30),
    (20, 40, 200),
)
NEAR: Final = 12
"""Of 255; screens of 16 bits round."""
SETTLES_MS: Final = 300
"""A window server draws a moment after it was told."""
SAMPLE: Final = "Ằ Ễ Ộ Ự ẵ đ"


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of showing the page."""

    driver: str
    """SDL's."""
    size: tuple[int, int]
    """Of the screen, in pixels."""
    bars_seen: int
    """Bars whose colour is really on the screen, as far as the machine can see."""

    @property
    def bars(self) -> dict[str, int]:
        """Bars seen, and bars drawn."""
        return {"bars": len(BARS), "bars_seen": self.bars_seen}


def show(rotate: int, seconds: float, size: tuple[int, int] | None = None) -> Shown:
    """Show the page for so many seconds, and look at it.

    Raises:
        agent.screen.errors.Retry: no screen can be opened.
    """
    display = Display(size, fullscreen=True, manner=Manner(rotate=rotate))
    try:
        draw(display.surface)
        display.present([Box(0, 0, *display.surface.get_size())])
        until = time.monotonic() + seconds
        display.attend()
        pygame.time.wait(SETTLES_MS)
        seen = bars_seen(display)
        while time.monotonic() < until:
            display.attend()
            pygame.time.wait(50)
        return Shown(display.driver, display.size, seen)
    finally:
        display.close()


def bars_seen(display: Display) -> int:
    """How many bars have their colour on the screen."""
    seen = 0
    for box, colour in bars_of(display.surface.get_size()):
        pixels = display.sample(box)
        means = [sum(pixels[part::3]) / (len(pixels) / 3) for part in range(3)]
        seen += all(abs(mean - value) <= NEAR for mean, value in zip(means, colour, strict=True))
    return seen


def bars_of(size: tuple[int, int]) -> list[tuple[Box, tuple[int, int, int]]]:
    """Where the bars are, and their colours."""
    width, height = size
    unit = min(width, height) // 24
    each = (width - 4 * unit) // len(BARS)
    return [
        (Box(2 * unit + number * each, height - 6 * unit, each, 4 * unit), colour)
        for number, colour in enumerate(BARS)
    ]


def draw(surface: pygame.Surface) -> None:
    """Draw the page over the whole surface: a white edge of one pixel, an arrow that points up, bars of colour."""
    width, height = surface.get_size()
    unit = min(width, height) // 24
    surface.fill((12, 16, 24))
    pygame.draw.rect(surface, (255, 255, 255), surface.get_rect(), max(1, unit // 8))
    middle = width // 2
    head = [(middle, unit * 2), (middle - unit * 2, unit * 5), (middle + unit * 2, unit * 5)]
    pygame.draw.polygon(surface, (255, 255, 255), head)
    pygame.draw.rect(surface, (255, 255, 255), (middle - unit * 3 // 4, unit * 5, unit * 3 // 2, unit * 3))
    fonts = Fonts()
    top = unit * 9
    for text, face in ((f"{width} × {height}", fonts.bold(unit * 2)), (SAMPLE, fonts.regular(unit * 2))):
        wide = face.width(text)
        face.draw(text, (255, 255, 255), surface, Box(middle - wide // 2, top, wide, face.line_height))
        top += face.line_height
    for box, colour in bars_of((width, height)):
        surface.fill(colour, box)
