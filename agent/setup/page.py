"""The test page: where is up, is anything cut off, are colours and Vietnamese letters right."""

from __future__ import annotations

import time
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
SAMPLE: Final = "Ằ Ễ Ộ Ự ẵ đ"


def show(rotate: int, seconds: float, size: tuple[int, int] | None = None) -> tuple[str, tuple[int, int]]:
    """Show the page for so many seconds; returns SDL's driver and the screen's size in pixels.

    Raises:
        agent.screen.errors.Retry: no screen can be opened.
    """
    display = Display(size, fullscreen=True, manner=Manner(rotate=rotate))
    try:
        draw(display.surface)
        display.present([Box(0, 0, *display.surface.get_size())])
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            display.attend()
            pygame.time.wait(50)
        return display.driver, display.size
    finally:
        display.close()


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
    each = (width - 4 * unit) // len(BARS)
    for number, colour in enumerate(BARS):
        surface.fill(colour, (2 * unit + number * each, height - 6 * unit, each, 4 * unit))
