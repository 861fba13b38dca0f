"""The clock's face: time, date and lunar date, whole and apart from each other in a box of any shape."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pygame
import pytest

from agent.screen.card import Style
from agent.screen.clock import UNKNOWN, ClockWords, clock_box, clock_words, says_all, set_clock
from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.theme import THEMES, sizes_for
from playlists.board import BUILT_IN_LAYOUT, BUILT_IN_PORTRAIT

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
    words = clock_words(NOON, seconds=False)
    assert words.time == "13:40"
    assert words.dates[0] == ("Thứ Bảy, 28/11/2026", "Âm lịch 20/10 năm Bính Ngọ")
    assert words.dates[-2] == ("T7 28/11 · ÂL 20/10",)
    assert clock_words(NOON.replace(year=2150), seconds=True).dates[0] == ("Thứ Bảy, 28/11/2150",)


@pytest.mark.parametrize("size", BOXES)
@pytest.mark.parametrize(
    "words", [clock_words(NOON, seconds=False), clock_words(NOON, seconds=True), UNKNOWN]
)
def test_lines_lie_inside_the_box_and_not_on_each_other(
    fonts: Fonts, words: ClockWords, size: tuple[int, int]
) -> None:
    inner = Box(100, 100, *size)
    lines = ink(words, inner, Style(fonts, THEMES["dark"], sizes_for(1920, 1080)))
    assert lines[0][0] == words.time
    slack = inner.inset(-2)
    for number, (text, box) in enumerate(lines):
        assert slack.contains(box), text
        assert not any(box.overlaps(other) for _, other in lines[:number]), text


@pytest.mark.parametrize("whole", [(1920, 1080), (1280, 720), (1080, 1920), (720, 1280)])
def test_in_the_layouts_of_the_house_all_of_it_is_legible_and_the_lunar_date_is_there(
    fonts: Fonts, whole: tuple[int, int]
) -> None:
    sizes = sizes_for(*whole)
    layout = BUILT_IN_LAYOUT if whole[0] > whole[1] else BUILT_IN_PORTRAIT
    (zone,) = (zone for zone in layout.zones if zone.kind == "clock")
    columns, rows = layout.grid
    box = Box(0, 0, whole[0] * zone.at[2] // columns - sizes.gap, whole[1] * zone.at[3] // rows - sizes.gap)
    lines = set_clock(
        clock_words(NOON, seconds=False), clock_box(box[2:]), Style(fonts, THEMES["dark"], sizes)
    )
    assert min(line.size for line in lines) >= sizes.small
    assert "20/10" in lines[-1].text and "28/11" in lines[1].text
    assert lines[0].size > 1.3 * lines[1].size


@pytest.mark.parametrize("size", BOXES)
def test_nothing_is_small_and_a_tiny_box_has_the_time_alone(fonts: Fonts, size: tuple[int, int]) -> None:
    style = Style(fonts, THEMES["dark"], sizes_for(1920, 1080))
    lines = set_clock(clock_words(NOON, seconds=False), Box(0, 0, *size), style)
    assert all(line.size >= style.sizes.small for line in lines[1:])
    assert (len(lines) == 1) == (size in {(200, 60), (80, 34)})


def test_seconds_are_left_out_where_the_date_needs_their_room(fonts: Fonts) -> None:
    style = Style(fonts, THEMES["dark"], sizes_for(1920, 1080))
    assert says_all(clock_words(NOON, seconds=True), Box(0, 0, 900, 300), style)
    low = Box(0, 0, 720, 100)
    assert says_all(clock_words(NOON, seconds=False), low, style)
    assert not says_all(clock_words(NOON, seconds=True), low, style)
