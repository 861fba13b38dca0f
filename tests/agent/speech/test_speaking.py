"""Words to samples by the real engine."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from agent import speech
from agent.speech import NoVoice, Speech, SpeechFailed, speak, voice_for
from tests.support.sound import level_dbfs

TEXT = "Kính mời bà con đến nhà văn hóa thôn lúc 19 giờ."


@pytest.mark.parametrize("language", ["vi", "en", "vi-VN"])
def test_a_sentence_is_spoken_as_long_and_as_loud_as_speech_is(tmp_path: Path, language: str) -> None:
    target = tmp_path / "pcm"
    spoken = speak(Speech(TEXT, language), target)
    samples = np.fromfile(target, "<i2").astype(np.float32) / 32_768
    assert spoken.duration_s == pytest.approx(len(samples) / spoken.rate)
    assert 2.0 < spoken.duration_s < 12.0
    assert level_dbfs(samples) > -30
    assert list(tmp_path.iterdir()) == [target]


def test_a_language_without_a_voice_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NoVoice, match="no voice for hmn"):
        speak(Speech("Nyob zoo", "hmn"), tmp_path / "pcm")
    assert not list(tmp_path.iterdir())


def test_a_tag_falls_back_to_its_language_and_never_to_another() -> None:
    assert voice_for("vi-VN") == voice_for("vi") == voice_for("VI")
    assert voice_for("vi-vn-x-south") != voice_for("vi")
    with pytest.raises(NoVoice):
        voice_for("v")


def test_a_text_is_only_a_text_whatever_is_in_it(tmp_path: Path) -> None:
    plain = speak(Speech("hai", "vi"), tmp_path / "a")
    odd = speak(Speech("--version\n-w /tmp/x; $(reboot) <break/> hai", "vi"), tmp_path / "b")
    assert odd.duration_s > plain.duration_s


def test_nothing_to_say_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(SpeechFailed):
        speak(Speech(" ", "vi"), tmp_path / "pcm")
    assert not list(tmp_path.iterdir())


def test_a_missing_engine_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "_voices", lambda: {"vi": "aav/vi"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpeechFailed, match="espeak-ng is not installed"):
        speak(Speech(TEXT, "vi"), tmp_path / "pcm")


def test_an_engine_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "_voices", lambda: {"vi": "aav/vi"})
    monkeypatch.setattr(speech, "_LEAST_DEADLINE_S", 0.3)
    engine = tmp_path / "espeak-ng"
    engine.write_text("#!/bin/sh\nexec sleep 30\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SpeechFailed, match="did not finish"):
        speak(Speech("hai", "vi"), tmp_path / "pcm")


def test_the_key_depends_on_what_is_heard_and_on_nothing_else() -> None:
    assert Speech(TEXT, "vi").key == Speech(TEXT, "VI").key
    assert Speech(TEXT, "vi").key != Speech(TEXT, "en").key
    assert Speech(TEXT, "vi").key != Speech(TEXT + " ", "vi").key
