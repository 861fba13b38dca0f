"""Sounds that the station makes itself: spoken texts, the chime, music. Each is made once and kept.

A node could speak as well. Rendered here, a text has its exact length and measured loudness, sounds the same
on every pole whatever voices are installed there, and costs the node no work at the moment of air.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from agent.files import put_in_place
from agent.player.protocol import RATE
from agent.player.synth import tone
from agent.speech import NoVoice, SpeechFailed, Voices
from agent.speech.speaking import speak, spoken_by
from agent.station import loudness, music
from agent.station.errors import Technician
from agent.tones import CHIME
from playlists.units import Seconds

_RECIPE = "1"
"""Part of each cache key: to be raised when the sound of these recipes changes."""


class Kitchen:
    """Makes sounds and keeps them in a folder that may be emptied at any time."""

    def __init__(self, cache: Path, voices: Voices) -> None:
        self._cache = cache
        self._voices = voices

    def speech(self, text: str, language: str) -> Path:
        """A text, spoken by the voice of its language.

        Raises:
            NoVoice: no voice speaks it here.
            Unspeakable: nothing in the text can be spoken.
            Technician: the engine or ffmpeg is missing or fails.
        """
        try:
            by = spoken_by(self._voices, language)
        except SpeechFailed as error:
            raise Technician(str(error)) from error
        what = self._voices.speech(text, language)

        def make(aside: Path) -> None:
            raw = aside.with_suffix(".pcm")
            try:
                said = speak(what, raw)
                loudness.encode(raw.read_bytes(), said.rate, aside, loudness.SPEECH_FILTER)
            except SpeechFailed as error:
                raise Technician(str(error)) from error
            finally:
                raw.unlink(missing_ok=True)

        return self._kept(f"speech {by} {what.key}", make)

    def silent(self, language: str) -> str | None:
        """Why nothing in a language can be spoken here; None if it can.

        Raises:
            Technician: the engine is missing or fails.
        """
        try:
            spoken_by(self._voices, language)
        except NoVoice as error:
            return str(error)
        except SpeechFailed as error:
            raise Technician(str(error)) from error
        return None

    def chime(self) -> Path:
        """The chime that nodes themselves use."""
        return self._kept(
            "chime",
            lambda aside: loudness.encode((tone(CHIME) * 32_767).astype("<i2").tobytes(), RATE, aside),
        )

    def music(self, length_s: Seconds) -> Path:
        """A quiet tune."""
        return self._kept(
            f"music {length_s}", lambda aside: loudness.encode(music.tune(length_s), music.RATE_HZ, aside)
        )

    def _kept(self, what: str, make: Callable[[Path], None]) -> Path:
        name = hashlib.sha256(f"{_RECIPE} {what}".encode()).hexdigest()[:32]
        path = self._cache / f"{name}.opus"
        if not path.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            aside = self._cache / f".aside-{name}"
            try:
                make(aside)
                put_in_place(aside, path)
            finally:
                aside.unlink(missing_ok=True)
        return path
