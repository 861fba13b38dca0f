"""The clock's face: time, date and lunar date, whole and apart from each other in a box of any shape."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pygame
import pytest

from agent.screen.card import Style
from agent.screen.clock import UNKNOWN, ClockWords, clock_words, set_clock
from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.theme import THEMES, sizes_for

NOON = datetime(2026, 11, 28, 13, 40, 5, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
BOXES = [(292, 100), (200, 60), (900, 100), (520, 260), (260, 560), (80, 34)]


def ink(words: ClockWords, inner: Box, style: Style) -> list[tuple[str, Box]]:
    """Where the letters of each line really are."""
    found = []
    for text in set_clock(words, inner, style):
        surface = pygame.Surface((inner.right + 200, inner.bottom + 200))
        style.fonts.at(text.weight, text.size).draw(text.text, (255, 255, 255), surface, text.box)
        rows, columns = np.nonzero(pygame.surfarray.array2d(surface).swapaxes(0, 1) & 0xC0)
        x, y = int(columns.min()), int(rows.min())
        found.append((text.text, Box(x, y, int(columns.max()) + 1 - x, int(rows.max()) + 1 - y)))
    return found


def test_the_words_are_those_of_a_wall_calendar() -> None:
    assert clock_words(NOON, seconds=False) == (
        "13:40",
        "Thứ Bảy, 28/11/2026",
        "Âm lịch 20/10 năm Bính Ngọ",
    )
    assert clock_words(NOON.replace(year=2150), seconds=True)[2] == ""


@pytest.mark.parametrize("size", BOXES)
@pytest.mark.parametrize(
    "words", [clock_words(NOON, seconds=False), clock_words(NOON, seconds=True), UNKNOWN]
)
def test_lines_lie_inside_the_box_and_not_on_each_other(
    fonts: Fonts, words: ClockWords, size: tuple[int, int]
) -> None:
    inner = Box(100, 100, *size)
    lines = ink(words, inner, Style(fonts, THEMES["dark"], sizes_for(1920, 1080)))
    assert lines[0][0] == words[0]
    slack = inner.inset(-2)
    for number, (text, box) in enumerate(lines):
        assert slack.contains(box), text
        assert not any(box.overlaps(other) for _, other in lines[:number]), text


@pytest.mark.parametrize("size", BOXES[:-1])
def test_the_lunar_date_is_there_unless_the_box_is_tiny(fonts: Fonts, size: tuple[int, int]) -> None:
    style = Style(fonts, THEMES["dark"], sizes_for(1920, 1080))
    lines = set_clock(clock_words(NOON, seconds=False), Box(0, 0, *size), style)
    assert [line.text for line in lines][2:] == ["Âm lịch 20/10 năm Bính Ngọ"]
