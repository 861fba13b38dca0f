"""The shape of sound in time: its power in a few bands, fifty times a second.

Player and listener both make it, of what goes out and of what comes back, and it is small enough to be told in
JSON lines. Pure functions.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Powers = NDArray[np.float64]
"""One row a block, one column a band; 0.5 is a full-scale sine."""

BLOCKS_A_SECOND: Final = 50
EDGES_HZ: Final = (200, 400, 650, 1_000, 1_600, 2_500, 4_000, 7_000)
"""What horns carry. Below it are wind and the mains; each is a multiple of 50 Hz, as the blocks see it."""

BANDS: Final = len(EDGES_HZ) - 1
FLOOR: Final = 1e-12
"""Less than the last bit of a converter."""


def band_powers(samples: NDArray[np.float32], rate: int) -> Powers:
    """Power in each band, of each whole block of 20 ms; what is left over at the end is not counted."""
    n = rate // BLOCKS_A_SECOND
    blocks = samples[: len(samples) // n * n].reshape(-1, n)
    window = np.hanning(n + 1)[:-1]
    spectrum = np.abs(np.fft.rfft(blocks * window, axis=1)) ** 2
    spectrum *= 2.0 / (n * np.sum(window**2))
    bins = [edge // BLOCKS_A_SECOND for edge in EDGES_HZ]
    return np.stack([spectrum[:, low:high].sum(axis=1) for low, high in pairwise(bins)], axis=1)


def to_tenths(powers: Powers) -> list[list[int]]:
    """As they go over a pipe: tenths of dBFS (0 is a full-scale sine)."""
    tenths = np.rint(100.0 * np.log10(2.0 * np.maximum(powers, FLOOR)))
    found: list[list[int]] = tenths.astype(int).tolist()
    return found


def from_tenths(tenths: list[list[int]]) -> Powers:
    """The inverse of `to_tenths`.

    Raises:
        ValueError: it is not a list of rows of `BANDS` numbers.
    """
    rows = np.asarray(tenths, dtype=np.float64).reshape(-1, BANDS)
    powers: Powers = np.clip(10.0 ** (rows / 100.0) / 2.0, 0.0, 1e3)
    return powers
