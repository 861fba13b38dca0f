"""The player's process: orders from stdin, blocks to the output, reports to stdout.

Three threads: the one that reads orders (blocked on stdin), the keeper (opens, closes and watches the
output, speaks to the parent; blocked for good while nothing sounds), and the output's own.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from agent import footprint
from agent.child import Voice, read_messages
from agent.player.messages import decode
from agent.player.output import Output, OutputFailed
from agent.player.protocol import (
    NO_TIME,
    RATE,
    Append,
    BadMessage,
    Close,
    Forget,
    Gain,
    Open,
    Order,
    PcmSource,
    Perform,
    Ping,
    PlayerCue,
    PlayerError,
    Quit,
    Receive,
    Report,
    Stop,
    StreamSource,
    ToneSource,
)
from agent.player.sources import ArraySource, PcmFileSource, SampleSource
from agent.player.stage import Stage
from agent.player.station import Station
from agent.player.synth import tone
from playlists.units import MonotonicS

if TYPE_CHECKING:
    from agent.player.tap import Tap

log = logging.getLogger("loa.player")

OPEN_AHEAD_S: Final = 1.5
"""The output is opened this long before a planned start: the card's clock must be known by then."""

IDLE_S: Final = 5.0
_REST_AFTER_S: Final = 3.0
"""After so long without an output the process makes itself small; the next order may follow at once."""

_LOOK_EVERY_S: Final = 0.25
_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 10.0


class UnknownTone(PlayerError, ValueError):  # noqa: N818 - says what is the matter
    """Error raised for a tone that does not exist. Remedy: reject the cue."""


class Player:
    """Carries out orders; `run` returns when stdin ends."""

    def __init__(self, output: Output, voice: Voice, tap: Tap | None = None) -> None:
        """What leaves is told to a listener through `tap`; None where nobody listens."""
        self._output = output
        self._voice = voice
        self._inbox: queue.SimpleQueue[Report | Order | None] = queue.SimpleQueue()
        self._stage = Stage(self._source, self._inbox.put, None if tap is None else tap.take)
        self._keeper = Keeper(output, self._stage, self._inbox, voice, tap)
        self._received: dict[str, Station] = {}
        """Streams that are received ahead of their cue, by their keys."""

    def run(self) -> None:
        """Work until stdin ends or `quit` comes."""
        thread = threading.Thread(target=self._keep, name="keeper", daemon=True)
        thread.start()
        self._inbox.put(Report("ready", {"output": self._output.name, "rate": RATE}))
        try:
            read_messages(self._handle, self._refuse)
        except _Quit:
            log.info("told to quit")
        # whatever the reason, nobody listens any more: be silent at once
        self._inbox.put(None)
        thread.join(1.0)

    def _keep(self) -> None:
        try:
            self._keeper.run()
        except Exception:
            # a player without its keeper is deaf: the parent starts another one
            log.exception("the keeper failed")
            os._exit(70)

    def _handle(self, message: dict[str, Any]) -> None:
        try:
            order = decode(message)
            self._obey(order)
        except (BadMessage, PlayerError) as error:
            self._refuse(str(error), repr(message)[:120])

    def _obey(self, order: Order) -> None:
        match order:
            case Perform():
                self._stage.perform(order)
                self._inbox.put(order)
            case Append(performance, cues, more):
                if not self._stage.append(performance, cues, more):
                    raise BadMessage(f"append: performance {performance!r} is not here (any more)")
            case Gain(gain_db, ramp_s):
                self._stage.gain(gain_db, ramp_s)
            case Stop(fade_s):
                self._stage.stop(fade_s)
            case Receive(source):
                self._forget(source.key)
                self._received[source.key] = self._station(source)
            case Forget(key):
                self._forget(key)
            case Ping(n):
                self._inbox.put(Report("pong", {"n": n, "blocks": self._stage.blocks}))
            case Open() | Close():
                self._inbox.put(order)
            case Quit():
                raise _Quit

    def _refuse(self, reason: str, line: str) -> None:
        log.warning("message ignored: %s", reason)
        self._inbox.put(Report("refused", {"reason": reason, "line": line}))

    def _source(self, _performance: str, cue: PlayerCue) -> SampleSource:
        match cue.source:
            case PcmSource(path, rate):
                return PcmFileSource(path, rate)
            case ToneSource(name):
                try:
                    return ArraySource(tone(name))
                except KeyError as error:
                    raise UnknownTone(f"no tone named {name!r}") from error
            case StreamSource():
                return self._received.pop(cue.source.key, None) or self._station(cue.source)

    def _station(self, source: StreamSource) -> Station:
        def say(state: str, reason: str | None) -> None:
            self._inbox.put(Report("stream", {"key": source.key, "state": state, "reason": reason}))

        return Station(source, say)

    def _forget(self, key: str) -> None:
        station = self._received.pop(key, None)
        if station is not None:
            station.close()


