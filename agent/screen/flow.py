"""A text with headings, lists and tables: strips below each other, dealt out to as many pages as it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
    with_qr,
)
from agent.screen.content import Bulletin, TablePart, TextPart
from agent.screen.errors import Quarantine
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page, Text
from agent.screen.richtext import Setter
from agent.screen.strips import Look, Strip, deal, lines_of
from agent.screen.tables import set_table
from agent.screen.typesetting import normalise
from playlists.markup import Align, Block, Heading, Item, Paragraph, Span, Table, read_markdown, words_of

HEADINGS: Final = {1: 1.5, 2: 1.27, 3: 1.13}
"""Size of a heading beside the text's, by its level."""
BELOW_TITLE: Final = 0.9
"""A heading inside a text is at most so large beside the title above it."""
INDENT: Final = 1.15
"""How far an item stands in, in sizes of its type."""
AFTER: Final = 0.42
"""Free between blocks, in sizes of the type."""
SMALLEST: Final = 0.72
"""So far below the floor the type may go, so that a table's words stay whole."""
MOST_LARGER: Final = 1.45
"""What takes several pages is set so much above the floor at most: they are there to hold the text."""
FEW_PAGES: Final = 6
"""Where there are more, a larger size is not looked for: it takes time, and there is none left over."""


def compose_markdown(bulletin: Bulletin, text: TextPart, size: tuple[int, int], style: Style) -> Composition:
    """A notice written in Markdown.

    Raises:
        Quarantine: the zone does not hold a line of it.
    """
    return _compose(bulletin, text.heading, read_markdown(text.body).blocks, text.qr, size, style)


def compose_long(bulletin: Bulletin, text: TextPart, size: tuple[int, int], style: Style) -> Composition:
    """A long notice in plain words: paged at once, without looking for a size at which it goes on one page.

    Raises:
        Quarantine: the zone does not hold a line of it.
    """
    parts = (part for part in normalise(text.body).split("\n\n") if part)
    return _compose(
        bulletin, text.heading, [Paragraph((Span(part),)) for part in parts], text.qr, size, style
    )


def compose_table(bulletin: Bulletin, table: TablePart, size: tuple[int, int], style: Style) -> Composition:
    """A table of plain texts; its columns stay, and its head stands on every page.

    Raises:
        Quarantine: the zone does not hold a row of it.
    """
    columns = max(map(len, (table.head, *table.rows)), default=0)

    def cells(row: Sequence[str]) -> tuple[tuple[Span, ...], ...]:
        return tuple((Span(row[n]),) if n < len(row) else () for n in range(columns))

    head = cells(table.head) if any(table.head) else ()
    left: Align = "left"
    align = (left,) * columns
    blocks: list[Block] = [Table(head, tuple(map(cells, table.rows)), align)]
    if table.note:
        blocks.append(Paragraph((Span(table.note, emphasised=True),)))
    return _compose(bulletin, table.heading, blocks, table.qr, size, style)


