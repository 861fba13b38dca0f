"""A notice in plain words: heading and text as large as its zone allows, on as many pages as it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.screen.card import (
    Composition,
    Head,
    Style,
    below,
    card,
    fit_head,
    kicker,
    mark_height,
    moved,
    notice_marks,
    set_lines,
    with_qr,
)
from agent.screen.content import Bulletin, TextPart
from agent.screen.grid import Box
from agent.screen.paint import Op, Page, Text
from agent.screen.typesetting import Fitted, count_words, fit, normalise

LETTER: Final = 0.7
"""Space that a letter takes, in squares of its size: half as wide as high, and the next line below it."""
MANY_PAGES: Final = 3
BODY_TO_HEADING: Final = 0.55
"""The text is at least this large beside its heading, as long as the heading can give way."""


def compose_text(bulletin: Bulletin, text: TextPart, size: tuple[int, int], style: Style) -> Composition:
    """Set a notice in a zone of `size` pixels.

    Raises:
        Quarantine: the zone does not hold a line of it.
    """
    heading, body = normalise(text.heading), normalise(text.body)
    style = style.for_text(heading, body)
    inner, drawn = card(bulletin.class_, size, style)
    left_out = None
    if text.qr:
        inner, stamps, left_out = with_qr(text.qr, bulletin.language, inner, style)
        drawn += stamps
    word, column = kicker(bulletin, inner, style)
    pages = _set(heading, body, column, style)
    top = min(page.top for page in pages)
    # the block hangs a little above the middle, where the eye expects it
    drop = max(0, round((column.bottom - max(page.bottom for page in pages)) * 0.42)) if top else 0
    composed = []
    for number, page in enumerate(pages):
        ops: list[Op] = [*drawn, *(moved(op, drop) for op in (*word, *page.lines))]
        if len(pages) > 1:
            ops += notice_marks(number, len(pages), inner, style)
        composed.append(Page(tuple(ops), page.words))
    return Composition(tuple(composed), left_out)


def is_long(text: TextPart, size: tuple[int, int], style: Style) -> bool:
    """Whether it takes so many pages that no size need be looked for: that takes time."""
    letters = len(text.heading) + len(text.body)
    return letters * style.sizes.floor**2 * LETTER > MANY_PAGES * size[0] * size[1]


@dataclass(frozen=True)
class _Column:
    """Lines of one page in the text's column."""

    lines: tuple[Text, ...]
    top: int
    bottom: int
    words: int


def _set(heading: str, body: str, column: Box, style: Style) -> list[_Column]:
    """Heading and body in their column, as many pages as it takes; the heading stands on each."""
    fonts, sizes = style.fonts, style.sizes
    largest = sizes.heading_top if body else round(sizes.heading_top * 1.3)
    steps = [*sizes.steps(largest), *sizes.below_floor()]
    head = fit_head(heading, column, steps, style, share=0.5 if body else 1.0) if heading else None
    if heading and (head is None or (body and head.size < sizes.floor < column.height // 4)):
        # too long for a heading: it becomes the first lines of the text
        heading, body, head = "", f"{heading}\n{body}".strip(), None
    if not body:
        lines = head.lines if head is not None else ()
        return [_Column(lines, column.y, head.bottom if head else column.y, count_words(heading))]
    fitted, foot = _fit_body(body, column, head, style)
    if head is not None and len(fitted.pages) > 1:
        # what is paged needs its room for the text: one modest heading on every page
        modest = [s for s in steps if s <= sizes.floor * 1.5]
        one_line = fit_head(
            heading, column, [s for s in modest if s >= sizes.floor], style, share=0.5, lines=1
        )
        head = one_line or fit_head(heading, column, modest, style, share=0.5) or head
        fitted, foot = _fit_body(body, column, head, style)
    # a heading that leaves its text small gives way
    for step in (s for s in steps if head is not None and sizes.floor * 1.2 < s < head.size):
        if head is None or fitted.size >= BODY_TO_HEADING * head.size:
            break
        smaller = fit_head(heading, column, [step], style, share=0.5)
        if smaller is not None:
            head = smaller
            fitted, foot = _fit_body(body, column, head, style)
    top = below(head, column)
    line = fonts.regular(fitted.size).line_height
    pages = []
    for page in fitted.pages:
        lines = (head.lines if head is not None else ()) + tuple(
            set_lines(page, (column.x, top), ("regular", fitted.size, style.theme.text), fonts)
        )
        words = count_words(heading) + sum(count_words(text) for text in page)
        pages.append(_Column(lines, column.y, top + len(page) * line + foot, words))
    return pages


def _fit_body(body: str, column: Box, head: Head | None, style: Style) -> tuple[Fitted, int]:
    """The body below its heading; the second value is what is kept free below it for the page marks."""
    sizes = style.sizes
    largest = round(sizes.body_top * 1.15) if head is None else min(sizes.body_top, round(head.size * 0.8))
    space = (column.width, column.bottom - below(head, column))
    smaller = sizes.below_floor()
    fitted = fit(body, space, sizes.steps(largest), style.fonts.regular, smaller=smaller)
    if len(fitted.pages) == 1:
        return fitted, 0
    foot = mark_height(style)
    lower = (space[0], space[1] - foot)
    return fit(body, lower, [fitted.size], style.fonts.regular, smaller=smaller), foot
