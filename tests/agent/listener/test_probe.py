"""The self-test's tones, found again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.listener.probe import Expected, clipped, find_tones, goertzel
from agent.player.synth import tone
from agent.tones import FUNDAMENTAL, PROBE, TONES
from drivers.listener import Room
from playlists.units import Seconds
from tests.support.sound import sine, strength

RATE = 48_000
NOTES = TONES[PROBE].notes
PUT_OUT_DBFS = 20 * np.log10(NOTES[0].amplitude * FUNDAMENTAL)


def heard(room: Room, rate: int = RATE) -> tuple[np.ndarray, list[Expected]]:
    """A recording that begins a second before the tone, and what is looked for in it."""
    around = np.zeros(RATE, dtype=np.float32)
    samples = room.carry(np.concatenate([around, tone(PROBE), around]), RATE)
    if rate != RATE:
        at = np.arange(int(len(samples) * rate / RATE)) * RATE / rate
        samples = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
    return samples, [Expected(Seconds(1.0 + note.at_s), note.hz, Seconds(note.length_s)) for note in NOTES]


@given(hz=st.floats(300, 5_000), amplitude=st.floats(0.01, 0.9), other=st.floats(6_000, 9_000))
@settings(max_examples=40, deadline=None)
def test_goertzel_agrees_with_the_plain_sum_and_passes_other_tones_by(
    hz: float, amplitude: float, other: float
) -> None:
    samples = sine(hz, 0.24, amplitude) + sine(other, 0.24, 0.05)
    found = 10 * np.log10(2 * goertzel(samples, RATE, hz))
    assert found == pytest.approx(strength(samples, hz), abs=0.05)
    assert found == pytest.approx(20 * np.log10(amplitude), abs=0.1)


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.31, 0.5])
@pytest.mark.parametrize("rate", [48_000, 16_000])
def test_tones_are_found_at_their_delay_with_their_level(delay_s: float, rate: int) -> None:
    samples, tones = heard(Room(gain_db=-20, delay_s=delay_s, noise_dbfs=-75), rate)
    at_s, found = find_tones(samples, rate, tones)
    assert at_s == pytest.approx(delay_s, abs=0.05)
    for each in found:
        assert each.level_dbfs == pytest.approx(PUT_OUT_DBFS - 20, abs=1.0)
        assert each.noise_dbfs < each.level_dbfs - 30


def test_tones_are_found_in_reverberation_noise_and_hum() -> None:
    room = Room(gain_db=-20, delay_s=0.2, reverberation_s=0.8, noise_dbfs=-45, hum_dbfs=-25)
    samples, tones = heard(room)
    _, found = find_tones(samples, RATE, tones)
    for each in found:
        assert each.level_dbfs > each.noise_dbfs + 10
        assert each.level_dbfs == pytest.approx(PUT_OUT_DBFS - 20, abs=8)


def test_what_does_not_sound_stays_in_the_noise() -> None:
    samples, tones = heard(Room(deaf=True, noise_dbfs=-45))
    _, found = find_tones(samples, RATE, tones)
    assert all(each.level_dbfs < each.noise_dbfs + 10 for each in found)


def test_a_dead_microphone_has_no_level_at_all() -> None:
    samples, tones = heard(Room(deaf=True, noise_dbfs=None))
    _, found = find_tones(samples, RATE, tones)
    assert all(each.level_dbfs == each.noise_dbfs < -120 for each in found)


def test_a_microphone_that_is_driven_too_hard_is_seen() -> None:
    assert clipped(heard(Room(gain_db=0, driven_db=40))[0])
    assert not clipped(heard(Room(gain_db=0))[0])
    assert not clipped(np.zeros(2, dtype=np.float32))
