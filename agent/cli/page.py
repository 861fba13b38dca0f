"""Lines for a narrow terminal: labels in one column, long words wrapped under themselves, or cut."""

from __future__ import annotations

import shutil
import textwrap
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
    """`text` in lines of at most `width` columns, the first after `first`, the others after `then`."""
    return textwrap.wrap(
        clean(text), width, initial_indent=first, subsequent_indent=then, break_on_hyphens=False
    ) or [first.rstrip()]


_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
