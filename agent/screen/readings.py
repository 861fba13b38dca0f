"""Readings in large figures, with unit and age: weather, air, a water level.

Honest: a value that is not there is said not to be there, an old one is shown as old, and without a clock no
age is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from agent.screen.card import (
    Composition,
    Moment,
    Style,
    below,
    card,
    fit_head,
    kicker,
    mark_height,
    notice_marks,
    set_lines,
)
from agent.screen.content import Bulletin, ReadingsPart, Value
from agent.screen.errors import Quarantine
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page
from agent.screen.theme import Colour
from agent.screen.typesetting import Ruler, normalise, wrap
from playlists.units import Seconds

NO_VALUE: Final = "—"
NO_DATA: Final = "Không có số liệu"
OLD: Final = "Số liệu cũ"
WHEN_UNKNOWN: Final = "không rõ đo lúc nào"
UNIT_TO_VALUE: Final = 0.5
"""Size of a unit beside its value's."""
NAME_TO_VALUE: Final = 0.42
AHEAD: Final = timedelta(minutes=5)
"""A reading may be so far in the future: clocks differ."""
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class _Said:
    """A reading as it is written on the board."""

    name: str
    value: str
    unit: str
    age: str
    dim: bool
    warns: bool


def compose_readings(
    bulletin: Bulletin, readings: ReadingsPart, size: tuple[int, int], style: Style, moment: Moment
) -> Composition:
    """Readings side by side, as large as they go.

    Raises:
        Quarantine: there is none, or the zone does not hold one.
    """
    if not readings.values:
        raise Quarantine("it has no readings")
    said = [_said(value, readings.stale_after_s, moment) for value in readings.values]
    heading, source = normalise(readings.heading), normalise(readings.source)
    texts = [text for one in said for text in (one.name, one.value, one.unit, one.age)]
    style = style.for_text(heading, source, *texts)
    inner, drawn = card(bulletin.class_, size, style)
    word, column = kicker(bulletin.class_, inner, style)
    sizes = style.sizes
    steps = [*sizes.steps(round(sizes.heading_top * 0.7)), *sizes.below_floor()]
    head = fit_head(heading, column, steps, style, share=0.25, lines=2) if heading else None
    foot = mark_height(style)
    small = style.fonts.regular(sizes.small)
    by = f"Nguồn: {source}" if source else ""
    by = by if small.width(by) <= inner.width * 0.7 else ""
    room = Box(column.x, below(head, column), column.width, column.bottom - below(head, column))
    for each in range(len(said), 0, -1):
        count = -(-len(said) // each)
        space = Box(*room[:3], room.height - (foot if by or count > 1 else 0))
        shape = _shape(said, min(each, len(said)), space, style)
        if shape is not None:
            break
    else:
        raise Quarantine(f"its box of {room.width}×{room.height} pixels does not hold a reading")
    each = -(-len(said) // count)
    pages = []
    for number in range(count):
        part = said[number * each : (number + 1) * each]
        ops: list[Op] = [*drawn, *word, *(head.lines if head is not None else ())]
        ops += _grid(part, shape, space, style)
        if count > 1:
            ops += notice_marks(number, count, inner, style)
        if by:
            at = (inner.right - small.width(by), inner.bottom - small.line_height)
            ops += set_lines([by], at, ("regular", sizes.small, style.theme.muted), style.fonts)
        words = sum(len(f"{one.name} {one.value} {one.age}".split()) for one in part)
        pages.append(Page(tuple(ops), words))
    return Composition(tuple(pages), fresh_until=_changes_at(readings, moment))


@dataclass(frozen=True)
class _Shape:
    """How readings stand: so many beside each other, in these sizes."""

    across: int
    value: int
    name: int
    age: int


def _shape(said: Sequence[_Said], each: int, room: Box, style: Style) -> _Shape | None:
    """The arrangement with the largest values that holds so many on a page."""
    best: _Shape | None = None
    least = min(style.sizes.floor, max(16, room.height // 4))
    for across in range(1, each + 1):
        down = -(-each // across)
        gap = style.sizes.gap * 2
        cell = ((room.width - gap * (across - 1)) // across, (room.height - gap * (down - 1)) // down)
        for value in style.sizes.steps(round(style.sizes.heading_top * 2.2)):
            if value < least or (best is not None and value <= best.value):
                break
            name = max(style.sizes.small, min(style.sizes.body_top, round(value * NAME_TO_VALUE)))
            age = max(style.sizes.small, round(name * 0.72))
            if all(_height(one, value, name, age, cell[0], style) <= cell[1] for one in said):
                best = _Shape(across, value, name, age)
                break
    return best


def _height(one: _Said, value: int, name: int, age: int, width: int, style: Style) -> int:
    """What one reading needs; more than any room where a word would have to be broken."""
    fonts = style.fonts
    pad = style.sizes.gap
    width -= 2 * pad
    wide = fonts.bold(value).width(one.value)
    if one.unit:
        wide += value // 5 + fonts.regular(round(value * UNIT_TO_VALUE)).width(one.unit)
    if wide > width:
        return 1_000_000
    names = _whole(one.name, width, fonts.regular(name))
    ages = _whole(one.age, width, fonts.regular(age))
    if names is None or ages is None:
        return 1_000_000
    return (
        len(names) * fonts.regular(name).line_height
        + fonts.bold(value).line_height
        + len(ages) * fonts.regular(age).line_height
        + 2 * pad
    )


def _whole(text: str, width: int, ruler: Ruler) -> list[str] | None:
    if any(ruler.width(word) > width for word in text.split()):
        return None
    return wrap(text, width, ruler) if text else []


def _grid(part: Sequence[_Said], shape: _Shape, room: Box, style: Style) -> list[Op]:
    gap = style.sizes.gap * 2
    down = -(-len(part) // shape.across)
    width = (room.width - gap * (shape.across - 1)) // shape.across
    height = (room.height - gap * (down - 1)) // down
    tallest = max(_height(one, shape.value, shape.name, shape.age, width, style) for one in part)
    high = min(height, max(tallest + style.sizes.gap, round(tallest * 1.25)))
    top = room.y + max(0, (room.height - down * high - (down - 1) * gap) // 3)
    ops: list[Op] = []
    for number, one in enumerate(part):
        x = room.x + (number % shape.across) * (width + gap)
        y = top + (number // shape.across) * (high + gap)
        ops += _cell(one, shape, Box(x, y, width, high), style)
    return ops


def _cell(one: _Said, shape: _Shape, box: Box, style: Style) -> list[Op]:
    fonts, theme, pad = style.fonts, style.theme, style.sizes.gap
    ground = theme.surface
    rail: Colour = theme.accents["priority"] if one.warns else theme.accents["routine"]
    inner = Box(box.x + 2 * pad, box.y + pad, box.width - 2 * pad, box.height - 2 * pad)
    value_face = fonts.bold(shape.value)
    names = wrap(one.name, inner.width, fonts.regular(shape.name)) if one.name else []
    ages = wrap(one.age, inner.width, fonts.regular(shape.age)) if one.age else []
    used = _height(one, shape.value, shape.name, shape.age, box.width, style) - 2 * pad
    y = inner.y + max(0, (inner.height - used) // 2)
    ink = theme.muted if one.dim else theme.text
    ops: list[Op] = [
        Fill(Box(box.x, box.y + pad, max(3, pad // 3), box.height - 2 * pad), _faint(rail, ground, one.dim))
    ]
    ops += set_lines(names, (inner.x, y), ("regular", shape.name, theme.muted), fonts)
    y += len(names) * fonts.regular(shape.name).line_height
    ops += set_lines([one.value], (inner.x, y), ("bold", shape.value, ink), fonts)
    if one.unit:
        unit = round(shape.value * UNIT_TO_VALUE)
        face = fonts.regular(unit)
        at = (
            inner.x + value_face.width(one.value) + shape.value // 5,
            y + value_face.ascent - face.ascent,
        )
        ops += set_lines([one.unit], at, ("regular", unit, theme.muted), fonts)
    y += value_face.line_height
    colour = theme.accents["priority"] if one.warns else theme.muted
    ops += set_lines(ages, (inner.x, y), ("regular", shape.age, colour), fonts)
    return ops


def _faint(colour: Colour, ground: Colour, dim: bool) -> Colour:
    if not dim:
        return colour
    return (
        (colour[0] + ground[0]) // 2,
        (colour[1] + ground[1]) // 2,
        (colour[2] + ground[2]) // 2,
    )


def _said(value: Value, stale_after_s: Seconds, moment: Moment) -> _Said:
    name, unit, note = normalise(value.name), normalise(value.unit), normalise(value.note)
    text = normalise(value.value or "").replace("\n", " ")
    if not text:
        when = "" if value.at is None else f", {_age(value.at, moment)}"
        return _Said(name, NO_VALUE, "", NO_DATA + when, dim=True, warns=False)
    age = "" if value.at is None else _age(value.at, moment)
    if value.at is None or not moment.known:
        words = " · ".join(part for part in (note, age or WHEN_UNKNOWN) if part)
        return _Said(name, text, unit, words, dim=value.at is None, warns=False)
    if moment.wall - value.at > timedelta(seconds=stale_after_s):
        return _Said(name, text, unit, f"{OLD}, {age}", dim=True, warns=True)
    return _Said(name, text, unit, " · ".join(part for part in (note, age) if part), dim=False, warns=False)


def _age(at: datetime, moment: Moment) -> str:
    """How long ago that was; without a clock, or when it lies ahead, when it was."""
    gone = moment.wall - at
    if not moment.known or gone < -AHEAD:
        try:
            local = at.astimezone(moment.timezone)
        except OverflowError:  # the last day that can be written, and here it is the day after
            return WHEN_UNKNOWN
        return f"đo lúc {local:%H:%M} {local.day}/{local.month}/{local.year}"
    if gone < MINUTE:
        return "vừa đo"
    if gone < HOUR:
        return f"{gone // MINUTE} phút trước"
    if gone < DAY:
        return f"{gone // HOUR} giờ trước"
    return f"{gone // DAY} ngày trước"


def _changes_at(readings: ReadingsPart, moment: Moment) -> datetime | None:
    """When the first of the ages changes."""
    if not moment.known:
        return None
    changes = []
    for value in readings.values:
        if value.at is None:
            continue
        gone = moment.wall - value.at
        if gone < -AHEAD:
            changes.append(value.at - AHEAD)
            continue
        step = MINUTE if gone < HOUR else HOUR if gone < DAY else DAY
        changes.append(value.at + (max(timedelta(0), gone) // step + 1) * step)
        stale_at = value.at + timedelta(seconds=readings.stale_after_s)
        if stale_at >= moment.wall:
            changes.append(stale_at + timedelta(milliseconds=1))
    return min(changes, default=None)


def same_but_values(one: Bulletin, other: Bulletin) -> bool:
    """Whether two editions of a bulletin differ in their readings at most."""
    if one.readings is None or other.readings is None:
        return False
    bare = ReadingsPart(())
    return replace(one, readings=bare) == replace(other, readings=bare)
