"""Which characters of a schedule the boards' fonts do not have: said at publishing, before residents see boxes.

This machine's fonts stand for the nodes': both install fonts-noto-core.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from agent.screen.display_environment import prepare_environment

NOT_SHOWN: Final = frozenset({"media", "path", "url", "qr", "target", "id", "fit", "format", "timezone"})
"""Keys whose text nobody reads on a board."""
MOST_NAMED: Final = 5


def notes(schedule: Mapping[str, Any]) -> list[str]:
    """One line for each bulletin with characters that no font here has: which, by their names."""
    prepare_environment(None)
    from agent.screen.fonts import Fonts
    from agent.screen.scripts import is_letter

    fonts = Fonts()
    found = [fonts.fault] if fonts.fault is not None else []
    for bulletin in schedule.get("bulletins", ()):
        content = unicodedata.normalize("NFC", "\n".join(read_on_board(bulletin.get("content"))))
        lacking = fonts.lacking(content)
        if lacking:
            boxes = any(map(is_letter, lacking))
            what = "a box stands for each letter" if boxes else "the board leaves them out"
            found.append(f"bulletin {bulletin.get('id')!r}: no font here has {named(lacking)}; {what}")
    return found


def named(characters: tuple[str, ...]) -> str:
    """The first few characters with their names, and how many more there are."""
    from agent.screen.scripts import describe

    more = len(characters) - MOST_NAMED
    listed = ", ".join(map(describe, characters[:MOST_NAMED]))
    return f"{listed} and {more} more" if more > 0 else listed


def read_on_board(content: Any) -> Iterator[str]:
    """All texts of a bulletin's content that are set in type, however deep they lie."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            if key not in NOT_SHOWN:
                yield from read_on_board(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from read_on_board(value)
