"""Files of samples at any rate, tones, and stations that stall, fall silent and come back."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.player.protocol import BLOCK, RATE
from agent.player.resample import Interpolator
from agent.player.sources import PcmFileSource, Unreadable
from agent.player.station import JitterBuffer, Patience, Station
from agent.player.synth import tone
from agent.tones import PROBE, TONES
from tests.support.sound import level_dbfs, pitch, sine, strength, write_pcm
from tests.support.wait import wait_until


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


def test_the_jitter_buffer_waits_for_its_cushion_and_again_after_it_ran_dry() -> None:
    buffer = JitterBuffer(1000, 48_000)
    buffer.put(np.ones(900, np.float32), lambda: False)
    assert buffer.take(480) is None
    buffer.put(np.ones(600, np.float32), lambda: False)
    taken = [buffer.take(480) for _ in range(5)]
    assert [None if block is None else len(block) for block in taken] == [480, 480, 480, None, None]
    buffer.put(np.ones(400, np.float32), lambda: False)
    assert buffer.take(480) is None  # not before the cushion is there again


SENDER = """
import array, math, os, sys, time
wave = [round(8000 * math.sin(2 * math.pi * 500 * n / 48000)) for n in range(4800)]
sound = array.array("h", wave).tobytes()
plan = sys.argv[1]   # s: 100 ms of sound, -: of silence, w: wait 100 ms without a byte
try:
    os.write(1, sound * 5)
    for step in plan * 50:
        time.sleep(0.05)
        if step != "w":
            os.write(1, sound if step == "s" else bytes(9600))
        if step == "x":
            sys.exit(0)
except BrokenPipeError:
    pass
"""

QUICK = Patience(2.0, 0.4, 0.4, -50.0, 0.8, 0.8, 0.2)


class Listener:
    """Reads a station at the pace of a card, and keeps what was said and heard."""

    def __init__(self, tmp_path: Path, plan: str, fallback: str | None) -> None:
        self.said: list[tuple[str, str | None]] = []
        self.heard: list[np.ndarray] = []
        script = tmp_path / "sender.py"
        script.write_text(SENDER)
        self.station = Station(
            plan,
            600.0,
            fallback,
            lambda state, reason: self.said.append((state, reason)),
            QUICK,
            [sys.executable, str(script)],
        )
        self._next = time.monotonic()

    def until(self, done: Callable[[], bool], what: str) -> None:
        def probe() -> bool:
            while self._next < time.monotonic():
                self.heard.append(self.station.read(BLOCK))
                self._next += BLOCK / RATE
            return done()

        wait_until(probe, 10, what)

    @property
    def states(self) -> list[str]:
        return [state for state, _ in self.said]

    def last(self, seconds: float) -> np.ndarray:
        return np.concatenate(self.heard)[-round(seconds * RATE) :]


@pytest.fixture
def fallback(tmp_path: Path) -> str:
    return str(write_pcm(tmp_path / "music", sine(2000, 0.3, 0.3)))


def test_a_station_is_heard_and_stays_without_gaps(tmp_path: Path) -> None:
    listener = Listener(tmp_path, "s", None)
    listener.until(lambda: listener.states == ["playing"], "the station plays")
    listener.until(lambda: len(listener.heard) > 150, "a second more of it")
    listener.station.close()
    assert listener.states == ["playing"]
    assert level_dbfs(listener.last(0.5)) == pytest.approx(-12.2, abs=0.2)
    assert pitch(listener.last(0.5)) == pytest.approx(500, abs=3)


def test_a_silent_station_is_told_the_fallback_sounds_and_the_station_comes_back(
    tmp_path: Path, fallback: str
) -> None:
    listener = Listener(tmp_path, "-" * 25 + "s" * 25, fallback)
    listener.until(lambda: "silent" in listener.states, "the silence is noticed")
    listener.until(lambda: strength(listener.last(0.2), 2000) > -14, "the fallback sounds")
    listener.until(lambda: listener.states[-1] == "playing" and len(listener.states) >= 3, "it is back")
    listener.station.close()
    assert listener.states[:3] == ["playing", "silent", "playing"]


def test_a_stalled_station_is_told_and_tried_again_while_the_fallback_sounds(
    tmp_path: Path, fallback: str
) -> None:
    listener = Listener(tmp_path, "sss" + "w" * 60, fallback)
    listener.until(lambda: "stalled" in listener.states, "the stall is noticed")
    listener.until(lambda: strength(listener.last(0.2), 2000) > -14, "the fallback sounds")
    listener.until(lambda: listener.states.count("playing") == 2, "a new decoder brings it back")
    listener.station.close()


def test_a_station_that_ends_is_not_the_end(tmp_path: Path, fallback: str) -> None:
    listener = Listener(tmp_path, "sssx", fallback)
    listener.until(lambda: len(listener.heard) > 150, "a second and a half")
    listener.station.close()
    assert all(len(block) == BLOCK for block in listener.heard)
    assert listener.station.position == len(listener.heard) * BLOCK


def test_closing_a_station_ends_its_decoder(tmp_path: Path) -> None:
    listener = Listener(tmp_path, "w", None)
    wait_until(lambda: listener.station._child is not None, 5, "a decoder runs")
    child = listener.station._child
    listener.station.close()
    assert child is not None
    wait_until(lambda: child.poll() is not None, 5, "the decoder has ended")
