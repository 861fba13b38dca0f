"""Streams that stall, fall silent, are refused and come back; what is heard meanwhile, told, and counted."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.player.protocol import BLOCK, RATE, StreamSource
from agent.player.receiver import Retrying
from agent.player.station import Manner, Station, manner_of
from playlists.units import DbFs, Seconds
from tests.support.sound import level_dbfs, pitch, sine, strength, write_pcm
from tests.support.wait import wait_until

SENDER = """
import array, json, math, os, sys, time
order = json.loads(sys.stdin.readline())
plan = order["url"].partition("://")[2]
wave = [round(8000 * math.sin(2 * math.pi * 500 * n / 48000)) for n in range(4800)]
sound = array.array("h", wave).tobytes()
def say(link, reason):
    os.write(2, json.dumps({"link": link, "reason": reason}).encode() + b"\\n")
# s: 100 ms of sound, -: of silence, w: wait 100 ms without a byte, x: end, r: refused three times
try:
    for step in plan * 50:
        if step == "r":
            for n in range(3):
                say("opening", "connection refused")
                time.sleep(0.3)
            sys.exit(1)
        if step == "x":
            sys.exit(0)
        time.sleep(0.1)
        if step != "w":
            say("open", "bytes come")
            os.write(1, sound if step == "s" else bytes(9600))
except BrokenPipeError:
    pass
