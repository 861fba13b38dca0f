"""Rooms, noises and other poles: what counts as heard."""

import numpy as np
import pytest

from agent.listener.bands import BANDS, band_powers, from_tenths, to_tenths
from agent.listener.comparison import Verdict, compare
from drivers.listener import Room
from tests.support.sound import sine
from tests.support.voices import AFTER, BEFORE, RATE, WINDOW, at_level, spoken, through, verdicts

NO_NOISE = Room(noise_dbfs=None)


def said(found: list[Verdict]) -> set[bool | None]:
    """What was said once there was enough sound to say anything."""
    return {verdict.heard for verdict in found if verdict.sound_s >= 2.5}


@pytest.mark.parametrize("gain_db", [0.0, -20.0, -45.0])
@pytest.mark.parametrize("delay_s", [0.0, 0.12, 0.5])
def test_what_comes_back_is_heard_however_soft_and_late(gain_db: float, delay_s: float) -> None:
    room = Room(gain_db=gain_db, delay_s=delay_s, noise_dbfs=-90)
    found = verdicts(spoken(0), through(room, 0))
    assert said(found) == {True}
    whole = [verdict for verdict in found if verdict.sound_s >= 3]
    assert [v.delay_s for v in whole] == pytest.approx([delay_s] * len(whole), abs=0.021)
    levels = [verdict.level_dbfs for verdict in whole if verdict.level_dbfs is not None]
    assert np.mean(levels) == pytest.approx(-20.0 + gain_db, abs=2.5)


@pytest.mark.parametrize(
    "room",
    [
        Room(echo_s=0.3, reverberation_s=1.5),
        Room(noise_dbfs=-40),
        Room(noise_dbfs=-30),
        Room(wind_dbfs=-35),
        Room(hum_dbfs=-20),
        Room(driven_db=40),
    ],
    ids=["echo and reverberation", "noise as loud", "noise 10 dB louder", "wind", "hum", "clipped"],
)
def test_it_is_heard_through_what_a_village_sounds_like(room: Room) -> None:
    found = verdicts(spoken(1), through(room, 1), -20.0)
    assert True in said(found)
    assert False not in said(found)


@pytest.mark.parametrize(
    "room",
    [
        Room(deaf=True),
        Room(deaf=True, noise_dbfs=None),
        Room(deaf=True, noise_dbfs=-45),
        Room(deaf=True, wind_dbfs=-30),
        Room(deaf=True, hum_dbfs=-30),
    ],
    ids=["quiet", "dead", "noise", "wind", "hum"],
)
def test_a_silent_loudspeaker_is_not_heard_whatever_else_is(room: Room) -> None:
    found = verdicts(spoken(2), through(room, 2), -20.0)
    assert said(found) == {False}
    first = next(number for number, verdict in enumerate(found, start=1) if verdict.heard is False)
    assert first * 0.5 - 1.0 <= 3.5, "within seconds: the first second is silence"


@pytest.mark.parametrize("over", [1, 2, 3])
def test_another_pole_that_says_something_else_does_not_count(over: int) -> None:
    found = verdicts(spoken(0), through(Room(deaf=True), 0, over=over), -20.0)
    assert said(found) == {False}


def test_what_could_hide_in_the_noise_is_not_called_missing() -> None:
    assert said(verdicts(spoken(0), through(Room(wind_dbfs=-10), 0), -20.0)) == {None}


def test_without_a_reference_a_loud_place_says_nothing() -> None:
    assert said(verdicts(spoken(0), through(Room(deaf=True, noise_dbfs=-40), 0))) == {None}


def test_a_neighbour_that_says_the_same_is_too_soft_to_be_this_loudspeaker() -> None:
    far = Room(gain_db=-50.0, delay_s=0.6, noise_dbfs=-90)
    assert said(verdicts(spoken(0), through(far, 0), -20.0)) == {False}
    assert said(verdicts(spoken(0), through(far, 0))) == {True}, "nobody knows here how loud it should be"


def test_a_tone_is_known_by_its_beginning_and_says_nothing_after_it() -> None:
    tone = np.concatenate([np.zeros(RATE, dtype=np.float32), sine(1_000, 9.0, 0.1)])
    found = verdicts(tone, NO_NOISE.carry(tone, RATE))
    assert found[3].heard is True
    assert found[-1].heard is None
    hum = Room(deaf=True, hum_dbfs=-30).carry(tone, RATE)
    assert verdicts(tone, hum, -20.0)[-1].heard is None, "its own hum could hide it"
    assert verdicts(tone, hum * 0)[-1].heard is False, "where nothing at all comes back it is plain"


def test_half_a_second_of_sound_says_nothing() -> None:
    short = np.concatenate([np.zeros(RATE, dtype=np.float32), spoken(0)[RATE : RATE + RATE // 2]])
    assert {verdict.heard for verdict in verdicts(short, NO_NOISE.carry(short, RATE))} == {None}


def test_silence_says_nothing() -> None:
    silence = np.zeros(6 * RATE, dtype=np.float32)
    assert {verdict.heard for verdict in verdicts(silence, Room().carry(silence, RATE))} == {None}


def test_where_nothing_is_known_nothing_is_said() -> None:
    unknown = np.full((WINDOW, BANDS), np.nan)
    assert compare(np.full((WINDOW + BEFORE + AFTER, BANDS), np.nan), unknown).heard is None
    assert compare(np.ones((WINDOW + BEFORE + AFTER, BANDS)), unknown).heard is None
    with pytest.raises(ValueError, match="must have gone out"):
        compare(unknown, unknown)


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000])
def test_a_band_has_the_power_of_the_tone_in_it_at_any_rate(rate: int) -> None:
    t = np.arange(rate) / rate
    powers = band_powers((0.5 * np.sin(2 * np.pi * 1_200 * t)).astype(np.float32), rate)
    assert powers.shape == (50, BANDS)
    assert powers.mean(axis=0)[3] == pytest.approx(0.125, rel=0.02)
    assert powers.mean(axis=0)[[0, 1, 5]] == pytest.approx(0, abs=1e-4)


def test_bands_survive_the_pipe() -> None:
    powers = band_powers(at_level(spoken(0)[RATE : 2 * RATE], -20), RATE)
    assert from_tenths(to_tenths(powers)) == pytest.approx(powers, rel=0.02, abs=1e-11)
    with pytest.raises(ValueError):
        from_tenths([[1, 2, 3]])
