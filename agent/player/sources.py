"""Where samples come from: files of PCM and tones. Stations are in `agent.player.station`."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from agent.player.mixer import Block, from_s16, silence
from agent.player.protocol import RATE, PlayerError
from agent.player.resample import Interpolator

_AHEAD_BYTES: Final = 4 * RATE * 2
"""The kernel is asked to have the next 4 s in memory: an SD card may take its time."""


class Unreadable(PlayerError, OSError):  # noqa: N818 - says what is the matter
    """Error raised when a source cannot be opened. Remedy: the cue is left out and reported."""


class SampleSource(Protocol):
    """Samples at 48 kHz, in order."""

    length: int | None
    """Samples in all; None when it goes on until it is left."""

    position: int
    """The next sample to be read."""

    @property
    def relayed(self) -> int | None:
        """Samples that came from a station; None for what is no station."""
        ...

    @property
    def remark(self) -> str | None:
        """What the log should say of what was heard."""
        ...

    def read(self, n: int) -> Block:
        """The next n samples; fewer only at the end."""
        ...

    def seek(self, position: int) -> None:
        """Go on from that sample."""
        ...

    def close(self) -> None:
        """Let go of files and processes."""
        ...


class ArraySource:
    """Samples in memory."""

    relayed = remark = None

    def __init__(self, samples: Block) -> None:
        self._samples = samples
        self.length: int | None = len(samples)
        self.position = 0

    def read(self, n: int) -> Block:
        """See `SampleSource`."""
        block = self._samples[self.position : self.position + n]
        self.position += len(block)
        return block

    def seek(self, position: int) -> None:
        """See `SampleSource`."""
        self.position = min(position, len(self._samples))

    def close(self) -> None:
        """Nothing to let go of."""


class PcmFileSource:
    """A file of raw samples, of any rate, mapped into memory."""

    relayed = remark = None

    def __init__(self, path: str, rate: int = RATE) -> None:
        """Raises Unreadable when the file is missing or has no samples in it."""
        try:
            with Path(path).open("rb") as file:
                size = os.fstat(file.fileno()).st_size // 2 * 2
                if size == 0:
                    raise Unreadable(f"{path}: no samples in it")
                self._map = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        except OSError as error:
            raise error if isinstance(error, Unreadable) else Unreadable(str(error)) from error
        self._bytes = size
        self._count = size // 2
        self._interpolator = None if rate == RATE else Interpolator(rate)
        self.length: int | None = (
            self._count if self._interpolator is None else self._interpolator.length(self._count)
        )
        self.position = 0
        self._asked_to = 0
        self._fetch_ahead(0)

    def read(self, n: int) -> Block:
        """See `SampleSource`."""
        n = max(0, min(n, (self.length or 0) - self.position))
        if n == 0:
            return silence(0)
        if self._interpolator is None:
            first, last = self.position, self.position + n
            block = self._samples(first, last)
        else:
            first, last = self._interpolator.window(self.position, n)
            block = self._interpolator.compute(self.position, n, self._samples(first, last))
        self.position += n
        self._fetch_ahead(last * 2)
        return block

    def seek(self, position: int) -> None:
        """See `SampleSource`."""
        self.position = min(position, self.length or 0)
        self._asked_to = 0

    def close(self) -> None:
        """See `SampleSource`."""
        self._map.close()

    def _samples(self, first: int, last: int) -> Block:
        """Input samples first … last-1, silence beyond either end."""
        begin, end = max(first, 0), min(last, self._count)
        # a copy: the map cannot be closed while an array looks into it
        raw = np.frombuffer(self._map[begin * 2 : end * 2], dtype="<i2")
        block = from_s16(raw)
        if begin == first and end == last:
            return block
        return np.concatenate([silence(begin - first), block, silence(last - max(end, begin))])

    def _fetch_ahead(self, offset: int) -> None:
        if offset + _AHEAD_BYTES // 2 < self._asked_to or self._asked_to >= self._bytes:
            return
        begin = offset // mmap.PAGESIZE * mmap.PAGESIZE
        length = min(_AHEAD_BYTES, self._bytes - begin)
        if length > 0:
            self._map.madvise(mmap.MADV_WILLNEED, begin, length)
        self._asked_to = begin + max(length, 0)
