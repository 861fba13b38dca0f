"""What stands where: a bulletin or a takeover becomes pages of fields, lines of text and stamps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import pygame

from agent.screen.fonts import Fonts, Weight
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page, Stamp, Text
from agent.screen.protocol import Bulletin, ClassName, ImagePart, TextPart
from agent.screen.qr import qr_stamp
from agent.screen.theme import KICKERS, SCAN_ME, Colour, Sizes, Theme
from agent.screen.typesetting import Fitted, balance, count_words, fit, fit_on_one, normalise

WIDE: Final = 1.25
"""Width to height from which a QR code stands beside the text, not below it."""
BODY_TO_HEADING: Final = 0.55
"""The text is at least this large beside its heading, as long as the heading can give way."""


@dataclass(frozen=True)
class Style:
    """What every page is composed with."""

    fonts: Fonts
    theme: Theme
    sizes: Sizes

    def for_text(self, *texts: str) -> Style:
        """This style, with lines high enough for these normalised texts."""
        return replace(self, fonts=self.fonts.for_text("".join(texts)))


@dataclass(frozen=True)
class Composition:
    """The pages of a bulletin, and what had to be left out of them."""

    pages: tuple[Page, ...]
    left_out: str | None = None


def compose_text(bulletin: Bulletin, text: TextPart, size: tuple[int, int], style: Style) -> Composition:
    """Set a notice in a zone of `size` pixels.

    Raises:
        Quarantine: the zone does not hold a line of it.
    """
    heading, body = normalise(text.heading), normalise(text.body)
    style = style.for_text(heading, body)
    inner, card = _card(bulletin.class_, size, style)
    left_out = None
    if text.qr:
        inner, stamps, left_out = _with_qr(text.qr, inner, style)
        card += stamps
    kicker, column = _kicker(bulletin.class_, inner, style)
    pages = _set(heading, body, column, style)
    top = min(page.top for page in pages)
    # the block hangs a little above the middle, where the eye expects it
    drop = max(0, round((column.bottom - max(page.bottom for page in pages)) * 0.42)) if top else 0
    composed = []
    for number, page in enumerate(pages):
        ops: list[Op] = [*card, *(_moved(op, drop) for op in (*kicker, *page.lines))]
        if len(pages) > 1:
            ops += _page_marks(number, len(pages), inner, style, style.theme)
        composed.append(Page(tuple(ops), page.words))
    return Composition(tuple(composed), left_out)


def compose_image(
    bulletin: Bulletin, image: ImagePart, picture: pygame.Surface, size: tuple[int, int], style: Style
) -> Composition:
    """A picture, already scaled for its box of `picture_boxes`, and its caption, in a zone of `size`."""
    box, band = picture_boxes(image, size, style)
    caption = normalise(image.caption).replace("\n", " ")
    style = style.for_text(caption)
    x = box.x + (box.width - picture.get_width()) // 2
    y = box.y + (box.height - picture.get_height()) // 2
    ops: list[Op] = [Stamp(Box(x, y, *picture.get_size()), picture)]
    words = 0
    if band is not None:
        accent = style.theme.accents[bulletin.class_]
        ops += [
            Fill(band, style.theme.surface),
            Fill(Box(band.x, band.y, max(4, style.sizes.gap // 2), band.height), accent),
        ]
        room = band.inset(style.sizes.gap * 2, style.sizes.gap // 2)
        steps = [*style.sizes.steps(style.sizes.floor), *style.sizes.below_floor()]
        fitted = fit_on_one(caption, room[2:], steps, style.fonts.regular)
        if fitted is not None:
            block = len(fitted[1]) * style.fonts.regular(fitted[0]).line_height
            top = room.y + (room.height - block) // 2
            ops += set_lines(fitted[1], (room.x, top), ("regular", fitted[0], style.theme.text), style.fonts)
            words = count_words(caption)
    elif bulletin.class_ != "routine":
        ops.append(
            Fill(Box(0, 0, size[0], max(4, style.sizes.gap // 2)), style.theme.accents[bulletin.class_])
        )
    return Composition((Page(tuple(ops), words),))


def picture_boxes(image: ImagePart, size: tuple[int, int], style: Style) -> tuple[Box, Box | None]:
    """Where the picture goes, and the band of its caption below it, if it has one that fits."""
    whole = Box(0, 0, *size)
    caption = normalise(image.caption)
    style = style.for_text(caption)
    line = style.fonts.regular(style.sizes.floor).line_height
    if not caption or size[1] < 4 * line:
        return whole, None
    text_width = style.fonts.regular(style.sizes.floor).width(caption.replace("\n", " "))
    lines = 1 if text_width <= size[0] - 4 * style.sizes.gap else 2
    height = lines * line + style.sizes.gap
    return Box(0, 0, size[0], size[1] - height), Box(0, size[1] - height, size[0], height)


# -- parts -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """Lines of one page in the text's column."""

    lines: tuple[Text, ...]
    top: int
    bottom: int
    words: int


