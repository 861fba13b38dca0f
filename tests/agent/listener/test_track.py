"""The last seconds, on one grid."""

import numpy as np
import pytest

from agent.listener.bands import BANDS
from agent.listener.track import Recording, Track
from tests.support.sound import sine

RATE = 48_000


def test_a_hole_is_not_known_and_what_is_old_is_forgotten() -> None:
    track = Track()
    track.put(100.0, np.full((50, BANDS), 1.0))
    track.put(102.0, np.full((50, BANDS), 2.0))
    assert track.until == pytest.approx(103.0)
    found = track.rows(5_000, 5_200)[:, 0]
    assert np.array_equal(found[:50], np.full(50, 1.0))
    assert np.isnan(found[50:100]).all()
    assert np.array_equal(found[100:150], np.full(50, 2.0))
    assert np.isnan(found[150:]).all()
    track.put(200.0, np.full((1, BANDS), 3.0))
    assert np.isnan(track.rows(5_000, 5_150)).all()
    assert np.isnan(track.rows(9_600, 10_000)).all()


def test_a_recording_keeps_its_samples_at_their_instants() -> None:
    recording = Recording(RATE)
    tone = sine(1_000, 2.0)
    for begin in range(0, len(tone), 1_000):
        recording.add(tone[begin : begin + 1_000], 50.0 + begin / RATE)
    samples, at = recording.between(50.5, 51.0)
    assert at == pytest.approx(50.5, abs=0.001)
    assert np.array_equal(samples, tone[RATE // 2 : RATE])
    assert recording.until == pytest.approx(52.0, abs=0.001)
    assert recording.track.until == pytest.approx(52.0, abs=0.03)


def test_a_clock_that_goes_differently_is_followed() -> None:
    recording = Recording(RATE)
    block = np.zeros(9_600, dtype=np.float32)
    for number in range(3_000):  # ten minutes, 300 ppm
        recording.add(block, number * 0.2 * 1.0003)
    assert recording.until == pytest.approx(3_000 * 0.2 * 1.0003, abs=0.01)


def test_after_a_hole_it_begins_anew() -> None:
    recording = Recording(RATE)
    recording.add(np.ones(RATE, dtype=np.float32), 10.0)
    recording.add(np.zeros(RATE, dtype=np.float32), 15.0)
    samples, at = recording.between(9.0, 20.0)
    assert at == pytest.approx(15.0)
    assert not samples.any()
    assert len(samples) == RATE
