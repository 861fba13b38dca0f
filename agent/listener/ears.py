"""What the listener does: opens the microphone, compares, measures, speaks. See `agent.listener.link`."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from agent.listener.bands import BLOCKS_A_SECOND, from_tenths
from agent.listener.comparison import EARLIEST_S, LATEST_S, VERDICT_EACH_S, WINDOW_S, compare
from agent.listener.probe import EDGE_S, QUIET_S, Expected, clipped, find_tones
from agent.listener.probe import LATEST_S as TONES_LATEST_S
from agent.listener.track import Recording, Track
from drivers.errors import DriverError
from drivers.listener import Microphone, Samples
from playlists.units import Decibel, MonotonicS, Seconds

log = logging.getLogger("loa.listener")

FIRST_PAUSE_S: Final = Seconds(0.5)
LONGEST_PAUSE_S: Final = Seconds(10.0)
ALIVE_EACH_S: Final = Seconds(2.0)
GIVE_UP_S: Final = Seconds(2.0)
"""A measurement whose sound has not come in so long after its end has failed."""

_BEFORE: Final = round(LATEST_S * BLOCKS_A_SECOND)
_AFTER: Final = round(-EARLIEST_S * BLOCKS_A_SECOND)
_WINDOW: Final = round(WINDOW_S * BLOCKS_A_SECOND)


@dataclass(frozen=True, slots=True)
class _Measure:
    """Tones that a self-test puts out."""

    id: str
    tones: tuple[tuple[MonotonicS, float, Seconds], ...]
    """Instant, frequency and length of each."""

    @property
    def ends(self) -> float:
        return max(at + length for at, _, length in self.tones)


class Ears:
    """Carries out what the daemon says. All of it on one thread but the microphone's blocks."""

    def __init__(
        self, microphone: Microphone, say: Callable[[Mapping[str, Any]], None], now: Callable[[], MonotonicS]
    ) -> None:
        self._microphone = microphone
        self._say = say
        self._now = now
        self._blocks: queue.SimpleQueue[tuple[Samples, float]] = queue.SimpleQueue()
        self._wanted = False
        self._is_open = False
        self._gain_db: Decibel | None = None
        self._out = Track()
        self._in: Recording | None = None
        self._judged = 0
        self._alive_at = MonotonicS(0.0)
        self._retry_at = MonotonicS(0.0)
        self._pause_s = FIRST_PAUSE_S
        self._measures: list[_Measure] = []

    @property
    def listening(self) -> bool:
        """Whether the microphone is open, or is to be."""
        return self._wanted

    def handle(self, message: Mapping[str, Any]) -> None:
        """Do what one message says; a bad one is ignored and logged."""
        try:
            match message.get("op"):
                case "listen":
                    gain_db = message.get("path_gain_db")
                    self._gain_db = None if gain_db is None else Decibel(float(gain_db))
                    self._wanted = True
                    self._retry_at, self._pause_s = self._now(), FIRST_PAUSE_S  # it may be back since
                case "rest":
                    self._wanted = False
                    self._close()
                case "put-out":
                    self._out.put(float(message["at"]), from_tenths(message["bands"]))
                case "measure":
                    self._measures.append(_measure(message))
                case op:
                    log.warning("message ignored: op %r", op)
        except (KeyError, TypeError, ValueError) as error:
            log.warning("message ignored: %r", error)

    def tick(self) -> None:
        """Do what is due."""
        now = self._now()
        if self._wanted and now >= self._alive_at:
            self._alive_at = MonotonicS(now + ALIVE_EACH_S)
            self._say({"event": "alive"})
        if self._wanted and not self._is_open and now >= self._retry_at:
            self._open(now)
        if self._is_open and (lost := self._microphone.lost) is not None:
            self._close()
            self._lost(lost, now)
        self._take_in()
        if self._is_open:
            self._judge()
        for measure in list(self._measures):
            self._try_measure(measure, now)

    # -- the microphone ------------------------------------------------------------------------

    def _open(self, now: MonotonicS) -> None:
        try:
            rate = self._microphone.open(lambda block, at: self._blocks.put((block, at)))
        except DriverError as error:
            self._lost(str(error), now)
            return
        self._is_open, self._pause_s = True, FIRST_PAUSE_S
        self._in = Recording(rate)
        self._judged = 0
        self._say({"event": "open", "microphone": self._microphone.name, "rate": rate})

    def _close(self) -> None:
        if self._is_open:
            self._microphone.close()
            self._is_open = False
        self._take_in()

    def _lost(self, reason: str, now: MonotonicS) -> None:
        self._retry_at = MonotonicS(now + self._pause_s)
        self._pause_s = Seconds(min(self._pause_s * 2, LONGEST_PAUSE_S))
        self._say({"event": "lost", "reason": reason})

    def _take_in(self) -> None:
        """Take what the microphone has heard since the last time."""
        blocks: list[tuple[Samples, float]] = []
        while True:
            try:
                blocks.append(self._blocks.get_nowait())
            except queue.Empty:
                break
        if blocks and self._in is not None:
            self._in.add(np.concatenate([block for block, _ in blocks]), blocks[0][1])

    # -- what comes of it ----------------------------------------------------------------------

    def _judge(self) -> None:
        """Say each half second whether what went out was heard."""
        if self._in is None:
            return
        # what is on its way to the converter is known ahead of what is heard
        end = int(min(self._in.track.until, self._out.until - _AFTER / BLOCKS_A_SECOND) * BLOCKS_A_SECOND)
        if end < self._judged + VERDICT_EACH_S * BLOCKS_A_SECOND:
            return
        self._judged = end
        put_out = self._out.rows(end - _WINDOW - _BEFORE, end + _AFTER)
        verdict = compare(put_out, self._in.track.rows(end - _WINDOW, end), self._gain_db)
        self._say(
            {
                "event": "verdict",
                "until": round(end / BLOCKS_A_SECOND, 3),
                "heard": verdict.heard,
                "level_dbfs": None if verdict.level_dbfs is None else round(verdict.level_dbfs, 1),
                "correlation": round(verdict.correlation, 2),
                "delay_s": round(verdict.delay_s, 2),
                "sound_s": round(verdict.sound_s, 2),
            }
        )

    def _try_measure(self, measure: _Measure, now: MonotonicS) -> None:
        until = measure.ends + TONES_LATEST_S + EDGE_S
        heard_until = self._in.until if self._in is not None else 0.0
        if heard_until < until:
            if now > until + GIVE_UP_S:
                self._measures.remove(measure)
                self._say({"event": "measured", "id": measure.id, "reason": "the microphone heard nothing"})
            return
        self._measures.remove(measure)
        assert self._in is not None  # noqa: S101 - it has heard so far
        first = min(at for at, _, _ in measure.tones)
        samples, began = self._in.between(first - QUIET_S - 0.2, until)
        if began > first:
            self._say(
                {"event": "measured", "id": measure.id, "reason": "the microphone was not open in time"}
            )
            return
        tones = [Expected(Seconds(at - began), hz, length_s) for at, hz, length_s in measure.tones]
        delay_s, found = find_tones(samples, self._in.rate, tones)
        self._say(
            {
                "event": "measured",
                "id": measure.id,
                "delay_s": round(delay_s, 3),
                "clipped": clipped(samples),
                "tones": [
                    {"hz": tone.hz, "level_dbfs": tone.level_dbfs, "noise_dbfs": tone.noise_dbfs}
                    for tone in found
                ],
            }
        )


def _measure(message: Mapping[str, Any]) -> _Measure:
    tones = tuple(
        (MonotonicS(float(tone["at"])), float(tone["hz"]), Seconds(float(tone["length_s"])))
        for tone in message["tones"]
    )
    if not tones:
        raise ValueError("a measurement without tones")
    return _Measure(str(message["id"]), tones)
