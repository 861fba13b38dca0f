"""Which characters of a text the boards' fonts do not have: said at publishing, before residents see boxes.

This machine's fonts stand for the nodes': both install fonts-noto-core.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from agent.screen.display_environment import prepare_environment
from agent.screen.scripts import describe, is_letter
from agent.words import _

if TYPE_CHECKING:
    from agent.screen.fonts import Fonts
    from playlists.alert import Alert

NOT_SHOWN: Final = frozenset({"media", "path", "qr", "fit", "markup", "show", "to"})
"""Keys whose text nobody reads on a board."""
MOST_NAMED: Final = 5


def notes(schedule: Mapping[str, Any]) -> list[str]:
    """One line for each bulletin with characters that no font here has: which, by their names."""
    prepare_environment(None)
    from agent.screen.fonts import Fonts

    fonts = Fonts()
    found = [fonts.fault] if fonts.fault is not None else []
    for bulletin in schedule.get("bulletins", ()):
        said = unset("\n".join(read_on_board(bulletin.get("content"))), fonts)
        if said is not None:
            name = repr(bulletin.get("id"))
            found.append(_("bulletin {name}: {what}").format(name=name, what=said[1]))
    return found


def note_of_alert(alert: Alert) -> str | None:
    """What of an alert's words no font here has."""
    prepare_environment(None)
    from agent.screen.fonts import Fonts

    parts = (
        part
        for info in alert.infos
        for part in (info.event, info.headline, info.description, info.instruction)
    )
    said = unset("\n".join(filter(None, parts)), Fonts())
    return None if said is None else said[1]


def unset(text: str, fonts: Fonts) -> tuple[Literal["glyph", "language"], str] | None:
    """What of a text no font here has; `language`, where that is most of its letters."""
    text = unicodedata.normalize("NFC", text)
    lacking = fonts.lacking(text)
    if not lacking:
        return None
    letters = [char for char in text if is_letter(char)]
    without = sum(char in lacking for char in letters)
    listed = ", ".join(map(describe, lacking[:MOST_NAMED]))
    if len(lacking) > MOST_NAMED:
        listed = _("{some} and {count} more").format(some=listed, count=len(lacking) - MOST_NAMED)
    if without * 2 > len(letters):
        return "language", _("no font here for its script: {characters}").format(characters=listed)
    if without:
        said = _("no font here has {characters}; a box stands for each letter")
    else:
        said = _("no font here has {characters}; the board leaves them out")
    return "glyph", said.format(characters=listed)


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
