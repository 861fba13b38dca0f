"""Lines for a narrow terminal: labels in one column, long words wrapped under themselves, or cut."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator

from agent.words import width as cells

NARROWEST_COLUMNS = 40
WIDEST_COLUMNS = 100


def columns() -> int:
    """How wide a line may be here."""
    return max(NARROWEST_COLUMNS, min(WIDEST_COLUMNS, shutil.get_terminal_size((80, 24)).columns))


def clean(text: str) -> str:
    """`text` with its diacritics composed, and without what would move the cursor: a title is not ours."""
    composed = unicodedata.normalize("NFC", text)
    # Cc: control characters, also the escape; the bidirectional ones turn a line around
    return "".join(" " if unicodedata.category(c) == "Cc" or c in _TURNING else c for c in composed)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` columns, with an ellipsis where something is missing."""
    if cells(text) <= width:
        return text
    kept = ""
    for character in text:
        if cells(kept + character) > width - 1:
            break
        kept += character
    return kept.rstrip() + "…"


def rows(pairs: Iterable[tuple[str, str]], width: int) -> Iterator[str]:
    """Each label and its text, wrapped."""
    composed = [(clean(label), text) for label, text in pairs]
    left = max((len(label) for label, _ in composed), default=0) + 2
    for label, text in composed:
        yield from wrapped(text, width, label.ljust(left), " " * left)


def wrapped(text: str, width: int, first: str = "", then: str = "") -> list[str]:
    """`text` in lines of at most `width` columns, the first after `first`, the others after `then`.

    A word that is wider than a line is broken. Blanks between words stay as they are, but where a line ends.
    """
    lines, line, empty = [], first, True
    for gap, word in _GAP_AND_WORD.findall(clean(text)):
        if not empty and cells(line + gap + word) > width >= cells(then + word):
            lines.append(line)
            line, empty = then, True
        line += word if empty and lines else gap + word
        while cells(line) > width and (kept := _fitting(line, width, len(then if lines else first))):
            lines.append(line[:kept])
            line = then + line[kept:]
        empty = False
    return [*lines, line] if not empty else [first.rstrip()]


def _fitting(line: str, width: int, start: int) -> int:
    """How many characters of `line` fit, one behind its first `start` at least; none where it has no more."""
    kept = start + 1
    while kept < len(line) and cells(line[: kept + 1]) <= width:
        kept += 1
    return kept if kept < len(line) else 0


_GAP_AND_WORD = re.compile(r"(\s*)(\S+)")
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
