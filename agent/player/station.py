"""A stream as a source of samples: a relayed station with its fallback, or a live broadcast.

What a listener would call "gone" has three reasons, told apart: *stalled* (connected, and nothing arrives),
*reconnecting* (the connection is lost or refused and is tried again) and *silent* (sound arrives, and there is
nothing in it). In all three a station's fallback sounds, looped, until the station has been well for a moment; a
live broadcast has none. A station never ends by itself: the cue lasts exactly as long as it was asked to.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.player.howl import HowlGuard
from agent.player.jitter import JitterBuffer
from agent.player.mixer import Block, dbfs, ramp, silence
from agent.player.protocol import RATE, StreamSource
from agent.player.receiver import RETRYING, TUNER, Receiver, Retrying
from agent.player.sources import PcmFileSource, Unreadable
from playlists.streams import DATAGRAMS
from playlists.units import Seconds

log = logging.getLogger("loa.player")

Say = Callable[[str, str | None], None]

CROSS_FADE_S: Final = Seconds(0.15)
"""Between a station and what stands in for it."""

AWAY: Final = frozenset({"stalled", "reconnecting", "silent"})

_PAUSE_S: Final = 1.0
"""Speech has pauses: a station that returns may be quiet for so long without being counted anew."""

_TELL_AGAIN_S: Final = 1.0


@dataclass(frozen=True)
class Manner:
    """How a kind of stream is treated."""

    cushion_s: Seconds
    """Sound that waits in the buffer when it begins to be heard: what its way may delay a part of it."""
    away_after_s: Seconds
    """Without sound for so long, it is told, and the fallback sounds."""
    back_after_s: Seconds
    """A station that returns is heard again when it has brought sound for so long."""
    live: bool = False


RELAYED: Final = Manner(Seconds(1.0), Seconds(3.0), Seconds(2.0))
LIVE_WEB: Final = Manner(Seconds(0.25), Seconds(1.0), Seconds(0.0), live=True)
LIVE_DATAGRAMS: Final = Manner(Seconds(0.08), Seconds(1.0), Seconds(0.0), live=True)
"""On a network that is near: a packet is 20 ms."""


def manner_of(source: StreamSource) -> Manner:
    """How this stream is treated."""
    if not source.live:
        return RELAYED
    datagrams = source.url.partition("://")[0] in {*DATAGRAMS, "srt"}
    return LIVE_DATAGRAMS if datagrams else LIVE_WEB


class Station:
    """A `SampleSource` that always has samples: the station, or what stands in for it."""

    def __init__(
        self,
        source: StreamSource,
        say: Say,
        *,
        manner: Manner | None = None,
        retrying: Retrying = RETRYING,
        tuner: Sequence[str] = TUNER,
    ) -> None:
        """Start to receive at once.

        Args:
            source: what is carried, and for how long, whatever it brings.
            say: told `opening`, `ready` (once), `playing`, `stalled`, `reconnecting`, `silent` or `howling`, with a
                reason, whenever that changes; on any thread.
            manner: default is that of the kind of stream.
            retrying: when a tuner is given up.
            tuner: its command.
        """
        self.length: int | None = round(source.for_s * RATE)
        self.position = 0
        self.relayed = 0
        self._source = source
        self._say = say
        self._manner = manner or manner_of(source)
        self._buffer = JitterBuffer(self._manner.cushion_s, keep_up=self._manner.live)
        self._guard = HowlGuard() if self._manner.live else None
        self._fallback = self._open_fallback(source.fallback)
        self._without = 0
        self._why_not: str | None = None
        self._ready = False
        self._state = ""
        self._told_at = 0
        self._began = time.monotonic()
        self._dry = self._quiet = self._well = 0
        self._share = 1.0
        """How much of the station is in what is heard: 0 to 1, on its way during a cross-fade."""
        self._opening: str | None = None
        self._receiver = Receiver(source, self._buffer, self._came, self._heard_word, retrying, tuner)

    def read(self, n: int) -> Block:
        """The next n samples, whatever the station does."""
        if not self.position:
            # what was received ahead and is not there by now need not be waited for again
            self._dry = min(round((time.monotonic() - self._began) * RATE), self._late)
        self.position += n
        own = self._buffer.take(n)
        self._judge(own, n)
        if own is not None and self._guard is not None:
            own = self._guard.feed(own)
        return self._mixed(own, n)

    def seek(self, position: int) -> None:
        """Count the time as passed: what was missed of a station is gone."""
        self.position = position

    def close(self) -> None:
        """Stop receiving."""
        self._receiver.close()
        if self._fallback is not None:
            self._fallback.close()

    @property
    def remark(self) -> str | None:
        """What the log should say of it: for how long it was not heard, and why."""
        if not self._without:
            return None
        instead = " (the fallback sounded)" if self._fallback is not None else ""
        return f"{self._without / RATE:.1f} s without the station{instead}: {self._why_not or self._receiver.reason}"

    # -- how it stands -------------------------------------------------------------------------

    @property
    def _late(self) -> int:
        return round(self._manner.away_after_s * RATE)

    def _came(self) -> None:
        if not self._ready and self._buffer.ready:
            self._ready = True
            self._say("ready", None)

    def _heard_word(self) -> None:
        """Until its cue comes, nobody judges a stream: its own words are all there is."""
        if not self._ready and not self.position and self._receiver.reason != self._opening:
            self._opening = self._receiver.reason
            self._say("opening", self._opening)

    def _judge(self, own: Block | None, n: int) -> None:
        """Find out how the station stands after its next samples, and tell."""
        if own is None:
            self._dry += n
            if self._dry >= self._late:
                self._well = 0
                self._now("stalled" if self._receiver.connected else "reconnecting", self._receiver.reason)
            return
        self._dry = 0
        level = dbfs(float(np.sqrt(np.mean(own * own))))
        if level is not None and level >= self._source.dead_air_dbfs:
            self._quiet = 0
            self._well += n
        else:
            self._quiet += n
            if self._quiet >= _PAUSE_S * RATE:
                self._well = 0
        if self._quiet >= self._source.dead_air_s * RATE:
            self._now(
                "silent", f"below {self._source.dead_air_dbfs:g} dBFS for {self._source.dead_air_s:g} s"
            )
        elif self._guard is not None and self._guard.howling_hz is not None:
            self._now("howling", f"feedback at {self._guard.howling_hz:.0f} Hz is turned down")
        elif self._state in ("", "playing", "howling") or self._is_back(own):
            self._now("playing", None)

    def _is_back(self, own: Block) -> bool:
        """Whether a station that was away may be heard again: not at its first word, it may be gone at the next."""
        if self._fallback is None:
            # nothing is heard meanwhile: whatever comes is better
            return self._state != "silent" or not self._quiet
        return self._well - len(own) >= self._manner.back_after_s * RATE

    def _now(self, state: str, reason: str | None) -> None:
        if state == self._state and (
            reason == self._why_not or reason is None or self.position < self._told_at + _TELL_AGAIN_S * RATE
        ):
            return
        self._state, self._told_at = state, self.position
        self._why_not = reason or self._why_not
        self._say(state, reason)

    # -- what is heard -------------------------------------------------------------------------

    def _mixed(self, own: Block | None, n: int) -> Block:
        # a short gap stays a gap: the fallback is for a station that is known to be away
        away = self._state in AWAY
        if own is None or away:
            self._without += n
        else:
            self.relayed += n
        station = silence(n) if own is None else own
        if self._fallback is None:
            return station
        step = n / (CROSS_FADE_S * RATE)
        before = self._share
        self._share = max(0.0, before - step) if away else min(1.0, before + step)
        if before == self._share == 1.0:
            return station
        instead = _looped(self._fallback, n) * ramp(1.0 - before, 1.0 - self._share, n)
        mixed: Block = station * ramp(before, self._share, n) + instead
        return mixed

    def _open_fallback(self, path: str | None) -> PcmFileSource | None:
        if path is None:
            return None
        try:
            return PcmFileSource(path)
        except Unreadable as error:
            log.warning("fallback of %s left out: %s", self._source.url, error)
            return None


def _looped(source: PcmFileSource, n: int) -> Block:
    """The next n samples, from the beginning again at the end."""
    block = source.read(n)
    while len(block) < n:
        source.seek(0)
        block = np.concatenate([block, source.read(n - len(block))])
    return block
