"""How a node says which one it is, and where an announcement leaves room for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from playlists.languages import language_of

PLACEHOLDER: Final = "{public_number}"
"""In words to be spoken, each node puts its own number here: one command has many poles say who they are."""

PHRASES: Final = {
    "vi": f"Cụm loa số {PLACEHOLDER}.",
    "en": f"Loudspeaker number {PLACEHOLDER}.",
}
"""By language. A language that is not here says nothing: better than a sentence that nobody has checked."""

TITLE: Final = "Cụm loa số"


def with_number(text: str, number: str) -> str:
    """The words as this node speaks them."""
    return text.replace(PLACEHOLDER, number)


def phrases(languages: Iterable[str]) -> list[tuple[str, str]]:
    """What to say, and in which language, in the order of a node's languages; in Vietnamese if in none of them."""
    found = [
        (PHRASES[main], language) for language in languages if (main := language_of(language)) in PHRASES
    ]
    return found or [(PHRASES["vi"], "vi")]
