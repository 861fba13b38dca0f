"""Who speaks which language: the voices that a technician configured, else eSpeak NG's own of that language."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playlists.languages import beginnings

Engine = Literal["espeak-ng", "piper"]

RATE_WPM: Final = 150
"""Slower than eSpeak NG's own 175: horns on poles echo. A piper voice speaks at its own pace then."""

PITCH: Final = 50
"""eSpeak NG's own: the middle of 0 to 99."""

_RECIPE: Final = 2
"""Part of each key: to be raised when the same voice speaks a text differently, or a text is read differently."""


@dataclass(frozen=True)
class Voice:
    """How one language is spoken."""

    engine: Engine = "espeak-ng"
    name: str | None = None
    """Of the engine: an eSpeak NG voice, a speaker of a piper model. None: its first of the language."""
    model: Path | None = None
    """piper's; its description lies beside it, with `.json` behind the name."""
    rate_wpm: int = RATE_WPM
    pitch: int = PITCH

    @property
    def recipe(self) -> list[object]:
        """All of it that the samples depend on. A model counts by its name, size and date: it has 60 MB."""
        state = None
        if self.model is not None:
            try:
                found = self.model.stat()
                state = [found.st_size, found.st_mtime_ns]
            except OSError:
                pass  # then nothing is spoken either
        return [self.engine, self.name, str(self.model), state, self.rate_wpm, self.pitch]


@dataclass(frozen=True)
class Speech:
    """A text to be spoken. `language` is a BCP 47 tag."""

    text: str
    language: str
    voice: Voice = Voice()

    @property
    def key(self) -> str:
        """Names the samples: `sha256:` of all that they depend on."""
        what = json.dumps([_RECIPE, self.voice.recipe, self.language.lower(), self.text], ensure_ascii=False)
        return "sha256:" + hashlib.sha256(what.encode(errors="replace")).hexdigest()


class Voices:
    """The voices of this machine, by language."""

    def __init__(self, configured: Mapping[str, Voice] | None = None) -> None:
        """`configured` has language tags as keys."""
        self.configured: Final = {tag.lower(): voice for tag, voice in (configured or {}).items()}

    def of(self, language: str) -> Voice:
        """The configured voice of the tag or of what it begins with; else eSpeak NG, which may have none."""
        for tag in beginnings(language):
            voice = self.configured.get(tag)
            if voice is not None:
                return voice
        return Voice()

    def speech(self, text: str, language: str) -> Speech:
        """A text and who is to speak it."""
        return Speech(text, language, self.of(language))
