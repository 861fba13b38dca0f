"""The last seconds of something that comes in pieces, each with its instant."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.listener.bands import BANDS, BLOCKS_A_SECOND, Powers, band_powers
from playlists.units import MonotonicS, Seconds

Samples = NDArray[np.float32]

KEPT_S: Final = Seconds(10.0)
_ROWS: Final = round(KEPT_S * BLOCKS_A_SECOND)
_FOLLOW: Final = 0.02
"""Share of what a block's instant differs that is believed: drivers tell the time to a few milliseconds."""

_LEAP_S: Final = 0.1
"""A block that comes this far off its time follows a hole."""


class Track:
    """Band powers on the grid of 20 ms that output and microphone share."""

    def __init__(self) -> None:
        self._rows = np.full((_ROWS, BANDS), np.nan)
        self._end = 0
        """Number of the block after the last known."""

    @property
    def until(self) -> MonotonicS:
        """The instant up to which it is known."""
        return MonotonicS(self._end / BLOCKS_A_SECOND)

    def put(self, at: float, powers: Powers) -> None:
        """Blocks in a row, the first at that instant."""
        first = round(at * BLOCKS_A_SECOND)
        for number in range(max(self._end, first - _ROWS), first):
            self._rows[number % _ROWS] = np.nan
        for index, row in enumerate(powers):
            self._rows[(first + index) % _ROWS] = row
        self._end = max(self._end, first + len(powers))

    def rows(self, first: int, last: int) -> Powers:
        """Blocks `first` to `last` (excluded) by number; NaN where nothing is known."""
        numbers = np.arange(first, last)
        found = self._rows[numbers % _ROWS].copy()
        found[(numbers >= self._end) | (numbers < self._end - _ROWS)] = np.nan
        return found


class Recording:
    """The microphone's last seconds, in its own rate, kept with the node's clock."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.track = Track()
        self._samples = np.zeros(0, dtype=np.float32)
        self._began = 0.0
        """The instant of the first sample kept."""
        self._left = np.zeros(0, dtype=np.float32)
        """What does not fill a block yet."""

    def add(self, block: Samples, at: float) -> None:
        """The next samples; the first was heard at that instant."""
        expected = self._began + len(self._samples) / self.rate
        off = at - expected
        if not len(self._samples) or abs(off) > _LEAP_S:
            self._samples, self._left, self._began = block[:0], block[:0], at
            expected = at
        else:
            self._began += _FOLLOW * off
            expected += _FOLLOW * off
        n = self.rate // BLOCKS_A_SECOND
        self._left, old = np.concatenate([self._left, block]), len(self._left)
        whole = len(self._left) // n * n
        self.track.put(expected - old / self.rate, band_powers(self._left[:whole], self.rate))
        self._left = self._left[whole:]
        self._samples = np.concatenate([self._samples, block])
        surplus = len(self._samples) - round(KEPT_S * self.rate)
        if surplus > 0:
            self._samples = self._samples[surplus:]
            self._began += surplus / self.rate

    @property
    def until(self) -> MonotonicS:
        """The instant after the last sample."""
        return MonotonicS(self._began + len(self._samples) / self.rate)

    def between(self, first: float, last: float) -> tuple[Samples, MonotonicS]:
        """The samples of a span, as far as they are kept, and the instant of the first."""
        begin = min(max(0, round((first - self._began) * self.rate)), len(self._samples))
        end = max(begin, round((last - self._began) * self.rate))
        return self._samples[begin:end], MonotonicS(self._began + begin / self.rate)
