"""From a text as it is written, and shown, to the words that are given to a voice. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from agent.speech import vietnamese
from agent.speech.errors import Unspeakable
from playlists.languages import language_of

MOST_CHARACTERS: Final = 60_000
"""Three times the longest text that a document may carry: an hour of speech. Numbers grow when they are read."""

_JOINERS: Final = "\u200c\u200d"
"""Invisible, and part of how some scripts are written."""

_DROPPED: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})


def as_spoken(text: str, language: str) -> str:
    """The words of `text`: no markup, no control characters, no pictures; Vietnamese as a person reads it.

    Raises:
        Unspeakable: there is no letter or digit in it, or too much.
    """
    text = plain(text)
    if language_of(language) == "vi":
        text = vietnamese.read(text)
    text = " ".join(text.split())
    if not any(character.isalnum() for character in text):
        raise Unspeakable("the text holds nothing that can be spoken")
    if len(text) > MOST_CHARACTERS:
        raise Unspeakable(
            f"reading the text takes {len(text)} characters, at most {MOST_CHARACTERS} are spoken"
        )
    return text


def plain(text: str) -> str:
    """Only what is to be read.

    The engines obey some of what may stand in a text: eSpeak NG changes rate and pitch after U+0001, and both
    eSpeak NG and piper take what stands between `[[` and `]]` for phonemes.
    """
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"\n\s*\n", ".\n", text) if "\n" in text else text
    text = "".join(_kept(character) for character in text)
    return re.sub(r"\[{2,}|\]{2,}", " ", text)


def _kept(character: str) -> str:
    if character.isspace():
        return " "
    if unicodedata.category(character) in _DROPPED and character not in _JOINERS:
        return ""
    return " " if _is_picture(ord(character)) else character


def _is_picture(code: int) -> bool:
    """Emoji and other pictures, their colours and variants."""
    return 0x1F000 <= code < 0x20000 or 0x2600 <= code <= 0x27BF or 0xFE00 <= code <= 0xFE0F or code == 0x20E3