"""

QUICK = Retrying(Seconds(2.0), Seconds(0.5), Seconds(0.1), Seconds(0.2))
MANNER = Manner(Seconds(0.2), Seconds(0.4), Seconds(0.5))


class Listener:
    """Reads a station at the pace of a card, and keeps what was said and heard."""

    def __init__(self, tmp_path: Path, plan: str, fallback: str | None, manner: Manner = MANNER) -> None:
        self.said: list[tuple[str, str | None]] = []
        self.heard: list[np.ndarray] = []
        script = tmp_path / "sender.py"
        script.write_text(SENDER)
        source = StreamSource(
            f"http://{plan}", Seconds(600.0), fallback, dead_air_dbfs=DbFs(-50.0), dead_air_s=Seconds(0.5)
        )
        self.station = Station(
            source,
            lambda state, reason: self.said.append((state, reason)),
            manner=manner,
            retrying=QUICK,
            tuner=[sys.executable, str(script)],
        )

    def begin(self) -> None:
        self._next = time.monotonic()

    def until(self, done: Callable[[], bool], what: str) -> None:
        def probe() -> bool:
            while self._next < time.monotonic():
                self.heard.append(self.station.read(BLOCK))
                self._next += BLOCK / RATE
            return done()

        wait_until(probe, 15, what)

    def ready(self) -> None:
        wait_until(lambda: "ready" in self.states, 10, "its first samples are there")
        self.begin()

    @property
    def states(self) -> list[str]:
        """States in order, each once in a row."""
        return [state for state, _ in itertools.groupby(state for state, _ in self.said)]

    def last(self, seconds: float) -> np.ndarray:
        return np.concatenate(self.heard)[-round(seconds * RATE) :]


@pytest.fixture
def fallback(tmp_path: Path) -> str:
    return str(write_pcm(tmp_path / "music", sine(2000, 0.3, 0.3)))


def test_a_station_that_was_received_ahead_is_heard_from_the_first_sample(tmp_path: Path) -> None:
    listener = Listener(tmp_path, "s", None)
    listener.ready()
    listener.until(lambda: len(listener.heard) >= 100, "a second of it")
    listener.station.close()
    assert listener.states[-2:] == ["ready", "playing"]
    whole = np.concatenate(listener.heard)
    assert level_dbfs(whole[480:]) == pytest.approx(-12.2, abs=0.3)
    assert pitch(listener.last(0.5)) == pytest.approx(500, abs=3)
    assert listener.station.relayed == len(whole)
    assert listener.station.remark is None


def test_a_silent_station_is_told_the_fallback_sounds_and_the_station_comes_back(
    tmp_path: Path, fallback: str
) -> None:
    listener = Listener(tmp_path, "s" * 5 + "-" * 15 + "s" * 600, fallback)
    listener.ready()
    listener.until(lambda: "silent" in listener.states, "the silence is noticed")
    listener.until(lambda: strength(listener.last(0.2), 2000) > -14, "the fallback sounds")
    listener.until(lambda: listener.states[-1] == "playing", "it is back")
    listener.until(lambda: strength(listener.last(0.2), 500) > -14, "the station sounds")
    listener.station.close()
    assert [s for s in listener.states if s not in ("opening", "ready")] == ["playing", "silent", "playing"]
    remark = listener.station.remark or ""
    assert "without the station (the fallback sounded): below -50 dBFS for 0.5 s" in remark
    assert (listener.station.relayed or 0) < len(listener.heard) * BLOCK - RATE // 2


def test_a_station_that_stutters_does_not_flap(tmp_path: Path, fallback: str) -> None:
    """After a failure it brings 0.3 s at a time: the fallback stays."""
    listener = Listener(tmp_path, "wwwwwwsss", fallback)
    listener.begin()
    listener.until(lambda: "stalled" in listener.states or "reconnecting" in listener.states, "it is away")
    listener.until(lambda: len(listener.heard) > 400, "four seconds")
    listener.station.close()
    assert "ready" in listener.states and "playing" not in listener.states
    assert strength(listener.last(0.2), 2000) > -14


def test_a_stalled_station_and_one_that_is_connected_again_are_told_apart(
    tmp_path: Path, fallback: str
) -> None:
    listener = Listener(tmp_path, "sssss" + "w" * 60, fallback)
    listener.ready()
    listener.until(lambda: "stalled" in listener.states, "the stall is noticed")
    listener.until(lambda: "reconnecting" in listener.states, "it is connected anew")
    listener.until(lambda: strength(listener.last(0.2), 2000) > -14, "the fallback sounds")
    listener.station.close()
    assert dict(listener.said)["stalled"] == "bytes come"
    assert dict(listener.said)["reconnecting"] == "no sound for 0.5 s"


def test_a_station_that_refuses_is_told_in_its_own_words_and_the_fallback_begins_at_once(
    tmp_path: Path, fallback: str
) -> None:
    listener = Listener(tmp_path, "r", fallback)
    wait_until(lambda: listener.said, 5, "the first refusal")
    time.sleep(0.5)  # its turn comes when it has been tried for longer than it may be away
    listener.begin()
    listener.until(lambda: len(listener.heard) >= 30, "its turn")
    listener.station.close()
    assert listener.said[0] == ("opening", "connection refused")
    assert listener.said[1] == ("reconnecting", "connection refused")
    assert strength(listener.last(0.1), 2000) > -14
    assert listener.station.relayed == 0


def test_a_station_that_ends_is_not_the_end(tmp_path: Path, fallback: str) -> None:
    listener = Listener(tmp_path, "sssx", fallback)
    listener.begin()
    listener.until(lambda: len(listener.heard) > 150, "a second and a half")
    listener.station.close()
    assert all(len(block) == BLOCK for block in listener.heard)
    assert listener.station.position == len(listener.heard) * BLOCK


def test_without_a_fallback_what_comes_back_is_heard_at_once(tmp_path: Path) -> None:
    listener = Listener(tmp_path, "sssss" + "w" * 12 + "s" * 100, None)
    listener.ready()
    listener.until(lambda: "stalled" in listener.states, "the stall is noticed")
    listener.until(lambda: listener.states[-1] == "playing", "it is back")
    listener.station.close()


def test_closing_a_station_ends_its_tuner(tmp_path: Path) -> None:
    listener = Listener(tmp_path, "w", None)
    receiver = listener.station._receiver
    wait_until(lambda: receiver._child is not None, 5, "a tuner runs")
    child = receiver._child
    listener.station.close()
    assert child is not None
    wait_until(lambda: child.poll() is not None, 5, "the tuner has ended")


def test_a_tuner_that_talks_nonsense_is_no_trouble(tmp_path: Path) -> None:
    said: list[tuple[str, str | None]] = []
    script = tmp_path / "babble.py"
    words = json.dumps({"link": "open", "reason": "at last"})
    script.write_text(f"""
import os, time
os.write(2, b"[0x7f] libvlc error\\n" + b"x" * 100_000 + b"\\n" + b'{{"link": 3}}\\n[]\\n')
os.write(2, {words!r}.encode() + b"\\n")
time.sleep(5)
""")
    source = StreamSource("http://x", Seconds(1.0))
    station = Station(source, lambda *w: said.append(w), retrying=QUICK, tuner=[sys.executable, str(script)])
    wait_until(lambda: ("opening", "at last") in said, 5, "what made sense was heard")
    station.close()


def test_what_must_not_be_late_has_a_small_cushion_and_what_must_not_break_off_a_large_one() -> None:
    def cushion_s(url: str, live: bool) -> float:
        return manner_of(StreamSource(url, Seconds(1.0), live=live)).cushion_s

    rtp, web = cushion_s("rtp://studio:5004", True), cushion_s("https://studio/live", True)
    assert rtp < web < cushion_s("https://radio.example/a", False)
