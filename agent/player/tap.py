"""What leaves the output, for the listener to compare with: its shape in time, four times a second."""

from __future__ import annotations

import queue
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.listener.bands import BLOCKS_A_SECOND, band_powers, to_tenths
from agent.player.mixer import from_s16
from agent.player.protocol import BLOCK, RATE, Report
from playlists.units import MonotonicS

_AT_LEAST: Final = RATE // 5 // BLOCK
"""Blocks that are told together."""


class Tap:
    """Takes blocks on the output's thread; they are looked at on another."""

    def __init__(self) -> None:
        self._blocks: queue.SimpleQueue[tuple[NDArray[np.int16], MonotonicS]] = queue.SimpleQueue()

    def take(self, samples: NDArray[np.int16], at: MonotonicS) -> None:
        """A block has been handed over; its first sample leaves at that instant. Never waits."""
        self._blocks.put((samples, at))

    def report(self) -> Report | None:
        """What has left since the last time, once it is worth telling."""
        count = self._blocks.qsize()
        if count < _AT_LEAST:
            return None
        # an even number of them: a row is two blocks of the player
        taken = [self._blocks.get_nowait() for _ in range(count - count % (RATE // BLOCKS_A_SECOND // BLOCK))]
        samples = np.concatenate([from_s16(block) for block, _ in taken])
        bands = to_tenths(band_powers(samples, RATE))
        return Report("put-out", {"at": round(taken[0][1], 4), "bands": bands})
