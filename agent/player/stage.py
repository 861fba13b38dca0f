"""What sounds now: the performance in front, the one to come, and those that are fading.

The output asks for blocks (`render`), orders come from the pipe; a lock keeps them apart, and nothing under
it waits for anything. What happens is told with the instant at which it reaches the converter, a few
blocks later, when the card's clock is known better than at the moment itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.player.cardclock import CardClock
from agent.player.mixer import (
    Block,
    drop_one,
    envelope_out,
    factor,
    fade_in,
    limit,
    ramp,
    repeat_one,
    silence,
    to_s16,
)
from agent.player.performance import Happening, OpenSource, Performance
from agent.player.protocol import BLOCK, RATE, Perform, PlayerCue, Report
from agent.player.telling import told
from playlists.units import Decibel, MonotonicS, Seconds

TAKE_OVER: Final = RATE // 100
"""Samples of cross-fade when a performance takes over: 10 ms."""

_TELL_AFTER: Final = 5 * BLOCK
_LEVEL_EVERY: Final = RATE
_EDGE: Final = RATE // 200
_WAIT_FOR_OUTPUT_S: Final = 2.0


class _Leaving:
    """A performance that fades out."""

    def __init__(self, performance: Performance, length: int, wait: int, reason: str) -> None:
        self.performance = performance
        self.length = length
        self.at = -wait
        """Sample of the fade; negative while it is still fully heard."""
        self.reason = reason

    @property
    def gone(self) -> bool:
        return self.at >= self.length


class Stage:
    """Renders blocks for the output, carries out orders, tells what happens."""

    def __init__(
        self,
        open_source: OpenSource,
        report: Callable[[Report], None],
        tap: Callable[[NDArray[np.int16], MonotonicS], None] | None = None,
    ) -> None:
        """`report` is called on whichever thread renders or orders; it must not block.

        Nor must `tap`, which gets every block as it leaves, and the instant of its first sample.
        """
        self.blocks = 0
        self._tap = tap
        self._open_source = open_source
        self._report = report
        self._lock = threading.RLock()
        self._clock = CardClock()
        self._frame = 0
        self._front: Performance | None = None
        self._next: Performance | None = None
        self._leaving: list[_Leaving] = []
        self._untold: deque[Happening] = deque()
        self._held = 1.0
        self._levelled = 0
        self._lost_at: MonotonicS | None = None

    # -- orders --------------------------------------------------------------------------------

    def perform(self, order: Perform) -> None:
        """Take up a new performance; it replaces the one in front when its first sample comes."""
        performance = Performance(order, self._open_source, self._tell)
        with self._lock:
            if self._next is not None:
                self._next.end(self._frame, "interrupted", f"replaced by {order.performance}")
            self._next = performance

    def append(self, order_id: str, cues: tuple[PlayerCue, ...], more: bool) -> bool:
        """Add cues to a performance; False when it is not here (any more)."""
        with self._lock:
            for performance in (self._next, self._front):
                if performance is not None and performance.id == order_id:
                    performance.append(cues, more)
                    return True
        return False

    def gain(self, gain: Decibel, ramp_s: Seconds) -> None:
        """Ramp the performance in front (and the one to come) to a new gain."""
        with self._lock:
            for performance in (self._next, self._front):
                if performance is not None:
                    performance.gain_wanted = factor(gain)
                    performance.gain_left = max(1, round(ramp_s * RATE))

    def stop(self, fade_s: Seconds, reason: str = "stopped") -> None:
        """Fade out what sounds; forget what was to come."""
        with self._lock:
            if self._next is not None:
                self._next.end(self._frame, "interrupted", reason)
                self._next = None
            if self._front is not None:
                self._leave(self._front, round(fade_s * RATE), 0, reason)
                self._front = None

    def prepare(self) -> None:
        """Open sources ahead; called now and then, on no thread that is in a hurry."""
        with self._lock:
            here = [performance for performance in (self._front, self._next) if performance is not None]
        for performance in here:
            performance.prepare()

    @property
    def busy(self) -> bool:
        """Whether anything sounds, is to sound, or is still to be told."""
        with self._lock:
            return bool(self._front or self._next or self._leaving or self._untold)

    @property
    def due(self) -> MonotonicS | None:
        """When the output is next needed; 0 for at once, None when nothing is to come or something sounds."""
        with self._lock:
            if self._next is None or self._front is not None:
                return None
            return MonotonicS(0.0) if self._next.at is None else self._next.at

    # -- the output ----------------------------------------------------------------------------

    def output_opened(self) -> None:
        """A new stream counts its frames from here; nothing is known of its clock yet."""
        with self._lock:
            self._flush()
            self._clock = CardClock()
            self._lost_at = None

    def output_closed(self, now: MonotonicS) -> None:
        """No more blocks will be asked for; time goes on by `pass_by`."""
        with self._lock:
            for leaving in self._leaving:
                leaving.performance.end(self._frame, "interrupted", leaving.reason)
            self._leaving.clear()
            self._flush()
            self._lost_at = now

    def pass_by(self, now: MonotonicS) -> None:
        """Without an output, let performance time go on: cues end when they would have."""
        with self._lock:
            if self._lost_at is None:
                return
            for leaving in self._leaving:
                leaving.performance.end(self._frame, "interrupted", leaving.reason)
            self._leaving.clear()
            n = int((now - self._lost_at) * RATE)
            self._lost_at = MonotonicS(self._lost_at + n / RATE)
            self._frame += n
            if self._next is not None and self._may_pass(self._next, now):
                self._bring_on(0, now)
            if self._front is not None:
                if self._front.anchor is None:
                    self._front.anchor = now
                self._front.skip(n, self._frame)
                self._end_if_over()
            self._flush(now)

    def render(self, frames: int, dac: MonotonicS) -> NDArray[np.int16]:
        """The next samples for the converter; `dac` is when the output says that the first reaches it."""
        with self._lock:
            self.blocks += 1
            self._clock.observe(self._frame, dac)
            out = silence(frames)
            self._take_over_if_due(frames)
            for leaving in self._leaving:
                out += self._fade(leaving, frames)
            self._leaving = [leaving for leaving in self._leaving if not leaving.gone]
            if self._front is not None:
                self._front.held = self._held
                out += self._pull(self._front, frames)
                self._end_if_over()
            self._frame += frames
            self._tell_levels()
            if self._clock.settled:
                self._flush(None, self._frame - _TELL_AFTER)
            out, self._held = limit(out, self._held)
            samples = to_s16(out)
            if self._tap is not None and self._clock.known:
                self._tap(samples, self._clock.instant(self._frame - frames))
            return samples

    # -- inside --------------------------------------------------------------------------------

    def _take_over_if_due(self, frames: int) -> None:
        coming = self._next
        if coming is None:
            return
        if coming.at is None:
            self._bring_on(0, None)
            return
        if not self._clock.settled:
            return
        wait = round((coming.at - self._clock.instant(self._frame)) * RATE)
        if wait < frames:
            self._bring_on(max(wait, 0), None)
            if wait < 0:
                coming.skip(-wait, self._frame)

    def _may_pass(self, coming: Performance, now: MonotonicS) -> bool:
        """Whether a performance is to begin unheard; one without an instant waits a little for the output."""
        if coming.at is not None:
            return coming.at <= now
        if coming.waits_since is None:
            coming.waits_since = now
        return now - coming.waits_since > _WAIT_FOR_OUTPUT_S

    def _bring_on(self, wait: int, lost_since: MonotonicS | None) -> None:
        """The next performance comes to the front, `wait` samples into this block."""
        coming, self._next = self._next, None
        if coming is None:
            return
        if self._front is not None:
            self._leave(self._front, TAKE_OVER, wait, f"replaced by {coming.id}")
        self._front = coming
        coming.hold = wait
        coming.first_frame = self._frame + wait
        if lost_since is not None and coming.anchor is not None:
            coming.skip(max(0, round((lost_since - coming.anchor) * RATE)), self._frame)

    def _leave(self, performance: Performance, length: int, wait: int, reason: str) -> None:
        self._leaving.append(_Leaving(performance, max(length, _EDGE), wait, reason))

    def _fade(self, leaving: _Leaving, frames: int) -> Block:
        performance = leaving.performance
        heard = min(frames, leaving.length - leaving.at)
        block = self._gained(performance, performance.pull(heard, self._frame))
        block = block * envelope_out(leaving.at, leaving.length, heard)
        leaving.at += frames
        if leaving.gone:
            performance.end(self._frame + heard, "interrupted", leaving.reason)
        return np.concatenate([block, silence(frames - heard)]) if heard < frames else block

    def _pull(self, performance: Performance, frames: int) -> Block:
        """A block of the performance in front, kept with the node's clock."""
        if performance.hold >= frames:
            performance.hold -= frames
            return silence(frames)
        wait, performance.hold = performance.hold, 0
        n = frames - wait
        first = self._frame + wait
        step = performance.drift.step(self._error(performance, first)) if not wait else 0
        if abs(step) > 1:
            block = self._leap(performance, n, step, first)
        else:
            block = performance.pull(n + step, first)
            if step:
                block = _resized(block, n)
        if performance.soft_next and abs(step) <= 1:
            performance.soft_next = False
            block = fade_in(block, _EDGE)
        block = self._gained(performance, block)
        return np.concatenate([silence(wait), block]) if wait else block

    def _error(self, performance: Performance, frame: int) -> float:
        """Samples by which the performance is behind the node's clock."""
        if not self._clock.settled:
            return 0.0
        if performance.anchor is None:
            # begun as soon as possible: from here on it keeps the time it began with
            performance.anchor = MonotonicS(self._clock.instant(frame) - performance.elapsed / RATE)
        return (self._clock.instant(frame) - performance.anchor) * RATE - performance.elapsed

    def _leap(self, performance: Performance, n: int, step: int, frame: int) -> Block:
        """Fade out within this block, then go on from the right place."""
        block = performance.pull(n, frame) * envelope_out(0, n, n)
        if step > 0:
            performance.skip(step, frame + n)
        else:
            performance.hold = -step
        performance.soft_next = True
        return block

    def _gained(self, performance: Performance, block: Block) -> Block:
        if performance.gain_left <= 0:
            return block * np.float32(performance.gain)
        steps = min(performance.gain_left, len(block))
        share = steps / performance.gain_left
        now, wanted = performance.gain, performance.gain_wanted
        if now > 1e-6 and wanted > 1e-6:
            reached = now * (wanted / now) ** share
        else:
            reached = now + (wanted - now) * share
        gains: Block = np.concatenate([ramp(now, reached, steps), ramp(reached, reached, len(block) - steps)])
        performance.gain, performance.gain_left = reached, performance.gain_left - steps
        gained: Block = block * gains
        return gained

    def _end_if_over(self) -> None:
        front = self._front
        if front is not None and front.over:
            front.complete(front.last_frame)
            self._front = None

    def _tell_levels(self) -> None:
        if self._frame - self._levelled >= _LEVEL_EVERY:
            self._levelled = self._frame
            if self._front is not None:
                self._front.level(self._frame)

    def _tell(self, happening: Happening) -> None:
        self._untold.append(happening)

    def _flush(self, now: MonotonicS | None = None, until: int | None = None) -> None:
        """Report what happened up to a frame; all of it when the output is gone."""
        while self._untold and (until is None or self._untold[0].frame <= until):
            happening = self._untold.popleft()
            at = now
            if at is None and self._clock.known:
                at = self._clock.instant(happening.frame)
            self._report(told(happening, at))


def _resized(block: Block, n: int) -> Block:
    return drop_one(block) if len(block) > n else repeat_one(block)
