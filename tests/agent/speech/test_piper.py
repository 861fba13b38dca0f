"""Voices from a model file, spoken by the real piper in a process of its own."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.config import ConfigError, parse
from agent.config.voices import check_voices
from agent.speech import NoVoice, Speech, SpeechFailed, Voice
from agent.speech.speaking import speak
from tests.support.pitch import pitch_hz
from tests.support.sound import Samples, level_dbfs
from tests.support.tiny_voice import RATE, tiny_voice

TEXT = "Kính mời bà con đến nhà văn hóa thôn lúc 19h30."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_voice(tmp_path_factory.mktemp("voice") / "vi_VN-tiny.onnx")


def said(voice: Voice, directory: Path, text: str = TEXT) -> Samples:
    spoken = speak(Speech(text, "vi", voice), directory / "pcm")
    assert spoken.rate == RATE
    return np.fromfile(directory / "pcm", "<i2").astype(np.float32) / 32_768


def test_piper_speaks_at_the_pace_that_is_asked_for(model: Path, tmp_path: Path) -> None:
    usual = said(Voice("piper", model=model), tmp_path)
    slow = said(Voice("piper", model=model, rate_wpm=100), tmp_path)
    assert 1.0 < len(usual) / RATE < 10.0
    assert level_dbfs(usual) > -10
    assert len(slow) == pytest.approx(1.5 * len(usual), rel=0.01)
    assert list(tmp_path.iterdir()) == [tmp_path / "pcm"]
    assert "onnxruntime" not in sys.modules, "the daemon never loads it"


def test_a_speaker_of_a_model_is_named(tmp_path: Path) -> None:
    model = tiny_voice(tmp_path / "two.onnx", speakers={"an": 0, "binh": 1})
    low, high = (said(Voice("piper", name, model), tmp_path, "ba ba ba ba") for name in ("an", "binh"))
    assert len(low) == len(high)
    assert pitch_hz(high, RATE) > 1.2 * pitch_hz(low, RATE)
    with pytest.raises(NoVoice, match=r"has no speaker 'chi' \(there: an, binh\)"):
        said(Voice("piper", "chi", model), tmp_path)


def test_a_model_of_another_language_does_not_speak(model: Path, tmp_path: Path) -> None:
    with pytest.raises(NoVoice, match="speaks vi-VN, not hmn"):
        speak(Speech("Nyob zoo", "hmn", Voice("piper", model=model)), tmp_path / "pcm")


Spoil = Callable[[Path], None]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda path: path.unlink(), "cannot be read: No such file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"no model"), "piper ended with code 1: .*INVALID_PROTOBUF|Protobuf"),
        (lambda path: path.with_name(path.name + ".json").unlink(), r"onnx\.json cannot be read"),
        (lambda path: path.with_name(path.name + ".json").write_text("["), "is no description"),
        (lambda path: path.with_name(path.name + ".json").write_text("{}"), "has no phoneme_id_map"),
    ],
    ids=["gone", "empty", "rubbish", "undescribed", "broken description", "empty description"],
)
def test_a_model_that_cannot_be_used_is_named_with_the_reason(
    spoil: Spoil, expected: str, tmp_path: Path
) -> None:
    model = tiny_voice(tmp_path / "vi.onnx")
    spoil(model)
    with pytest.raises(SpeechFailed, match=expected):
        said(Voice("piper", model=model), tmp_path)
    assert not (tmp_path / "pcm").exists()


def test_without_piper_it_is_said_how_to_get_it(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with pytest.raises(SpeechFailed, match=r"pip install 'loa-agent\[piper\]'"):
        said(Voice("piper", model=model), tmp_path)


def test_the_configuration_s_models_are_checked(model: Path, tmp_path: Path) -> None:
    text = '[node]\nid = "a"\nsite = "b"\n[[voices]]\nlanguage = "{}"\nmodel = "{}"\n'
    check_voices(parse(text.format("vi", model)))
    with pytest.raises(ConfigError, match="speaks vi-VN, not tyz"):
        check_voices(parse(text.format("tyz", model)))
    other = tiny_voice(tmp_path / "old.onnx")
    described = json.loads(other.with_name("old.onnx.json").read_text())
    del described["language"]
    other.with_name("old.onnx.json").write_text(json.dumps(described))
    check_voices(parse(text.format("vi", other)))
