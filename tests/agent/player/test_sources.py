"""Files of samples at any rate, and tones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.player.protocol import BLOCK, RATE
from agent.player.resample import Interpolator
from agent.player.sources import PcmFileSource, Unreadable
from agent.player.synth import tone
from agent.tones import PROBE, TONES
from tests.support.sound import level_dbfs, pitch, sine, strength, write_pcm


def read_all(source: PcmFileSource, block: int = BLOCK) -> np.ndarray:
    parts = []
    while len(part := source.read(block)):
        parts.append(part)
    return np.concatenate(parts)


def test_a_file_is_read_as_it_is_and_ends_at_its_end(tmp_path: Path) -> None:
    wave = sine(440, 0.333, 0.5)
    source = PcmFileSource(str(write_pcm(tmp_path / "a", wave)))
    assert source.length == len(wave)
    assert np.allclose(read_all(source), wave, atol=1e-4)
    source.seek(1000)
    assert np.allclose(source.read(100), wave[1000:1100], atol=1e-4)
    source.close()


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 96_000])
def test_any_rate_becomes_48_khz_clean_and_as_long(tmp_path: Path, rate: int) -> None:
    t = np.arange(rate) / rate
    source = PcmFileSource(str(write_pcm(tmp_path / "a", 0.5 * np.sin(2 * np.pi * 3000 * t))), rate)
    out = read_all(source)
    assert abs(len(out) - RATE) <= 1
    assert pitch(out) == pytest.approx(3000, abs=1)
    middle = out[4800:-4800]
    assert level_dbfs(middle) == pytest.approx(-6.02, abs=0.1)
    ideal = 0.5 * np.sin(2 * np.pi * 3000 * np.arange(len(out)) / RATE)
    assert level_dbfs((out - ideal)[4800:-4800].astype(np.float32)) < -60


@given(
    st.sampled_from([8_000, 16_000, 22_050, 44_100]), st.lists(st.integers(1, 700), min_size=1, max_size=8)
)
def test_resampling_in_pieces_is_resampling_the_whole(rate: int, pieces: list[int]) -> None:
    data = np.random.default_rng(1).uniform(-1, 1, 6000).astype(np.float32)
    padded = np.concatenate([np.zeros(100, np.float32), data, np.zeros(100, np.float32)])
    interpolator = Interpolator(rate)

    def compute(first: int, n: int) -> np.ndarray:
        begin, last = interpolator.window(first, n)
        return interpolator.compute(first, n, padded[begin + 100 : last + 100])

    whole = compute(0, sum(pieces))
    at, parts = 0, []
    for n in pieces:
        parts.append(compute(at, n))
        at += n
    assert np.array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize("content", [None, b"", b"x"])
def test_a_file_without_samples_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unreadable, match=str(path)):
        PcmFileSource(str(path))


@pytest.mark.parametrize("name", TONES)
def test_a_tone_is_as_long_as_it_says_loud_and_without_clicks(name: str) -> None:
    samples = tone(name)
    assert len(samples) == round(TONES[name].length_s * RATE)
    assert np.max(np.abs(samples)) <= 0.9
    assert level_dbfs(samples) > (-30 if name == PROBE else -20), "the self-test is soft"
    assert np.max(np.abs(np.diff(samples))) < 0.2
    assert abs(samples[0]) < 0.001
    assert abs(samples[-1]) < 0.001


def test_the_chime_has_its_three_notes() -> None:
    samples = tone("chime")
    for begin, hz in ((0.0, 784), (0.45, 659), (0.9, 523)):
        part = samples[round((begin + 0.05) * RATE) : round((begin + 0.4) * RATE)]
        assert strength(part, hz) > -20
