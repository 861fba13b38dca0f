"""Arithmetic on blocks of samples: pure functions on float32 arrays, where 1.0 is full scale."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from playlists.units import DbFs, Decibel

Block = NDArray[np.float32]

CEILING: Final = 0.977
"""Nothing leaves above this: -0.2 dBFS, so that the converter's own filter does not overshoot."""

_KNEE: Final = 0.9
_RELEASE: Final = 10.0 ** (0.1 / 20)  # 0.1 dB a block of 10 ms: 10 dB a second, not heard as pumping
_ATTACK: Final = 48
_SILENT: Final = -120.0


def factor(gain: Decibel) -> float:
    """The factor of a gain; at -120 dB and below it is 0."""
    return 0.0 if gain <= _SILENT else float(10.0 ** (gain / 20.0))


def dbfs(value: float) -> DbFs | None:
    """The level of an RMS value, 0 dBFS being that of a full-scale sine; None for digital silence."""
    if value <= 1e-7:
        return None
    return DbFs(20.0 * math.log10(value * math.sqrt(2.0)))


def peak_dbfs(value: float) -> DbFs | None:
    """The level of a peak value; None for digital silence."""
    return None if value <= 1e-7 else DbFs(20.0 * math.log10(value))


def silence(n: int) -> Block:
    """n samples of nothing."""
    return np.zeros(n, dtype=np.float32)


def fade_in(block: Block, n: int) -> Block:
    """The block with its first n samples risen from nothing (a raised cosine: no click)."""
    n = min(n, len(block))
    out = block.copy()
    out[:n] *= _rise(n)
    return out


def fade_out(block: Block, n: int) -> Block:
    """The block with its last n samples falling to nothing."""
    n = min(n, len(block))
    out = block.copy()
    out[len(out) - n :] *= _rise(n)[::-1]
    return out


def envelope_out(start: int, length: int, n: int) -> Block:
    """n values of a fall from 1 to 0: sample 0 is the one numbered `start` of a fade of `length`."""
    if length <= 0:
        return np.where(np.arange(start, start + n) < 0, 1.0, 0.0).astype(np.float32)
    phase = np.clip((np.arange(start, start + n, dtype=np.float32) + 0.5) / length, 0.0, 1.0)
    return (0.5 + 0.5 * np.cos(np.pi * phase)).astype(np.float32)


def ramp(first: float, last: float, n: int) -> Block:
    """n factors from just after `first` to `last`, straight in decibels where both are above nothing."""
    if first == last:
        return np.full(n, last, dtype=np.float32)
    steps = np.arange(1, n + 1, dtype=np.float64) / n
    if first > 1e-6 and last > 1e-6:
        return (first * (last / first) ** steps).astype(np.float32)
    return (first + (last - first) * steps).astype(np.float32)


def limit(block: Block, held: float) -> tuple[Block, float]:
    """Keep a block under the ceiling: the gain goes down within 1 ms and comes back at 10 dB a second.

    What a fast attack lets through for its first millisecond is bent, not cut (tanh above the knee).

    Args:
        block: what is to go out.
        held: the factor that the last block ended with; 1.0 to begin with.

    Returns:
        The block, every sample within ±`CEILING`, and the factor it ended with.
    """
    peak = float(np.max(np.abs(block), initial=0.0))
    wanted = min(1.0, _KNEE / peak) if peak > 0 else 1.0
    if peak <= _KNEE and held >= 1.0:
        return block, 1.0
    if wanted < held:
        gains = np.full(len(block), wanted, dtype=np.float32)
        n = min(_ATTACK, len(block))
        gains[:n] = np.linspace(held, wanted, n, dtype=np.float32)
    else:
        wanted = min(wanted, held * _RELEASE)
        gains = np.linspace(held, wanted, len(block), dtype=np.float32)
    out = block * gains
    size = np.abs(out)
    if float(np.max(size, initial=0.0)) > _KNEE:
        room = CEILING - _KNEE
        bent = _KNEE + room * np.tanh((size - _KNEE) / room)
        out = np.where(size > _KNEE, np.copysign(bent, out), out).astype(np.float32)
    return out, wanted


def to_s16(block: Block) -> NDArray[np.int16]:
    """Samples for the converter."""
    samples: NDArray[np.int16] = np.rint(np.clip(block, -1.0, 1.0) * 32_767.0).astype(np.int16)
    return samples


def from_s16(samples: NDArray[np.int16]) -> Block:
    """Samples from a file or a decoder."""
    return samples.astype(np.float32) * np.float32(1.0 / 32_768.0)


def drop_one(block: Block) -> Block:
    """The block without the sample that is missed least: the one lying closest between its neighbours."""
    if len(block) < 3:
        return block[:-1]
    where = 1 + int(np.argmin(np.abs(block[2:] - block[:-2])))
    return np.delete(block, where).astype(np.float32, copy=False)


def repeat_one(block: Block) -> Block:
    """The block with one sample more, put where the wave stands stillest."""
    if len(block) < 2:
        return np.concatenate([block, block[-1:]])
    where = 1 + int(np.argmin(np.abs(np.diff(block))))
    between = (block[where - 1] + block[where]) / 2
    return np.insert(block, where, between).astype(np.float32, copy=False)


def _rise(n: int) -> Block:
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(n, dtype=np.float32) + 0.5) / max(n, 1))).astype(np.float32)


class Meter:
    """Sums what passed: level over all of it, and over what came since the last reading."""

    def __init__(self) -> None:
        self.frames = 0
        self.peak = 0.0
        self._energy = 0.0
        self._recent_energy = 0.0
        self._recent_frames = 0
        self._recent_peak = 0.0

    def add(self, block: Block) -> None:
        """Count a block."""
        if not len(block):
            return
        energy = float(np.dot(block, block))
        peak = float(np.max(np.abs(block)))
        self.frames += len(block)
        self.peak = max(self.peak, peak)
        self._energy += energy
        self._recent_energy += energy
        self._recent_frames += len(block)
        self._recent_peak = max(self._recent_peak, peak)

    def level(self) -> DbFs | None:
        """RMS level of all that was counted."""
        return dbfs(math.sqrt(self._energy / self.frames)) if self.frames else None

    def recent(self) -> tuple[DbFs | None, DbFs | None]:
        """RMS level and peak since the last call."""
        rms = math.sqrt(self._recent_energy / self._recent_frames) if self._recent_frames else 0.0
        peak = self._recent_peak
        self._recent_energy, self._recent_frames, self._recent_peak = 0.0, 0, 0.0
        return dbfs(rms), peak_dbfs(peak)
