"""When a sample reaches the converter, and how a performance keeps with the node's clock. Pure.

A sound card counts its own seconds. `CardClock` learns, block by block, where its count stands on
CLOCK_MONOTONIC; `Drift` says by how many samples a performance is behind or ahead of where it should be.
"""

from __future__ import annotations

from typing import Final

from agent.player.protocol import RATE
from playlists.units import MonotonicS

_FIRST: Final = 6
_AGREE_S: Final = 0.0015
_JUMP_S: Final = 0.002
_SMOOTH: Final = 0.03

LEAP: Final = RATE // 200
"""Samples (5 ms): an error beyond is an underrun or a lost output, and is leapt over, not crept over."""

_CREEP_FROM: Final = 12.0
_CREEP_TO: Final = 1.0


class CardClock:
    """Where a card's count of frames stands on the monotonic clock."""

    def __init__(self) -> None:
        self._grid: float | None = None
        self._seen = 0
        self._agreeing = 0
        self._strange: list[float] = []

    def observe(self, frame: int, dac: MonotonicS) -> None:
        """The output says that this frame reaches the converter at that instant."""
        grid = dac - frame / RATE
        self._seen += 1
        if self._grid is None:
            self._grid = grid
            return
        off = grid - self._grid
        if not self.settled:
            # a fresh stream corrects its first estimates by tens of milliseconds
            self._agreeing = self._agreeing + 1 if abs(off) < _AGREE_S else 0
            self._grid = grid if self._agreeing == 0 else self._grid + off / (self._agreeing + 1)
        elif abs(off) < _JUMP_S:
            self._strange.clear()
            self._grid += _SMOOTH * off
        else:
            # one strange reading is noise; four that agree are an underrun
            if self._strange and abs(grid - self._strange[-1]) >= _AGREE_S:
                self._strange.clear()
            self._strange.append(grid)
            if len(self._strange) >= 4:
                self._grid = grid
                self._strange.clear()

    @property
    def known(self) -> bool:
        """Whether anything was observed."""
        return self._grid is not None

    @property
    def settled(self) -> bool:
        """Whether enough readings agree to start at an exact sample."""
        return self._seen >= _FIRST and self._agreeing >= 3

    def instant(self, frame: int) -> MonotonicS:
        """When a frame reaches the converter.

        Raises:
            ValueError: nothing was observed yet.
        """
        if self._grid is None:
            raise ValueError("the card's clock was never observed")
        return MonotonicS(self._grid + frame / RATE)


class Drift:
    """Decides, block by block, how a performance gets back to where it should be."""

    def __init__(self) -> None:
        self._creeping = 0

    def step(self, error: float) -> int:
        """What to do about an error.

        Args:
            error: samples by which the performance is late (positive) or early (negative).

        Returns:
            0: nothing; ±1: consume one sample more (drop it) or less (repeat one) in this block; anything
            larger: leap over so many samples (positive), or wait for so many (negative).
        """
        if abs(error) > LEAP:
            self._creeping = 0
            return round(error)
        if self._creeping:
            if error * self._creeping < _CREEP_TO:
                self._creeping = 0
        elif abs(error) > _CREEP_FROM:
            self._creeping = 1 if error > 0 else -1
        return self._creeping
