"""Text into lines, lines into pages, at a size that fits. Pure: a `Ruler` measures for it.

Text is normalised to NFC first: Vietnamese arrives in both forms, and a font has a glyph for `ễ`, while
`e` + two combining marks is at the mercy of its mark positioning. Lines break at spaces and at zero-width
spaces, and between words where a script writes no space between them (`scripts.pieces`), but not between a
numeral and its unit; a word that is wider than its line is broken between grapheme clusters, so that no mark
is torn off its letter.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

from agent.screen.errors import Quarantine
from agent.screen.scripts import MARK_PICTURE, ZERO_WIDTH_SPACE, clusters, pieces
from agent.screen.units import clings

_SPACES = re.compile(r"(?:[^\S\n\u00a0\u202f]|\u200b)+")
_BREAKS = re.compile(r"[ \u200b]*\n[ \u200b]*")
_MANY_BREAKS = re.compile(r"\n{3,}")
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
_MANY_MARKS = re.compile(f"([{_MARKS}]{{6}})[{_MARKS}]+")
"""More than any language writes on a letter; thousands of them take minutes to be put in order."""
_KEPT = {"\n", ZERO_WIDTH_SPACE, "\u200c", "\u200d"}


class Ruler(Protocol):
    """Measures text in one font at one size."""

    @property
    def line_height(self) -> int:
        """From one line to the next, in pixels: room for the tallest letter with all its marks."""

    def width(self, text: str) -> int:
        """Pixels that `text` takes on one line."""


@dataclass(frozen=True)
class Fitted:
    """Text set in type: one size, one or more pages of lines."""

    size: int
    pages: tuple[tuple[str, ...], ...]


def normalise(text: str) -> str:
    """NFC, single spaces, at most one empty line in a row, nothing that a font cannot draw."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = unicodedata.normalize("NFC", _MANY_MARKS.sub(r"\1", text))
    text = "".join(map(_drawable, text))
    return _MANY_BREAKS.sub("\n\n", _BREAKS.sub("\n", _SPACES.sub(_space, text))).strip(" \n\u200b")


def _space(found: re.Match[str]) -> str:
    return " " if found[0].strip(ZERO_WIDTH_SPACE) else ZERO_WIDTH_SPACE


def _drawable(char: str) -> str:
    if char in _KEPT:
        return char
    if char in MARK_PICTURE:
        return ""
    category = unicodedata.category(char)
    if category == "Cs":  # half of a pair, which no font has
        return "\ufffd"
    if category in {"Zl", "Zp"}:
        return "\n"
    return "" if category in {"Cc", "Cf", "Cn"} else char


@lru_cache(maxsize=64)
def _units(paragraph: str) -> tuple[tuple[str, str], ...]:
    """What a line may not break, and what stands before it in the same line: a space, or nothing."""
    units: list[tuple[str, str]] = []
    for spaced in paragraph.split(" "):
        glue = " "
        for word in spaced.split(ZERO_WIDTH_SPACE):
            for piece in pieces(word):
                units.append((piece, glue))
                glue = ""
    return tuple(units)


@lru_cache(maxsize=64)
def _bound(paragraph: str) -> tuple[tuple[str, str], ...]:
    """As `_units`, with a numeral and what it is a number of in one."""
    bound: list[tuple[str, str]] = []
    units = _units(paragraph)
    for (word, glue), kept in zip(units, clings([word for word, _ in units]), strict=True):
        if kept and glue:
            before, first = bound[-1]
            bound[-1] = f"{before}{glue}{word}", first
        else:
            bound.append((word, glue))
    return tuple(bound)


def count_words(text: str) -> int:
    """How many words normalised text has, also where none are parted by spaces."""
    return sum(bool(word) for paragraph in text.split("\n") for word, _ in _units(paragraph))


def wrap(text: str, width: int, ruler: Ruler) -> list[str]:
    """Break normalised text into lines that are at most `width` pixels wide; an empty line parts paragraphs.

    Raises:
        Quarantine: a single letter is wider than the line.
    """
    widths: dict[str, int] = {" ": ruler.width(" ")}
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += _wrap_paragraph(_bound(paragraph), width, ruler, widths)
    return lines


def _wrap_paragraph(
    units: Sequence[tuple[str, str]], width: int, ruler: Ruler, widths: dict[str, int]
) -> list[str]:
    lines: list[str] = []
    line = ""
    used = 0
    for word, glue in units:
        wide = widths.get(word)
        if wide is None:
            wide = widths[word] = ruler.width(word)
        if line:
            # the sum of the words is a good guess, the line itself is measured only where it matters
            total = used + (widths[" "] if glue else 0) + wide
            slack = 2 + len(line) // 8
            longer = f"{line}{glue}{word}"
            if total <= width - slack or (total <= width + slack and ruler.width(longer) <= width):
                line, used = longer, total
                continue
            lines.append(line)
        if wide <= width:
            line, used = word, wide
            continue
        if " " in word:  # it is too long to stay in one line
            *full, line = _wrap_paragraph([(part, " ") for part in word.split(" ")], width, ruler, widths)
        else:
            *full, line = _break_word(word, width, ruler)
        lines += full
        used = ruler.width(line)
    return [*lines, line]


