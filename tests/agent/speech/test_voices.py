"""Who speaks which language."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.config import Config, ConfigError, parse
from agent.config.voices import check_voices, voices_of
from agent.speech import Speech, Voice, Voices

TEXT = "Kính mời bà con."
NODE = '[node]\nid = "pole-01"\nsite = "xa-mau"\n'


def configured(text: str) -> Config:
    return parse(NODE + text)


def test_the_voice_of_the_nearest_tag_speaks() -> None:
    south, slow = Voice(name="vi-vn-x-south"), Voice(rate_wpm=100)
    voices = Voices({"vi-VN-x-south": south, "vi": slow})
    assert voices.of("vi") == voices.of("vi-VN") == slow
    assert voices.of("VI-vn-x-South") == south
    assert voices.of("vie") == voices.of("hmn") == Voice()


def test_the_key_depends_on_what_is_heard_and_on_nothing_else(tmp_path: Path) -> None:
    assert Speech(TEXT, "vi").key == Speech(TEXT, "VI").key
    model = tmp_path / "vi.onnx"
    model.write_bytes(b"one")
    others = [Voice(name="vi+f3"), Voice(rate_wpm=100), Voice(pitch=10), Voice(engine="piper", model=model)]
    speeches = [Speech(TEXT, "vi"), Speech(TEXT, "en"), Speech(TEXT + " ", "vi")]
    keys = [speech.key for speech in speeches + [Speech(TEXT, "vi", voice) for voice in others]]
    assert len(set(keys)) == len(keys)
    model.write_bytes(b"other")
    assert Speech(TEXT, "vi", others[-1]).key != keys[-1]
    model.unlink()
    assert Speech(TEXT, "vi", others[-1]).key not in keys


def test_the_configuration_says_who_speaks() -> None:
    found = voices_of(
        configured('[[voices]]\nlanguage = "vi"\nvoice = "vi+f3"\nrate_wpm = 120\npitch = 60').voices
    )
    assert found.of("vi-VN") == Voice("espeak-ng", "vi+f3", None, 120, 60)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[[voices]]\nlanguage = "vi"\n[[voices]]\nlanguage = "VI"', "is used twice: [[voices]] number 1"),
        ('[[voices]]\nlanguage = "hmn"\nvoice = "vi"', "is a voice of another language than 'hmn'"),
        ('[[voices]]\nlanguage = "vi"\nvoice = "-w/tmp/x"', "must begin with a letter or digit"),
        (
            '[[voices]]\nlanguage = "vi"\nmodel = "x.onnx"\npitch = 60',
            "pitch = 60: has no effect with a model",
        ),
        ('[[voices]]\nlanguage = "vi"\nrate_wpm = 1000', "at least 80 and at most 300"),
        ('[[voices]]\nlanguage = "tiếng Việt"', "must be a language tag"),
        ("[[voices]]\npitch = 50", "language: is required"),
    ],
)
def test_a_voice_that_makes_no_sense_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(text)
    assert expected in str(caught.value)


def test_voices_that_cannot_speak_are_found_before_they_have_to() -> None:
    config = configured(
        '[[voices]]\nlanguage = "vi"\n[[voices]]\nlanguage = "hmn"\nrate_wpm = 100\n'
        '[[voices]]\nlanguage = "tyz"\nmodel = "/nowhere/tyz.onnx"'
    )
    with pytest.raises(ConfigError) as caught:
        check_voices(config)
    first, second = caught.value.problems
    assert str(first) == '[[voices]] number 2 language = "hmn": no voice for hmn'
    assert "/nowhere/tyz.onnx cannot be read" in str(second)


def test_knowing_who_speaks_loads_neither_engines_nor_rules() -> None:
    code = (
        "import sys, agent.speech as s; s.Voices().speech('19h30', 'vi').key; "
        "assert not {'agent.speech.vietnamese', 'agent.speech.piper', 'subprocess', 'wave'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})