def _compose(
    bulletin: Bulletin,
    heading: str,
    blocks: Sequence[Block],
    qr: str | None,
    size: tuple[int, int],
    style: Style,
) -> Composition:
    heading = normalise(heading).replace("\n", " ")
    words = "".join(normalise(_all_words(block)) for block in blocks)
    style = style.for_text(heading, words)
    inner, drawn = card(bulletin.class_, size, style)
    left_out = None
    if qr:
        inner, stamps, left_out = with_qr(qr, bulletin.language, inner, style)
        drawn += stamps
    word, column = kicker(bulletin, inner, style)
    look = Look(style.theme, style.theme.accents[bulletin.class_])
    head = _head(heading, column, style, len(words) > 120)
    if heading and head is None:
        below_it = [replace(b, level=max(2, b.level)) if isinstance(b, Heading) else b for b in blocks]
        blocks, heading = [Heading(1, (Span(heading),)), *below_it], ""
    sheets, foot = _fit(blocks, column, head, style, look, len(words))
    top = below(head, column)
    if head is not None and len(sheets) > 1:
        modest = _modest(heading, column, style)
        if modest is not None and modest.bottom < head.bottom:
            fewer, less_foot = _fit(blocks, column, modest, style, look, len(words))
            # what its smaller type would not spare is set beside the larger one
            if len(fewer) < len(sheets):
                head, top, sheets, foot = modest, below(modest, column), fewer, less_foot
    pages = []
    lowest = max(top + sum(s.above + s.height for s in sheet) for sheet in sheets) + foot
    drop = max(0, round((column.bottom - lowest) * 0.42))
    for number, sheet in enumerate(sheets):
        ops: list[Op] = [*drawn, *(moved(op, drop) for op in word)]
        ops += [moved(op, drop) for op in (head.lines if head is not None else ())]
        y = top + drop
        for strip in sheet:
            y += strip.above
            ops += [_placed(op, column.x, y) for op in strip.ops]
            y += strip.height
        if len(sheets) > 1:
            ops += notice_marks(number, len(sheets), inner, style)
        count = len(heading.split()) + sum(strip.words for strip in sheet)
        pages.append(Page(tuple(ops), count))
    return Composition(tuple(pages), left_out)


def _head(heading: str, column: Box, style: Style, long: bool) -> Head | None:
    if not heading:
        return None
    sizes = style.sizes
    top = round(sizes.heading_top * (0.72 if long else 1.0))
    return fit_head(heading, column, [*sizes.steps(top), *sizes.below_floor()], style, share=0.34, lines=2)


def _modest(heading: str, column: Box, style: Style) -> Head | None:
    sizes = style.sizes
    steps = [size for size in sizes.steps(sizes.heading_top) if size <= sizes.floor * 1.5]
    return fit_head(heading, column, steps, style, share=0.3, lines=1)


def _fit(
    blocks: Sequence[Block], column: Box, head: Head | None, style: Style, look: Look, letters: int
) -> tuple[list[list[Strip]], int]:
    """The strips of each page, at the biggest size that goes on one page, else on as few as the floor takes."""
    sizes = style.sizes
    if head is not None:
        look = replace(look, largest_heading=round(head.size * BELOW_TITLE))
    room = column.bottom - below(head, column)
    largest = sizes.body_top if head is None else min(sizes.body_top, round(head.size * 0.8))
    smaller = [size for size in sizes.below_floor() if size >= sizes.floor * SMALLEST]
    # a table is looked up by somebody who stands before it
    tabular = any(isinstance(block, Table) for block in blocks)
    floor = smaller[-1] if tabular and smaller else sizes.floor
    # a quick look: letters are half as wide as high, lines half as high again; what is far too much is not tried
    most = 1.6 * column.width * room
    steps = [
        size
        for size in [*sizes.steps(largest), *(smaller if tabular else [])]
        if letters * size * size * 0.45 <= most
    ]
    one = _largest(blocks, (column.width, room), steps, style, look, 1)
    if one is not None:
        return one, 0
    foot = mark_height(style)
    space = (column.width, room - foot)
    for whole in (True, False):
        for size in (floor, *(smaller if whole else sizes.below_floor())):
            sheets = _paged(blocks, space, size, style, look, whole=whole)
            if sheets is None:
                continue
            larger = [step for step in (*sizes.steps(largest), *smaller) if size < step <= size * MOST_LARGER]
            if size == floor and len(sheets) <= FEW_PAGES:
                sheets = _largest(blocks, space, larger, style, look, len(sheets), whole=whole) or sheets
            return sheets, foot
    raise Quarantine(f"its box of {column.width}×{room} pixels does not hold a line of it")


