"""A relayed station: decoder process → jitter buffer → mixer; end, stall and silence told apart.

A station that brings no bytes is *stalled*: the decoder is killed and started again with a growing pause.
One that brings bytes without sound is *silent*. In both cases the fallback sounds, looped, until the
station is back; both are reported. A station never ends by itself: an end is a stall, and the cue lasts
exactly as long as it was asked to.
"""

from __future__ import annotations

import logging
import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.player.mixer import Block, Meter, drop_one, fade_in, from_s16, repeat_one, silence
from agent.player.protocol import RATE
from agent.player.sources import PcmFileSource, Unreadable
from playlists.units import DbFs, Seconds

logger = logging.getLogger("loa.player")

_EDGE: Final = RATE // 100
_READ_BYTES: Final = 9_600


@dataclass(frozen=True)
class Patience:
    """How long a station may be away before the fallback sounds."""

    connect_s: Seconds = Seconds(10.0)
    """From the decoder's start to its first sample."""
    stalled_after_s: Seconds = Seconds(3.0)
    silent_after_s: Seconds = Seconds(10.0)
    silent_below: DbFs = DbFs(-50.0)  # noqa: RUF009
    first_pause_s: Seconds = Seconds(0.5)
    longest_pause_s: Seconds = Seconds(30.0)
    cushion_s: Seconds = Seconds(0.4)
    """Sound that waits in the buffer when the station begins to be heard."""


PATIENCE: Final = Patience()


class JitterBuffer:
    """Samples that came and were not yet heard. One thread puts, another one takes."""

    def __init__(self, cushion: int, most: int) -> None:
        self._blocks: deque[Block] = deque()
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._cushion = cushion
        self._most = most
        self._waiting = 0
        self._flowing = False

    def put(self, block: Block, give_up: Callable[[], bool]) -> None:
        """Add samples; waits while the buffer is full: a file on a web server comes faster than it sounds."""
        with self._room:
            while self._waiting > self._most and not give_up():
                self._room.wait(0.5)
            self._blocks.append(block)
            self._waiting += len(block)

    def take(self, n: int) -> Block | None:
        """The next n samples; None until the cushion is there, and again after the buffer ran dry.

        The sender's clock is not ours: a buffer that grows or shrinks is held by dropping or repeating a
        sample now and then.
        """
        with self._room:
            self._flowing = self._waiting >= (n + 1 if self._flowing else self._cushion)
            if not self._flowing:
                return None
            # a live station is paced by its sender: the buffer stays near the cushion
            trim = 0
            if self._cushion * 1.5 < self._waiting < self._most * 0.9:
                trim = 1
            elif self._waiting < self._cushion // 2:
                trim = -1
            block = self._cut(n + trim)
            self._room.notify()
        if trim > 0:
            return drop_one(block)
        return repeat_one(block) if trim < 0 else block

    def clear(self) -> None:
        """Forget what waits."""
        with self._room:
            self._blocks.clear()
            self._waiting = 0
            self._flowing = False
            self._room.notify()

    def _cut(self, n: int) -> Block:
        parts, missing = [], n
        while missing:
            block = self._blocks.popleft()
            if len(block) > missing:
                self._blocks.appendleft(block[missing:])
                block = block[:missing]
            parts.append(block)
            missing -= len(block)
        self._waiting -= n
        return np.concatenate(parts)


