"""Words to samples by the real engine."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from agent.speech import NoVoice, Speech, SpeechFailed, Unspeakable, Voice, Voices, espeak, speaking
from agent.speech.speaking import speak, spoken_by
from tests.support.pitch import pitch_hz
from tests.support.sound import Samples, level_dbfs, onset

TEXT = "Kính mời bà con đến nhà văn hóa thôn lúc 19 giờ."


def said(text: str, directory: Path, language: str = "vi", voice: Voice | None = None) -> tuple[Samples, int]:
    target = directory / "pcm"
    spoken = speak(Speech(text, language, voice or Voice()), target)
    samples = np.fromfile(target, "<i2").astype(np.float32) / 32_768
    assert spoken.duration_s == pytest.approx(len(samples) / spoken.rate)
    return samples, spoken.rate


@pytest.mark.parametrize("language", ["vi", "en", "vi-VN"])
def test_a_sentence_is_spoken_as_long_and_as_loud_as_speech_is(tmp_path: Path, language: str) -> None:
    samples, rate = said(TEXT, tmp_path, language)
    assert 2.0 < len(samples) / rate < 12.0
    assert level_dbfs(samples) > -30
    first = onset(samples)
    assert first is not None
    assert first < 0.2 * rate
    assert list(tmp_path.iterdir()) == [tmp_path / "pcm"]


def test_a_quicker_voice_takes_less_time(tmp_path: Path) -> None:
    slow, _ = said(TEXT, tmp_path, voice=Voice(rate_wpm=100))
    usual, _ = said(TEXT, tmp_path)
    quick, _ = said(TEXT, tmp_path, voice=Voice(rate_wpm=200))
    assert len(slow) > 1.2 * len(usual) > 1.4 * len(quick)


def test_a_higher_pitch_is_a_higher_fundamental(tmp_path: Path) -> None:
    low, usual, high = (
        pitch_hz(*said("ba ba ba ba ba ba", tmp_path, voice=Voice(pitch=pitch))) for pitch in (10, 50, 90)
    )
    assert low < 0.9 * usual
    assert usual < 0.9 * high
    assert 60 < usual < 250


def test_a_voice_of_the_south_and_a_variant_sound_different(tmp_path: Path) -> None:
    usual, _ = said(TEXT, tmp_path)
    south, _ = said(TEXT, tmp_path, voice=Voice(name="vi-vn-x-south"))
    woman, _ = said(TEXT, tmp_path, voice=Voice(name="vi+f3"))
    assert not np.array_equal(usual, south)
    assert not np.array_equal(usual, woman)
    assert np.array_equal(south, said(TEXT, tmp_path, "vi-VN-x-south")[0])


def test_numbers_are_spoken_as_they_are_read(tmp_path: Path) -> None:
    written, _ = said("19h30 ngày 28/11, gọi 113", tmp_path)
    read, _ = said("mười chín giờ ba mươi phút ngày hai mươi tám tháng mười một, gọi một một ba", tmp_path)
    assert np.array_equal(written, read)


@pytest.mark.parametrize("language", ["hmn", "mww", "tyz", "km", "zh-hak", "xx"])
def test_a_language_without_a_voice_is_refused_by_name(tmp_path: Path, language: str) -> None:
    with pytest.raises(NoVoice, match=f"no voice for {language}"):
        speak(Speech("Nyob zoo", language), tmp_path / "pcm")
    assert not list(tmp_path.iterdir())


def test_a_voice_of_another_language_is_not_taken_however_it_got_there(tmp_path: Path) -> None:
    with pytest.raises(NoVoice, match="the voice 'vi' does not speak hmn"):
        speak(Speech("Nyob zoo", "hmn", Voice(name="vi")), tmp_path / "pcm")


def test_a_tag_falls_back_to_its_language_and_never_to_another() -> None:
    assert espeak.file_of("vi-VN", "vi") == espeak.file_of("vi", "vi") == espeak.file_of("VI", "vi")
    assert espeak.file_of("vi-vn-x-central", "vi") == "aav/vi-VN-x-central"
    with pytest.raises(NoVoice):
        espeak.file_of("v", "v")


def test_of_several_voices_that_claim_a_language_the_first_of_the_engine_s_own_order_speaks() -> None:
    assert espeak.file_of("en", "en") == "gmw/en"
    assert espeak.file_of("zh", "zh") == "sit/cmn"


def test_a_text_is_only_a_text_whatever_is_in_it(tmp_path: Path) -> None:
    plain, _ = said("hai", tmp_path)
    odd, _ = said("--version\n-w /tmp/x; $(reboot) <break time='60s'/> hai", tmp_path)
    assert len(plain) < len(odd) < 20 * len(plain)


def test_a_text_does_not_command_the_engine(tmp_path: Path) -> None:
    plain, _ = said("hai ba", tmp_path)
    assert np.array_equal(plain, said("\x01400Shai \x0199Pba", tmp_path)[0]) is False
    quick, _ = said("400Shai 99Pba", tmp_path)
    assert np.array_equal(quick, said("\x01400Shai \x0199Pba", tmp_path)[0])


@pytest.mark.parametrize("text", [" ", "😀", "\u202e"])
def test_nothing_to_say_is_the_author_s_failure(tmp_path: Path, text: str) -> None:
    with pytest.raises(Unspeakable):
        speak(Speech(text, "vi"), tmp_path / "pcm")
    assert not list(tmp_path.iterdir())


def test_a_missing_engine_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "voices", lambda: {"vi": "aav/vi"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpeechFailed, match="espeak-ng is not installed"):
        speak(Speech(TEXT, "vi"), tmp_path / "pcm")


def test_an_engine_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "voices", lambda: {"vi": "aav/vi"})
    monkeypatch.setattr(speaking, "_LEAST_DEADLINE_S", {"espeak-ng": 0.3})
    engine = tmp_path / "espeak-ng"
    engine.write_text("#!/bin/sh\nexec sleep 30\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(SpeechFailed, match="did not finish"):
        speak(Speech("hai", "vi"), tmp_path / "pcm")


def test_who_speaks_is_told() -> None:
    voices = Voices({"vi": Voice(name="vi-vn-x-south")})
    assert spoken_by(voices, "vi-VN") == "espeak-ng, aav/vi-VN-x-south"
    assert spoken_by(voices, "en-GB") == "espeak-ng, gmw/en"
    with pytest.raises(NoVoice):
        spoken_by(voices, "hmn")
