"""eSpeak NG: which voices it has, and how it is asked to speak. A sentence takes about 10 ms on a PC."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from agent.speech.errors import NoVoice
from agent.speech.process import run
from agent.speech.voices import Voice
from playlists.languages import beginnings, language_of

ENGINE: Final = "espeak-ng"
_LISTING_DEADLINE_S: Final = 10.0
_ALSO: Final = re.compile(r"\((\S+) (\d+)\)")


def command(voice: Voice, language: str, target: Path) -> list[str]:
    """How to have a WAV file written; the text goes to stdin, and is nothing but a text.

    Raises:
        NoVoice: it does not speak that language.
        SpeechFailed: it does not say what it has.
    """
    said_by = file_of(voice.name or language, language)
    how = ["-s", str(voice.rate_wpm), "-p", str(voice.pitch)]
    return [ENGINE, "-v", said_by, *how, "--stdin", "-w", str(target)]


def file_of(name: str, language: str) -> str:
    """Its name for a voice: of a language tag or what it begins with, `+VARIANT` kept.

    Raises:
        NoVoice: there is none, or it speaks another language than `language`.
        SpeechFailed: the engine does not say what it has.
    """
    tag, plus, variant = name.partition("+")
    if language_of(tag) != language_of(language):
        raise NoVoice(f"the voice {name!r} does not speak {language}")
    have = voices()
    for known in beginnings(tag):
        if known in have:
            return have[known] + plus + variant
    raise NoVoice(f"no voice for {language}")


@lru_cache(maxsize=1)
def voices() -> dict[str, str]:
    """Language tag → voice. For a tag that several voices claim, the one that claims it first, as it ranks them.

    Raises:
        SpeechFailed: the engine is missing or does not answer.
    """
    listing = run([ENGINE, "--voices"], b"", _LISTING_DEADLINE_S, ENGINE).decode(errors="replace")
    own: dict[str, str] = {}
    also: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines()[1:]:
        fields = line.split(None, 5)
        if len(fields) < 5:
            continue
        own.setdefault(fields[1].lower(), fields[4])
        for tag, rank in _ALSO.findall(fields[5] if len(fields) > 5 else ""):
            best = also.get(tag.lower())
            if best is None or int(rank) < best[0]:
                also[tag.lower()] = (int(rank), fields[4])
    return {**{tag: file for tag, (_, file) in also.items()}, **own}