class Station:
    """A `SampleSource` that always has samples: the station, or what stands in for it."""

    def __init__(
        self,
        url: str,
        for_s: Seconds,
        fallback: str | None,
        say: Callable[[str, str | None], None],
        patience: Patience = PATIENCE,
        decoder: Sequence[str] = (sys.executable, "-m", "agent.player.decode", "--to-pipe"),
    ) -> None:
        """Start to receive at once.

        Args:
            url: what libVLC can open.
            for_s: how long it is carried, whatever it brings.
            fallback: PCM at 48 kHz, or None for silence.
            say: told `playing`, `stalled` or `silent` with a reason whenever that changes.
            patience: see there.
            decoder: the command that writes PCM on its stdout, without the URL.
        """
        self.length: int | None = round(for_s * RATE)
        self.position = 0
        self._url = url
        self._say = say
        self._patience = patience
        self._argv = [*decoder, url]
        self._buffer = JitterBuffer(round(patience.cushion_s * RATE), 5 * RATE)
        self._closed = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._fallback = self._open_fallback(fallback)
        self._state = ""
        self._heard_from = "nobody"
        self._quiet = 0
        self._reason: str | None = None
        self._dry = 0
        self._thread = threading.Thread(target=self._receive, name="station", daemon=True)
        self._thread.start()

    def read(self, n: int) -> Block:
        """The next n samples, whatever the station does."""
        self.position += n
        block = self._buffer.take(n)
        if block is None:
            self._dry += n
            if self._dry >= self._patience.stalled_after_s * RATE:
                self._now("stalled", self._reason or "no sound arrives")
            return self._stand_in(n, "gap")
        self._dry = 0
        self._judge(block)
        if self._state == "silent":
            return self._stand_in(n, "silence")
        return self._edge(block, "station")

    def seek(self, position: int) -> None:
        """Count the time as passed: what was missed of a station is gone."""
        self.position = position

    def close(self) -> None:
        """Stop receiving."""
        self._closed.set()
        child = self._child
        if child is not None:
            child.kill()
        if self._fallback is not None:
            self._fallback.close()

    # -- what is heard -------------------------------------------------------------------------

    def _judge(self, block: Block) -> None:
        meter = Meter()
        meter.add(block)
        level = meter.level()
        if level is not None and level >= self._patience.silent_below:
            self._quiet = 0
            self._now("playing", None)
            return
        self._quiet += len(block)
        if self._quiet >= self._patience.silent_after_s * RATE:
            self._now("silent", f"below {self._patience.silent_below:g} dBFS")

    def _now(self, state: str, reason: str | None) -> None:
        if state != self._state:
            self._state = state
            self._say(state, reason)

    def _stand_in(self, n: int, why: str) -> Block:
        fallback = self._fallback
        # a short gap stays a gap; the fallback is for a station that is known to be away
        if fallback is None or (why == "gap" and self._state != "stalled"):
            return self._edge(silence(n), "nobody")
        block = fallback.read(n)
        while len(block) < n:
            fallback.seek(0)
            block = np.concatenate([block, fallback.read(n - len(block))])
        return self._edge(block, "fallback")

    def _edge(self, block: Block, whom: str) -> Block:
        if whom != self._heard_from:
            self._heard_from = whom
            return fade_in(block, _EDGE)
        return block

    def _open_fallback(self, path: str | None) -> PcmFileSource | None:
        if path is None:
            return None
        try:
            return PcmFileSource(path)
        except Unreadable as error:
            logger.warning("fallback of %s left out: %s", self._url, error)
            return None

    # -- on the station's own thread -----------------------------------------------------------

    def _receive(self) -> None:
        failures = 0
        while not self._closed.is_set():
            got = self._run_decoder()
            failures = 1 if got else failures + 1
            pause = self._patience.first_pause_s * 2.0 ** min(failures - 1, 10)
            self._closed.wait(min(pause, self._patience.longest_pause_s))

    def _run_decoder(self) -> int:
        """Run one decoder until it ends, stalls, or the station is closed; the bytes it brought."""
        with subprocess.Popen(
            self._argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ}
        ) as child:
            self._child = child
            got = 0
            try:
                if child.stdout is not None and not self._closed.is_set():
                    got = self._pump(child.stdout.fileno())
            finally:
                child.kill()
        return got

    def _pump(self, fd: int) -> int:
        got, rest = 0, b""
        last = time.monotonic()
        while not self._closed.is_set():
            ready, _, _ = select.select([fd], [], [], 0.5)
            if not ready:
                patience_s = self._patience.stalled_after_s if got else self._patience.connect_s
                if time.monotonic() - last > patience_s:
                    self._reason = f"no sound for {patience_s:g} s"
                    return got
                continue
            data = os.read(fd, _READ_BYTES)
            if not data:
                self._reason = "the station ended" if got else "the station cannot be opened"
                return got
            last = time.monotonic()
            got += len(data)
            data = rest + data
            whole = len(data) // 2 * 2
            rest = data[whole:]
            self._buffer.put(from_s16(np.frombuffer(data[:whole], dtype="<i2")), self._closed.is_set)
            last = time.monotonic()
        return got