def _largest(
    blocks: Sequence[Block],
    space: tuple[int, int],
    steps: Sequence[int],
    style: Style,
    look: Look,
    pages: int,
    *,
    whole: bool = True,
) -> list[list[Strip]] | None:
    """Set at the biggest of `steps` (biggest first) that takes no more than so many pages."""
    low, high, best = 0, len(steps), None
    while low < high:
        middle = (low + high) // 2
        sheets = _paged(blocks, space, steps[middle], style, look, whole=whole)
        if sheets is not None and len(sheets) <= pages:
            best, high = sheets, middle
        else:
            low = middle + 1
    return best


def _paged(
    blocks: Sequence[Block],
    space: tuple[int, int],
    size: int,
    style: Style,
    look: Look,
    *,
    whole: bool = True,
) -> list[list[Strip]] | None:
    strips = _strips(blocks, space, size, style, look, whole=whole)
    return None if strips is None else deal(strips, space[1])


def _strips(
    blocks: Sequence[Block],
    space: tuple[int, int],
    size: int,
    style: Style,
    look: Look,
    *,
    whole: bool = True,
) -> list[Strip] | None:
    """All of it, strip by strip; None if a word of a table (`whole`), or a letter, is wider than its place."""
    strips: list[Strip] = []
    before: Block | None = None
    try:
        for block in blocks:
            new = _block(block, space, size, style, look, whole=whole)
            if new is None:
                return None
            above = 0 if before is None else _free(before, block, size)
            if new:
                strips += [replace(new[0], above=above), *new[1:]]
                before = block
    except Quarantine:
        return None
    return strips


def _free(before: Block, block: Block, size: int) -> int:
    if isinstance(before, Item) and isinstance(block, Item):
        return round(size * AFTER * 0.45)
    if isinstance(before, Heading):
        return round(size * AFTER * 0.4)
    return round(size * AFTER * (1.6 if isinstance(block, Heading) else 1.0))


def _block(
    block: Block, space: tuple[int, int], size: int, style: Style, look: Look, *, whole: bool
) -> list[Strip] | None:
    width = space[0]
    match block:
        case Heading(level, spans):
            large = round(size * HEADINGS[level])
            if look.largest_heading is not None:
                large = max(size, min(large, look.largest_heading))
            setter = Setter(style.fonts, large, bold=True)
            lines = lines_of(setter.lines(spans, width), setter, look)
            return [replace(strip, holds_next=True) for strip in lines]
        case Paragraph(spans):
            setter = Setter(style.fonts, size)
            return _kept_together(lines_of(setter.lines(spans, width), setter, look))
        case Item():
            return _item(block, width, size, style, look)
        case Table():
            return set_table(block, space, size, style, look, whole=whole)


def _item(item: Item, width: int, size: int, style: Style, look: Look) -> list[Strip]:
    setter = Setter(style.fonts, size)
    bold = Setter(style.fonts, size, bold=True)
    mark_width = bold.width(item.mark, "bold")
    left = round(size * INDENT * (item.depth - 1))
    indent = left + max(round(size * INDENT), mark_width + size // 2)
    found = setter.lines(item.spans, max(1, width - indent)) or [()]
    strips = _kept_together(lines_of(found, setter, look, indent))
    mark = Text(Box(left, 0, mark_width, setter.line_height), item.mark, "bold", size, look.accent)
    first = strips[0]
    return [replace(first, ops=(mark, *first.ops), words=first.words + 1), *strips[1:]]


def _kept_together(strips: list[Strip]) -> list[Strip]:
    """No line of a paragraph stands alone at the foot of a page, or at the head of one."""
    if len(strips) < 2:
        return strips
    kept = [replace(strips[0], holds_next=True), *strips[1:]]
    kept[-2] = replace(kept[-2], holds_next=True)
    return kept


def _all_words(block: Block) -> str:
    if isinstance(block, Table):
        return " ".join(words_of(cell) for row in (block.head, *block.rows) for cell in row)
    return words_of(block.spans)


def _placed(op: Text | Fill, x: int, y: int) -> Text | Fill:
    return replace(op, box=Box(op.box.x + x, op.box.y + y, op.box.width, op.box.height))
