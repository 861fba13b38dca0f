"""Strips: what a page is piled up from. A strip is never cut; strips are dealt out to pages. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from agent.screen.grid import Box
from agent.screen.paint import Fill, Text
from agent.screen.richtext import Line, Setter, words_in
from agent.screen.theme import Colour, Theme

MOST_HELD: Final = 4
"""So many strips may ask to stay with the one after them; beyond that the page ends all the same."""


@dataclass(frozen=True)
class Look:
    """Colours of a text."""

    theme: Theme
    accent: Colour
    largest_heading: int | None = None
    """Pixels: a heading inside the text is not larger than that, and never smaller than the text."""


@dataclass(frozen=True)
class Strip:
    """A strip as wide as its column; its parts count from its own corner."""

    height: int
    ops: tuple[Text | Fill, ...]
    words: int = 0
    above: int = 0
    """Free above it, but at the head of a page."""
    holds_next: bool = False
    """It does not stand last on a page."""
    heads: tuple[Strip, ...] = ()
    """What is said again above it where it is the first of a page."""


def lines_of(lines: Sequence[Line], setter: Setter, look: Look, indent: int = 0) -> list[Strip]:
    """A strip for each line."""
    return [
        Strip(setter.line_height, tuple(line_ops(line, (indent, 0), setter, look)), words_in([line]))
        for line in lines
    ]


def line_ops(line: Line, at: tuple[int, int], setter: Setter, look: Look) -> list[Text]:
    """The runs of a line beside each other."""
    x, y = at
    ops = []
    for run in line:
        colour = look.accent if run.emphasised else look.theme.text
        box = Box(x, y, run.width, setter.line_height)
        ops.append(Text(box, run.text, run.weight, setter.size, colour, run.broken))
        x += run.width
    return ops


def deal(strips: Sequence[Strip], room: int) -> list[list[Strip]] | None:
    """Deal strips out to pages that are `room` pixels high, evenly; None if one does not go on any.

    What is to stay together is parted only where it does not go on one page.
    """
    pages = _dealt(strips, room)
    if pages is None or len(pages) < 2:
        return pages
    low, high = room // 2, room
    while high - low > 4:
        middle = (low + high) // 2
        tried = _dealt(strips, middle)
        if tried is not None and (len(tried), _parted(tried)) <= (len(pages), _parted(pages)):
            pages, high = tried, middle
        else:
            low = middle
    return pages


def _parted(pages: Sequence[Sequence[Strip]]) -> int:
    """How often a page ends where it should not."""
    return sum(page[-1].holds_next for page in pages[:-1])


def _dealt(strips: Sequence[Strip], room: int) -> list[list[Strip]] | None:
    pages: list[list[Strip]] = []
    page: list[Strip] = []
    used = 0
    for strip in strips:
        if page and used + strip.above + strip.height > room:
            held: list[Strip] = []
            while len(page) > 1 and len(held) < MOST_HELD and page[-1].holds_next:
                held.insert(0, page.pop())
            pages.append(page)
            page, used = _begun([*held, strip])
            if used > room and held:
                page, used = _begun([strip])
                pages[-1] += held
        elif not page:
            page, used = _begun([strip])
        else:
            page.append(strip)
            used += strip.above + strip.height
        if used > room:
            return None
    return [*pages, page] if page else pages or [[]]


def _begun(strips: list[Strip]) -> tuple[list[Strip], int]:
    """The first strips of a page, with what is said again above them."""
    first = replace(strips[0], above=0)
    page = [*first.heads, first, *strips[1:]]
    return page, sum(strip.above + strip.height for strip in page)
