"""A microphone or line-in: blocks of samples, each with the instant at which its first sample was heard.

The real one goes through PortAudio (`sounddevice`). The fake that ships beside it hears what a node puts out
as a room would carry it there, and fails as microphones do: unplugged, dead, full of hum, driven too hard.

Loads numpy: only the listener's own process imports this module.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.errors import Closed, Retry
from drivers.sound_server import recorded_output

Samples = NDArray[np.float32]
Hear = Callable[[Samples, float], None]
"""Gets a block and the instant of its first sample, in seconds on CLOCK_MONOTONIC; on a thread of the device."""

BLOCK_S: Final = 0.02
RATES_HZ: Final = (48_000, 44_100, 32_000, 16_000)
"""Tried in this order: not every microphone has the first."""

DEAD_AFTER_S: Final = 2.0
ASK_EACH_S: Final = 1.0
"""So often a sound server is asked whether it still gives us the microphone."""


class Microphone(Protocol):
    """Something that listens. `name` is for people."""

    name: str

    def open(self, hear: Hear) -> int:
        """Begin to hand over blocks; returns the rate in Hz.

        Raises:
            Retry: it is not there, or somebody else has it.
        """
        ...

    def close(self) -> None:
        """Stop; `hear` is not called after this returns. A closed one may be opened again."""
        ...

    @property
    def lost(self) -> str | None:
        """Why it stopped by itself, if it did."""
        ...


class PortAudioMicrophone:
    """A sound card's input, or a source of PulseAudio or PipeWire through ALSA's `pulse` device."""

    def __init__(self, device: str | None, alsa_config: Path | None = None) -> None:
        """`device` is a name or part of one as PortAudio lists them; None for the default.

        `alsa_config` is what ALSA reads instead of the system's configuration.
        """
        self.name = f"portaudio:{device or 'default'}"
        if alsa_config is not None:
            os.environ.setdefault("ALSA_CONFIG_PATH", str(alsa_config))
        import sounddevice  # noqa: PLC0415 - it starts PortAudio, which reads the variable above

        self._sd = sounddevice
        self._device = device
        self._stream: Any = None
        self._finished = threading.Event()
        self._called = 0.0
        self._asked = 0.0
        self._wrong: str | None = None

    def open(self, hear: Hear) -> int:
        """See `Microphone`."""
        rate = self._open_anew(hear)
        self._wrong = self._not_a_microphone()
        if self._wrong is not None:
            self.close()
            raise Retry(f"{self.name} cannot be used: {self._wrong}")
        return rate

    def _open_anew(self, hear: Hear) -> int:
        try:
            return self._open(hear)
        except (self._sd.PortAudioError, ValueError):
            # a microphone that was plugged in after PortAudio was started is not on its list
            self._sd._terminate()
            self._sd._initialize()
        try:
            return self._open(hear)
        except (self._sd.PortAudioError, ValueError) as error:
            raise Retry(f"{self.name} cannot be opened: {error}") from error

    def _open(self, hear: Hear) -> int:
        for rate in RATES_HZ:
            try:
                self._stream = self._start(hear, rate)
            except self._sd.PortAudioError as error:
                if rate == RATES_HZ[-1] or "sample rate" not in str(error):
                    raise
            else:
                return rate
        raise AssertionError("RATES_HZ is empty")

    def _start(self, hear: Hear, rate: int) -> Any:
        def callback(data: Any, frames: int, times: Any, _status: Any) -> None:
            self._called = time.monotonic()
            block = np.frombuffer(data, dtype="<i2", count=frames).astype(np.float32) / np.float32(32_768.0)
            hear(block, _heard_at(times))

        self._finished.clear()
        stream = self._sd.RawInputStream(
            samplerate=rate,
            blocksize=round(rate * BLOCK_S),
            channels=1,
            dtype="int16",
            device=self._device,
            latency=0.05,
            callback=callback,
            finished_callback=self._finished.set,
        )
        self._called = time.monotonic()
        stream.start()
        return stream

    def close(self) -> None:
        """See `Microphone`."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

    @property
    def lost(self) -> str | None:
        """See `Microphone`."""
        if self._stream is None:
            return None
        if self._finished.is_set():
            return "the stream ended by itself"
        quiet_s = time.monotonic() - self._called
        if quiet_s > DEAD_AFTER_S:
            return f"nothing came for {quiet_s:.1f} s"
        if time.monotonic() - self._asked > ASK_EACH_S:
            self._wrong = self._not_a_microphone()
        return self._wrong

    def _not_a_microphone(self) -> str | None:
        self._asked = time.monotonic()
        output = recorded_output(os.getpid())
        if output is None:
            return None
        return f"the sound server has no microphone for it and gives back what goes to the output {output}"


def _heard_at(times: Any) -> float:
    """When a block's first sample was heard, on CLOCK_MONOTONIC.

    PortAudio counts on CLOCK_REALTIME or CLOCK_MONOTONIC, as it was built; which one is seen from the value.
    """
    now, wall = time.monotonic(), time.time()
    clock = now if abs(times.currentTime - now) < abs(times.currentTime - wall) else wall
    age_s = clock - times.inputBufferAdcTime
    # some hosts leave the field empty
    return now - age_s if 0.0 <= age_s < 1.0 else now - BLOCK_S


