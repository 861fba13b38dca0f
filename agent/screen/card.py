"""What every page shares: its card and margins, the word for its class, a heading, page marks, a QR code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from agent.screen.content import Bulletin, ClassName
from agent.screen.fonts import Fonts, Weight
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page, Stamp, Text
from agent.screen.qr import qr_stamp
from agent.screen.theme import Colour, Sizes, Theme
from agent.screen.typesetting import balance, fit_on_one
from agent.screen.wording import wording

WIDE: Final = 1.25
"""Width to height from which a QR code stands beside the text, not below it."""


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
    fresh_until: datetime | None = None
    """When its words are true no longer; None: they stay true."""


@dataclass(frozen=True)
class Moment:
    """What the clock shows while a page is composed."""

    wall: datetime
    timezone: ZoneInfo
    known: bool = True
    """False: the node does not know the time."""


def card(class_: ClassName, size: tuple[int, int], style: Style) -> tuple[Box, list[Op]]:
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


def kicker(bulletin: Bulletin, inner: Box, style: Style) -> tuple[list[Text | Fill], Box]:
    """The word for the class above the heading, where there is room; and the box that is left."""
    sizes, theme, class_ = style.sizes, style.theme, bulletin.class_
    face = style.fonts.bold(sizes.kicker)
    word = wording(bulletin.language).kickers[class_]
    filled = class_ != "routine"
    pad = round(sizes.kicker * 0.55) if filled else 0
    height = face.line_height + (pad // 2 if filled else 0)
    needed = height + 4 * style.fonts.regular(sizes.floor).line_height
    if not word or inner.height < needed or inner.width < face.width(word) + 2 * pad:
        return [], inner
    ops: list[Text | Fill] = []
    x = inner.x
    if filled:
        pill = Box(inner.x, inner.y, max(face.width(word) + 2 * pad, height), height)
        ops.append(Fill(pill, theme.accents[class_], height // 2))
        x += (pill.width - face.width(word)) // 2
    colour = theme.on_accents[class_] if filled else theme.accents[class_]
    ops += set_lines([word], (x, inner.y + pad // 4), ("bold", sizes.kicker, colour), style.fonts)
    used = height + round(sizes.kicker * 0.6)
    return ops, Box(inner.x, inner.y + used, inner.width, inner.height - used)


@dataclass(frozen=True)
class Head:
    """A heading, set."""

    lines: tuple[Text, ...]
    size: int
    bottom: int


def fit_head(
    heading: str, column: Box, steps: list[int], style: Style, *, share: float, lines: int = 3
) -> Head | None:
    most = (column.width, round(column.height * share))
    fitted = fit_on_one(heading, most, steps, style.fonts.bold, setter=balance, most_lines=lines)
    if fitted is None:
        return None
    size, broken = fitted
    bottom = column.y + len(broken) * style.fonts.bold(size).line_height
    look: tuple[Weight, int, Colour] = ("bold", size, style.theme.text)
    return Head(tuple(set_lines(broken, (column.x, column.y), look, style.fonts)), size, bottom)


def below(head: Head | None, column: Box) -> int:
    return column.y if head is None else head.bottom + round(head.size * 0.22)


def mark_height(style: Style) -> int:
    return style.fonts.regular(style.sizes.small).line_height


def notice_marks(number: int, count: int, inner: Box, style: Style) -> list[Op]:
    """Which page of how many: a dash for each, or figures where there are many."""
    theme = style.theme
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


def with_qr(data: str, language: str, inner: Box, style: Style) -> tuple[Box, list[Op], str | None]:
    """The code on a white card, beside or below the text; and the box that is left for the text."""
    wide = inner.width >= WIDE * inner.height
    most = min(inner.height, round(inner.width * 0.27)) if wide else round(inner.height * 0.34)
    caption = style.fonts.regular(style.sizes.small)
    scan_me = wording(language).scan_me
    below = caption.line_height if scan_me and most > 6 * caption.line_height else 0
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
    if below and caption.width(scan_me) <= side:
        x = left + (side - caption.width(scan_me)) // 2
        y = top + side + round(style.sizes.small * 0.15)
        ops += set_lines([scan_me], (x, y), ("regular", style.sizes.small, style.theme.muted), style.fonts)
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


def moved(op: Text | Fill, down: int) -> Text | Fill:
    box = Box(op.box.x, op.box.y + down, op.box.width, op.box.height)
    if isinstance(op, Text):
        return Text(box, op.text, op.weight, op.size, op.colour)
    return Fill(box, op.colour, op.radius, op.rounded)
