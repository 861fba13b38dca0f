"""A text over pages that end where something has been said: after a sentence, else at a comma. Pure.

For what is read while one runs: a page that ends within a sentence is not understood before the next one comes.
"""

from __future__ import annotations

import re
from typing import Final

from agent.screen.typesetting import Ruler, paginate, without_orphan, wrap

LINE_END: Final = re.compile(r"(\n+)")
_STOP, _CLOSING = "[.!?…។]", "[”’\"')\\]]"
SENTENCE_END: Final = re.compile(f"((?:(?<={_STOP})|(?<={_STOP}{_CLOSING})) )")
ENDS_SENTENCE: Final = re.compile(f"{_STOP}{_CLOSING}?$")
CLAUSE_END: Final = re.compile(r"((?<=[,;:–]) )")
MOST_MORE: Final = 1.5
"""So many times the pages that full ones would be; beyond that a text comes round too seldom."""

Lines = tuple[str, ...]


def by_sentences(text: str, width: int, room: int, ruler: Ruler) -> tuple[Lines, ...]:
    """Deal normalised text out to pages of at most `room` lines of `width` pixels, as even as they can be.

    Raises:
        Quarantine: a single letter is wider than the line.
    """
    full = paginate(wrap(text, width, ruler), room)
    best: list[Lines] | None = None
    for lines in range(room, 0, -1):
        tried = _dealt(text, width, lines, ruler)
        if best is not None and (len(tried) > len(best) or _within(tried) > _within(best)):
            break
        best = tried
    return full if not best or len(best) > len(full) * MOST_MORE else tuple(best)


def _within(pages: list[Lines]) -> int:
    """How many pages end within a sentence."""
    return sum(not ENDS_SENTENCE.search(page[-1]) for page in pages)


def _dealt(text: str, width: int, room: int, ruler: Ruler) -> list[Lines]:
    pages: list[Lines] = []
    page = ""

    def goes(part: str) -> bool:
        return len(wrap(part, width, ruler)) <= room

    def end_page() -> None:
        nonlocal page
        if page:
            pages.append(tuple(without_orphan(page, width, ruler)))
        page = ""

    def add(glue: str, part: str, ends: tuple[re.Pattern[str], ...]) -> None:
        nonlocal page
        longer = f"{page}{glue}{part}" if page else part
        if goes(longer):
            page = longer
            return
        # a paragraph may begin on the page of the one before it; a sentence that is to be cut may not
        if page and len(ends) < 2:
            end_page()
            if goes(part):
                page = part
                return
        if not ends:
            end_page()
            pages.extend(paginate(wrap(part, width, ruler), room))
            return
        for number, (between, piece) in enumerate(_pieces(part, ends[0])):
            add(between if number else glue, piece, ends[1:])

    for glue, part in _pieces(text, LINE_END):
        add(glue, part, (SENTENCE_END, CLAUSE_END))
    end_page()
    return pages


def _pieces(text: str, end: re.Pattern[str]) -> list[tuple[str, str]]:
    """Parts of a text, each with what stands before it."""
    found: list[tuple[str, str]] = []
    glue = ""
    for number, part in enumerate(end.split(text)):
        if number % 2:
            glue = part
        elif found and _abbreviated(found[-1][1]):
            found[-1] = found[-1][0], f"{found[-1][1]}{glue}{part}"
        else:
            found.append((glue, part))
    return [(between, part) for between, part in found if part]


def _abbreviated(text: str) -> bool:
    """Whether its last word is one like TP. or Q., which ends no sentence."""
    word = text.rpartition(" ")[2]
    return word.endswith(".") and word[:-1].isupper() and len(word) <= 4
