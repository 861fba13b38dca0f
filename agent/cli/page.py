"""Lines for a narrow terminal: labels in one column, long words wrapped under themselves."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator

NARROWEST_COLUMNS = 40
WIDEST_COLUMNS = 100


def columns() -> int:
    """How wide a line may be here."""
    return max(NARROWEST_COLUMNS, min(WIDEST_COLUMNS, shutil.get_terminal_size((80, 24)).columns))


def rows(pairs: Iterable[tuple[str, str]], width: int) -> Iterator[str]:
    """Each label and its text, wrapped. Diacritics take no column of their own: they are composed."""
    composed = [(unicodedata.normalize("NFC", label), text) for label, text in pairs]
    left = max((len(label) for label, _ in composed), default=0) + 2
    for label, text in composed:
        yield from wrapped(text, width, label.ljust(left), " " * left)


def wrapped(text: str, width: int, first: str = "", then: str = "") -> list[str]:
    """`text` in lines of at most `width` columns, the first after `first`, the others after `then`."""
    return textwrap.wrap(
        unicodedata.normalize("NFC", text),
        width,
        initial_indent=first,
        subsequent_indent=then,
        break_on_hyphens=False,
    ) or [first.rstrip()]
