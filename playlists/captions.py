"""Spoken words cut into captions, each with the time at which a voice comes to it.

A voice says a text in a known time, and nobody says when it comes to which word. Here that time is dealt out by
what takes a voice time: syllables, figures by the words that they are read as, pauses at marks. Vietnamese writes
a word a syllable; of other languages a syllable is taken to be five letters.

How far that is from the voice: `./dev bench captions`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from playlists.units import Seconds

MOST_CHARACTERS: Final = 110
"""Two lines on a screen, and about seven seconds of speech."""

LETTERS_A_SYLLABLE: Final = 5
PAUSE_SYLLABLES: Final = 2.0
"""What the pause at the end of a sentence, or at a colon, takes."""
SHORT_PAUSE_SYLLABLES: Final = 1.0

SLOWEST_SYLLABLES_PER_S: Final = 1.0
FASTEST_SYLLABLES_PER_S: Final = 15.0
"""Slower or faster speaks nobody: what goes with the sound is a summary of it, or something else."""

_FIGURE_SYLLABLES: Final = {1: 1.0, 2: 2.6, 3: 4.5, 4: 6.5}
"""By number of figures; longer ones, and those that begin with 0, are read figure by figure."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\s*\n\s*")
_SOUNDING = re.compile(r"\d+|[^\W\d_]+")
_PAUSE = re.compile(r"[.!?…:;](?=\s|$)")
_SHORT_PAUSE = re.compile(r",(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Caption:
    """A piece of what is spoken. Times are from the beginning of the sound."""

    text: str
    begins_s: Seconds
    ends_s: Seconds


def cut(text: str) -> tuple[str, ...]:
    """Cut a text into sentences, and long ones into parts of at most `MOST_CHARACTERS`, at marks if it can be."""
    parts: list[str] = []
    for sentence in _SENTENCE_END.split(text):
        words = " ".join(sentence.split())
        while len(words) > MOST_CHARACTERS:
            at = _where_to_cut(words)
            parts.append(words[:at].rstrip())
            words = words[at:].lstrip()
        if words:
            parts.append(words)
    return tuple(parts)


def captions(text: str, length_s: Seconds) -> tuple[Caption, ...]:
    """Deal out `length_s`, in which a voice says `text`, to its parts; none if no voice can have said it so."""
    parts = cut(text)
    weights = [_syllables(part) for part in parts]
    total = sum(weights)
    if length_s <= 0 or not SLOWEST_SYLLABLES_PER_S <= total / length_s <= FASTEST_SYLLABLES_PER_S:
        return ()
    edges = [Seconds(length_s * reached / total) for reached in accumulate(weights, initial=0.0)]
    return tuple(
        Caption(part, begins_s, ends_s)
        for part, begins_s, ends_s in zip(parts, edges[:-1], edges[1:], strict=True)
    )


def _where_to_cut(words: str) -> int:
    """As late as there is room, at a mark rather than at a space, in half the room rather than not at a mark."""
    room = words[: MOST_CHARACTERS + 1]
    for marks in ((";", ":", " –"), (",",)):
        at = max(room.rfind(f"{mark} ") + len(mark) for mark in marks)
        if at > MOST_CHARACTERS // 2:
            return at
    space = room.rfind(" ")
    return space if space > 0 else MOST_CHARACTERS


def _syllables(part: str) -> float:
    sounding = sum(_of_word(word) for word in _SOUNDING.findall(part))
    pauses = PAUSE_SYLLABLES * len(_PAUSE.findall(part))
    return sounding + pauses + SHORT_PAUSE_SYLLABLES * len(_SHORT_PAUSE.findall(part))


def _of_word(word: str) -> float:
    if not word[0].isdigit():
        return max(1.0, len(word) / LETTERS_A_SYLLABLE)
    if word[0] == "0":
        return float(len(word))
    return _FIGURE_SYLLABLES.get(len(word), float(len(word)))
