"""How high a voice is."""

from __future__ import annotations

import numpy as np

from tests.support.sound import Samples

LOWEST_HZ, HIGHEST_HZ = 50, 400
"""Where human voices, and those made like them, have their fundamental."""


def pitch_hz(samples: Samples, rate: int) -> float:
    """The median fundamental frequency, by autocorrelation of windows of 40 ms that hold a voice."""
    window = int(0.04 * rate)
    found = []
    loud = 0.3 * float(np.sqrt(np.mean(samples**2)))
    for begin in range(0, len(samples) - 2 * window, window):
        part = samples[begin : begin + 2 * window].astype(np.float64)
        if np.sqrt(np.mean(part**2)) < loud:
            continue
        spectrum = np.abs(np.fft.rfft(part - part.mean(), 4 * window)) ** 2
        likeness = np.fft.irfft(spectrum)
        lags = slice(rate // HIGHEST_HZ, rate // LOWEST_HZ)
        best = int(np.argmax(likeness[lags])) + lags.start
        if likeness[best] > 0.4 * likeness[0]:
            found.append(rate / best)
    return float(np.median(found))
