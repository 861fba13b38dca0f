"""An engine is a short-lived process: text in, a WAV file out."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Sequence
from pathlib import Path

from agent.speech.errors import SpeechFailed

_LOG_TAIL = 200
_CHUNK = 1 << 18


def run(argv: Sequence[str], stdin: bytes, deadline_s: float, name: str) -> bytes:
    """What the engine says on stdout.

    Raises:
        SpeechFailed: it is not there, took too long (and was killed), or ended with an error.
    """
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, timeout=deadline_s, check=False)
    except OSError as error:
        why = "is not installed" if isinstance(error, FileNotFoundError) else f"cannot be started: {error}"
        raise SpeechFailed(f"{name} {why}") from error
    except subprocess.TimeoutExpired as error:
        raise SpeechFailed(f"{name} did not finish within {deadline_s:.0f} s") from error
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip()[-_LOG_TAIL:]
        raise SpeechFailed(f"{name} ended with code {done.returncode}: {reason or 'no word'}")
    return done.stdout


def unpack(source: Path, target: Path, name: str) -> tuple[int, int]:
    """Write the samples of what an engine wrote, signed 16-bit little-endian mono; returns their number and rate.

    Raises:
        SpeechFailed: there is nothing in it that can be heard.
    """
    count, is_heard = 0, False
    try:
        with wave.open(str(source), "rb") as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            with target.open("wb") as raw:
                while data := file.readframes(_CHUNK):  # an hour of speech never lies in memory
                    is_heard = is_heard or any(data)
                    count += raw.write(data) // 2
    except (FileNotFoundError, EOFError, wave.Error) as error:
        raise SpeechFailed(f"{name} wrote no sound: {error}") from error
    if (width, channels) != (2, 1) or not is_heard:
        raise SpeechFailed(f"{name} said nothing that can be heard")
    return count, rate
