"""Feedback is turned down; speech, music, whistles and alarm tones pass untouched."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.player.howl import DUCK_DB, HowlGuard
from agent.player.protocol import BLOCK, RATE
from agent.player.resample import Resampler
from agent.player.synth import tone
from agent.station.music import tune
from playlists.units import Seconds
from tests.support.sound import Samples, level_dbfs, sine


def passed(samples: Samples) -> tuple[Samples, list[float | None]]:
    """What comes out of a guard, and its verdict after each block."""
    guard, out, verdicts = HowlGuard(), [], []
    for at in range(0, len(samples) - BLOCK + 1, BLOCK):
        out.append(guard.feed(samples[at : at + BLOCK]))
        verdicts.append(guard.howling_hz)
    return np.concatenate(out), verdicts


def howl(hz: float, seconds: float = 4.0, clipped: bool = False) -> Samples:
    """A loop that builds up over half a second and stays near full level, with the room's noise in it."""
    t = np.arange(round(seconds * RATE)) / RATE
    grown = np.minimum(1.0, np.exp((t - 0.5) * 12))
    wave_ = (2.5 if clipped else 0.9) * grown * np.sin(2 * np.pi * hz * t)
    noise = np.random.default_rng(3).normal(0, 0.01, len(t))
    return np.clip(wave_ + noise, -0.95, 0.95).astype(np.float32)


def spoken(text: str, voice: str, tmp_path: Path) -> Samples:
    """Real speech, as loud as it gets."""
    path = tmp_path / "speech.wav"
    subprocess.run(["espeak-ng", "-v", voice, "-w", str(path), text], check=True)
    with wave.open(str(path)) as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
        samples = Resampler(file.getframerate()).feed(raw)
    return (samples / np.max(np.abs(samples)) * 0.95).astype(np.float32)


@pytest.mark.parametrize("hz", [250.0, 800.0, 2_350.0, 3_777.0, 7_100.0])
@pytest.mark.parametrize("clipped", [False, True])
def test_a_howl_is_known_within_two_seconds_and_turned_down(hz: float, clipped: bool) -> None:
    samples = howl(hz, clipped=clipped)
    out, verdicts = passed(samples)
    found = next(i for i, verdict in enumerate(verdicts) if verdict is not None)
    assert found * BLOCK / RATE < 2.0
    assert verdicts[found] == pytest.approx(hz, rel=0.01)
    assert level_dbfs(out[-RATE:]) - level_dbfs(samples[-RATE:]) == pytest.approx(DUCK_DB, abs=0.5)


def test_after_a_howl_the_voice_comes_back_without_a_click() -> None:
    voice = np.random.default_rng(5).normal(0, 0.1, 8 * RATE).astype(np.float32)
    out, verdicts = passed(np.concatenate([howl(2_000.0, 3.0), voice]))
    assert verdicts[-1] is None
    assert level_dbfs(out[-RATE:]) == pytest.approx(level_dbfs(voice[-RATE:]), abs=0.1)
    quiet = out[round(3.2 * RATE) : round(3.3 * RATE)]
    assert level_dbfs(quiet) < level_dbfs(voice) - 20


def test_a_howl_that_returns_while_it_is_turned_down_is_known_sooner() -> None:
    pause = np.zeros(RATE, np.float32)
    _, verdicts = passed(np.concatenate([howl(2_000.0, 3.0), pause, sine(2_000.0, 2.0, 0.9)]))
    again = 4 * RATE // BLOCK
    assert verdicts[again] is None
    assert any(verdicts[again : again + 40])


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("vi", "Kính mời bà con đến nhà văn hóa thôn lúc mười chín giờ. Aaaaaa! Ôôôôôô!"),
        ("en", "Attention please, all residents leave the river bank now! Ooooooooooh! Eeeeeeeeee!"),
    ],
)
def test_speech_passes_untouched(voice: str, text: str, tmp_path: Path) -> None:
    samples = spoken(text, voice, tmp_path)
    out, verdicts = passed(samples)
    assert not any(verdicts)
    assert np.array_equal(out, samples[: len(out)])


@pytest.mark.parametrize("name", ["alarm", "chime"])
def test_the_alarm_and_the_chime_pass_untouched(name: str) -> None:
    samples = np.tile(tone(name) * 1.6, 3).astype(np.float32)
    assert not any(passed(samples)[1])


def test_two_tones_that_alternate_and_pulses_pass_untouched() -> None:
    """As sirens, time signals and attention signals are made."""
    hi_lo = np.concatenate([sine(hz, 0.5, 0.9) for hz in (960.0, 770.0) * 6])
    pips = np.tile(np.concatenate([sine(1_000.0, 0.5, 0.9), np.zeros(RATE // 2, np.float32)]), 6)
    attention = (sine(853.0, 8.0, 0.45) + sine(960.0, 8.0, 0.45)).astype(np.float32)
    for samples in (hi_lo, pips, attention):
        assert not any(passed(samples)[1])


def test_music_passes_untouched() -> None:
    """Long chords with a melody over them, loud: a steady tone, but not all the power is in it."""
    t = np.arange(8 * RATE) / RATE
    chord = sum(np.sin(2 * np.pi * hz * t) / n for hz in (261.6, 329.6, 392.0) for n in (1, 2))
    melody = np.sign(np.sin(2 * np.pi * (523.3 + 130 * (np.floor(t * 2) % 3)) * t)) * 0.8
    samples = ((chord + melody) / np.max(np.abs(chord + melody)) * 0.95).astype(np.float32)
    plucked = np.frombuffer(tune(Seconds(20.0)), "<i2").astype(np.float32)
    for music in (samples, plucked / np.max(np.abs(plucked))):
        assert not any(passed(music)[1])


def test_a_soft_tone_is_nobody_s_howl() -> None:
    assert not any(passed(sine(1_000.0, 4.0, 0.1))[1])


@given(st.floats(-1, 1), st.integers(0, 2**31), st.integers(1, 3 * BLOCK))
def test_whatever_comes_is_never_made_louder(offset: float, seed: int, n: int) -> None:
    samples = np.clip(np.random.default_rng(seed).normal(offset, 0.5, 3 * RATE), -1, 1).astype(np.float32)
    guard = HowlGuard()
    for at in range(0, len(samples), n):
        block = samples[at : at + n]
        out = guard.feed(block)
        assert len(out) == len(block)
        assert np.all(np.abs(out) <= np.abs(block) + 1e-6)
        if at > 20 * n:
            break
