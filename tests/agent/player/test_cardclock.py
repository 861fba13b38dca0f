"""A simulated card that drifts, jumps and underruns; performances that stay with the node's clock."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.player.cardclock import LEAP, CardClock, Drift
from agent.player.protocol import BLOCK, RATE


def observe(
    clock: CardClock, frame: int, began: float, ppm: float, noise: random.Random | None = None
) -> float:
    dac = began + frame / RATE / (1 + ppm * 1e-6)
    clock.observe(frame, dac + (noise.gauss(0, 0.0001) if noise else 0.0))
    return dac


@pytest.mark.parametrize("ppm", [-200.0, 0.0, 40.0, 120.0])
def test_over_half_an_hour_a_drifting_card_stays_within_half_a_millisecond(ppm: float) -> None:
    clock, drift, noise = CardClock(), Drift(), random.Random(7)
    elapsed, worst, began = 0, 0.0, 1000.0
    anchor: float | None = None
    steps = []
    block = BLOCK
    for number in range(180_000):
        frame = number * block
        true = observe(clock, frame, began, ppm, noise)
        if not clock.settled:
            elapsed += block
            continue
        if anchor is None:
            anchor = clock.instant(frame) - elapsed / RATE
        step = drift.step((clock.instant(frame) - anchor) * RATE - elapsed)
        assert abs(step) <= 1
        elapsed += block + step
        steps.append(step)
        if number > 500:
            worst = max(worst, abs((true - anchor) * RATE - elapsed + block))
    assert worst / RATE < 0.0005
    assert abs(sum(steps)) == pytest.approx(abs(ppm) * 1e-6 * 1800 * RATE, abs=60)


def test_the_first_estimates_of_a_fresh_stream_are_not_trusted() -> None:
    clock = CardClock()
    # as PulseAudio does: three blocks are taken at once, then 30 ms pass before the first is heard
    for frame in (0, 1, 2):
        clock.observe(frame * BLOCK, 10.0 + frame * BLOCK / RATE)
    assert not clock.settled
    for frame in range(3, 12):
        clock.observe(frame * BLOCK, 10.0307 + frame * BLOCK / RATE)
    assert clock.settled
    assert clock.instant(0) == pytest.approx(10.0307, abs=1e-6)


def test_one_strange_reading_changes_nothing_and_an_underrun_is_followed() -> None:
    clock = CardClock()
    for number in range(100):
        clock.observe(number * BLOCK, 5.0 + number * BLOCK / RATE)
    clock.observe(100 * BLOCK, 5.020 + 100 * BLOCK / RATE)
    assert clock.instant(0) == pytest.approx(5.0, abs=1e-6)
    for number in range(101, 106):
        clock.observe(number * BLOCK, 5.050 + number * BLOCK / RATE)
    assert clock.instant(0) == pytest.approx(5.050, abs=1e-4)


@given(st.floats(-1e6, 1e6))
def test_a_large_error_is_leapt_over_at_once_and_exactly(error: float) -> None:
    step = Drift().step(error)
    if abs(error) > LEAP:
        assert abs(step - error) <= 0.5
    else:
        assert abs(step) <= 1


def test_a_small_error_is_left_alone_and_a_correction_goes_to_the_end() -> None:
    drift = Drift()
    assert [drift.step(error) for error in (0.0, 5.0, -11.0)] == [0, 0, 0]
    assert [drift.step(error) for error in (13.0, 12.0, 5.0, 1.5, 0.5, 5.0)] == [1, 1, 1, 1, 0, 0]


def test_the_clock_cannot_be_asked_before_it_was_observed() -> None:
    with pytest.raises(ValueError, match="never observed"):
        CardClock().instant(0)
