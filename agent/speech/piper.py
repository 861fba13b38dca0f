"""piper: a neural voice from a model file, through the command line that its package brings.

It is a program of its own, asked like eSpeak NG: onnxruntime takes 300 MB, which the daemon never loads, and its
licence (GPL-3.0-or-later) is that program's.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agent.speech.errors import NoVoice, SpeechFailed
from agent.speech.voices import RATE_WPM, Voice
from playlists.languages import language_of

ENGINE: Final = "piper"
MAX_DESCRIPTION_BYTES: Final = 1_000_000
_BETWEEN_SENTENCES_S: Final = 0.3


def command(voice: Voice, language: str, target: Path) -> list[str]:
    """How to have a WAV file written; the text goes to stdin, as one line.

    Raises:
        NoVoice: the model speaks another language.
        SpeechFailed: piper or the model is not there, or the model has no description.
    """
    if voice.model is None:
        raise SpeechFailed("piper needs a model")
    described = describe(voice.model)
    check(described, voice, language)
    try:
        importlib.metadata.distribution("piper-tts")
    except importlib.metadata.PackageNotFoundError as error:
        raise SpeechFailed("piper is not installed: pip install 'loa-agent[piper]'") from error
    # the model knows its own pace; a longer phoneme is slower speech
    own_scale = described.get("inference", {}).get("length_scale", 1.0)
    argv = [sys.executable, "-m", "piper", "--model", str(voice.model.absolute())]
    argv += ["--length-scale", f"{own_scale * RATE_WPM / voice.rate_wpm:.3f}"]
    argv += ["--sentence-silence", f"{_BETWEEN_SENTENCES_S}", "--output-file", str(target.absolute())]
    if voice.name is not None:
        argv += ["--speaker", str(described["speaker_id_map"][voice.name])]
    return argv


def describe(model: Path) -> dict[str, Any]:
    """What stands beside a model, in `MODEL.json`.

    Raises:
        SpeechFailed: model or description is not there, or is none.
    """
    beside = model.with_name(model.name + ".json")
    try:
        if model.stat().st_size == 0:
            raise SpeechFailed(f"{model} is empty")
        with beside.open("rb") as file:
            described = json.loads(file.read(MAX_DESCRIPTION_BYTES))
    except OSError as error:
        raise SpeechFailed(f"{error.filename} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SpeechFailed(f"{beside} is no description of a piper voice: {error}") from error
    if not isinstance(described, dict) or not isinstance(described.get("phoneme_id_map"), Mapping):
        raise SpeechFailed(f"{beside} is no description of a piper voice: it has no phoneme_id_map")
    return described


def check(described: Mapping[str, Any], voice: Voice, language: str) -> None:
    """Whether a model speaks a language, and has the speaker that is asked for.

    Raises:
        NoVoice: it does not.
    """
    speaks = spoken(described)
    if speaks is None or language_of(speaks) != language_of(language):
        raise NoVoice(
            f"the model {voice.model} speaks {speaks or 'no language that it names'}, not {language}"
        )
    speakers = described.get("speaker_id_map") or {}
    if voice.name is not None and voice.name not in speakers:
        have = ", ".join(list(speakers)[:20]) or "one without a name"
        raise NoVoice(f"the model {voice.model} has no speaker {voice.name!r} (there: {have})")


def spoken(described: Mapping[str, Any]) -> str | None:
    """The language tag of a model; older descriptions name only eSpeak NG's voice, which is one."""
    for section, key in (("language", "code"), ("espeak", "voice")):
        part = described.get(section)
        code = part.get(key) if isinstance(part, Mapping) else None
        if isinstance(code, str) and code:
            return code.replace("_", "-")
    return None