def _break_word(word: str, width: int, ruler: Ruler) -> list[str]:
    pieces: list[str] = []
    piece = ""
    for part in clusters(word):
        if piece and ruler.width(piece + part) > width:
            pieces.append(piece)
            piece = ""
        piece += part
        if piece == part and ruler.width(part) > width:
            raise Quarantine(f"its box is {width} pixels wide, narrower than the letter {part!r}")
    return [*pieces, piece]


def balance(text: str, width: int, ruler: Ruler) -> list[str]:
    """Like `wrap`, in as many lines, but of even length: for headings.

    Raises:
        Quarantine: a single letter is wider than the line.
    """
    lines = wrap(text, width, ruler)
    low, high = width // 2, width
    widest = widest_word(text, ruler) if len(lines) > 1 else 0
    while len(lines) > 1 and high - low > 8:
        middle = (low + high) // 2
        tried = wrap(text, middle, ruler) if widest <= middle else None
        if tried is not None and len(tried) <= len(lines):
            high, lines = middle, tried
        else:
            low = middle
    return lines


def without_orphan(text: str, width: int, ruler: Ruler) -> list[str]:
    """Like `wrap`, a little narrower where that spares the last line from holding a single word.

    Raises:
        Quarantine: a single letter is wider than the line.
    """
    lines = wrap(text, width, ruler)
    if len(lines) == 1 or count_words(lines[-1]) > 1:
        return lines
    widest = widest_word(text, ruler)
    for narrower in (0.97, 0.94, 0.91, 0.88):
        if widest > int(width * narrower):
            break
        tried = wrap(text, int(width * narrower), ruler)
        if len(tried) == len(lines) and count_words(tried[-1]) > 1:
            return tried
    return lines


def widest_word(text: str, ruler: Ruler) -> int:
    """Width of the widest word."""
    return max(ruler.width(word) for paragraph in text.split("\n") for word, _ in _units(paragraph))


def largest(sizes: Sequence[int], fits: Callable[[int], bool]) -> int | None:
    """The first of `sizes` (biggest first) that fits, None for none; what is larger than a misfit is not tried.

    A font has to be opened for each size that is tried.
    """
    index = bisect_left(sizes, True, key=fits)
    return sizes[index] if index < len(sizes) else None


def fit_on_one(
    text: str,
    space: tuple[int, int],
    sizes: Sequence[int],
    ruler_at: Callable[[int], Ruler],
    *,
    setter: Callable[[str, int, Ruler], list[str]] = wrap,
    most_lines: int | None = None,
) -> tuple[int, list[str]] | None:
    """The biggest of `sizes` (biggest first) at which the text fits `space` (width, height), and its lines.

    None if it fits at none of them.
    """
    width, height = space

    def attempt(size: int) -> list[str] | None:
        ruler = ruler_at(size)
        try:
            lines = setter(text, width, ruler)
        except Quarantine:
            return None
        few = most_lines is None or len(lines) <= most_lines
        return lines if few and len(lines) * ruler.line_height <= height else None

    best: tuple[int, list[str]] | None = None
    low, high = 0, len(sizes)
    while low < high:
        middle = (low + high) // 2
        lines = attempt(sizes[middle])
        if lines is None:
            low = middle + 1
        else:
            best, high = (sizes[middle], lines), middle
    return best


def fit(
    text: str,
    space: tuple[int, int],
    sizes: Sequence[int],
    ruler_at: Callable[[int], Ruler],
    *,
    smaller: Sequence[int],
) -> Fitted:
    """Set normalised text: on one page at the biggest of `sizes` that allows it, else on several.

    Args:
        space: width and height of the box in pixels.
        sizes: biggest first; the last is the floor, at which text is paged.
        smaller: sizes below the floor, for a box too small for two lines at it.

    Raises:
        Quarantine: the box does not hold a single line even at the smallest size.
    """
    if not text:
        return Fitted(sizes[-1], ((),))
    width, height = space
    one = fit_on_one(text, space, sizes, ruler_at, setter=without_orphan)
    if one is not None:
        return Fitted(one[0], (tuple(one[1]),))
    candidates = [sizes[-1], *smaller]
    for lines_wanted in (2, 1):
        for size in candidates:
            ruler = ruler_at(size)
            room = height // ruler.line_height
            if room < lines_wanted:
                continue
            try:
                return Fitted(size, paginate(wrap(text, width, ruler), room))
            except Quarantine:
                continue
    raise Quarantine(f"its box of {width}×{height} pixels does not hold a line of text")


def paginate(lines: Sequence[str], room: int) -> tuple[tuple[str, ...], ...]:
    """Deal lines out to pages of at most `room` lines, evenly: no page with one lonely line at the end."""
    pages = -(-len(lines) // room)
    starts = [-(-number * len(lines) // pages) for number in range(pages + 1)]
    dealt: list[tuple[str, ...]] = []
    for start, end in pairwise(starts):
        page = list(lines[start:end])
        while page and not page[0]:
            page.pop(0)
        while page and not page[-1]:
            page.pop()
        if page:
            dealt.append(tuple(page))
    return tuple(dealt) or ((),)
