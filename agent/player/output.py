"""Where blocks go: a sound card or sink through PortAudio, or a WAV file in real time.

An output asks for blocks on a thread of its own and says when the first sample of each reaches the
converter. It is open only for a session: silence costs a CPU as much as sound does.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from agent.player.alsa import LEAN_ALSA
from agent.player.protocol import BLOCK, RATE, PlayerError
from playlists.units import MonotonicS, Seconds

log = logging.getLogger("loa.player")

Render = Callable[[int, MonotonicS], NDArray[np.int16]]

_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")


class OutputFailed(PlayerError):  # noqa: N818 - says what is the matter
    """Error raised when the output cannot be opened. Remedy: retry later."""


class Output(Protocol):
    """One way out. `lost` says why it no longer asks for blocks, though it was not closed."""

    name: str

    def open(self, render: Render) -> Seconds:
        """Begin to ask for blocks; returns the latency. Raises OutputFailed."""
        ...

    def close(self) -> None:
        """Stop asking; `render` is not called after this returns."""
        ...

    @property
    def lost(self) -> str | None:
        """Why it stopped by itself, if it did."""
        ...


class PortAudioOutput:
    """A sound card, or a sink of PulseAudio or PipeWire through ALSA's `pulse` device."""

    def __init__(self, device: str | None, latency_s: Seconds) -> None:
        """`device` is a name or part of one as PortAudio lists them; None for the default.

        PortAudio is loaded here and stays: it opens a stream in 3 ms then.
        """
        self.name = f"portaudio:{device or 'default'}"
        if device == "pulse":
            os.environ.setdefault("ALSA_CONFIG_PATH", str(LEAN_ALSA))
        import sounddevice  # noqa: PLC0415 - it starts PortAudio, which reads the variable above

        self._sd = sounddevice
        self._device = device
        self._latency_s = latency_s
        self._stream: Any = None
        self._finished = threading.Event()
        self._failed: str | None = None
        self._began = 0.0
        self._called = 0.0

    def open(self, render: Render) -> Seconds:
        """See `Output`."""
        self._finished.clear()
        self._failed = None

        def callback(out: Any, frames: int, times: Any, status: Any) -> None:
            self._called = time.monotonic()
            if status:
                log.info("the card says: %s", status)
            try:
                out[:] = render(frames, _dac(times)).tobytes()
            except Exception as error:  # whatever it is, it must not be lost in a C callback
                log.exception("block not rendered")
                self._failed = f"block not rendered: {error}"
                raise self._sd.CallbackAbort from error

        try:
            self._stream = self._start(callback)
        except (self._sd.PortAudioError, ValueError):
            # a card that came after PortAudio was started is not on its list
            self._sd._terminate()
            self._sd._initialize()
            try:
                self._stream = self._start(callback)
            except (self._sd.PortAudioError, ValueError) as error:
                raise OutputFailed(f"{self.name} cannot be opened: {error}") from error
        return Seconds(float(self._stream.latency))

    def _start(self, callback: Callable[[Any, int, Any, Any], None]) -> Any:
        stream = self._sd.RawOutputStream(
            samplerate=RATE,
            blocksize=BLOCK,
            channels=1,
            dtype="int16",
            device=self._device,
            latency=self._latency_s,
            callback=callback,
            finished_callback=self._finished.set,
        )
        self._began = self._called = time.monotonic()
        stream.start()
        return stream

    def close(self) -> None:
        """See `Output`."""
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.abort()
            except self._sd.PortAudioError as error:
                log.info("closing %s: %s", self.name, error)
            stream.close(ignore_errors=True)

    @property
    def lost(self) -> str | None:
        """See `Output`."""
        if self._stream is None:
            return None
        if self._finished.is_set():
            return self._failed or "the stream ended by itself"
        quiet = time.monotonic() - self._called
        return f"the card took nothing for {quiet:.1f} s" if quiet > 2.0 else None


class FileOutput:
    """A WAV file, written at the pace of a card; further sessions are added at its end."""

    def __init__(self, path: Path) -> None:
        self.name = f"file:{path}"
        self._path = path
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._failed: str | None = None

    def open(self, render: Render) -> Seconds:
        """See `Output`."""
        try:
            new = not self._path.exists() or self._path.stat().st_size < _HEADER.size
            file = self._path.open("w+b" if new else "r+b")
        except OSError as error:
            raise OutputFailed(f"{self.name} cannot be opened: {error}") from error
        self._stop.clear()
        self._failed = None
        self._thread = threading.Thread(target=self._write, args=(file, render), name="wav", daemon=True)
        self._thread.start()
        return Seconds(BLOCK / RATE)

    def close(self) -> None:
        """See `Output`."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join()

    @property
    def lost(self) -> str | None:
        """See `Output`."""
        return self._failed

    def _write(self, file: BinaryIO, render: Render) -> None:
        began, frames = time.monotonic(), 0
        try:
            with file:
                _write_header(file)
                while not self._stop.wait(max(0.0, began + frames / RATE - time.monotonic())):
                    block = render(BLOCK, MonotonicS(began + (frames + BLOCK) / RATE))
                    file.write(block.astype("<i2").tobytes())
                    frames += BLOCK
                    if frames % RATE == 0:  # a crash leaves a file that can be played
                        _write_header(file)
                _write_header(file)
        except OSError as error:
            self._failed = f"{self._path}: {error}"


def _write_header(file: BinaryIO) -> None:
    """Make the header fit what is in the file, and stand at its end (RIFF WAVE, PCM, mono, 16 bit)."""
    size = max(file.seek(0, os.SEEK_END), _HEADER.size)
    file.seek(0)
    data = min(size - _HEADER.size, 2**32 - 64)
    file.write(
        _HEADER.pack(b"RIFF", data + 36, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16, b"data", data)
    )
    file.seek(0, os.SEEK_END)


def _dac(times: Any) -> MonotonicS:
    """When a block's first sample reaches the converter, on CLOCK_MONOTONIC.

    PortAudio counts on CLOCK_REALTIME or CLOCK_MONOTONIC, as it was built; which one is seen from the value.
    """
    ahead = times.outputBufferDacTime - times.currentTime
    now, wall = time.monotonic(), time.time()
    clock = now if abs(times.currentTime - now) < abs(times.currentTime - wall) else wall
    # several blocks are asked for at one wake-up, and share its time
    age = clock - times.currentTime
    return MonotonicS(now - (age if 0 <= age < 0.1 else 0.0) + max(0.0, ahead))
