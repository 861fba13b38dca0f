"""A tuner that is kept running: its sound goes into a jitter buffer, its words are remembered."""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.player.jitter import JitterBuffer
from agent.player.mixer import from_s16
from agent.player.protocol import StreamSource
from playlists.units import Seconds

log = logging.getLogger("loa.player")

TUNER: Final = (sys.executable, "-m", "agent.player.tuner")
_READ_BYTES: Final = 9_600
_LONGEST_WORD: Final = 4_096


@dataclass(frozen=True)
class Retrying:
    """How long a tuner may bring nothing before another one is started, and after what pause."""

    first_sound_s: Seconds = Seconds(10.0)
    """From a tuner's last sign of life to its first sample."""
    stalled_after_s: Seconds = Seconds(3.0)
    first_pause_s: Seconds = Seconds(0.5)
    longest_pause_s: Seconds = Seconds(3.0)


RETRYING: Final = Retrying()


class Receiver:
    """Receives one stream until it is closed, whatever becomes of the connection."""

    def __init__(
        self,
        source: StreamSource,
        buffer: JitterBuffer,
        came: Callable[[], None],
        said: Callable[[], None],
        retrying: Retrying = RETRYING,
        tuner: Sequence[str] = TUNER,
    ) -> None:
        """On a thread of its own, `came` is told that samples were put into the buffer, `said` of a new reason."""
        self.reason = "no sound has come yet"
        """Why nothing comes, in the words of whoever knows best."""
        self.connected = False
        """The sender is there and connected; otherwise it is being tried."""
        self._source = source
        self._buffer = buffer
        self._came = came
        self._said = said
        self._retrying = retrying
        self._argv = list(tuner)
        self._closed = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._words = b""
        self._thread = threading.Thread(target=self._receive, name="receiver", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop receiving."""
        self._closed.set()
        child = self._child
        if child is not None:
            child.kill()

    def _receive(self) -> None:
        failures = 0
        while not self._closed.is_set():
            self._buffer.begin_anew()
            try:
                got = self._run_tuner()
            except OSError as error:  # no process, no memory: the same as no station
                self.reason, got = f"the tuner cannot be started: {error}", 0
            self.connected = False
            failures = 1 if got else failures + 1
            pause = self._retrying.first_pause_s * 2.0 ** min(failures - 1, 10)
            self._closed.wait(min(pause, self._retrying.longest_pause_s))

    def _run_tuner(self) -> int:
        """Run one tuner until it ends, stalls, or the receiver is closed; the bytes it brought."""
        order = json.dumps({"url": self._source.url, "hosts": list(self._source.hosts)}).encode() + b"\n"
        pipe = subprocess.PIPE
        with subprocess.Popen(self._argv, stdin=pipe, stdout=pipe, stderr=pipe) as child:
            self._child = child
            got = 0
            try:
                if child.stdin is not None and child.stdout is not None and child.stderr is not None:
                    child.stdin.write(order)
                    child.stdin.close()
                    if not self._closed.is_set():
                        got = self._pump(child.stdout.fileno(), child.stderr.fileno())
            finally:
                child.kill()
        return got

    def _pump(self, sound: int, words: int) -> int:
        got, rest = 0, b""
        last = time.monotonic()
        self._words = b""
        while not self._closed.is_set():
            ready, _, _ = select.select([sound, words], [], [], 0.25)
            if words in ready and self._hear(os.read(words, _LONGEST_WORD)) and not got:
                last = time.monotonic()
            if sound in ready:
                data = os.read(sound, _READ_BYTES)
                if not data:
                    self._hear(os.read(words, _LONGEST_WORD))
                    self.reason = "the station ended" if got else self.reason
                    return got
                got += len(data)
                self.connected = True
                data = rest + data
                whole = len(data) // 2 * 2
                rest = data[whole:]
                self._buffer.put(from_s16(np.frombuffer(data[:whole], dtype="<i2")))
                self._came()
                self._buffer.wait_for_room(self._closed.is_set)
                last = time.monotonic()
            patience_s = self._retrying.stalled_after_s if got else self._retrying.first_sound_s
            if time.monotonic() - last > patience_s:
                self.reason = f"no sound for {patience_s:g} s" if got else self.reason
                return got
        return got

    def _hear(self, data: bytes) -> bool:
        """Take what a tuner says; whether it has said a word."""
        *lines, self._words = (self._words + data).split(b"\n")
        self._words = self._words[-_LONGEST_WORD:]
        said = False
        for line in lines:
            try:
                word = json.loads(line)
                self.reason = str(word["reason"])
                self.connected = word["link"] == "open"
                self._buffer.paced = bool(word.get("paced", True))
                said = True
            except (ValueError, KeyError, TypeError):
                log.debug("tuner: %s", line[:200])
        if said:
            self._said()
        return said
