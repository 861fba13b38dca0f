"""The arithmetic of sound: no clip, no click, levels as said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from agent.player import mixer
from tests.support.sound import level_dbfs, sine, strength

blocks = hnp.arrays(
    np.float32,
    st.integers(2, 480),
    elements=st.floats(-8, 8, width=32, allow_nan=False, allow_infinity=False),
)


@given(st.lists(blocks, min_size=1, max_size=5))
def test_the_limiter_never_lets_a_sample_above_its_ceiling(parts: list[np.ndarray]) -> None:
    held = 1.0
    for part in parts:
        out, held = mixer.limit(part, held)
        assert len(out) == len(part)
        assert 0 < held <= 1.0
        assert np.max(np.abs(out)) <= mixer.CEILING + 1e-6


@given(blocks.map(lambda block: block * np.float32(0.1)))
def test_the_limiter_leaves_what_fits_alone(block: np.ndarray) -> None:
    out, held = mixer.limit(block, 1.0)
    assert held == 1.0
    assert np.array_equal(out, block)


def test_the_limiter_comes_back_to_full_gain_slowly() -> None:
    _, held = mixer.limit(sine(1000, 0.01, 2.0), 1.0)
    assert held < 0.5
    quiet = sine(1000, 0.01, 0.1)
    steps = 0
    while held < 1.0:
        _, held = mixer.limit(quiet, held)
        steps += 1
    assert 50 < steps < 120  # 0.5 to 1.2 s for 7 dB


@given(
    st.floats(0.001, 4).filter(lambda g: g > 0.001),
    st.floats(0.001, 4),
    st.integers(1, 480),
    st.integers(1, 480),
)
def test_a_ramp_ends_where_it_should_and_has_no_step(first: float, last: float, n: int, _m: int) -> None:
    gains = mixer.ramp(first, last, n)
    assert gains[-1] == pytest.approx(last, rel=1e-4)
    whole = np.concatenate([[first], gains])
    decibels = 20 * np.log10(whole)
    assert np.all(np.abs(np.diff(decibels)) <= abs(decibels[-1] - decibels[0]) / n + 1e-3)


def test_a_gain_in_decibels_is_the_level_difference_in_the_sound() -> None:
    tone = sine(1000, 1.0, 0.5)
    assert level_dbfs(tone * mixer.factor(-12.0)) - level_dbfs(tone) == pytest.approx(-12.0, abs=0.01)
    assert mixer.factor(-200.0) == 0.0


@given(st.lists(blocks, min_size=1, max_size=4))
def test_the_meter_over_blocks_is_that_of_the_whole(parts: list[np.ndarray]) -> None:
    meter = mixer.Meter()
    for part in parts:
        meter.add(part)
    whole = np.concatenate(parts).astype(np.float64)
    level = meter.level()
    expected = mixer.dbfs(math.sqrt(float(np.mean(whole**2))))
    assert (level is None) == (expected is None)
    if level is not None and expected is not None:
        assert level == pytest.approx(expected, abs=0.05)
    assert meter.peak == pytest.approx(float(np.max(np.abs(whole))), rel=1e-5)


def test_a_full_scale_sine_reads_zero_and_silence_reads_nothing() -> None:
    meter = mixer.Meter()
    meter.add(sine(1000, 1.0, 1.0))
    assert meter.level() == pytest.approx(0.0, abs=0.01)
    assert mixer.Meter().level() is None
    meter = mixer.Meter()
    meter.add(mixer.silence(480))
    assert meter.level() is None
    assert meter.recent() == (None, None)


@given(blocks)
def test_dropping_and_repeating_change_the_length_by_one_and_invent_nothing(block: np.ndarray) -> None:
    shorter, longer = mixer.drop_one(block), mixer.repeat_one(block)
    assert (len(shorter), len(longer)) == (len(block) - 1, len(block) + 1)
    assert np.max(np.abs(longer)) <= np.max(np.abs(block)) + 1e-6
    assert longer[0] == block[0]
    assert longer[-1] == block[-1]


def test_a_dropped_sample_a_block_is_not_heard() -> None:
    tone = sine(440, 1.0, 0.5)
    dropped = np.concatenate([mixer.drop_one(part) for part in np.split(tone, 100)])
    assert np.max(np.abs(np.diff(dropped))) < 1.6 * np.max(np.abs(np.diff(tone)))
    # all that is not the tone and its near neighbourhood stays 50 dB below it
    for hz in (1_000, 3_000, 7_000, 12_000):
        assert strength(dropped, hz) < strength(dropped, 441) - 50


def test_a_fall_and_a_rise_add_up_to_one() -> None:
    fall = mixer.envelope_out(0, 480, 480)
    rise = mixer.fade_in(np.ones(480, dtype=np.float32), 480)
    assert np.allclose(fall + rise, 1.0, atol=1e-5)
    assert np.all(mixer.envelope_out(-480, 480, 480) == 1.0)
    assert np.all(mixer.envelope_out(480, 480, 480) < 1e-6)


@given(st.integers(-300, 700), st.integers(0, 500), st.integers(1, 480))
def test_a_fall_cut_into_blocks_is_the_same_fall(start: int, length: int, n: int) -> None:
    whole = mixer.envelope_out(start, length, 2 * n)
    halves = [mixer.envelope_out(start, length, n), mixer.envelope_out(start + n, length, n)]
    assert np.array_equal(whole, np.concatenate(halves))
    assert np.all((whole >= 0) & (whole <= 1))


@given(hnp.arrays(np.int16, st.integers(1, 100)))
def test_samples_go_to_float_and_back_within_one_step(samples: np.ndarray) -> None:
    back = mixer.to_s16(mixer.from_s16(samples)).astype(np.int32)
    assert np.max(np.abs(back - samples.astype(np.int32))) <= 1