def _card(class_: ClassName, size: tuple[int, int], style: Style) -> tuple[Box, list[Op]]:
    """The zone's card with its class rail; and the box inside its margins."""
    width, height = size
    rail = max(4, round(min(width, height * 2) / 150))
    radius = min(style.sizes.radius, height // 4, width // 4)
    ops: list[Op] = [
        Fill(Box(0, 0, rail + radius, height), style.theme.accents[class_], radius, "left"),
        Fill(Box(rail, 0, width - rail, height), style.theme.surface, radius, "right"),
    ]
    margin = max(6, round(min(width * 0.055, height * 0.11)))
    return Box(rail, 0, width - rail, height).inset(margin, round(margin * 0.85)), ops


def _kicker(class_: ClassName, inner: Box, style: Style) -> tuple[list[Text | Fill], Box]:
    """The word for the class above the heading, where there is room; and the box that is left."""
    sizes, theme = style.sizes, style.theme
    face = style.fonts.bold(sizes.kicker)
    word = KICKERS[class_]
    filled = class_ != "routine"
    pad = round(sizes.kicker * 0.55) if filled else 0
    height = face.line_height + (pad // 2 if filled else 0)
    needed = height + 4 * style.fonts.regular(sizes.floor).line_height
    if inner.height < needed or inner.width < face.width(word) + 2 * pad:
        return [], inner
    ops: list[Text | Fill] = []
    if filled:
        pill = Box(inner.x, inner.y, face.width(word) + 2 * pad, height)
        ops.append(Fill(pill, theme.accents[class_], height // 2))
    colour = theme.on_accents[class_] if filled else theme.accents[class_]
    ops += set_lines([word], (inner.x + pad, inner.y + pad // 4), ("bold", sizes.kicker, colour), style.fonts)
    used = height + round(sizes.kicker * 0.6)
    return ops, Box(inner.x, inner.y + used, inner.width, inner.height - used)


def _set(heading: str, body: str, column: Box, style: Style) -> list[_Column]:
    """Heading and body in their column, as many pages as it takes; the heading stands on each."""
    fonts, sizes = style.fonts, style.sizes
    largest = sizes.heading_top if body else round(sizes.heading_top * 1.3)
    steps = [*sizes.steps(largest), *sizes.below_floor()]
    head = _fit_head(heading, column, steps, style, share=0.5 if body else 1.0) if heading else None
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
        one_line = _fit_head(
            heading, column, [s for s in modest if s >= sizes.floor], style, share=0.5, lines=1
        )
        head = one_line or _fit_head(heading, column, modest, style, share=0.5) or head
        fitted, foot = _fit_body(body, column, head, style)
    # a heading that leaves its text small gives way
    for step in (s for s in steps if head is not None and sizes.floor * 1.2 < s < head.size):
        if head is None or fitted.size >= BODY_TO_HEADING * head.size:
            break
        smaller = _fit_head(heading, column, [step], style, share=0.5)
        if smaller is not None:
            head = smaller
            fitted, foot = _fit_body(body, column, head, style)
    top = _below(head, column)
    line = fonts.regular(fitted.size).line_height
    pages = []
    for page in fitted.pages:
        lines = (head.lines if head is not None else ()) + tuple(
            set_lines(page, (column.x, top), ("regular", fitted.size, style.theme.text), fonts)
        )
        words = count_words(heading) + sum(count_words(text) for text in page)
        pages.append(_Column(lines, column.y, top + len(page) * line + foot, words))
    return pages


@dataclass(frozen=True)
class _Head:
    """A heading, set."""

    lines: tuple[Text, ...]
    size: int
    bottom: int


def _fit_head(
    heading: str, column: Box, steps: list[int], style: Style, *, share: float, lines: int = 3
) -> _Head | None:
    most = (column.width, round(column.height * share))
    fitted = fit_on_one(heading, most, steps, style.fonts.bold, setter=balance, most_lines=lines)
    if fitted is None:
        return None
    size, broken = fitted
    bottom = column.y + len(broken) * style.fonts.bold(size).line_height
    look: tuple[Weight, int, Colour] = ("bold", size, style.theme.text)
    return _Head(tuple(set_lines(broken, (column.x, column.y), look, style.fonts)), size, bottom)


def _below(head: _Head | None, column: Box) -> int:
    return column.y if head is None else head.bottom + round(head.size * 0.22)


def _fit_body(body: str, column: Box, head: _Head | None, style: Style) -> tuple[Fitted, int]:
    """The body below its heading; the second value is what is kept free below it for the page marks."""
    sizes = style.sizes
    largest = round(sizes.body_top * 1.15) if head is None else min(sizes.body_top, round(head.size * 0.8))
    space = (column.width, column.bottom - _below(head, column))
    smaller = sizes.below_floor()
    fitted = fit(body, space, sizes.steps(largest), style.fonts.regular, smaller=smaller)
    if len(fitted.pages) == 1:
        return fitted, 0
    foot = _mark_height(style)
    lower = (space[0], space[1] - foot)
    return fit(body, lower, [fitted.size], style.fonts.regular, smaller=smaller), foot


def _mark_height(style: Style) -> int:
    return style.fonts.regular(style.sizes.small).line_height


def _page_marks(number: int, count: int, inner: Box, style: Style, theme: Theme) -> list[Op]:
    """Which page of how many: a dash for each, or figures where there are many."""
    return page_marks(number, count, inner, style, (theme.text, theme.muted, theme.surface))


def page_marks(
    number: int, count: int, inner: Box, style: Style, colours: tuple[Colour, Colour, Colour]
) -> list[Op]:
    """Marks at the foot of `inner`; `colours` are: this page, the others' text, the ground."""
    this, other, ground = colours
    thick = max(3, style.sizes.small // 5)
    if count > 12:
        face = style.fonts.regular(style.sizes.small)
        word = f"{number + 1} / {count}"
        at = (inner.right - face.width(word), inner.bottom - face.line_height)
        return list(set_lines([word], at, ("regular", style.sizes.small, other), style.fonts))
    faint: Colour = (
        (other[0] + 2 * ground[0]) // 3,
        (other[1] + 2 * ground[1]) // 3,
        (other[2] + 2 * ground[2]) // 3,
    )
    dash, gap = thick * 6, thick * 2
    marks: list[Op] = []
    for one in range(count):
        box = Box(inner.x + one * (dash + gap), inner.bottom - thick, dash, thick)
        marks.append(Fill(box, this if one == number else faint))
    return marks


def _with_qr(data: str, inner: Box, style: Style) -> tuple[Box, list[Op], str | None]:
    """The code on a white card, beside or below the text; and the box that is left for the text."""
    wide = inner.width >= WIDE * inner.height
    most = min(inner.height, round(inner.width * 0.27)) if wide else round(inner.height * 0.34)
    caption = style.fonts.regular(style.sizes.small)
    below = caption.line_height if most > 6 * caption.line_height else 0
    stamp, side, reason = qr_stamp(data, most - below)
    if stamp is None:
        return inner, [], reason
    gutter = round(min(inner.width, inner.height) * 0.07)
    if wide:
        left = inner.right - side
        top = inner.y + (inner.height - side - below) // 2
        rest = Box(inner.x, inner.y, inner.width - side - gutter, inner.height)
    else:
        left, top = inner.x, inner.bottom - side - below
        rest = Box(inner.x, inner.y, inner.width, inner.height - side - below - gutter // 2)
    ops: list[Op] = [
        Fill(Box(left, top, side, side), (255, 255, 255), style.sizes.radius // 2),
        Stamp(_centred(stamp.get_width(), Box(left, top, side, side)), stamp),
    ]
    if below and caption.width(SCAN_ME) <= side:
        x = left + (side - caption.width(SCAN_ME)) // 2
        y = top + side + round(style.sizes.small * 0.15)
        ops += set_lines([SCAN_ME], (x, y), ("regular", style.sizes.small, style.theme.muted), style.fonts)
    return rest, ops, None


def _centred(modules: int, card: Box) -> Box:
    side = modules * (card.width // modules)
    free = (card.width - side) // 2
    return Box(card.x + free, card.y + free, side, side)


def set_lines(
    lines: list[str] | tuple[str, ...], at: tuple[int, int], look: tuple[Weight, int, Colour], fonts: Fonts
) -> list[Text]:
    """Lines below each other from `at`; an empty one keeps its height."""
    weight, size, colour = look
    face = fonts.at(weight, size)
    x, y = at
    return [
        Text(
            Box(x, y + number * face.line_height, face.width(line), face.line_height),
            line,
            weight,
            size,
            colour,
        )
        for number, line in enumerate(lines)
        if line
    ]


def _moved(op: Text | Fill, down: int) -> Text | Fill:
    box = Box(op.box.x, op.box.y + down, op.box.width, op.box.height)
    if isinstance(op, Text):
        return Text(box, op.text, op.weight, op.size, op.colour)
    return Fill(box, op.colour, op.radius, op.rounded)
