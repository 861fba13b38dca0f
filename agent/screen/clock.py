"""Wall time, weekday, date and lunar date, in the zone of the board."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import pygame

from agent.screen.card import Style, set_lines
from agent.screen.content import Zone
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page, Text, paint
from agent.screen.stage import Stage
from agent.screen.typesetting import fit_on_one, largest
from playlists.lunar import lunar_date
from playlists.units import MonotonicS, Seconds

WEEKDAYS_SHORT: Final = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")
"""As a wall calendar has them."""
WEEKDAYS: Final = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")
CAP_HEIGHT: Final = 0.72
"""Height of figures as a share of the type size: they have no marks above or below."""
LONG: Final = 5
"""Width to height from which time and date stand side by side."""
DATE_PARTS: Final = (0.25, 0.21)
"""Type size of the dates below the time at most, as a share of the box's height."""
TIME_TO_DATE: Final = 1.3
"""The time is so much larger than the date at least: it is looked for first."""
BESIDE_PART: Final = 0.7
"""Height of the figures in a long low box, as a share of the box's."""
SECONDS_FROM: Final = 0.2
"""A clock that takes this share of the screen's height shows seconds, if the date goes in as well."""
LONGEST: Final = datetime(2033, 12, 31, 20, 8, 8, tzinfo=UTC)
"""A date that is about as long as dates get; which zone it is in matters not."""


@dataclass(frozen=True)
class ClockWords:
    """What a clock says."""

    time: str
    dates: tuple[tuple[str, ...], ...] = ()
    """The same date in ever fewer words, each as lines; what goes in at a legible size is shown."""


UNKNOWN: Final = ClockWords("--:--", (("Chưa có giờ đúng",),))


def clock_words(wall: datetime, *, seconds: bool) -> ClockWords:
    """Time, weekday with date, and lunar date, as they are written in Vietnamese."""
    time = wall.strftime("%H:%M:%S" if seconds else "%H:%M")
    date, day = f"{WEEKDAYS[wall.weekday()]}, {wall.day}/{wall.month}", WEEKDAYS_SHORT[wall.weekday()]
    lunar = lunar_date(wall.date())
    if lunar is None:
        return ClockWords(time, ((f"{date}/{wall.year}",), (date,)))
    by_moon = lunar.written.partition(" năm ")[0]
    return ClockWords(
        time,
        (
            (f"{date}/{wall.year}", f"Âm lịch {lunar.written}"),
            (date, f"Âm lịch {by_moon}"),
            (f"{day} {wall.day}/{wall.month} · ÂL {by_moon}",),
            (f"{wall.day}/{wall.month} · ÂL {by_moon}",),
        ),
    )


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
        self._inner = clock_box(box[2:])
        self._seconds = box.height >= stage.surface.get_height() * SECONDS_FROM and says_all(
            clock_words(LONGEST, seconds=True), self._inner, stage.style
        )
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
        ops += set_clock(words, self._inner, style)
        for _ in paint(Page(tuple(ops)), face, style.fonts, style.theme.ground):
            pass
        stage.surface.blit(face, self.box[:2])

    def prepare(self) -> bool:
        return False

    def shift(self, seconds: Seconds) -> None:
        self.next_at = MonotonicS(self.next_at + seconds)

    def close(self, now: MonotonicS) -> None:
        self._words = None


def clock_box(size: tuple[int, int]) -> Box:
    """Where words may stand on a clock's card of this width and height."""
    return Box(0, 0, *size).inset(max(4, size[0] // 20), max(2, size[1] // 14))


def set_clock(words: ClockWords, inner: Box, style: Style) -> list[Text]:
    """Time and date in `inner`: below each other, or side by side in a long low box.

    The date has as many words as go in at `Sizes.small` or larger; where none do, the time stands alone.
    """
    ways = (_beside, _stacked) if inner.width > LONG * inner.height else (_stacked, _beside)
    for dates in words.dates:
        for way in ways:
            texts = way(words.time, dates, inner, style)
            if texts is not None:
                return texts
    size = _time_size(words.time, inner[2:], style)
    figures, cap = style.fonts.bold(size), round(size * CAP_HEIGHT)
    x = inner.x + (inner.width - figures.width(words.time)) // 2
    y = inner.y + (inner.height + cap) // 2 - figures.ascent
    return set_lines([words.time], (x, y), ("bold", size, style.theme.text), style.fonts)


def says_all(words: ClockWords, inner: Box, style: Style) -> bool:
    """Whether the box holds the date in full."""
    said = {text.text for text in set_clock(words, inner, style)}
    return not words.dates or said.issuperset(words.dates[0])


def _stacked(time: str, dates: tuple[str, ...], inner: Box, style: Style) -> list[Text] | None:
    fonts = style.fonts
    least = style.sizes.small
    gap = max(1, round(inner.height * 0.05))
    lines: list[tuple[str, int]] = []
    shares = DATE_PARTS if len(dates) > 1 else DATE_PARTS[:1]
    for date, share in zip(dates, shares, strict=True):
        most = max(least, round(inner.height * share))
        fitted = fit_on_one(date, inner[2:], range(most, least - 1, -1), fonts.regular, most_lines=1)
        if fitted is None:
            return None
        lines.append((date, fitted[0]))
    below = sum(fonts.regular(size).line_height for _, size in lines)
    room = (inner.width, inner.height - below - gap)
    size = _time_size(time, room, style)
    if size < lines[0][1] * TIME_TO_DATE:
        return None
    figures, cap = fonts.bold(size), round(size * CAP_HEIGHT)
    top = inner.y + (inner.height - cap - gap - below) // 2
    middle = inner.x + inner.width // 2
    at = (middle - figures.width(time) // 2, top - (figures.ascent - cap))
    texts = set_lines([time], at, ("bold", size, style.theme.text), fonts)
    y = top + cap + gap
    for date, small in lines:
        face = fonts.regular(small)
        at = (middle - face.width(date) // 2, y)
        texts += set_lines([date], at, ("regular", small, style.theme.muted), fonts)
        y += face.line_height
    return texts


def _beside(time: str, dates: tuple[str, ...], inner: Box, style: Style) -> list[Text] | None:
    fonts = style.fonts
    size = _time_size(time, (round(inner.width * 0.45), round(inner.height * BESIDE_PART)), style)
    figures, cap = fonts.bold(size), round(size * CAP_HEIGHT)
    gap = size // 2
    room = (inner.width - figures.width(time) - gap, inner.height)
    longest = max(dates, key=lambda date: fonts.regular(20).width(date))
    small = largest(
        range(max(style.sizes.small, inner.height // 2), style.sizes.small - 1, -1),
        lambda s: (
            fonts.regular(s).width(longest) <= room[0]
            and len(dates) * fonts.regular(s).line_height <= room[1]
        ),
    )
    if not small or size < small * TIME_TO_DATE:
        return None
    base = inner.y + (inner.height + cap) // 2
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
    return largest(range(most, 9, -1), lambda size: fonts.bold(size).width(zeros) <= room[0]) or 10