@dataclass(frozen=True, slots=True)
class Room:
    """How sound gets from the loudspeaker to the microphone, and what else is heard there.

    Levels are RMS, 0 dBFS being a full-scale sine.
    """

    gain_db: float = -20.0
    delay_s: float = 0.05
    echo_s: float = 0.0
    """Later than the direct sound by so much, a second one comes back 4 dB softer; 0 for none."""
    reverberation_s: float = 0.0
    """Time in which the sound of the room falls by 60 dB."""
    noise_dbfs: float | None = -70.0
    """White; None for none at all."""
    wind_dbfs: float | None = None
    """Rumble in gusts."""
    hum_dbfs: float | None = None
    """50 Hz and its overtones."""
    driven_db: float = 0.0
    """The input is turned up by so much, and clips."""
    deaf: bool = False
    """Nothing of the loudspeaker gets here."""

    def carry(self, sound: Samples, rate: int, seed: int = 1) -> Samples:
        """What the microphone makes of `sound`; as long as it was."""
        n = len(sound)
        out = np.zeros(n, dtype=np.float64)
        if not self.deaf:
            response = self._response(rate, seed)
            size = 1 << (n + len(response) - 1).bit_length()
            out += np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[:n]
        out += self._noises(n, rate, seed)
        driven: Samples = np.clip(out * _factor(self.driven_db), -1.0, 32_767 / 32_768).astype(np.float32)
        return driven

    def _response(self, rate: int, seed: int) -> NDArray[np.float64]:
        tail = round(self.reverberation_s * rate)
        first, second = round(self.delay_s * rate), round((self.delay_s + self.echo_s) * rate)
        response = np.zeros(second + tail + 1)
        response[first] = 1.0
        if self.echo_s:
            response[second] += _factor(-4.0)
        if tail:
            # noise that dies away: Moorer, About this reverberation business (1979)
            fall = np.exp(-6.91 * np.arange(tail) / tail)
            scattered = np.random.default_rng(seed).standard_normal(tail) * fall
            response[first + 1 : first + 1 + tail] += scattered / np.sqrt(np.sum(scattered**2))
        return response * _factor(self.gain_db)

    def _noises(self, n: int, rate: int, seed: int) -> NDArray[np.float64]:
        chance = np.random.default_rng(seed + 1)
        out = np.zeros(n)
        t = np.arange(n) / rate
        if self.noise_dbfs is not None:
            out += _at_level(chance.standard_normal(n), self.noise_dbfs)
        if self.wind_dbfs is not None:
            spectrum = np.fft.rfft(chance.standard_normal(n))
            hz = np.fft.rfftfreq(n, 1 / rate)
            gusts = 1.0 + 0.9 * np.sin(2 * np.pi * 0.4 * t + chance.uniform(0, 6))
            gusts *= 1.0 + 0.6 * np.sin(2 * np.pi * 1.7 * t + chance.uniform(0, 6))
            out += _at_level(np.fft.irfft(spectrum / (1.0 + (hz / 60.0) ** 1.5), n) * gusts, self.wind_dbfs)
        if self.hum_dbfs is not None:
            hum = sum(np.sin(2 * np.pi * 50.0 * k * t) / k for k in (1, 2, 3, 4, 5, 6, 9, 12))
            out += _at_level(np.asarray(hum), self.hum_dbfs)
        return out


class FakeMicrophone:
    """Hears what is handed to `put_out`, in its own time, through a room that can be changed while it listens."""

    def __init__(self, room: Room, rate: int = 48_000) -> None:
        self.name = "fake"
        self.room = room
        self.rate = rate
        self.unplugged = False
        self._hear: Hear | None = None
        self._lost: str | None = None
        self._tail = np.zeros(0, dtype=np.float32)
        self._blocks = 0

    def open(self, hear: Hear) -> int:
        """See `Microphone`."""
        if self.unplugged:
            raise Retry("fake cannot be opened: no such device")
        self._hear, self._lost = hear, None
        self._tail = np.zeros(0, dtype=np.float32)
        return self.rate

    def close(self) -> None:
        """See `Microphone`."""
        self._hear = None

    @property
    def lost(self) -> str | None:
        """See `Microphone`."""
        return self._lost

    def unplug(self) -> None:
        """From now on nothing comes, and it cannot be opened; `plug_in` ends that."""
        self.unplugged = True
        self._lost = "the stream ended by itself"

    def plug_in(self) -> None:
        """It is there again."""
        self.unplugged = False

    def put_out(self, sound: Samples, at: float) -> None:
        """The loudspeaker has sounded this, from the instant `at` on; it is heard now.

        Raises:
            Closed: it is not open.
        """
        if self._hear is None:
            raise Closed("the fake microphone is not open")
        if self._lost is not None:
            return
        self._blocks += 1
        # what still hangs in the air of the last two seconds is heard with it
        kept = np.concatenate([self._tail, sound])[-(2 * self.rate + len(sound)) :]
        self._tail = kept
        self._hear(self.room.carry(kept, self.rate, 7 * self._blocks)[-len(sound) :], at)


def _factor(gain_db: float) -> float:
    return float(10.0 ** (gain_db / 20.0))


def _at_level(wave: NDArray[np.float64], level_dbfs: float) -> NDArray[np.float64]:
    rms = float(np.sqrt(np.mean(wave**2))) if len(wave) else 0.0
    return wave * (_factor(level_dbfs) / np.sqrt(2.0) / rms) if rms else wave
