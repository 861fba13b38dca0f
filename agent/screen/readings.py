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
from agent.screen.wording import Wording, wording
from playlists.units import Seconds

NO_VALUE: Final = "—"
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
    own = wording(bulletin.language)
    said = [_said(value, readings.stale_after_s, moment, own) for value in readings.values]
    heading, source = normalise(readings.heading), normalise(readings.source)
    texts = [text for one in said for text in (one.name, one.value, one.unit, one.age)]
    style = style.for_text(heading, source, *texts)
    inner, drawn = card(bulletin.class_, size, style)
    word, column = kicker(bulletin, inner, style)
    sizes = style.sizes
    steps = [*sizes.steps(round(sizes.heading_top * 0.7)), *sizes.below_floor()]
    head = fit_head(heading, column, steps, style, share=0.25, lines=2) if heading else None
    foot = mark_height(style)
    small = style.fonts.regular(sizes.small)
    by = own.source.format(source) if source else ""
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
    each = -(-len(said) // count)  # as many on each page, and as large as so many go
    shape = _shape(said, each, space, style) or shape
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
            if (_height(said, value, name, age, cell[0], style) or cell[1] + 1) <= cell[1]:
                best = _Shape(across, value, name, age)
                break
    return best


def _height(said: Sequence[_Said], value: int, name: int, age: int, width: int, style: Style) -> int | None:
    """What readings beside each other need, on one line; None where a word would have to be broken."""
    fonts = style.fonts
    pad = style.sizes.gap
    width -= 2 * pad
    most_names = most_ages = 0
    for one in said:
        wide = fonts.bold(value).width(one.value)
        if one.unit:
            wide += value // 5 + fonts.regular(round(value * UNIT_TO_VALUE)).width(one.unit)
        names = _whole(one.name, width, fonts.regular(name))
        ages = _whole(one.age, width, fonts.regular(age))
        if wide > width or names is None or ages is None:
            return None
        most_names, most_ages = max(most_names, len(names)), max(most_ages, len(ages))
    return (
        most_names * fonts.regular(name).line_height
        + fonts.bold(value).line_height
        + most_ages * fonts.regular(age).line_height
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
    rows = [part[at : at + shape.across] for at in range(0, len(part), shape.across)]
    tallest = max(_height(row, shape.value, shape.name, shape.age, width, style) or height for row in rows)
    high = min(height, max(tallest + style.sizes.gap, round(tallest * 1.25)))
    top = room.y + max(0, (room.height - down * high - (down - 1) * gap) // 3)
    ops: list[Op] = []
    for number, row in enumerate(rows):
        y = top + number * (high + gap)
        boxes = [Box(room.x + place * (width + gap), y, width, high) for place in range(len(row))]
        ops += _row(row, shape, boxes, style)
    return ops


def _row(row: Sequence[_Said], shape: _Shape, boxes: Sequence[Box], style: Style) -> list[Op]:
    """Readings beside each other: their values stand on one line, names right above and ages below it."""
    fonts, pad = style.fonts, style.sizes.gap
    name_face, width, high = fonts.regular(shape.name), boxes[0].width, boxes[0].height
    set_names = [wrap(one.name, width - 2 * pad, name_face) if one.name else [] for one in row]
    used = _height(row, shape.value, shape.name, shape.age, width, style) or high
    top = boxes[0].y + max(pad, (high - used) // 2 + pad)
    value_y = top + max(map(len, set_names)) * name_face.line_height
    ops: list[Op] = []
    for one, names, box in zip(row, set_names, boxes, strict=True):
        name_y = value_y - len(names) * name_face.line_height
        at = (box.x + 2 * pad, name_y)
        ops += set_lines(names, at, ("regular", shape.name, style.theme.muted), fonts)
        ops += _cell(one, shape, box, value_y, style)
    return ops


def _cell(one: _Said, shape: _Shape, box: Box, y: int, style: Style) -> list[Op]:
    """A reading's rail, its value with its unit at `y`, and its age."""
    fonts, theme, pad = style.fonts, style.theme, style.sizes.gap
    rail: Colour = theme.accents["priority"] if one.warns else theme.accents["routine"]
    x, width = box.x + 2 * pad, box.width - 2 * pad
    value_face = fonts.bold(shape.value)
    ages = wrap(one.age, width, fonts.regular(shape.age)) if one.age else []
    ink = theme.muted if one.dim else theme.text
    side = Box(box.x, box.y + pad, max(3, pad // 3), box.height - 2 * pad)
    ops: list[Op] = [Fill(side, _faint(rail, theme.surface, one.dim))]
    ops += set_lines([one.value], (x, y), ("bold", shape.value, ink), fonts)
    if one.unit:
        unit = round(shape.value * UNIT_TO_VALUE)
        at = (
            x + value_face.width(one.value) + shape.value // 5,
            y + value_face.ascent - fonts.regular(unit).ascent,
        )
        ops += set_lines([one.unit], at, ("regular", unit, theme.muted), fonts)
    colour = theme.accents["priority"] if one.warns else theme.muted
    return ops + set_lines(ages, (x, y + value_face.line_height), ("regular", shape.age, colour), fonts)


def _faint(colour: Colour, ground: Colour, dim: bool) -> Colour:
    if not dim:
        return colour
    return (
        (colour[0] + ground[0]) // 2,
        (colour[1] + ground[1]) // 2,
        (colour[2] + ground[2]) // 2,
    )


def _said(value: Value, stale_after_s: Seconds, moment: Moment, own: Wording) -> _Said:
    name, unit, note = normalise(value.name), normalise(value.unit), normalise(value.note)
    text = normalise(value.value or "").replace("\n", " ")
    if not text:
        return _Said(name, NO_VALUE, "", _since(value.at, moment, own), dim=True, warns=False)
    age = own.when_unknown if value.at is None else _measured(value.at, moment, own)
    old = value.at is not None and moment.wall - value.at > timedelta(seconds=stale_after_s)
    if moment.known and old:
        return _Said(name, text, unit, own.old.format(age), dim=True, warns=True)
    words = " · ".join(part for part in (note, age) if part)
    return _Said(name, text, unit, words, dim=value.at is None, warns=False)


def _since(at: datetime | None, moment: Moment, own: Wording) -> str:
    """That there is no data, and since when there is none."""
    if at is None or (moment.known and -AHEAD <= moment.wall - at < MINUTE):
        return own.no_data
    when = _ago(moment.wall - at, moment, own) or _written(at, moment)
    return own.no_data_since.format(when) if when else own.no_data


def _measured(at: datetime, moment: Moment, own: Wording) -> str:
    """How long ago that was; without a clock, or when it lies ahead, when it was."""
    gone = moment.wall - at
    if own.just_now and moment.known and -AHEAD <= gone < MINUTE:
        return own.just_now
    ago = _ago(gone, moment, own)
    if ago:
        return own.measured.format(ago)
    when = _written(at, moment)
    return own.measured_at.format(when) if when else own.when_unknown


def _ago(gone: timedelta, moment: Moment, own: Wording) -> str:
    """How long ago; empty where that is not known or cannot be said."""
    if not moment.known or gone < MINUTE:
        return ""
    if gone < HOUR:
        return own.minutes_ago.format(gone // MINUTE)
    if gone < DAY:
        return own.hours_ago.format(gone // HOUR)
    return own.days_ago.format(gone // DAY)


def _written(at: datetime, moment: Moment) -> str:
    """The time as it is written; empty for one that cannot be."""
    try:
        local = at.astimezone(moment.timezone)
    except OverflowError:  # the last day that can be written, and here it is the day after
        return ""
    return f"{local:%H:%M} {local.day}/{local.month}/{local.year}"


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
