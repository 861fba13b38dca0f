"""Any rate to 48 kHz, a block at a time: a windowed-sinc interpolator in rational steps.

Speech engines speak at 22,050 or 16,000 Hz. No resampling library is used: those of PyPI bring a compiled
dependency of their own for what is one matrix product here. Method: J. O. Smith, "Digital Audio Resampling
Home Page", https://ccrma.stanford.edu/~jos/resample/ (public).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.player.protocol import RATE

HALF: Final = 16
"""Taps on either side."""


class Interpolator:
    """Computes output samples from a window of input samples; keeps no state between calls."""

    def __init__(self, rate: int) -> None:
        """`rate` is that of the input, in Hz."""
        common = math.gcd(rate, RATE)
        self._up, self._down = RATE // common, rate // common
        self._bank = _bank(self._up, min(1.0, RATE / rate))

    def length(self, samples_in: int) -> int:
        """How many output samples so many input samples make."""
        return samples_in * self._up // self._down

    def window(self, first: int, n: int) -> tuple[int, int]:
        """The range of input samples that output samples first … first+n-1 need; it may begin below 0."""
        last = (first + n - 1) * self._down // self._up
        return first * self._down // self._up - HALF + 1, last + HALF + 1

    def compute(self, first: int, n: int, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """n output samples from the input samples of `window(first, n)`."""
        steps = np.arange(first, first + n, dtype=np.int64) * self._down
        whole, phase = np.divmod(steps, self._up)
        begin = whole - (first * self._down // self._up)
        gathered = window[begin[:, None] + np.arange(2 * HALF)]
        out: NDArray[np.float32] = np.einsum("ij,ij->i", gathered, self._bank[phase]).astype(np.float32)
        return out


class Resampler:
    """Brings a row of blocks to 48 kHz."""

    def __init__(self, rate: int) -> None:
        """`rate` is that of what is fed, in Hz."""
        self._interpolator = Interpolator(rate)
        self._held: NDArray[np.float32] = np.zeros(HALF, np.float32)
        self._held_from, self._given, self._taken = -HALF, 0, 0

    def feed(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """What can be said of the output once this block has come."""
        self._taken += len(block)
        self._held = np.concatenate([self._held, block])
        return self._up_to(self._interpolator.length(self._taken - HALF - 1))

    def end(self) -> NDArray[np.float32]:
        """The rest, silence taken to follow."""
        self._held = np.concatenate([self._held, np.zeros(2 * HALF, np.float32)])
        return self._up_to(self._interpolator.length(self._taken))

    def _up_to(self, last: int) -> NDArray[np.float32]:
        n = last - self._given
        if n <= 0:
            return np.zeros(0, np.float32)
        begin, end = self._interpolator.window(self._given, n)
        out = self._interpolator.compute(
            self._given, n, self._held[begin - self._held_from : end - self._held_from]
        )
        self._given += n
        begin, _ = self._interpolator.window(self._given, 1)
        self._held, self._held_from = self._held[begin - self._held_from :], begin
        return out


@lru_cache(maxsize=4)
def _bank(phases: int, bandwidth: float) -> NDArray[np.float32]:
    """One row of taps for each phase; each row sums to 1, so that a constant stays one."""
    offset = np.arange(phases)[:, None] / phases
    distance = np.arange(-HALF + 1, HALF + 1)[None, :] - offset
    cut = 0.95 * bandwidth
    taps = np.sinc(distance * cut) * np.i0(8.0 * np.sqrt(np.clip(1 - (distance / HALF) ** 2, 0, 1)))
    bank: NDArray[np.float32] = (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
    return bank
