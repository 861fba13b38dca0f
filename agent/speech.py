"""Words to samples: eSpeak NG, one short-lived process for each text.

A sentence takes about 10 ms on a PC. What comes out is raw PCM at the voice's own rate (22,050 Hz); the
player brings it to 48 kHz while it sounds, which saves a decoder process before an urgent word.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import wave
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from playlists.units import Seconds

ENGINE: Final = "espeak-ng"
_WORDS_PER_MINUTE: Final = 150
"""Slower than the engine's own 175: horns on poles echo."""

_LISTING_DEADLINE_S: Final = 10.0
_SECONDS_PER_CHARACTER: Final = 0.02
_LEAST_DEADLINE_S: Final = 15.0


class SpeechError(Exception):
    """Base of the errors of speech."""


class NoVoice(SpeechError, LookupError):  # noqa: N818 - says what is the matter
    """Error raised for a language that no installed voice speaks. Remedy: technician; or send a recording."""


class SpeechFailed(SpeechError):  # noqa: N818 - says what is the matter
    """Error raised when the engine is missing, crashed, hung, or said nothing. Remedy: technician."""


@dataclass(frozen=True)
class Speech:
    """A text to be spoken. `language` is a BCP 47 tag."""

    text: str
    language: str

    @property
    def key(self) -> str:
        """Names the samples: `sha256:` of all that they depend on."""
        what = json.dumps([ENGINE, _WORDS_PER_MINUTE, self.language.lower(), self.text], ensure_ascii=False)
        return "sha256:" + hashlib.sha256(what.encode()).hexdigest()


@dataclass(frozen=True)
class Spoken:
    """Raw mono samples, signed 16-bit little-endian, were written at this rate."""

    duration_s: Seconds
    rate: int


def speak(speech: Speech, target: Path) -> Spoken:
    """Write the samples of a text to `target`; blocks until they are there.

    Raises:
        NoVoice: nobody speaks that language here.
        SpeechFailed: the engine did not do it; `target` is removed.
    """
    voice = voice_for(speech.language)
    aside = target.with_name(target.name + ".wav")
    argv = [ENGINE, "-v", voice, "-s", str(_WORDS_PER_MINUTE), "--stdin", "-w", str(aside)]
    deadline_s = _LEAST_DEADLINE_S + len(speech.text) * _SECONDS_PER_CHARACTER
    try:
        _run(argv, speech.text.encode(), deadline_s)
        return _to_raw(aside, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        aside.unlink(missing_ok=True)


def voice_for(language: str) -> str:
    """The voice for a language tag: the tag itself, or its longest beginning that has a voice.

    Raises:
        NoVoice: none does.
        SpeechFailed: the engine does not say what it has.
    """
    have = _voices()
    parts = language.lower().split("-")
    for count in range(len(parts), 0, -1):
        voice = have.get("-".join(parts[:count]))
        if voice is not None:
            return voice
    raise NoVoice(f"no voice for {language}")


@lru_cache(maxsize=1)
def _voices() -> dict[str, str]:
    """Language tag → voice, from `espeak-ng --voices`."""
    listing = _run([ENGINE, "--voices"], b"", _LISTING_DEADLINE_S).decode(errors="replace")
    voices: dict[str, str] = {}
    others: dict[str, str] = {}
    for line in listing.splitlines()[1:]:
        fields = line.split(None, 5)
        if len(fields) < 5:
            continue
        tag, file = fields[1].lower(), fields[4]
        voices.setdefault(tag, file)
        rest = fields[5] if len(fields) > 5 else ""
        for other in rest.replace("(", " ").replace(")", " ").split():
            if not other.isdigit():
                others.setdefault(other.lower(), file)
    return {**others, **voices}


def _run(argv: list[str], stdin: bytes, deadline_s: float) -> bytes:
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=deadline_s, check=False)
    except FileNotFoundError as error:
        raise SpeechFailed(f"{ENGINE} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise SpeechFailed(f"{ENGINE} did not finish within {deadline_s:.0f} s") from error
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip()[-200:]
        raise SpeechFailed(f"{ENGINE} ended with code {done.returncode}: {reason or 'no word'}")
    return done.stdout


def _to_raw(source: Path, target: Path) -> Spoken:
    try:
        with wave.open(str(source), "rb") as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise SpeechFailed(f"{ENGINE} wrote no sound: {error}") from error
    if (width, channels) != (2, 1) or not any(data):
        raise SpeechFailed(f"{ENGINE} said nothing that can be heard")
    target.write_bytes(data)
    return Spoken(Seconds(len(data) / 2 / rate), rate)
