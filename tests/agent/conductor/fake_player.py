"""A player on a fake clock: speaks the real protocol, reports a little after the fact, dies and hangs when told."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.clock import FakeClock
from agent.player.messages import decode, encode
from agent.player.protocol import (
    Append,
    Close,
    Forget,
    Gain,
    Open,
    Order,
    PcmSource,
    Perform,
    Ping,
    PlayerCue,
    Quit,
    Receive,
    Stop,
    StreamSource,
)
from agent.tones import TONES
from agent.worker import WorkerDied, WorkerSaid, WorkerStarted

REPORT_DELAY_S = 0.05
CONNECT_S = 0.3
LEVEL_EACH_S = 1.0
BOOT_S = 0.4


@dataclass
class Heard:
    """One stretch of sound that really left, and which relays were on when it began."""

    run: str
    cue: int
    began: float
    relays: frozenset[str]
    source: object
    ended: float | None = None
    position_s: float = 0.0

    @property
    def id(self) -> str:
        """Id of the performance."""
        return self.run.rpartition("#")[0]


@dataclass
class _Playing:
    order: Perform
    cues: list[PlayerCue]
    more: bool
    at: float
    cue: PlayerCue | None = None
    sounds_from: float = 0.0
    sounds_until: float = 0.0
    heard: Heard | None = None
    told_done: bool = False
    token: int = 0


class FakePlayer:
    """Speaks the player's protocol on the fake clock. Says what it does `REPORT_DELAY_S` later, in order.

    A file whose name contains `broken` fails at once, `silent` never starts, `poison` kills the player,
    `hang` makes it say nothing more. A stream whose address contains `nobody` never brings a sample.
    """

    def __init__(self, clock: FakeClock, lengths: Mapping[str, float]) -> None:
        self.clock = clock
        self.lengths = lengths
        self.post: Callable[[object], None] = lambda _event: None
        self.relays_on: Callable[[], frozenset[str]] = frozenset
        self.heard: list[Heard] = []
        self.orders: list[Order] = []
        self.alive = False
        self.hung = False
        self.output_lost = False
        self.deaths = 0
        self.pid = 1
        self.received: dict[str, str] = {}
        """Streams that are received ahead of their cue: address by key."""
        self.hold_streams = False
        """Streams do not say by themselves that they are there."""
        self.relayed_s: float | None = None
        """What is told of how long a stream really came."""
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._life = 0
        self._front: _Playing | None = None
        self._next: _Playing | None = None
        self._pings = 0
        self._pong = 0

    # -- what PlayerLink has

    def start(self) -> None:
        self._at(self.now, self._born)

    def stop(self, deadline_s: float = 1.0) -> None:
        self._silence()
        self.alive = False

    def send(self, order: Order) -> bool:
        if not self.alive:
            return False
        order = decode(encode(order))
        self.orders.append(order)
        if not self.hung:
            self._obey(order)
        return True

    def ping(self) -> int:
        self._pings += 1
        self.send(Ping(self._pings))
        return self._pings

    def unanswered(self) -> int:
        return self._pings - self._pong

    def kill(self, reason: str) -> None:
        """As SIGKILL would: at once, in the middle of anything."""
        if self.alive:
            self._die(reason)

    # -- faults

    def lose_output(self) -> None:
        """The sound card is pulled out."""
        self.output_lost = True
        self._end_heard()
        self._say({"event": "output-lost", "reason": "no such device"})

    def regain_output(self) -> None:
        """It is back."""
        self.output_lost = False
        self._say({"event": "output-open", "latency_s": 0.02})
        front = self._front
        if front is not None and front.cue is not None and front.sounds_from <= self.now:
            self._begin_heard(front)

    # -- time

    @property
    def now(self) -> float:
        return float(self.clock.monotonic())

    @property
    def next_at(self) -> float | None:
        """When something happens next."""
        return self._events[0][0] if self._events else None

    def run(self) -> None:
        """Let happen what is due."""
        while self._events and self._events[0][0] <= self.now + 1e-9:
            _, _, act = heapq.heappop(self._events)
            act()

    def _at(self, when: float, act: Callable[[], None], *, outlives: bool = True) -> None:
        life = self._life

        def unless_dead() -> None:
            if outlives or (life == self._life and not self.hung):
                act()

        heapq.heappush(self._events, (when, next(self._numbers), unless_dead))

    def _say(self, message: dict[str, Any], delay_s: float = REPORT_DELAY_S) -> None:
        self._at(self.now + delay_s, lambda: self.post(WorkerSaid("player", message)), outlives=False)

    # -- life and death

    def _born(self) -> None:
        self.alive = True
        self.hung = False
        self.post(WorkerStarted("player", self.pid))
        self._say({"event": "ready", "output": "fake", "rate": 48_000}, BOOT_S)

    def _die(self, reason: str) -> None:
        self._silence()
        self.alive = False
        self.deaths += 1
        self._life += 1
        self._pings = self._pong = 0
        self._at(self.now + 0.01, lambda: self.post(WorkerDied("player", reason)))
        self._at(self.now + 0.11, self._born)

    def stream(self, key: str, state: str, reason: str | None = None) -> None:
        """What a real player says when a stream that sounds changes its state."""
        self._say({"event": "stream", "key": key, "state": state, "reason": reason})

    def _silence(self) -> None:
        self.received.clear()
        self._end_heard()
        self._front = self._next = None

    # -- orders

    def _obey(self, order: Order) -> None:
        match order:
            case Perform():
                if self._next is not None:
                    self._done(self._next)
                at = self.now + 0.02 if order.at is None else max(order.at, self.now)
                self._next = _Playing(order, list(order.cues), order.more, at)
                self._at(at, lambda playing=self._next: self._bring_on(playing), outlives=False)
            case Append(performance, cues, more):
                for playing in (self._front, self._next):
                    if playing is not None and playing.order.performance == performance:
                        playing.cues += cues
                        playing.more = more
                        if playing is self._front and playing.cue is None:
                            self._go_on(playing)
            case Stop() | Close():
                if self._next is not None:
                    self._done(self._next)
                    self._next = None
                if self._front is not None:
                    self._interrupt(self._front)
                    self._front = None
            case Receive(source):
                self.received[source.key] = source.url
                if "nobody" in source.url:
                    self.stream(source.key, "opening", "connection refused")
                elif not self.hold_streams:
                    self._say({"event": "stream", "key": source.key, "state": "ready"}, CONNECT_S)
            case Forget(key):
                self.received.pop(key, None)
            case Ping(n):
                self._pong = n
            case Open() | Gain() | Quit():
                pass

    def _bring_on(self, playing: _Playing) -> None:
        if self._next is not playing:
            return
        if self._front is not None:
            self._interrupt(self._front)
        self._front, self._next = playing, None
        self._go_on(playing)

    def _interrupt(self, playing: _Playing) -> None:
        playing.token += 1
        if playing.cue is not None:
            played = max(0.0, self.now - playing.sounds_from)
            self._ended(playing, "interrupted", "replaced", played)
        self._done(playing)

    def _go_on(self, playing: _Playing) -> None:
        playing.token += 1
        token = playing.token
        if not playing.cues:
            if not playing.more:
                self._front = None
                self._done(playing)
            return
        cue = playing.cue = playing.cues.pop(0)
        if isinstance(cue.source, StreamSource):
            self.received.pop(cue.source.key, None)
        name = cue.source.path if isinstance(cue.source, PcmSource) else ""
        playing.sounds_from = self.now + cue.gap_before_s
        if "broken" in name:
            self._ended(playing, "failed", "the file is gone", 0.0)
            self._go_on(playing)
            return
        length = self._length(cue)
        for_s = max(0.0, length - cue.seek_s)
        if cue.for_s is not None:
            for_s = min(for_s, cue.for_s)
        playing.sounds_until = playing.sounds_from + for_s
        self._at(playing.sounds_from, lambda: self._sound(playing, token), outlives=False)

    def _length(self, cue: PlayerCue) -> float:
        match cue.source:
            case PcmSource(path):
                return self.lengths.get(Path(path).name, 2.0)
            case StreamSource(_, for_s):
                return for_s
            case tone:
                return TONES[tone.name].length_s

    def _sound(self, playing: _Playing, token: int) -> None:
        if playing.token != token or playing.cue is None:
            return
        source = playing.cue.source
        name = source.path if isinstance(source, PcmSource) else ""
        if "poison" in name:
            self._die("ended by SIGSEGV")
            return
        if "hang" in name:
            self.hung = True
            return
        if "silent" not in name and not self.output_lost:
            self._begin_heard(playing)
            self._report(playing, {"event": "started", "at": self.now})
        self._level(playing, token)
        self._at(playing.sounds_until, lambda: self._finish(playing, token), outlives=False)

    def _level(self, playing: _Playing, token: int) -> None:
        if playing.token != token:
            return
        if not self.output_lost:
            self._report(playing, {"event": "level", "level_dbfs": -20.0 if playing.heard else None})
        if self.now + LEVEL_EACH_S < playing.sounds_until:
            self._at(self.now + LEVEL_EACH_S, lambda: self._level(playing, token), outlives=False)

    def _finish(self, playing: _Playing, token: int) -> None:
        if playing.token != token:
            return
        played = playing.sounds_until - playing.sounds_from
        if playing.heard is None:
            self._ended(playing, "failed", f"no sound in {played:.1f} s of it", played)
        else:
            self._ended(playing, "finished", None, played)
        self._go_on(playing)

    def _ended(self, playing: _Playing, outcome: str, reason: str | None, played_s: float) -> None:
        cue = playing.cue
        assert cue is not None
        self._end_heard()
        self._report(
            playing,
            {
                "event": "ended",
                "at": self.now,
                "played_s": played_s,
                "level_dbfs": -20.0 if playing.heard else None,
                "outcome": outcome,
                "reason": reason,
                "relayed_s": self.relayed_s,
                "position_s": cue.seek_s + played_s,
            },
        )
        playing.cue = playing.heard = None

    def _report(self, playing: _Playing, message: dict[str, Any]) -> None:
        assert playing.cue is not None
        self._say({**message, "performance": playing.order.performance, "cue": playing.cue.cue})

    def _done(self, playing: _Playing) -> None:
        assert not playing.told_done, "each perform is answered by exactly one done"
        playing.told_done = True
        self._say({"event": "done", "performance": playing.order.performance, "at": self.now})

    def _begin_heard(self, playing: _Playing) -> None:
        cue = playing.cue
        assert cue is not None
        position = cue.seek_s + max(0.0, self.now - playing.sounds_from)
        playing.heard = Heard(
            playing.order.performance, cue.cue, self.now, self.relays_on(), cue.source, None, position
        )
        self.heard.append(playing.heard)

    def _end_heard(self) -> None:
        if self.heard and self.heard[-1].ended is None:
            self.heard[-1].ended = self.now
