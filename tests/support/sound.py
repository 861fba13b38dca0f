"""What a recording sounds like, in numbers."""

from __future__ import annotations

import math
import wave
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
Samples = NDArray[np.float32]


def sine(hz: float, seconds: float, amplitude: float = 0.5) -> Samples:
    """A steady tone."""
    t = np.arange(round(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def write_pcm(path: Path, samples: NDArray[Any]) -> Path:
    """Raw s16le, as the library makes it."""
    path.write_bytes((samples * 32_767).astype("<i2").tobytes())
    return path


def write_wav(path: Path, samples: NDArray[Any], rate: int = RATE) -> Path:
    """A WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32_767).astype("<i2").tobytes())
    return path


def read_wav(path: Path) -> Samples:
    """The samples of a mono 16-bit WAV file."""
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float32) / 32_768


def level_dbfs(samples: Samples) -> float:
    """RMS; 0 is a full-scale sine."""
    rms = math.sqrt(float(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0
    return 20 * math.log10(max(rms * math.sqrt(2), 1e-9))


def onset(samples: Samples, threshold: float = 0.01) -> int | None:
    """Index of the first sample beyond the threshold."""
    found = np.flatnonzero(np.abs(samples) > threshold)
    return int(found[0]) if len(found) else None


def end(samples: Samples, threshold: float = 0.01) -> int | None:
    """Index after the last sample beyond the threshold."""
    found = np.flatnonzero(np.abs(samples) > threshold)
    return int(found[-1]) + 1 if len(found) else None


def pitch(samples: Samples) -> float:
    """The strongest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * RATE / len(samples)


def strength(samples: Samples, hz: float) -> float:
    """Level in dBFS of one frequency (a full-scale sine of it: 0)."""
    t = np.arange(len(samples)) / RATE
    window = np.hanning(len(samples))
    amount = np.abs(np.sum(samples * window * np.exp(-2j * np.pi * hz * t))) * 2 / np.sum(window)
    return 20 * math.log10(max(float(amount), 1e-9))


def gaps(samples: Samples, longest: float = 0.003, threshold: float = 0.002) -> list[tuple[int, int]]:
    """Stretches of silence longer than `longest` seconds: (index, samples)."""
    loud = np.flatnonzero(np.abs(samples) > threshold)
    return [
        (int(before), int(step))
        for before, step in zip(loud, np.diff(loud), strict=False)
        if step > longest * RATE
    ]
