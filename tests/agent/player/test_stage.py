"""Performances on a simulated output: exact starts, gapless cues, take-over, drift, loss of the output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.player.protocol import BLOCK, RATE, PcmSource, Perform, PlayerCue, Report
from agent.player.sources import ArraySource, SampleSource, Unreadable
from agent.player.stage import TAKE_OVER, Stage
from tests.support.sound import end, gaps, level_dbfs, onset, sine, strength

SOUNDS = {
    "low": sine(440, 1.0, 0.25),
    "high": sine(2500, 1.0, 0.25),
    "ones": np.full(RATE, 0.5, dtype=np.float32),
    "count": (np.arange(RATE) / RATE).astype(np.float32),
    "silent": np.zeros(RATE, dtype=np.float32),
    "loud": sine(440, 1.0, 1.0),
}


class Bench:
    """A stage, a simulated card, and all that was said and put out."""

    def __init__(self, ppm: float = 0.0, began: float = 100.0) -> None:
        self.said: list[dict[str, Any]] = []
        self.out: list[np.ndarray] = []
        self.frame = 0
        self.began = began
        self.ppm = ppm
        self.stage = Stage(self._source, self._hear)

    def _hear(self, report: Report) -> None:
        self.said.append(report.message())

    def _source(self, performance: str, cue: PlayerCue) -> SampleSource:
        assert isinstance(cue.source, PcmSource)
        if cue.source.path not in SOUNDS:
            raise Unreadable(f"{cue.source.path}: no such file")
        return ArraySource(SOUNDS[cue.source.path])

    @property
    def now(self) -> float:
        return self.began + self.frame / RATE / (1 + self.ppm * 1e-6)

    def run(self, seconds: float) -> np.ndarray:
        blocks = []
        for _ in range(round(seconds * 100)):
            blocks.append(self.stage.render(BLOCK, self.now))
            self.frame += BLOCK
        out = np.concatenate(blocks).astype(np.float32) / 32_767
        self.out.append(out)
        return out

    def of(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.said if message["event"] == event]


def cue(name: str, number: int = 0, **rest: Any) -> PlayerCue:
    return PlayerCue(number, PcmSource(name), **rest)


def test_a_planned_start_is_at_its_exact_sample_and_reported_so() -> None:
    bench = Bench()
    bench.run(0.2)
    at = bench.now + 0.123456
    bench.stage.perform(Perform("a", (cue("ones"),), at=at))
    out = bench.run(1.5)
    assert onset(out) == round(0.123456 * RATE)
    assert bench.of("started")[0]["at"] == pytest.approx(at, abs=1.5 / RATE)
    assert bench.of("done")[0]["at"] == pytest.approx(at + 1.0, abs=1.5 / RATE)


def test_what_is_late_begins_where_it_should_be_by_now() -> None:
    bench = Bench()
    bench.run(0.2)
    bench.stage.perform(Perform("a", (cue("count"),), at=bench.now - 0.25))
    out = bench.run(0.5)
    assert out[2400] == pytest.approx(0.25 + 2400 / RATE, abs=0.001)
    assert np.max(np.abs(np.diff(out))) < 0.01  # it rises from nothing, no click


def test_cues_follow_without_a_gap_and_a_gap_is_as_long_as_asked() -> None:
    bench = Bench()
    bench.run(0.2)
    cues = (cue("ones"), cue("ones", 1), cue("ones", 2, gap_before_s=0.25))
    bench.stage.perform(Perform("a", cues, at=bench.now + 0.05))
    out = bench.run(4.0)
    assert [step - 1 for _, step in gaps(out)] == [0.25 * RATE]
    ended = bench.of("ended")
    assert [message["outcome"] for message in ended] == ["finished"] * 3
    assert [message["played_s"] for message in ended] == [1.0] * 3
    assert len(bench.of("done")) == 1


def test_a_cut_and_a_seek_are_exact_and_the_level_is_that_of_the_output() -> None:
    bench = Bench()
    bench.run(0.2)
    piece = cue("low", seek_s=0.5, for_s=0.2, gain_db=-6.0)
    bench.stage.perform(Perform("a", (piece,), at=bench.now + 0.05, gain_db=-6.0))
    out = bench.run(1.0)
    first, last = onset(out, 1e-4), end(out, 1e-4)
    assert first is not None
    assert last is not None
    assert last - first == pytest.approx(0.2 * RATE, abs=60)
    [ended] = bench.of("ended")
    assert ended["position_s"] == pytest.approx(0.7)
    assert ended["level_dbfs"] == pytest.approx(-12 - 12.04, abs=0.3)
    assert level_dbfs(out[first + 500 : last - 500]) == pytest.approx(-24.0, abs=0.1)


def test_a_new_performance_takes_over_within_the_next_block_without_a_click() -> None:
    bench = Bench()
    bench.run(0.2)
    bench.stage.perform(Perform("routine", (cue("low"),)))
    bench.run(0.3)
    bench.stage.perform(Perform("emergency", (cue("high"),)))
    out = bench.run(0.5)
    assert strength(out[TAKE_OVER : TAKE_OVER + 4800], 2500) > -13
    assert strength(out[TAKE_OVER : TAKE_OVER + 4800], 440) < -60
    [ended] = bench.of("ended")
    assert (ended["performance"], ended["outcome"]) == ("routine", "interrupted")
    assert ended["reason"] == "replaced by emergency"
    assert ended["position_s"] == pytest.approx(0.3 + TAKE_OVER / RATE, abs=0.001)
    assert [message["performance"] for message in bench.of("done")] == ["routine"]


def test_what_sounds_goes_on_until_the_planned_start_of_the_next() -> None:
    bench = Bench()
    bench.run(0.2)
    bench.stage.perform(Perform("a", (cue("low"),)))
    bench.run(0.1)
    bench.stage.perform(Perform("b", (cue("high"),), at=bench.now + 0.4))
    out = bench.run(0.6)
    assert strength(out[:19_000], 440) > -13
    assert strength(out[:19_000], 2500) < -60
    assert strength(out[20_000:], 2500) > -13


def test_a_stop_fades_and_says_where_to_resume() -> None:
    bench = Bench()
    bench.run(0.2)
    bench.stage.perform(Perform("a", (cue("ones"),)))
    bench.run(0.4)
    bench.stage.stop(0.1)
    out = bench.run(0.5)
    assert end(out) == pytest.approx(0.1 * RATE, abs=500)
    assert np.max(np.abs(np.diff(out))) < 0.01
    [ended] = bench.of("ended")
    assert (ended["outcome"], ended["reason"]) == ("interrupted", "stopped")
    assert ended["position_s"] == pytest.approx(0.5, abs=0.001)
    assert not bench.stage.busy


def test_silence_alone_is_a_failure_and_never_started() -> None:
    bench = Bench()
    bench.stage.perform(Perform("a", (cue("silent"), cue("low", 1))))
    bench.run(2.5)
    assert [(m["cue"], m["outcome"]) for m in bench.of("ended")] == [(0, "failed"), (1, "finished")]
    assert "no sound in 1.0 s" in bench.of("ended")[0]["reason"]
    assert [m["cue"] for m in bench.of("started")] == [1]


def test_a_missing_file_fails_and_the_next_cue_sounds_at_once() -> None:
    bench = Bench()
    bench.stage.perform(Perform("a", (cue("nowhere"), cue("ones", 1))))
    out = bench.run(1.5)
    assert onset(out) == 0
    assert bench.of("ended")[0]["outcome"] == "failed"
    assert "nowhere" in bench.of("ended")[0]["reason"]
    assert bench.of("done")


def test_cues_that_come_late_are_waited_for() -> None:
    bench = Bench()
    bench.stage.perform(Perform("a", (cue("ones"),), more=True))
    bench.run(1.5)
    assert not bench.of("done")
    assert bench.stage.append("a", (cue("ones", 1),), False)
    bench.run(1.5)
    assert [m["cue"] for m in bench.of("ended")] == [0, 1]
    assert len(bench.of("done")) == 1
    assert not bench.stage.append("a", (cue("ones", 2),), False)


def test_the_gain_goes_to_its_new_value_in_the_time_asked_without_a_step() -> None:
    bench = Bench()
    bench.stage.perform(Perform("a", (cue("ones"),)))
    bench.run(0.2)
    bench.stage.gain(-20.0, 0.1)
    out = bench.run(0.2)
    assert out[-1] == pytest.approx(0.05, abs=0.001)
    assert out[2400] == pytest.approx(0.5 * 10 ** (-10 / 20), rel=0.02)
    assert np.max(np.abs(np.diff(out))) < 0.001


def test_too_much_gain_is_limited_and_never_clips() -> None:
    bench = Bench()
    bench.stage.perform(Perform("a", (cue("loud"),), gain_db=20.0))
    out = bench.run(0.9)
    assert np.max(np.abs(out)) <= 0.98
    assert strength(out[9600:38_400], 440) == pytest.approx(-0.9, abs=0.2)
    assert strength(out[9600:38_400], 1320) < -50


@pytest.mark.parametrize("ppm", [-150.0, 150.0])
def test_a_drifting_card_is_followed_by_single_samples(ppm: float) -> None:
    SOUNDS["long"] = np.tile(sine(440, 1.0, 0.25), 60)
    bench = Bench(ppm)
    bench.run(0.5)
    at = bench.now + 0.1
    bench.stage.perform(Perform("a", (cue("long"),), at=at))
    out = bench.run(61.0)
    [done] = bench.of("done")
    # by the node's clock it lasted a minute, though the card's minute is 9 ms longer or shorter
    assert done["at"] - at == pytest.approx(60.0, abs=0.0006)
    sounding = out[10_000:-50_000]
    assert np.max(np.abs(np.diff(sounding))) < 1.5 * 0.25 * 2 * np.pi * 440 / RATE


def test_an_underrun_is_leapt_over_so_that_neighbours_stay_together() -> None:
    bench = Bench()
    bench.run(0.2)
    at = bench.now + 0.05
    bench.stage.perform(Perform("a", (cue("count"),), at=at))
    bench.run(0.3)
    bench.began += 0.060  # the card stood still for 60 ms
    out = bench.run(0.4)
    position = (bench.now - BLOCK / RATE - at) + 0.0
    assert out[-BLOCK] == pytest.approx(position, abs=0.001)


def test_without_an_output_time_goes_on_and_the_rest_is_heard_in_its_place() -> None:
    bench = Bench()
    bench.run(0.2)
    at = bench.now + 0.0
    bench.stage.perform(Perform("a", (cue("count"), cue("count", 1)), at=at))
    bench.run(0.4)
    lost = bench.now
    bench.stage.output_closed(lost)
    for step in range(1, 9):
        bench.stage.pass_by(lost + step * 0.1)
    bench.began += 0.8
    bench.stage.output_opened()
    out = bench.run(0.4)
    position = bench.now - BLOCK / RATE - at - 1.0
    assert out[-BLOCK] == pytest.approx(position, abs=0.001)
    first = bench.of("ended")[0]
    assert first["played_s"] == pytest.approx(0.4, abs=0.001)


def test_an_output_that_never_comes_back_still_brings_every_performance_to_its_end() -> None:
    bench = Bench()
    bench.stage.output_closed(100.0)
    bench.stage.perform(Perform("a", (cue("ones"),)))
    for step in range(50):
        bench.stage.pass_by(100.0 + step * 0.1)
    [ended] = bench.of("ended")
    assert ended["outcome"] == "failed"
    assert ended["played_s"] == 0
    assert bench.of("done")
    assert not bench.of("started")


def test_the_level_is_told_each_second_with_the_position() -> None:
    SOUNDS["long"] = np.tile(sine(440, 1.0, 0.25), 5)
    bench = Bench()
    bench.stage.perform(Perform("a", (cue("long"),)))
    bench.run(4.0)
    levels = bench.of("level")
    assert len(levels) >= 3
    assert all(m["level_dbfs"] == pytest.approx(-12.0, abs=0.2) for m in levels)
    assert np.all(np.diff([m["position_s"] for m in levels]) == pytest.approx(1.0, abs=0.02))
