"""What covers everything in an emergency: event, headline, the spoken words; drills clearly marked."""

from __future__ import annotations

from typing import Final

from agent.screen.compose import Style, page_marks, set_lines
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page, Stripes
from agent.screen.protocol import Takeover
from agent.screen.theme import ALARM_KICKERS, ALARMS, DRILL, DRILL_MARKS, Alarm
from agent.screen.typesetting import Fitted, balance, fit, fit_on_one, normalise

FEW_LETTERS: Final = 6
"""A headline as short as a number is as large as it goes."""


def alarm_of(takeover: Takeover) -> Alarm:
    """Its colours: a drill never looks like the real thing."""
    return ALARMS[takeover.class_] if takeover.status == "Actual" else DRILL


def compose_takeover(takeover: Takeover, size: tuple[int, int], style: Style) -> tuple[Page, ...]:
    """Set a takeover on a screen of `size` pixels.

    Raises:
        Quarantine: the screen does not hold a line of it.
    """
    alarm = alarm_of(takeover)
    style = style.for_text(*map(normalise, (takeover.event, takeover.headline, takeover.text)))
    fonts, sizes = style.fonts, style.sizes
    inner, fixed = _frame(takeover, size, style, alarm)
    top, mark = _mark(takeover, inner, style, alarm)
    fixed += mark
    headline = normalise(takeover.headline) or normalise(takeover.event)
    body = normalise(takeover.text)
    column = Box(inner.x, top, inner.width, inner.bottom - top)
    if headline:
        most = (column.width, round(column.height * (0.5 if body else 1.0)))
        largest = sizes.heading_top * (3.5 if len(headline) <= FEW_LETTERS else 1.3)
        steps = [*sizes.steps(round(largest)), *sizes.below_floor()]
        fitted = fit_on_one(headline, most, steps, fonts.bold, setter=balance, most_lines=3)
        if fitted is None:
            body = f"{headline}\n{body}".strip()
        else:
            fixed += set_lines(fitted[1], (column.x, top), ("bold", fitted[0], alarm.text), fonts)
            top += len(fitted[1]) * fonts.bold(fitted[0]).line_height + round(fitted[0] * 0.2)
    if not body:
        return (Page(tuple(fixed), len(headline.split())),)
    fitted_body, paged = _body(body, (column.width, column.bottom - top), style)
    pages = []
    for number, lines in enumerate(fitted_body.pages):
        ops = [*fixed, *set_lines(lines, (column.x, top), ("regular", fitted_body.size, alarm.text), fonts)]
        if paged:
            colours = (alarm.text, alarm.muted, alarm.ground)
            ops += page_marks(number, len(fitted_body.pages), inner, style, colours)
        words = sum(len(line.split()) for line in lines)
        pages.append(Page(tuple(ops), words + len(headline.split())))
    return tuple(pages)


def _body(body: str, space: tuple[int, int], style: Style) -> tuple[Fitted, bool]:
    sizes = style.sizes
    smaller = sizes.below_floor()
    # words of an emergency are read from further away: they are paged before they get small
    steps = [step for step in sizes.steps(round(sizes.body_top * 1.1)) if step >= sizes.floor * 1.3]
    fitted = fit(body, space, steps or [sizes.floor], style.fonts.regular, smaller=smaller)
    if len(fitted.pages) == 1:
        return fitted, False
    lower = (space[0], space[1] - style.fonts.regular(sizes.small).line_height)
    return fit(body, lower, [fitted.size], style.fonts.regular, smaller=smaller), True


def _frame(takeover: Takeover, size: tuple[int, int], style: Style, alarm: Alarm) -> tuple[Box, list[Op]]:
    """The bands of a drill, with their words; and the box inside all margins."""
    width, height = size
    margin_x, margin_y = round(width * 0.055), round(height * 0.07)
    word = DRILL_MARKS.get(takeover.status)
    if word is None:
        return Box(0, 0, width, height).inset(margin_x, margin_y), []
    sizes = style.sizes
    steps = [*sizes.steps(round(sizes.floor * 1.3)), *sizes.below_floor()]
    fitted = fit_on_one(word, (round(width * 0.8), height // 10), steps, style.fonts.bold, most_lines=1)
    edge = max(8, height // 45)
    ops: list[Op] = []
    band = edge
    if fitted is not None:
        face = style.fonts.bold(fitted[0])
        band = face.line_height + edge // 2
    for y in (0, height - band - 2 * edge):
        ops.append(Fill(Box(0, y, width, band + 2 * edge), alarm.mark))
        if fitted is not None:
            at = ((width - face.width(word)) // 2, y + edge + edge // 4)
            ops += set_lines([word], at, ("bold", fitted[0], alarm.on_mark), style.fonts)
        ops += [
            Stripes(Box(0, y, width, edge), alarm.mark, alarm.on_mark),
            Stripes(Box(0, y + band + edge, width, edge), alarm.mark, alarm.on_mark),
        ]
    taken = band + 2 * edge
    return Box(margin_x, taken + margin_y // 2, width - 2 * margin_x, height - 2 * taken - margin_y), ops


def _mark(takeover: Takeover, inner: Box, style: Style, alarm: Alarm) -> tuple[int, list[Op]]:
    """The word for its class on a field, and the event beside it; returns where the text below begins."""
    sizes, fonts = style.sizes, style.fonts
    word = ALARM_KICKERS[takeover.class_]
    event = normalise(takeover.event).replace("\n", " ") if takeover.headline else ""
    size = next(
        (s for s in sizes.steps(round(sizes.floor * 1.1)) if fonts.bold(s).width(word) < inner.width * 0.8), 0
    )
    if not size:
        size = sizes.below_floor()[-1]
    face = fonts.bold(size)
    pad = round(size * 0.6)
    height = face.line_height + pad // 2
    pill = Box(inner.x, inner.y, face.width(word) + 2 * pad, height)
    ops: list[Op] = [
        Fill(pill, alarm.mark, round(size * 0.25)),
        *set_lines([word], (inner.x + pad, inner.y + pad // 4), ("bold", size, alarm.on_mark), fonts),
    ]
    top = inner.y + height + round(size * 0.7)
    if event:
        left = pill.right + pad
        beside = fit_on_one(event, (inner.right - left, height), [size], fonts.bold, most_lines=1)
        if beside is not None:
            ops += set_lines([event], (left, inner.y + pad // 4), ("bold", size, alarm.muted), fonts)
        else:
            below = fit_on_one(
                event,
                (inner.width, inner.height // 5),
                [*sizes.steps(size), *sizes.below_floor()],
                fonts.bold,
            )
            if below is not None:
                ops += set_lines(below[1], (inner.x, top), ("bold", below[0], alarm.muted), fonts)
                top += len(below[1]) * fonts.bold(below[0]).line_height + round(size * 0.2)
    return top, ops
