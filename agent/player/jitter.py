"""Samples that came and were not yet heard: one thread puts, another one takes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from agent.player.mixer import Block, drop_one, fade_in, fade_out, repeat_one, silence
from agent.player.protocol import RATE
from playlists.units import Seconds

BURST_S: Final = Seconds(30.0)
"""A server may send so much of the past at once; what comes faster than that is no broadcast and has to wait."""

MOST_S: Final = Seconds(5.0)
MOST_CUSHION_S: Final = Seconds(1.5)
_BEHIND_S: Final = 0.3
"""How much later than its cushion a live broadcast may become before it leaps."""

_UNREAD_S: Final = 0.5
_LOOK_S: Final = 0.06
_EDGE: Final = RATE // 200


class JitterBuffer:
    """Holds a cushion against what comes unevenly.

    The sender's clock is not ours: a buffer that grows or shrinks is held near its cushion by dropping or repeating
    a sample now and then. While nobody takes, only the newest is kept, so that a stream is received ahead and is
    fresh when its turn comes. A buffer that keeps up does so also while it is heard: after a burst or a stall it
    leaps to the newest rather than being late from then on. Each time that it runs dry the cushion grows.
    """

    def __init__(
        self, cushion_s: Seconds, *, keep_up: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.paced = True
        """Comes as fast as it sounds. What does not has to wait, and none of it is left out."""
        self._cushion = round(cushion_s * RATE)
        self._keep_up = keep_up
        self._clock = clock
        self._blocks: deque[Block] = deque()
        self._room = threading.Condition()
        self._waiting = 0
        self._flowing = False
        self._leapt = False
        self._taken_at = -1.0
        self._came = 0
        self._began: float | None = None
        self._looked = (0.0, 0)
        self._settled = False

    @property
    def ready(self) -> bool:
        """Whether the cushion is there, and what is in it is new."""
        with self._room:
            return self._may_flow()

    def put(self, block: Block) -> None:
        """Add samples."""
        with self._room:
            self._count(len(block))
            self._blocks.append(block)
            self._waiting += len(block)
            if self._may_leap():
                self._leap()
            # whoever has to wait sends no more at once
            self._settled = self._settled or self._is_full()

    def wait_for_room(self, give_up: Callable[[], bool]) -> None:
        """Wait while the buffer is full: a file on a web server comes faster than it sounds."""
        with self._room:
            while self._is_full() and not give_up():
                self._room.wait(0.5)

    def take(self, n: int) -> Block | None:
        """The next n samples; None until the cushion is there, and again after the buffer ran dry."""
        with self._room:
            self._taken_at = self._clock()
            was_flowing, self._flowing = self._flowing, self._may_flow(n + 1)
            if not self._flowing:
                return self._last_of(n) if was_flowing else None
            # a broadcast is paced by its sender: the buffer stays near the cushion
            trim = 0
            if self._cushion * 1.5 < self._waiting < MOST_S * RATE * 0.9:
                trim = 1
            elif self._waiting < self._cushion // 2:
                trim = -1
            block = self._cut(n + trim)
            leapt, self._leapt = self._leapt or not was_flowing, False
            self._room.notify()
        if trim:
            block = drop_one(block) if trim > 0 else repeat_one(block)
        return fade_in(block, _EDGE) if leapt else block

    def begin_anew(self) -> None:
        """Another connection begins, with a burst of its own."""
        with self._room:
            self._came, self._began, self._settled = 0, None, False

    def _may_flow(self, least: int = 0) -> bool:
        if self._flowing:
            return self._waiting >= least
        return self._waiting >= self._cushion and (self._settled or not (self._keep_up and self.paced))

    def _count(self, n: int) -> None:
        now = self._clock()
        if self._began is None:
            self._began, self._looked = now, (now, 0)
        self._came += n
        since, came = self._looked
        if now - since >= _LOOK_S:
            # the burst is over when little more comes than time passes
            self._settled = self._settled or self._came - came < 2 * (now - since) * RATE
            self._looked = (now, self._came)

    def _may_leap(self) -> bool:
        now = self._clock()
        elapsed_s = 0.0 if self._began is None else now - self._began
        if not self.paced or self._came > (elapsed_s + BURST_S) * RATE:
            return False
        if now - self._taken_at > _UNREAD_S:
            return self._waiting > self._cushion * 1.5
        return self._keep_up and self._waiting > self._cushion + _BEHIND_S * RATE

    def _is_full(self) -> bool:
        return self._waiting > MOST_S * RATE and not self._may_leap()

    def _leap(self) -> None:
        while self._waiting - len(self._blocks[0]) >= self._cushion:
            self._waiting -= len(self._blocks.popleft())
            self._leapt = True

    def _last_of(self, n: int) -> Block:
        """What is left, brought to silence; the cushion was too small."""
        self._cushion = max(self._cushion, min(round(self._cushion * 1.5), round(MOST_CUSHION_S * RATE)))
        rest = self._cut(min(n, self._waiting))
        return np.concatenate([fade_out(rest, _EDGE), silence(n - len(rest))])

    def _cut(self, n: int) -> Block:
        parts, missing = [silence(0)], n
        while missing:
            block = self._blocks.popleft()
            if len(block) > missing:
                self._blocks.appendleft(block[missing:])
                block = block[:missing]
            parts.append(block)
            missing -= len(block)
        self._waiting -= n
        return np.concatenate(parts)
