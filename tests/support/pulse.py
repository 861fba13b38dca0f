"""A private PulseAudio with one null sink, and a recorder on its monitor that knows when each sample was.

The sink is made with `norewinds`: with them a null sink renders up to 2 s ahead while nobody plays, and a
new stream is then heard late by as much (measured: 0.4 to 1.7 s).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.wait import wait_until

RATE = 48_000


@dataclass
class Recording:
    """What came out of the sink. `began` is when its first sample was rendered, on CLOCK_MONOTONIC."""

    samples: NDArray[np.float32]
    began: float

    def between(self, first: float, last: float) -> NDArray[np.float32]:
        """The samples of a span of monotonic time."""
        begin = max(0, round((first - self.began) * RATE))
        return self.samples[begin : max(begin, round((last - self.began) * RATE))]

    def at(self, index: int) -> float:
        """The monotonic instant of a sample."""
        return self.began + index / RATE

    def save(self, path: Path) -> None:
        """Write it as WAV."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes((self.samples * 32_767).astype("<i2").tobytes())


class Recorder:
    """Records a sink's monitor from when it is made until `finish`."""

    KEPT_ARRIVALS = 2_000
    """An excerpt is placed in time by the chunks of the last 20 s or so."""

    def __init__(self, server: Sink) -> None:
        self._process = subprocess.Popen(
            [
                "parec",
                f"--device={server.name}.monitor",
                "--latency-msec=10",
                f"--rate={RATE}",
                "--channels=1",
                "--format=s16le",
                "--raw",
            ],
            stdout=subprocess.PIPE,
            env={**os.environ, **server.env},
            bufsize=0,
        )
        self._data = bytearray()
        self._arrivals: list[float] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """How much was recorded so far."""
        return len(self._data) / 2 / RATE

    def heard_until(self) -> float:
        """The monotonic instant up to which is certainly recorded; slightly early."""
        return self._arrivals[-1] + len(self._data) / 2 / RATE - 0.05 if self._arrivals else 0.0

    def excerpt(self, first: float, last: float) -> Recording:
        """What was heard between two monotonic instants, while recording goes on."""
        arrivals = self._arrivals[-self.KEPT_ARRIVALS :]
        began = float(np.percentile(arrivals, 20))
        begin = max(0, round((first - began) * RATE))
        raw = bytes(self._data[2 * begin : 2 * max(begin, round((last - began) * RATE))])
        samples = np.frombuffer(raw[: len(raw) // 2 * 2], dtype="<i2").astype(np.float32) / 32_768
        return Recording(samples, began + begin / RATE)

    def _read(self) -> None:
        assert self._process.stdout is not None
        while data := self._process.stdout.read(65_536):
            self._arrivals.append(time.monotonic() - len(self._data) / 2 / RATE)
            self._data += data

    def finish(self) -> Recording:
        """Stop, and return what was recorded."""
        self._process.terminate()
        self._process.wait(5)
        self._thread.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()
        raw = np.frombuffer(bytes(self._data[: len(self._data) // 2 * 2]), dtype="<i2")
        # A chunk is handed out when its first sample is due, or later; now and then one comes a block early,
        # when the sink's latency changes. A low percentile is the instant that most of them agree on.
        began = float(np.percentile(self._arrivals, 20)) if self._arrivals else time.monotonic()
        return Recording(raw.astype(np.float32) / 32_768, began)


@dataclass
class Sink:
    """A running server; `env` reaches it."""

    name: str
    env: dict[str, str]
    process: subprocess.Popen[bytes]

    @contextlib.contextmanager
    def record(self) -> Iterator[Recorder]:
        """Record while the block runs; call `finish` inside it."""
        recorder = Recorder(self)
        try:
            wait_until(lambda: recorder.seconds > 0.3, 10, "the recorder hears the sink")
            yield recorder
        finally:
            recorder.finish()

    def control(self, *arguments: str) -> str:
        """Ask the server for something, as `pactl` does; returns its answer."""
        done = subprocess.run(
            ["pactl", *arguments],
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
        return done.stdout.strip()

    @contextlib.contextmanager
    def second(self, name: str) -> Iterator[Sink]:
        """Another null sink beside this one, and `NAME.mic`, a microphone that hears what is carried there."""
        # a better source than the default would become the default, and recorders would be moved there
        self.control("set-default-source", f"{self.name}.monitor")
        module = self.control(
            "load-module",
            "module-null-sink",
            f"sink_name={name}",
            f"rate={RATE}",
            "channels=1",
            "norewinds=1",
        )
        # a monitor is known as one, and not taken for a microphone
        self.control(
            "load-module",
            "module-remap-source",
            f"source_name={name}.mic",
            f"master={name}.monitor",
            f"rate={RATE}",
            "channels=1",
            "remix=no",
        )
        try:
            yield Sink(name, self.env, self.process)
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):  # a test may have unplugged it
                self.control("unload-module", module)  # its source goes with it

    @contextlib.contextmanager
    def carry_to(self, room: Sink, delay_ms: int, gain_db: float) -> Iterator[None]:
        """Carry what sounds here to another sink, later and softer: the air between horn and microphone."""
        module = self.control(
            "load-module",
            "module-loopback",
            f"source={self.name}.monitor",
            f"sink={room.name}",
            f"latency_msec={delay_ms}",
            "adjust_time=0",  # both sinks have one clock: no correction is needed, and each is a small gap
            "source_dont_move=true",
            "sink_dont_move=true",
        )
        try:
            self._set_volume(module, gain_db)
            yield
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                self.control("unload-module", module)

    def _set_volume(self, module: str, gain_db: float) -> None:
        number = wait_until(lambda: self._input_of(module), 5, "the loopback plays")
        self.control("set-sink-input-volume", number, f"{gain_db}dB")

    def _input_of(self, module: str) -> str | None:
        number = None
        for line in self.control("list", "sink-inputs").splitlines():
            if line.startswith("Sink Input #"):
                number = line.partition("#")[2]
            elif line.strip() == f"Owner Module: {module}":
                return number
        return None


@contextlib.contextmanager
def private_sink(name: str = "pole", socket: Path | None = None) -> Iterator[Sink]:
    """Start a PulseAudio of our own with one null sink (at that socket, if given); stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="loa-pulse-") as folder:
        socket = socket or Path(folder) / "native"
        home = {"HOME": folder, "XDG_RUNTIME_DIR": folder, "PULSE_RUNTIME_PATH": folder}
        argv = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        # as Debian starts it: a sound server that has to wait for its turn would be heard as a gap of the node's
        argv += ["--high-priority=yes", "--realtime=yes", "--log-level=error", "--disable-shm=yes"]
        argv += ["-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"]
        argv += ["-L", f"module-null-sink sink_name={name} rate={RATE} channels=1 format=s16le norewinds=1"]
        process = subprocess.Popen(argv, env={**os.environ, **home}, stderr=subprocess.DEVNULL)
        try:
            wait_until(socket.exists, 10, "PulseAudio listens")
            env = {"PULSE_SERVER": f"unix:{socket}", "PULSE_SINK": name, "HOME": folder}
            yield Sink(name, env, process)
        finally:
            process.terminate()
            process.wait(5)
