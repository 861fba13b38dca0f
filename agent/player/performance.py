"""One performance: cues in a row, pulled sample by sample, each with its own meter and verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.player.cardclock import Drift
from agent.player.mixer import Block, Meter, factor, fade_in, silence
from agent.player.protocol import RATE, Outcome, Perform, PlayerCue, PlayerError, StreamSource
from agent.player.sources import SampleSource
from playlists.units import DbFs, MonotonicS, Seconds

SOUND_FLOOR: Final = 0.0001
"""A sample beyond this (-80 dBFS) is sound."""

_EDGE: Final = RATE // 200
_RECEIVE_AHEAD: Final = 10 * RATE


@dataclass(frozen=True)
class Started:
    """The cue has sounded; `frame` is that of its first sample."""

    performance: str
    cue: int
    frame: int


@dataclass(frozen=True)
class Ended:
    """The cue is over."""

    performance: str
    cue: int
    frame: int
    played_s: Seconds
    level: DbFs | None
    outcome: Outcome
    reason: str | None
    position_s: Seconds
    relayed_s: Seconds | None = None
    """Of a stream: what really came from it."""


@dataclass(frozen=True)
class Done:
    """The performance is over; `frame` follows its last sample."""

    performance: str
    frame: int


@dataclass(frozen=True)
class LevelNow:
    """What the last second sounded like."""

    performance: str
    cue: int
    frame: int
    position_s: Seconds
    level: DbFs | None
    peak: DbFs | None


Happening = Started | Ended | Done | LevelNow
OpenSource = Callable[[str, PlayerCue], SampleSource]


class _Sounding:
    """The cue that is being pulled."""

    def __init__(self, cue: PlayerCue, source: SampleSource) -> None:
        self.cue = cue
        self.source = source
        self.seek = round(cue.seek_s * RATE)
        if self.seek:
            source.seek(self.seek)
        self.left = None if cue.for_s is None else round(cue.for_s * RATE)
        if source.length is not None:
            rest = max(0, source.length - self.seek)
            self.left = rest if self.left is None else min(self.left, rest)
        self.factor = factor(cue.gain_db)
        self.meter = Meter()
        self.first_frame: int | None = None
        self.started = False
        self.soft = self.seek > 0
        """Begins in the middle of a wave: rises from nothing."""


class Performance:
    """Pulls samples through the cues; tells what happens to `tell`.

    The next two sources are opened ahead, so that nothing is opened on the output's thread; a station is
    received from a few seconds before its turn.
    """

    def __init__(self, order: Perform, open_source: OpenSource, tell: Callable[[Happening], None]) -> None:
        self.id = order.performance
        self.at = order.at
        self.more = order.more
        self.gain = factor(order.gain_db)
        self.gain_wanted = self.gain
        self.gain_left = 0
        self.held = 1.0
        """By how much the limiter holds the output down: what is metered is what leaves."""
        self.anchor: MonotonicS | None = order.at
        self.elapsed = 0
        """Samples of performance time that have passed, pulled or leapt over."""
        self.first_frame: int | None = None
        self.waits_since: MonotonicS | None = None
        self.drift = Drift()
        self.hold = 0
        self.soft_next = False
        self.ended = False
        self.last_frame = 0
        """The frame that follows the last sample that was pulled."""
        self._open = open_source
        self._tell = tell
        # a list: copying one is atomic, and `prepare` runs beside the output's thread
        self._cues: list[PlayerCue] = list(order.cues)
        self._ready: dict[int, SampleSource | PlayerError] = {}
        self._gap = 0
        self._now: _Sounding | None = None
        self.prepare()

    def append(self, cues: Iterable[PlayerCue], more: bool) -> None:
        """Add cues at the end."""
        self._cues.extend(cues)
        self.more = more

    def prepare(self) -> None:
        """Open the next sources; not to be called on the output's thread."""
        for cue in list(self._cues)[:2]:
            if id(cue) in self._ready or (isinstance(cue.source, StreamSource) and not self._soon(cue)):
                continue
            source: SampleSource | PlayerError
            try:
                source = self._open(self.id, cue)
            except PlayerError as error:
                source = error
            self._ready[id(cue)] = source
            if self.ended or cue not in self._cues:  # its turn came, or the end, while we opened it
                late = self._ready.pop(id(cue), None)
                if late is not None and not isinstance(late, PlayerError):
                    late.close()

    def _soon(self, cue: PlayerCue) -> bool:
        """Whether a station's turn is near enough to begin receiving it."""
        now = self._now
        if cue is not next(iter(self._cues), None):
            return False
        return now is None or (now.left is not None and now.left < _RECEIVE_AHEAD)

    @property
    def over(self) -> bool:
        """Whether there is nothing more to pull, now or later."""
        return self._now is None and not self._cues and not self.more

    def pull(self, n: int, frame: int) -> Block:
        """The next n samples of performance time; the first of them is the output's frame `frame`.

        Waits in silence for `append` when more was announced.
        """
        parts: list[Block] = []
        missing = n
        while missing:
            if self._now is None and not self._next(frame + n - missing):
                parts.append(silence(missing))
                break
            if self._gap:
                quiet = min(self._gap, missing)
                self._gap -= quiet
                missing -= quiet
                parts.append(silence(quiet))
                continue
            block = self._from_cue(missing, frame + n - missing)
            missing -= len(block)
            parts.append(block)
        self.elapsed += n
        return np.concatenate(parts) if len(parts) != 1 else parts[0]

    def skip(self, n: int, frame: int) -> None:
        """Let n samples of performance time pass unheard; cues that end meanwhile are told."""
        self.elapsed += n
        while n > 0:
            if self._now is None and not self._next(frame):
                return
            if self._gap:
                passed = min(self._gap, n)
                self._gap -= passed
            else:
                now = self._now
                if now is None:
                    continue
                passed = n if now.left is None else min(n, now.left)
                now.source.seek(now.source.position + passed)
                now.soft = True
                if now.left is not None:
                    now.left -= passed
                    if now.left == 0:
                        self._finish(frame)
            n -= passed

    def end(self, frame: int, outcome: Outcome, reason: str) -> None:
        """End it here; the cues that were not reached are not told."""
        if self.ended:
            return
        if self._now is not None:
            self._finish(frame, outcome, reason)
        self._cues.clear()
        self.more = False
        self.complete(frame)

    def complete(self, frame: int) -> None:
        """Tell that it is done, and let go of everything."""
        if self.ended:
            return
        self.ended = True
        for source in self._ready.values():
            if not isinstance(source, PlayerError):
                source.close()
        self._ready.clear()
        self._tell(Done(self.id, frame))

    def level(self, frame: int) -> None:
        """Tell the level since the last call, if a cue sounds."""
        now = self._now
        if now is not None and not self._gap:
            rms, peak = now.meter.recent()
            self._tell(LevelNow(self.id, now.cue.cue, frame, self._position(now), rms, peak))

    # -- cues ----------------------------------------------------------------------------------

    def _next(self, frame: int) -> bool:
        """Take the next cue up; False when there is none."""
        while self._cues:
            cue = self._cues.pop(0)
            source = self._ready.pop(id(cue), None)
            if source is None:
                try:
                    source = self._open(self.id, cue)
                except PlayerError as error:
                    source = error
            if isinstance(source, PlayerError):
                self._tell(
                    Ended(self.id, cue.cue, frame, Seconds(0.0), None, "failed", str(source), cue.seek_s)
                )
                continue
            self._now = _Sounding(cue, source)
            self._gap = round(cue.gap_before_s * RATE)
            if self._now.left == 0:
                self._finish(frame)
                continue
            return True
        return False

    def _from_cue(self, n: int, frame: int) -> Block:
        now = self._now
        if now is None:
            return silence(n)
        if now.first_frame is None:
            now.first_frame = frame
        block = now.source.read(n if now.left is None else min(n, now.left))
        if not len(block):
            # the file was cut short under our hands
            self._finish(frame)
            return block
        block = block * np.float32(now.factor)
        if now.soft:
            now.soft = False
            block = fade_in(block, _EDGE)
        out = self.gain * self.held
        now.meter.add(block if out == 1.0 else block * np.float32(out))
        if not now.started and now.meter.peak > SOUND_FLOOR * now.factor * out:
            now.started = True
            self._tell(Started(self.id, now.cue.cue, now.first_frame))
        if now.left is not None:
            now.left -= len(block)
            if now.left == 0:
                self._finish(frame + len(block))
        return block

    def _finish(self, frame: int, outcome: Outcome = "finished", reason: str | None = None) -> None:
        now = self._now
        if now is None:
            return
        self._now = None
        self.last_frame = frame
        now.source.close()
        played = Seconds(now.meter.frames / RATE)
        relayed_s = None if now.source.relayed is None else Seconds(now.source.relayed / RATE)
        if outcome == "finished" and not now.started:
            outcome = "failed"
            reason = f"no sound in {played:.1f} s of it" if now.meter.frames else "nothing of it was put out"
        elif outcome == "finished":
            reason = now.source.remark
            if relayed_s == 0.0:
                outcome = "failed"  # a fallback has sounded, and that is not what was planned
        position = self._position(now)
        level = now.meter.level()
        self._tell(Ended(self.id, now.cue.cue, frame, played, level, outcome, reason, position, relayed_s))

    def _position(self, now: _Sounding) -> Seconds:
        return Seconds(now.source.position / RATE)
