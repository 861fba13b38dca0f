"""Words to samples: a text is read as a person would, and an engine speaks it.

What comes out is raw PCM at the voice's own rate; the player brings it to 48 kHz while it sounds, which saves a
decoder process before an urgent word.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.files import must_have_room
from agent.speech import espeak, piper
from agent.speech.process import run, unpack
from agent.speech.reading import as_spoken
from agent.speech.voices import Engine, Speech, Voices
from playlists.units import Seconds

_LEAST_DEADLINE_S: Final[dict[Engine, float]] = {"espeak-ng": 15.0, "piper": 60.0}
_SECONDS_PER_CHARACTER: Final[dict[Engine, float]] = {"espeak-ng": 0.02, "piper": 0.2}
"""piper on the smallest Raspberry Pi may take as long as the speech itself, about 0.06 s a character."""


@dataclass(frozen=True)
class Spoken:
    """Raw mono samples, signed 16-bit little-endian, were written at this rate."""

    duration_s: Seconds
    rate: int


def speak(speech: Speech, target: Path) -> Spoken:
    """Write the samples of a text to `target`; blocks until they are there.

    Raises:
        NoVoice: nobody speaks that language here.
        SpeechFailed: the engine did not do it.
        Unspeakable: there is nothing in the text to be spoken.
        OSError: the disk is full, or cannot be written.
            `target` is removed.
    """
    aside = target.with_name(target.name + ".wav")
    voice = speech.voice
    try:
        words = as_spoken(speech.text, speech.language)
        engine = piper if voice.engine == "piper" else espeak
        argv = engine.command(voice, speech.language, aside)
        deadline_s = _LEAST_DEADLINE_S[voice.engine] + len(words) * _SECONDS_PER_CHARACTER[voice.engine]
        try:
            run(argv, words.encode(errors="replace"), deadline_s, voice.engine)
        finally:
            must_have_room(aside)
        count, rate = unpack(aside, target, voice.engine)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        aside.unlink(missing_ok=True)
    return Spoken(Seconds(count / rate), rate)


def spoken_by(voices: Voices, language: str) -> str:
    """Who speaks a language here, in words.

    Raises:
        NoVoice: nobody.
        SpeechFailed: somebody should, and cannot.
    """
    voice = voices.of(language)
    if voice.model is not None:
        piper.command(voice, language, Path("unused"))
        return f"piper, {voice.model}" + (f", {voice.name}" if voice.name else "")
    return f"espeak-ng, {espeak.file_of(voice.name or language, language)}"