class Keeper:
    """Keeps the output open while it is wanted, and speaks."""

    def __init__(
        self,
        output: Output,
        stage: Stage,
        inbox: queue.SimpleQueue[Report | Order | None],
        voice: Voice,
        tap: Tap | None,
    ) -> None:
        self._tap = tap
        self._output = output
        self._stage = stage
        self._inbox = inbox
        self._voice = voice
        self._is_open = False
        self._asked_open = False
        self._last_busy = 0.0
        self._retry_at = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self._lost = False
        self._rest_at: float | None = time.monotonic() + _REST_AFTER_S

    def run(self) -> None:
        """Work until None is in the inbox."""
        while True:
            try:
                item = self._inbox.get(timeout=self._sleep_s())
            except queue.Empty:
                item = Ping(0)  # nothing came: look after the output
            match item:
                case None:
                    break
                case Report():
                    self._voice.say(item.message())
                case Open():
                    self._asked_open = True
                    self._last_busy = time.monotonic()
                case Close():
                    self._asked_open = False
                    self._stage.stop(NO_TIME)
                    self._close()
                case _:
                    pass
            self._look_after()
            if self._tap is not None and (left := self._tap.report()) is not None:
                self._voice.say(left.message())
        if self._is_open:
            self._output.close()

    def _sleep_s(self) -> float | None:
        """None: nothing sounds and nothing is to sound, so there is nothing to look after."""
        if self._is_open or self._lost:
            return _LOOK_EVERY_S
        due = self._stage.due
        if due is None:
            if self._stage.busy:
                return _LOOK_EVERY_S
            return None if self._rest_at is None else max(0.0, self._rest_at - time.monotonic())
        return max(0.0, min(due - OPEN_AHEAD_S - time.monotonic(), 60.0))

    def _look_after(self) -> None:
        now = time.monotonic()
        busy = self._stage.busy
        if busy:
            self._last_busy = now
            self._stage.prepare()
        if self._is_open:
            reason = self._output.lost
            if reason is not None:
                self._output.close()
                self._gone(reason)
            elif not busy and now - self._last_busy > IDLE_S:
                self._close()
            return
        due = self._stage.due
        wanted = self._asked_open or (busy and (due is None or due - OPEN_AHEAD_S <= now))
        if wanted and now >= self._retry_at:
            self._open()
        elif self._lost and not wanted:
            self._lost = False
        if self._lost:
            self._stage.pass_by(MonotonicS(time.monotonic()))
        elif not busy and self._rest_at is not None and now >= self._rest_at:
            self._rest_at = None
            footprint.rest()

    def _open(self) -> None:
        self._stage.output_opened()
        try:
            latency = self._output.open(self._stage.render)
        except OutputFailed as error:
            self._gone(str(error))
            return
        self._is_open, self._lost = True, False
        self._pause_s = _FIRST_PAUSE_S
        self._last_busy = time.monotonic()
        self._voice.say(Report("output-open", {"latency_s": round(latency, 4)}).message())

    def _close(self) -> None:
        self._asked_open = False
        if self._is_open:
            self._is_open = False
            self._output.close()
            self._rest_at = time.monotonic() + _REST_AFTER_S
            self._stage.output_closed(MonotonicS(time.monotonic()))
            self._voice.say(Report("output-closed").message())

    def _gone(self, reason: str) -> None:
        now = time.monotonic()
        self._is_open, self._lost = False, True
        self._stage.output_closed(MonotonicS(now))
        self._retry_at = now + self._pause_s
        self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S)
        self._voice.say(Report("output-lost", {"reason": reason}).message())


class _Quit(Exception):  # noqa: N818 - not an error
    """Told to quit."""


def stop_on_sigterm() -> None:
    """SIGTERM ends the process at once: the output's buffer is all that is lost."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))


def log_to_stderr(level: str) -> None:
    """Plain lines: the parent adds time and name."""
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(message)s")
