"""What a self-test says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.self_test import Judgement, ToneMeasured, judge, path_gain_db
from playlists.units import DbFs, Decibel

HZ = (520.0, 830.0, 1_270.0, 2_030.0)
REFERENCE = {hz: Decibel(-20.0) for hz in HZ}


def tones(*changes_db: float | None, noise: float = -80.0, put_out: float = -22.0) -> list[ToneMeasured]:
    """Tones that came back with these changes; None did not."""
    return [
        ToneMeasured(
            hz,
            DbFs(put_out),
            DbFs(noise + 2 if change is None else put_out - 20 + change),
            DbFs(noise),
        )
        for hz, change in zip(HZ, changes_db, strict=True)
    ]


@pytest.mark.parametrize(
    ("found", "verdict", "words"),
    [
        (judge(tones(0, 1, -1, 0), REFERENCE), "good", "as at installation"),
        (judge(tones(0, 1, -1, 0, put_out=-30), REFERENCE), "good", "as at installation"),
        (judge(tones(-6, -5, -7, -6), REFERENCE), "weaker", "6 dB softer"),
        (judge(tones(0, 0, None, 0), REFERENCE), "weaker", "1270 Hz lost"),
        (judge(tones(0, -15, 0, 0), REFERENCE), "weaker", "830 Hz lost"),
        (judge(tones(8, 7, 8, 9), REFERENCE), "changed", "8 dB louder"),
        (judge(tones(None, None, None, None), REFERENCE), "silent", "silent?"),
        (judge(tones(None, None, None, None), None), "silent", "silent?"),
        (judge(tones(None, None, None, None, noise=-40), REFERENCE), "unclear", "noise"),
        (judge(tones(0, None, 0, 0, noise=-60), {**REFERENCE, 830.0: Decibel(-40)}), "good", "as at"),
        (judge(tones(0, 0, 0, 0), None), "no-reference", "--reference"),
        (judge(tones(0, None, 0, 0), None), "no-reference", "not the tones of 830 Hz"),
        (judge(tones(0, 0, 0, 0), REFERENCE, clipped=True), "clipped", "turn its gain down"),
    ],
)
def test_each_case_has_its_word_and_says_what_to_do(found: Judgement, verdict: str, words: str) -> None:
    assert found.verdict == verdict
    assert words in found.text
    assert (found.fault is not None) == (verdict in ("weaker", "changed", "silent", "clipped"))


@given(st.lists(st.floats(-60, 30), min_size=4, max_size=4), st.floats(-120, -20))
def test_every_case_has_a_word(changes: list[float], noise: float) -> None:
    found = judge(tones(*changes, noise=noise), REFERENCE)
    assert found.text
    assert found.verdict != "no-reference"
    if found.verdict == "good":
        assert found.change_db is not None
        assert -4 < found.change_db < 6


def test_the_gain_of_the_whole_is_the_mean_of_the_powers() -> None:
    assert path_gain_db({}) is None
    assert path_gain_db(REFERENCE) == pytest.approx(-20)
    assert path_gain_db({500.0: Decibel(-20), 1_000.0: Decibel(-100)}) == pytest.approx(-23, abs=0.1)
