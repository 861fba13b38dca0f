"""The real player process, heard through a real PulseAudio sink: what it says against what came out."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.player.link import PlayerLink, player_argv
from agent.player.protocol import (
    Close,
    Gain,
    Open,
    PcmSource,
    Perform,
    PlayerCue,
    Stop,
    StreamSource,
    ToneSource,
)
from agent.worker import WorkerDied, WorkerSaid, WorkerStarted
from tests.support.pulse import Recorder, Sink, private_sink
from tests.support.sound import gaps, level_dbfs, onset, pitch, read_wav, sine, strength, write_pcm
from tests.support.wait import wait_until

Make = Callable[[list[str]], "Heard"]


class Heard:
    """A player and all that it said."""

    def __init__(self, argv: list[str]) -> None:
        self.events: list[Any] = []
        self.link = PlayerLink(argv, self.events.append)
        self.link.start()
        self.wait("ready")

    def of(self, event: str, performance: str | None = None) -> list[dict[str, Any]]:
        messages = [e.message for e in list(self.events) if isinstance(e, WorkerSaid)]
        return [
            message
            for message in messages
            if message["event"] == event and performance in (None, message.get("performance"))
        ]

    def wait(self, event: str, performance: str | None = None, count: int = 1) -> dict[str, Any]:
        what = f"{event} of {performance or 'the player'}"
        wait_until(lambda: len(self.of(event, performance)) >= count, 10, what)
        return self.of(event, performance)[count - 1]


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with private_sink() as made:
        yield made


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    made: list[Heard] = []

    def start(argv: list[str]) -> Heard:
        made.append(Heard(argv))
        return made[-1]

    yield start
    for heard in made:
        heard.link.stop()


@pytest.fixture
def player(sink: Sink, make: Make, monkeypatch: pytest.MonkeyPatch) -> Heard:
    for name, value in sink.env.items():
        monkeypatch.setenv(name, value)
    return make(player_argv("portaudio", "pulse"))


@pytest.fixture
def recorder(sink: Sink) -> Iterator[Recorder]:
    with sink.record() as made:
        yield made


def pcm(path: Path, hz: float, seconds: float, amplitude: float = 0.4) -> PcmSource:
    return PcmSource(str(write_pcm(path, sine(hz, seconds, amplitude))))


def open_ahead(player: Heard) -> None:
    player.link.send(Open())
    player.wait("output-open")
    # the card's clock is known after a few blocks
    player.link.ping()
    wait_until(lambda: player.link.ping() and player.of("pong")[-1:] and _blocks(player) > 20, 5, "20 blocks")


def _blocks(player: Heard) -> int:
    return int(player.of("pong")[-1]["blocks"])


def test_a_planned_performance_is_heard_at_its_instant_at_its_level_without_gaps(
    player: Heard, recorder: Recorder, tmp_path: Path
) -> None:
    open_ahead(player)
    at = time.monotonic() + 0.3
    cues = (
        PlayerCue(0, pcm(tmp_path / "a", 440, 0.5)),
        PlayerCue(1, pcm(tmp_path / "b", 880, 0.5), gain_db=-6.0),
    )
    player.link.send(Perform("a", cues, at=at, gain_db=-6.0))
    done = player.wait("done", "a")
    recording = recorder.finish()
    out = recording.between(at - 0.2, at + 1.3)
    first = onset(out, 0.002)
    assert first is not None
    heard_at = recording.at(round((at - 0.2 - recording.began) * 48_000) + first)
    assert heard_at == pytest.approx(at, abs=0.025)  # the recorder itself is good to a block of the sink
    assert player.of("started", "a")[0]["at"] == pytest.approx(at, abs=0.001)
    assert done["at"] - at == pytest.approx(1.0, abs=0.001)
    sound = out[first : first + 48_000]
    assert gaps(sound) == []
    assert level_dbfs(sound[2400:21_600]) == pytest.approx(-14, abs=0.3)
    assert level_dbfs(sound[26_400:45_600]) == pytest.approx(-20, abs=0.3)
    assert pitch(sound[2400:21_600]) == pytest.approx(440, abs=3)
    levels = [message["level_dbfs"] for message in player.of("ended", "a")]
    assert levels == [pytest.approx(-14, abs=0.2), pytest.approx(-20, abs=0.2)]


def test_from_closed_a_tone_is_heard_soon_and_a_take_over_sooner(
    player: Heard, recorder: Recorder, tmp_path: Path
) -> None:
    began = time.monotonic()
    player.link.send(Perform("routine", (PlayerCue(0, pcm(tmp_path / "a", 440, 20.0)),)))
    started = player.wait("started", "routine")
    assert started["at"] - began < 0.25
    player.wait("level", "routine")
    taken = time.monotonic()
    player.link.send(Perform("emergency", (PlayerCue(0, ToneSource("alarm")),)))
    emergency = player.wait("started", "emergency")
    assert emergency["at"] - taken < 0.2
    ended = player.wait("ended", "routine")
    assert (ended["outcome"], ended["reason"]) == ("interrupted", "replaced by emergency")
    player.wait("level", "emergency")
    player.link.send(Stop(0.0))
    player.wait("done", "emergency")
    recording = recorder.finish()
    assert strength(recording.between(taken - 0.2, taken), 440) > -20
    after = recording.between(taken + 0.2, taken + 0.4)
    assert strength(after, 440) < -40
    assert level_dbfs(after) > -15


def test_two_players_at_the_same_instant_are_heard_together(
    player: Heard, make: Make, recorder: Recorder, tmp_path: Path
) -> None:
    other = make(player_argv("portaudio", "pulse"))
    open_ahead(player)
    open_ahead(other)
    at = time.monotonic() + 0.3
    for heard, height in ((player, 0.3), (other, 0.6)):
        click = np.concatenate([[height], np.zeros(4800)])
        source = PcmSource(str(write_pcm(tmp_path / str(height), click)))
        heard.link.send(Perform("click", (PlayerCue(0, source),), at=at))
    player.wait("done", "click")
    other.wait("done", "click")
    out = recorder.finish().between(at - 0.2, at + 0.3)
    clicks = np.flatnonzero(np.abs(out) > 0.1)
    assert 1 <= len(clicks) <= 2
    assert (clicks[-1] - clicks[0]) / 48_000 < 0.003


def test_the_gain_of_what_sounds_is_changed(player: Heard, recorder: Recorder, tmp_path: Path) -> None:
    player.link.send(Perform("a", (PlayerCue(0, pcm(tmp_path / "a", 440, 3.0)),)))
    player.wait("started", "a")
    time.sleep(0.3)
    player.link.send(Gain(-20.0, 0.1))
    changed = time.monotonic()
    player.wait("level", "a", 2)
    player.link.send(Stop())
    player.wait("done", "a")
    recording = recorder.finish()
    before = level_dbfs(recording.between(changed - 0.2, changed - 0.05))
    assert before == pytest.approx(-8, abs=0.5)
    assert level_dbfs(recording.between(changed + 0.3, changed + 0.6)) == pytest.approx(-28, abs=0.5)


def test_bad_lines_are_reported_and_the_player_goes_on(player: Heard) -> None:
    player.link._link.send({"op": "perform", "performance": "x", "cues": [{"cue": 0, "source": {}}]})
    player.link._link.send({"op": "dance"})
    missing = PlayerCue(0, PcmSource("/nonexistent"))
    player.link.send(Perform("y", (missing, PlayerCue(1, ToneSource("none")))))
    player.wait("done", "y")
    assert len(player.of("refused")) == 2
    assert [message["outcome"] for message in player.of("ended", "y")] == ["failed", "failed"]
    assert "none" in player.of("ended", "y")[1]["reason"]
    assert not player.of("started", "y")


def test_a_killed_player_is_replaced_and_can_go_on(player: Heard, tmp_path: Path) -> None:
    source = pcm(tmp_path / "a", 440, 5.0)
    player.link.send(Perform("a", (PlayerCue(0, source),)))
    player.wait("started", "a")
    pid = player.link.pid
    assert pid is not None
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    player.wait("ready", count=2)
    player.link.send(Perform("a-again", (PlayerCue(0, source, seek_s=1.0),)))
    started = player.wait("started", "a-again")
    assert started["at"] - killed < 2.0
    kinds = [type(event) for event in player.events if not isinstance(event, WorkerSaid)]
    assert kinds == [WorkerStarted, WorkerDied, WorkerStarted]


def test_at_rest_it_uses_no_cpu_and_answers(player: Heard) -> None:
    player.link.send(Open())
    player.wait("output-open")
    player.link.send(Close())
    player.wait("output-closed")
    pid = player.link.pid
    before = _cpu_ticks(pid)
    time.sleep(1.0)
    assert _cpu_ticks(pid) - before <= 1
    player.link.ping()
    player.wait("pong")
    assert player.link.unanswered() == 0


def _cpu_ticks(pid: int | None) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_a_relay_lasts_exactly_as_long_as_asked_though_it_cannot_be_opened(
    player: Heard, recorder: Recorder, tmp_path: Path
) -> None:
    source = StreamSource("http://127.0.0.1:9/none", 1.0, None)
    cues = (PlayerCue(0, source), PlayerCue(1, pcm(tmp_path / "a", 440, 0.3)))
    player.link.send(Perform("a", cues))
    player.wait("done", "a")
    relay, music = player.of("ended", "a")
    assert (relay["outcome"], music["outcome"]) == ("failed", "finished")
    assert relay["played_s"] == 1.0
    assert music["at"] - relay["at"] == pytest.approx(0.3, abs=0.001)


def test_a_lost_sink_is_told_and_sound_comes_back_with_it(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with private_sink() as first:
        for name, value in first.env.items():
            monkeypatch.setenv(name, value)
        player = make(player_argv("portaudio", "pulse"))
        player.link.send(Perform("a", (PlayerCue(0, pcm(tmp_path / "a", 440, 30.0)),)))
        player.wait("started", "a")
        first.process.kill()
        first.process.wait()
        player.wait("output-lost")
        socket = Path(first.env["PULSE_SERVER"].removeprefix("unix:"))
        socket.unlink(missing_ok=True)
        with private_sink(socket=socket) as second, second.record() as recorder:
            player.wait("output-open", count=2)
            back = time.monotonic()
            wait_until(lambda: time.monotonic() > back + 0.8, 5, "some of it is recorded")
            out = recorder.finish().between(back + 0.3, back + 0.7)
        assert strength(out, 440) > -12
        assert not player.of("done", "a")


def test_without_any_card_a_file_is_written_at_the_pace_of_sound(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    player = make(player_argv("file", str(path)))
    began = time.monotonic()
    for name, hz in (("a", 440), ("b", 880)):
        player.link.send(Perform(name, (PlayerCue(0, pcm(tmp_path / name, hz, 0.5)),)))
        player.wait("done", name)
        player.link.send(Close())
        player.wait("output-closed", count=1 if name == "a" else 2)
    assert time.monotonic() - began > 1.0
    out = read_wav(path)
    first = onset(out)
    assert first is not None
    assert pitch(out[first : first + 24_000]) == pytest.approx(440, abs=3)
    assert strength(out[-26_000:], 880) > -20


def test_when_its_parent_is_gone_it_is_silent_at_once(
    player: Heard, recorder: Recorder, tmp_path: Path
) -> None:
    player.link.send(Perform("a", (PlayerCue(0, pcm(tmp_path / "a", 440, 30.0)),)))
    player.wait("started", "a")
    player.link._link.stop(5.0)  # closes its stdin and says nothing
    gone = time.monotonic()
    wait_until(lambda: time.monotonic() > gone + 0.4, 5, "what follows is recorded")
    out = recorder.finish().between(gone + 0.15, gone + 0.35)
    assert level_dbfs(out) < -60
