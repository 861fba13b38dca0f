"""Wall time, weekday, date and lunar date, in the zone of the board."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import pygame

from agent.screen.card import Style, set_lines
from agent.screen.content import Zone
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page, Text, paint
from agent.screen.stage import Stage
from agent.screen.typesetting import fit_on_one
from playlists.lunar import lunar_date
from playlists.units import MonotonicS, Seconds

WEEKDAYS: Final = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")
UNKNOWN: Final = ("--:--", "Chưa có giờ đúng", "")
CAP_HEIGHT: Final = 0.72
"""Height of figures as a share of the type size: they have no marks above or below."""
BESIDE_PART: Final = 0.7
"""Height of the figures in a long low box, as a share of the box's."""
SECONDS_FROM: Final = 0.2
"""A clock that takes this share of the screen's height shows seconds; a small one turns with the minute."""


ClockWords = tuple[str, str, str]
"""Time, date and lunar date; the last may be empty."""


def clock_words(wall: datetime, *, seconds: bool) -> ClockWords:
    """Time, weekday with date, and lunar date, as they are written in Vietnamese."""
    time = wall.strftime("%H:%M:%S" if seconds else "%H:%M")
    lunar = lunar_date(wall.date())
    by_moon = "" if lunar is None else f"Âm lịch {lunar.written}"
    return time, f"{WEEKDAYS[wall.weekday()]}, {wall.day}/{wall.month}/{wall.year}", by_moon


def next_turn_s(wall: datetime, *, seconds: bool) -> Seconds:
    """How long the words of `clock_words` stay true."""
    gone = wall.microsecond / 1e6 + (0 if seconds else wall.second)
    return Seconds((1 if seconds else 60) - gone)


