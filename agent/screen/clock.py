"""Wall time, weekday and date, in the zone of the board."""

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
from playlists.units import MonotonicS, Seconds

WEEKDAYS: Final = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")
UNKNOWN: Final = ("--:--", "Chưa có giờ đúng")
CAP_HEIGHT: Final = 0.72
"""Height of figures as a share of the type size: they have no marks above or below."""
SECONDS_FROM: Final = 0.2
"""A clock that takes this share of the screen's height shows seconds; a small one turns with the minute."""


def clock_words(wall: datetime, *, seconds: bool) -> tuple[str, str]:
    """Time, and weekday with date, as they are written in Vietnamese."""
    time = wall.strftime("%H:%M:%S" if seconds else "%H:%M")
    return time, f"{WEEKDAYS[wall.weekday()]}, {wall.day}/{wall.month}/{wall.year}"


def next_turn_s(wall: datetime, *, seconds: bool) -> Seconds:
    """How long the words of `clock_words` stay true."""
    gone = wall.microsecond / 1e6 + (0 if seconds else wall.second)
    return Seconds((1 if seconds else 60) - gone)


class ClockArea:
    """Time above, weekday and date below, as large as they go."""

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
        self._words: tuple[str, str] | None = None

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

    def _paint(self, words: tuple[str, str]) -> None:
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


def set_clock(words: tuple[str, str], inner: Box, style: Style) -> list[Text]:
    """Time and date in `inner`: below each other, or side by side in a long low box."""
    time, date = words
    fonts, theme = style.fonts, style.theme
    beside = inner.width > 5 * inner.height
    time_room = (inner.width // 3 if beside else inner.width, inner.height if beside else 10 * inner.height)
    tallest = round(inner.height * (0.95 if beside else 0.62))
    time_steps = range(max(10, tallest), 9, -2)
    date_steps = range(max(10, round(inner.height * (0.5 if beside else 0.27))), 7, -1)
    # figures are all as wide as a 0: the size does not change with the time
    zeros = "".join("0" if char.isdigit() else char for char in time)
    timed = fit_on_one(zeros, time_room, time_steps, fonts.bold, most_lines=1)
    size = timed[0] if timed is not None else 10
    figures = fonts.bold(size)
    dated = fit_on_one(
        date,
        (inner.width - (inner.width // 3 if beside else 0), inner.height),
        date_steps,
        fonts.regular,
        most_lines=1,
    )
    cap = round(size * CAP_HEIGHT)
    lift = figures.ascent - cap
    if dated is None:
        top = inner.y + (inner.height - cap) // 2 - lift
        return set_lines(
            [time],
            (inner.x + (inner.width - figures.width(time)) // 2, top),
            ("bold", size, theme.text),
            fonts,
        )
    small = fonts.regular(dated[0])
    if beside:
        gap = size // 2
        left = inner.x + (inner.width - figures.width(time) - gap - small.width(date)) // 2
        base = inner.y + (inner.height + cap) // 2
        return [
            *set_lines([time], (left, base - figures.ascent), ("bold", size, theme.text), fonts),
            *set_lines(
                [date],
                (left + figures.width(time) + gap, base - small.ascent),
                ("regular", dated[0], theme.muted),
                fonts,
            ),
        ]
    gap = max(1, round(inner.height * 0.06))
    top = inner.y + (inner.height - cap - gap - small.line_height) // 2
    middle = inner.x + inner.width // 2
    return [
        *set_lines(
            [time], (middle - figures.width(time) // 2, top - lift), ("bold", size, theme.text), fonts
        ),
        *set_lines(
            [date],
            (middle - small.width(date) // 2, top + cap + gap),
            ("regular", dated[0], theme.muted),
            fonts,
        ),
    ]
