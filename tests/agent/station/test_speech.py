"""Sounds that the station makes itself."""

from pathlib import Path

import pytest

from agent.speech import NoVoice, Unspeakable, Voice, Voices
from agent.station import loudness, music
from agent.station.speech import Kitchen
from playlists.units import Decibel, Seconds


def test_a_text_is_spoken_once_and_kept(tmp_path: Path) -> None:
    kitchen = Kitchen(tmp_path, Voices())
    path = kitchen.speech("Kính mời bà con.", "vi")
    made = path.stat().st_mtime_ns
    assert Kitchen(tmp_path, Voices()).speech("Kính mời bà con.", "vi") == path
    assert path.stat().st_mtime_ns == made
    assert kitchen.speech("Kính mời bà con!", "vi") != path
    slow = Kitchen(tmp_path, Voices({"vi": Voice(rate_wpm=100)})).speech("Kính mời bà con.", "vi")
    assert loudness.measure(slow).duration_s > 1.2 * loudness.measure(path).duration_s
    found = loudness.measure(path)
    assert 0.5 < found.duration_s < 4
    assert found.integrated_lufs + found.gain_db > loudness.TARGET_LUFS - 3, "intelligible beside music"


def test_a_language_without_a_voice_is_told(tmp_path: Path) -> None:
    kitchen = Kitchen(tmp_path, Voices())
    with pytest.raises(NoVoice, match="hmn"):
        kitchen.speech("Nyob zoo", "hmn")
    assert kitchen.silent("hmn") == "no voice for hmn"
    assert kitchen.silent("vi") is None
    with pytest.raises(Unspeakable):
        kitchen.speech("😀", "vi")
    assert list(tmp_path.iterdir()) == []


def test_the_same_tune_gives_the_same_bytes_of_the_exact_length(tmp_path: Path) -> None:
    samples = music.tune(Seconds(3))
    assert len(samples) == 3 * music.RATE_HZ * 2
    assert samples == music.tune(Seconds(3))
    for name in ("a", "b"):
        loudness.encode(samples, music.RATE_HZ, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert loudness.measure(tmp_path / "a").duration_s == pytest.approx(3, abs=0.001)


def test_gain_reaches_the_target_but_never_lifts_a_peak_above_the_ceiling() -> None:
    assert loudness.Loudness(-20.0, -10.0, Seconds(1)).gain_db == Decibel(4.0)
    assert loudness.Loudness(-30.0, -3.0, Seconds(1)).gain_db == Decibel(2.0)
    assert loudness.Loudness(-10.0, 0.0, Seconds(1)).gain_db == Decibel(-6.0)
    assert loudness.Loudness(-60.0, -50.0, Seconds(1)).gain_db == Decibel(20.0)


def test_silence_and_noise_that_is_no_file_are_no_sound(tmp_path: Path) -> None:
    loudness.encode(bytes(96_000), 48_000, tmp_path / "silent.opus")
    with pytest.raises(loudness.NotSound, match="silent"):
        loudness.measure(tmp_path / "silent.opus")
    (tmp_path / "text.mp3").write_text("not sound")
    with pytest.raises(loudness.NotSound, match="no sound"):
        loudness.measure(tmp_path / "text.mp3")