class ClockArea:
    """Time above, dates below, as large as they go."""

    def __init__(
        self, zone: Zone, box: Box, stage: Stage, now: MonotonicS, timezone: ZoneInfo, *, known: bool
    ) -> None:
        self.zone = zone
        self.box = box
        self.next_at = now
        self.showing: tuple[str, ...] = ()
        self._stage = stage
        self._timezone = timezone
        self._known = known
        self._seconds = box.height >= stage.surface.get_height() * SECONDS_FROM
        self._words: ClockWords | None = None

    def change(self, zone: Zone, now: MonotonicS, timezone: ZoneInfo, *, known: bool) -> None:
        """Take the board's zone anew, and look at the time at once: it may have been set."""
        self.zone, self._timezone, self._known, self.next_at = zone, timezone, known, now

    def advance(self, now: MonotonicS, wall: datetime) -> list[Box]:
        local = wall.astimezone(self._timezone)
        # a little late rather than a little early: early would show the old minute for another minute
        self.next_at = MonotonicS(now + next_turn_s(local, seconds=self._seconds) + 0.002)
        words = clock_words(local, seconds=self._seconds) if self._known else UNKNOWN
        if words == self._words:
            return []
        self._words = words
        self._paint(words)
        return [self.box]

    def restore(self, now: MonotonicS, wall: datetime) -> None:
        self._words = None
        self.advance(now, wall)

    def repaint(self, now: MonotonicS, wall: datetime) -> None:
        self.restore(now, wall)

    def _paint(self, words: ClockWords) -> None:
        stage, (width, height) = self._stage, self.box[2:]
        style = stage.style
        face = pygame.Surface((width, height)).convert(stage.surface)
        radius = min(style.sizes.radius, height // 4, width // 4)
        ops: list[Op] = [Fill(Box(0, 0, width, height), style.theme.surface, radius)]
        inner = Box(0, 0, width, height).inset(max(4, width // 14), max(2, height // 14))
        ops += set_clock(words, inner, style)
        for _ in paint(Page(tuple(ops)), face, style.fonts, style.theme.ground):
            pass
        stage.surface.blit(face, self.box[:2])

    def prepare(self) -> bool:
        return False

    def shift(self, seconds: Seconds) -> None:
        self.next_at = MonotonicS(self.next_at + seconds)

    def close(self, now: MonotonicS) -> None:
        self._words = None


def set_clock(words: ClockWords, inner: Box, style: Style) -> list[Text]:
    """Time and dates in `inner`: below each other, or side by side in a long low box."""
    return _beside(words, inner, style) if inner.width > 5 * inner.height else _stacked(words, inner, style)


def _stacked(words: ClockWords, inner: Box, style: Style) -> list[Text]:
    time, *dates = words
    fonts, colour = style.fonts, style.theme.muted
    shares = (0.25, 0.21) if words[2] else (0.27, 0.0)
    lines: list[tuple[str, int]] = []
    for date, share in zip(dates, shares, strict=True):
        steps = range(max(8, round(inner.height * share)), 7, -1)
        fitted = fit_on_one(date, inner[2:], steps, fonts.regular, most_lines=1) if date else None
        if fitted is not None:
            lines.append((date, fitted[0]))
    below = sum(fonts.regular(size).line_height for _, size in lines)
    gap = max(1, round(inner.height * 0.05)) if lines else 0
    if inner.height - below - gap < 10:
        lines, below, gap = [], 0, 0
    size = _time_size(time, (inner.width, inner.height - below - gap), style)
    figures, cap = fonts.bold(size), round(size * CAP_HEIGHT)
    top = inner.y + (inner.height - cap - gap - below) // 2
    middle = inner.x + inner.width // 2
    at = (middle - figures.width(time) // 2, top - (figures.ascent - cap))
    texts = set_lines([time], at, ("bold", size, style.theme.text), fonts)
    y = top + cap + gap
    for date, small in lines:
        face = fonts.regular(small)
        texts += set_lines([date], (middle - face.width(date) // 2, y), ("regular", small, colour), fonts)
        y += face.line_height
    return texts


def _beside(words: ClockWords, inner: Box, style: Style) -> list[Text]:
    time, *dates = words
    dates = [date for date in dates if date]
    fonts = style.fonts
    size = _time_size(time, (inner.width // 3, round(inner.height * BESIDE_PART)), style)
    figures, cap = fonts.bold(size), round(size * CAP_HEIGHT)
    gap = size // 2
    room = (inner.width - figures.width(time) - gap, inner.height)
    longest = max(dates, key=lambda date: fonts.regular(20).width(date))
    steps = (s for s in range(max(8, inner.height // 2), 7, -1))
    small = next(
        (
            s
            for s in steps
            if fonts.regular(s).width(longest) <= room[0]
            and len(dates) * fonts.regular(s).line_height <= room[1]
        ),
        0,
    )
    base = inner.y + (inner.height + cap) // 2
    if not small:
        at = (inner.x + (inner.width - figures.width(time)) // 2, base - figures.ascent)
        return set_lines([time], at, ("bold", size, style.theme.text), fonts)
    face = fonts.regular(small)
    left = inner.x + (inner.width - figures.width(time) - gap - face.width(longest)) // 2
    texts = set_lines([time], (left, base - figures.ascent), ("bold", size, style.theme.text), fonts)
    # a single date stands on the line of the figures, two stand in the middle
    single = base - face.ascent
    top = single if len(dates) == 1 else inner.y + (inner.height - len(dates) * face.line_height) // 2
    at = (left + figures.width(time) + gap, top)
    return texts + set_lines(dates, at, ("regular", small, style.theme.muted), fonts)


def _time_size(time: str, room: tuple[int, int], style: Style) -> int:
    """How large the figures go; all are as wide as a 0: the size does not change with the time."""
    zeros = "".join("0" if char.isdigit() else char for char in time)
    fonts = style.fonts
    most = max(10, round(room[1] / CAP_HEIGHT))
    return next((size for size in range(most, 9, -1) if fonts.bold(size).width(zeros) <= room[0]), 10)
