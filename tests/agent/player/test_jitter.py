"""The jitter buffer: a cushion that is kept, grown and caught up with, on a clock that only moves when told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.player.jitter import BURST_S, MOST_S, JitterBuffer
from agent.player.protocol import BLOCK, RATE
from tests.support.sound import Samples

CUSHION_S = 0.2


class Stream:
    """A buffer between a sender and a reader; samples count up, so that each tells when it was sent."""

    def __init__(self, *, keep_up: bool, paced: bool = True) -> None:
        self.now = 100.0
        self.buffer = JitterBuffer(CUSHION_S, keep_up=keep_up, clock=lambda: self.now)
        self.buffer.paced = paced
        self.sent = 0

    def send(self, seconds: float) -> bool:
        """Put so much at once, 10 ms at a time; False when the sender would have had to wait."""
        waited: list[bool] = []
        for _ in range(round(seconds * 100)):
            block = np.arange(self.sent, self.sent + BLOCK, dtype=np.float32) + RATE
            self.sent += BLOCK
            self.buffer.put(block)
            self.buffer.wait_for_room(lambda: waited.append(True) or True)
        return not waited

    def pass_(self, seconds: float, *, send: bool = True, take: bool = True) -> list[Samples | None]:
        """Let time pass."""
        taken = []
        for _ in range(round(seconds * 100)):
            self.now += 0.01
            if send:
                self.send(0.01)
            if take:
                taken.append(self.buffer.take(BLOCK))
        return taken

    def delay_s(self) -> float:
        """How late what is heard now is."""
        block = self.buffer.take(BLOCK)
        assert block is not None
        return (self.sent - (float(block[-1]) - RATE)) / RATE


def test_it_waits_for_its_cushion_and_again_after_it_ran_dry() -> None:
    stream = Stream(keep_up=False)
    stream.send(0.19)
    assert stream.buffer.take(BLOCK) is None and not stream.buffer.ready
    stream.send(0.01)
    assert stream.buffer.ready
    taken = stream.pass_(0.25, send=False)
    # what was left goes out, faded, and then silence
    assert 20 <= sum(block is not None for block in taken) <= 21
    stream.send(0.19)
    assert stream.buffer.take(BLOCK) is None


@pytest.mark.parametrize("keep_up", [True, False])
def test_before_its_turn_only_the_newest_is_kept(keep_up: bool) -> None:
    """A burst of four seconds comes at once, as Icecast sends it, and then ten seconds pass."""
    stream = Stream(keep_up=keep_up)
    assert stream.send(4.0)
    stream.pass_(10.0, take=False)
    assert stream.delay_s() < 1.6 * CUSHION_S


def test_a_live_broadcast_does_not_begin_with_what_is_past() -> None:
    stream = Stream(keep_up=True)
    stream.send(0.5)
    assert stream.buffer.take(BLOCK) is None  # more may follow at once
    stream.send(3.5)
    taken = stream.pass_(0.5)
    assert any(block is not None for block in taken)
    assert stream.delay_s() < 0.55


def test_after_a_stall_a_live_broadcast_leaps_and_a_station_does_not() -> None:
    late = {}
    for keep_up in (True, False):
        stream = Stream(keep_up=keep_up)
        stream.pass_(2.0)
        stream.pass_(2.0, send=False)
        stream.send(2.0)
        stream.pass_(0.5)
        late[keep_up] = stream.delay_s()
    assert late[True] < 0.6
    assert late[False] == pytest.approx(2.0, abs=0.5)


def test_each_time_that_it_runs_dry_the_cushion_grows_but_not_for_ever() -> None:
    stream = Stream(keep_up=False)
    cushions = []
    for _ in range(12):
        n = 0
        while not stream.buffer.ready:
            stream.send(0.01)
            n += 1
        cushions.append(n / 100)
        stream.pass_(3.0, send=False)
    assert cushions[:2] == pytest.approx([CUSHION_S, 1.5 * CUSHION_S], abs=0.02)
    assert cushions == sorted(cushions)
    assert cushions[-1] == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize("ppm", [-800, 800])
def test_a_sender_whose_clock_is_off_is_followed(ppm: int) -> None:
    stream = Stream(keep_up=False)
    stream.send(CUSHION_S)
    due, missing = 0.0, 0
    for _ in range(30_000):
        due += 0.01 * (1 + ppm / 1e6)
        while due >= 0.01:
            due -= 0.01
            stream.send(0.01)
        missing += stream.pass_(0.01, send=False)[0] is None
    assert missing == 0
    assert 0.05 < stream.delay_s() < 0.5


def test_what_is_no_broadcast_has_to_wait_and_loses_nothing() -> None:
    """A file on a web server, and the segments of HLS, come as fast as they are taken."""
    stream = Stream(keep_up=True, paced=False)
    assert stream.send(MOST_S)
    assert not stream.send(1.0)
    first = stream.buffer.take(BLOCK)
    assert first is not None
    assert float(first[-1]) == pytest.approx(RATE + BLOCK, abs=2)


def test_who_says_that_it_is_live_and_is_a_torrent_has_to_wait_as_well() -> None:
    stream = Stream(keep_up=True)
    assert stream.send(BURST_S - 1)
    assert not stream.buffer.ready  # more may follow at once
    assert not stream.send(60.0)
    assert stream.buffer.ready


@given(st.booleans(), st.lists(st.tuples(st.floats(0, 0.3), st.integers(0, 2_000)), max_size=60))
def test_whatever_comes_a_block_is_whole_or_none(keep_up: bool, steps: list[tuple[float, int]]) -> None:
    now = [0.0]
    buffer = JitterBuffer(0.02, keep_up=keep_up, clock=lambda: now[0])
    for wait_s, n in steps:
        now[0] += wait_s
        buffer.put(np.ones(n, np.float32))
        block = buffer.take(BLOCK)
        assert block is None or len(block) == BLOCK
