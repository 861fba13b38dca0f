"""What covers everything in an emergency: what has happened and what to do; drills clearly marked.

Everything but the marks is set so large that it is read from 10 m (`theme.FAR_CAP_PART`); what then does not
go on one page takes several, first what has happened, then what to do, and so in each language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from agent.screen.card import Style, page_marks, set_lines
from agent.screen.content import ClassName
from agent.screen.errors import Quarantine
from agent.screen.fonts import Weight
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page, Stripes, Text
from agent.screen.protocol import Takeover, Words
from agent.screen.sentences import by_sentences
from agent.screen.theme import ALARM_KICKERS, ALARMS, DRILL, DRILL_MARKS, SCALE_RATIO, Alarm, far_size
from agent.screen.typesetting import (
    Fitted,
    Ruler,
    balance,
    count_words,
    fit,
    fit_on_one,
    normalise,
    widest_word,
    without_orphan,
)

K = TypeVar("K", bound=str)

ALONE_LARGER: Final = 1.6
"""A headline that has a page of its own is so much larger than far eyes need, if it goes."""
FEW_LETTERS: Final = 6
"""A headline as short as a number is as large as it goes."""


def alarm_of(takeover: Takeover) -> Alarm:
    """Its colours: a drill never looks like the real thing."""
    return ALARMS[takeover.class_] if takeover.status == "Actual" else DRILL


def compose_takeover(takeover: Takeover, size: tuple[int, int], style: Style) -> tuple[Page, ...]:
    """Set a takeover on a screen of `size` pixels: what has happened, then what to do, in each language.

    Raises:
        Quarantine: the screen does not hold a line of it.
    """
    alarm = alarm_of(takeover)
    return tuple(page for words in takeover.blocks for page in _block(takeover, words, size, style, alarm))


def _block(takeover: Takeover, words: Words, size: tuple[int, int], style: Style, alarm: Alarm) -> list[Page]:
    event, headline, body = map(normalise, (words.event, words.headline, words.text))
    known = not headline or event.casefold() in headline.casefold()
    lead = (headline or event) if known else f"{event}\n{headline}"
    style = style.for_text(lead, body)
    inner, fixed = _frame(takeover, words.language, size, style, alarm)
    top, mark = _mark(takeover.class_, words.language, inner, style, alarm)
    fixed += mark
    column = Box(inner.x, top, inner.width, inner.bottom - top)
    # what is no emergency is asked for by somebody who stands before it
    floor = far_size(*size) if takeover.class_ == "emergency" else style.sizes.floor
    short = (headline or event) if len(headline or event) <= FEW_LETTERS else ""
    one = _on_one(short or lead, body, column, floor, style, "" if known or not short else event)
    if one is not None:
        return [_page([*fixed, *_lines(one, column, style, alarm)], one)]
    foot = style.fonts.regular(style.sizes.small).line_height
    space = (column.width, column.height - foot)
    parts: list[tuple[Weight, Fitted]] = []
    if lead:
        parts.append(("bold", _lead_alone(lead, space, floor, style)))
    if body:
        parts.append(("regular", _far(body, space, floor, style, "regular")))
    set_pages = [((weight, fitted.size, lines),) for weight, fitted in parts for lines in fitted.pages]
    pages = []
    for number, part in enumerate(set_pages):
        ops = [*fixed, *_lines(part, column, style, alarm)]
        if len(set_pages) > 1:
            colours = (alarm.text, alarm.muted, alarm.ground)
            ops += page_marks(number, len(set_pages), inner, style, colours)
        pages.append(_page(ops, part))
    return pages or [Page(tuple(fixed))]


_Part = tuple[Weight, int, tuple[str, ...]]
"""Lines below each other: how they are set, and their words."""


def _on_one(
    lead: str, body: str, column: Box, floor: int, style: Style, above: str = ""
) -> tuple[_Part, ...] | None:
    """Everything on one page, as large as it goes; None if it does not go at the size for far eyes.

    A lead of a few letters (a number) is larger than all else, and has what it is the number of `above` it.
    """
    fonts = style.fonts
    largest, following_part = (3.5, 0.3) if len(lead) <= FEW_LETTERS else (1.6, 0.75)
    for size in _steps(round(style.sizes.heading_top * largest), floor):
        small = max(floor, round(size * following_part))
        try:
            over = tuple(balance(above, column.width, fonts.bold(small))) if above else ()
            set_lead = _whole_words if size > floor else balance
            leading = tuple(set_lead(lead, column.width, fonts.bold(size))) if lead else ()
            following = tuple(without_orphan(body, column.width, fonts.regular(small))) if body else ()
        except Quarantine:
            continue
        height = len(leading) * fonts.bold(size).line_height
        height += round(size * 0.2) + len(following) * fonts.regular(small).line_height
        height += len(over) * fonts.bold(small).line_height + round(small * 0.2) * bool(over)
        if height <= column.height:
            parts: tuple[_Part, ...] = (
                ("bold", small, over),
                ("bold", size, leading),
                ("regular", small, following),
            )
            return tuple(part for part in parts if part[2])
    return None


def _lead_alone(lead: str, space: tuple[int, int], floor: int, style: Style) -> Fitted:
    """What has happened, on a page of its own: as large as it goes without breaking a word."""
    steps = _steps(round(max(style.sizes.heading_top * 1.6, floor * ALONE_LARGER)), floor)
    one = fit_on_one(lead, space, steps, style.fonts.bold, setter=_whole_words)
    return Fitted(one[0], (tuple(one[1]),)) if one is not None else _far(lead, space, floor, style, "bold")


def _whole_words(text: str, width: int, ruler: Ruler) -> list[str]:
    if widest_word(text, ruler) > width:
        raise Quarantine(f"a word is wider than {width} pixels")
    return balance(text, width, ruler)


def _far(text: str, space: tuple[int, int], floor: int, style: Style, weight: Weight) -> Fitted:
    smaller = [*_steps(round(floor / 1.125), style.sizes.floor), *style.sizes.below_floor()]
    steps = _steps(round(style.sizes.heading_top * 1.6), floor)
    fitted = fit(text, space, steps, lambda size: style.fonts.at(weight, size), smaller=smaller)
    if len(fitted.pages) < 2:
        return fitted
    face = style.fonts.at(weight, fitted.size)
    return Fitted(fitted.size, by_sentences(text, space[0], space[1] // face.line_height, face))


def _steps(top: int, floor: int) -> list[int]:
    """A type scale that ends at `floor`."""
    sizes, size = [], float(max(top, floor))
    while round(size) > floor:
        sizes.append(round(size))
        size /= SCALE_RATIO
    return [*sizes, floor]


def _lines(parts: tuple[_Part, ...], column: Box, style: Style, alarm: Alarm) -> list[Text]:
    found: list[Text] = []
    top = column.y
    for weight, size, lines in parts:
        found += set_lines(lines, (column.x, top), (weight, size, alarm.text), style.fonts)
        top += len(lines) * style.fonts.at(weight, size).line_height + round(size * 0.2)
    return found


def _page(ops: Sequence[Op], parts: tuple[_Part, ...]) -> Page:
    return Page(tuple(ops), sum(count_words(line) for _, _, lines in parts for line in lines))


def _frame(
    takeover: Takeover, language: str, size: tuple[int, int], style: Style, alarm: Alarm
) -> tuple[Box, list[Op]]:
    """The bands of a drill, with their words; and the box inside all margins."""
    width, height = size
    margin_x, margin_y = round(width * 0.055), round(height * 0.07)
    word = _in(DRILL_MARKS, language).get(takeover.status)
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


def _mark(class_: ClassName, language: str, inner: Box, style: Style, alarm: Alarm) -> tuple[int, list[Op]]:
    """The word for its class on a field; returns where the text below begins."""
    sizes, fonts = style.sizes, style.fonts
    word = _in(ALARM_KICKERS, language)[class_]
    size = next(
        (s for s in sizes.steps(round(sizes.floor * 1.4)) if fonts.bold(s).width(word) < inner.width * 0.8), 0
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
    return inner.y + height + round(size * 0.4), ops


def _in(words: Mapping[str, Mapping[K, str]], language: str) -> Mapping[K, str]:
    """What is said in this language, else in Vietnamese."""
    return words.get(language.partition("-")[0], words["vi"])
