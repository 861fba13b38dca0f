"""A table: columns as wide as their words ask for, a head that is said again, rows parted by lines and shades.

Where its words do not go beside each other, or two rows not on a page, even at the smallest size, each row is set as
lines: label: value. A row is parted over pages only where it is longer than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from agent.screen.card import Style
from agent.screen.grid import Box
from agent.screen.paint import Fill, Text
from agent.screen.richtext import Line, Setter, words_in
from agent.screen.strips import Look, Strip, line_ops
from agent.screen.theme import Colour
from playlists.markup import Align, Span, Spans, Table, words_of

BETWEEN: Final = 0.55
"""Free to the left and right of a cell's words, in sizes of its type."""
AROUND: Final = 0.2
"""Free above and below them."""
HEAD_PART: Final = 0.5
"""A head takes so much of a page at most: it is said again on each."""
ROW_PART: Final = 0.6
"""A row of lines that does not go on one page is parted into pieces of so much of a page at most."""
FEW_ROWS: Final = 2
"""A table of so few stays on one page where it goes on one."""


def set_table(
    table: Table, room: tuple[int, int], size: int, style: Style, look: Look, *, whole: bool
) -> list[Strip] | None:
    """The table's rows, each a strip; None if they do not go beside each other and `whole` asks for that.

    `room` is the width and height of a page's column.

    Raises:
        Quarantine: a single letter is wider than its column.
    """
    if not table.align:
        return []
    plain, bold = Setter(style.fonts, size), Setter(style.fonts, size, bold=True)
    strips = _beside(table, room, plain, bold, look)
    if strips is None:
        return None if whole else _labelled(table, room, plain, look)
    return _together(strips, len(table.rows))


def _beside(
    table: Table, room: tuple[int, int], plain: Setter, bold: Setter, look: Look
) -> list[Strip] | None:
    """The cells of a row beside each other; None if a word is wider than its column, or no two rows go on a page."""
    width, height = room
    pad = round(plain.size * BETWEEN)
    columns = _columns(table, width - 2 * pad * len(table.align), plain, bold)
    if columns is None:
        return None
    heads: tuple[Strip, ...] = ()
    free = height
    if table.head:
        head = _row(_cells(table.head, columns, bold), columns, pad, bold, table.align, look, head=True)
        if head.height > height * HEAD_PART:
            return None
        heads = (head,)
        free -= head.height
    strips = [replace(strip, holds_next=True) for strip in heads]
    for number, row in enumerate(table.rows):
        cells = _cells(row, columns, plain)
        strip = _row(cells, columns, pad, plain, table.align, look, shaded=number % 2 == 0)
        strips.append(replace(strip, heads=heads))
    highest = sorted(strip.height for strip in strips[len(heads) :])[-2:]
    return strips if sum(highest) <= free else None


def _together(strips: list[Strip], rows: int) -> list[Strip]:
    if rows > FEW_ROWS:
        return strips
    return [*(replace(strip, holds_next=True) for strip in strips[:-1]), *strips[-1:]]


def _labelled(table: Table, room: tuple[int, int], setter: Setter, look: Look) -> list[Strip]:
    """Each row as lines that are as wide as the page: what stands at the head of the column, and its value."""
    width, height = room
    pad = round(setter.size * BETWEEN)
    labels = [words_of(cell).strip() for cell in table.head] or [""] * len(table.align)
    strips: list[Strip] = []
    for number, row in enumerate(table.rows):
        lines: list[Line] = []
        for label, cell in zip(labels, row, strict=True):
            named: Spans = (Span(f"{label}: ", strong=True),) if label else ()
            if words_of(cell).strip():
                lines += setter.lines((*named, *cell), max(1, width - 2 * pad))
        around = round(setter.size * AROUND)
        most = len(lines)
        if most * setter.line_height + 2 * around > height:
            most = max(2, int(height * ROW_PART / setter.line_height))
        for start in range(0, len(lines), max(1, most)):
            part = lines[start : start + most]
            above = around if start == 0 else 0
            behind = around if start + most >= len(lines) else 0
            high = above + len(part) * setter.line_height + behind
            ops: list[Text | Fill] = [Fill(Box(0, 0, width, high), _shade(look))] if number % 2 == 0 else []
            for place, line in enumerate(part):
                ops += line_ops(line, (pad, above + place * setter.line_height), setter, look)
            strips.append(Strip(high, tuple(ops), words_in(part)))
    return _together(strips, len(table.rows))


def _columns(table: Table, width: int, plain: Setter, bold: Setter) -> list[int] | None:
    """How wide each column is: all that is there, by what each asks for; None if the longest words do not go in."""
    natural = [1] * len(table.align)
    least = [1] * len(table.align)
    for setter, rows in ((bold, [table.head] if table.head else []), (plain, table.rows)):
        for row in rows:
            for number, cell in enumerate(row):
                natural[number] = max(natural[number], setter.natural(cell))
                least[number] = max(least[number], setter.least(cell))
    if sum(natural) <= width:
        spare = width - sum(natural)
        return [one + spare * one // sum(natural) for one in natural]
    if sum(least) > width:
        return None
    # who asks for little gets all of it, so that short cells stay on one line; the others share by what they ask for,
    # as in CSS 2.2, 17.5.2.2
    columns, spare = list(least), width - sum(least)
    asks = [wide - narrow for wide, narrow in zip(natural, least, strict=True)]
    order = sorted(range(len(asks)), key=asks.__getitem__)
    for place, number in enumerate(order):
        left = order[place:]
        if asks[number] <= spare // len(left):
            given = asks[number]
        else:
            given = spare * asks[number] // sum(asks[other] for other in left)
        columns[number] += given
        spare -= given
    return columns


def _cells(row: Sequence[Spans], columns: Sequence[int], setter: Setter) -> list[list[Line]]:
    return [setter.lines(cell, wide) for cell, wide in zip(row, columns, strict=True)]


def _row(
    cells: list[list[Line]],
    columns: Sequence[int],
    pad: int,
    setter: Setter,
    align: Sequence[Align],
    look: Look,
    *,
    head: bool = False,
    shaded: bool = False,
) -> Strip:
    count = max(map(len, cells), default=1) or 1
    full = sum(columns) + 2 * pad * len(columns)
    around = round(setter.size * AROUND)
    height = 2 * around + count * setter.line_height
    ops: list[Text | Fill] = []
    if shaded:
        ops.append(Fill(Box(0, 0, full, height), _shade(look)))
    if head:
        rule = max(2, setter.size // 16)
        ops.append(Fill(Box(0, height, full, rule), look.accent))
        height += rule
    x = 0
    for cell, wide, to in zip(cells, columns, align, strict=True):
        for place, line in enumerate(cell):
            free = wide - sum(run.width for run in line)
            shift = {"left": 0, "center": free // 2, "right": free}[to]
            at = (x + pad + max(0, shift), around + place * setter.line_height)
            ops += line_ops(line, at, setter, look)
        x += wide + 2 * pad
    return Strip(height, tuple(ops), sum(map(words_in, cells)))


def _shade(look: Look) -> Colour:
    """A shade of the card's ground that parts every other row, and takes little of the text's contrast."""
    ground, ink = look.theme.surface, look.theme.muted
    return (
        ground[0] + (ink[0] - ground[0]) * 9 // 100,
        ground[1] + (ink[1] - ground[1]) * 9 // 100,
        ground[2] + (ink[2] - ground[2]) * 9 // 100,
    )
