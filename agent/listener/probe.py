"""The self-test's tones, found again in what the microphone heard. Pure functions on arrays.

Each tone's power is taken by the Goertzel algorithm (G. Goertzel, An Algorithm for the Evaluation of Finite
Trigonometric Series, American Mathematical Monthly 65, 1958) on windowed samples, at the one delay that suits all
tones best, and beside it the power of the same frequency in the silence before the tones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from playlists.units import DbFs, Seconds

Samples = NDArray[np.float32]

LATEST_S: Final = Seconds(0.9)
EARLIEST_S: Final = Seconds(-0.1)
STEP_S: Final = Seconds(0.01)
EDGE_S: Final = Seconds(0.03)
"""A tone rises and falls within this: left out."""

QUIET_S: Final = Seconds(0.6)
"""So much silence before the first tone is measured as noise."""

CLIPPED: Final = 0.985


@dataclass(frozen=True, slots=True)
class Expected:
    """A tone that was put out: when it began, after the first sample of the recording."""

    at_s: Seconds
    hz: float
    length_s: Seconds


@dataclass(frozen=True, slots=True)
class Found:
    """What came back of it."""

    hz: float
    level_dbfs: DbFs
    noise_dbfs: DbFs
    """What this frequency was like before the tones."""


def goertzel(samples: Samples, rate: int, hz: float) -> float:
    """Power of one frequency in the samples (0.5: a full-scale sine), through a Hann window.

    The recursion s[n] = x[n] + 2·cos(w)·s[n-1] - s[n-2] is summed in closed form, which numpy does faster.
    """
    n = len(samples)
    if n < 2:
        return 0.0
    window = np.hanning(n + 1)[:-1]
    turn = np.exp(-2j * np.pi * hz / rate * np.arange(n))
    amplitude = 2.0 * abs(np.sum(samples * window * turn)) / np.sum(window)
    return float(amplitude**2 / 2.0)


def find_tones(samples: Samples, rate: int, tones: Sequence[Expected]) -> tuple[Seconds, list[Found]]:
    """Find the tones; returns the delay at which they came, and each of them in order."""

    def power(at_s: float, tone: Expected) -> float:
        begin = max(0, round((at_s + EDGE_S) * rate))
        return goertzel(samples[begin : round((at_s + tone.length_s - EDGE_S) * rate)], rate, tone.hz)

    first_s = min(tone.at_s for tone in tones)
    length_s = min(tone.length_s for tone in tones) - 2 * EDGE_S
    ends_s = first_s + EARLIEST_S
    starts = np.arange(max(0.0, ends_s - QUIET_S), max(0.0, ends_s - length_s) + 1e-9, length_s / 2)
    noise = {
        tone.hz: float(
            np.mean(
                [
                    goertzel(samples[round(s * rate) : round((s + length_s) * rate)], rate, tone.hz)
                    for s in starts
                ]
            )
        )
        for tone in tones
    }
    delays = np.arange(EARLIEST_S, LATEST_S, STEP_S)
    # each against its own noise: a loud hum near one of them does not decide
    scores = [
        sum(math.log1p(power(tone.at_s + delay, tone) / (noise[tone.hz] + 1e-12)) for tone in tones)
        for delay in delays
    ]
    delay_s = Seconds(float(delays[int(np.argmax(scores))]))
    return delay_s, [
        Found(tone.hz, _dbfs(power(tone.at_s + delay_s, tone)), _dbfs(noise[tone.hz])) for tone in tones
    ]


def clipped(samples: Samples) -> bool:
    """Whether the microphone was driven too hard: several samples in a row at the edge."""
    high = np.abs(samples) >= CLIPPED
    return bool(np.any(high[:-2] & high[1:-1] & high[2:])) if len(samples) > 2 else False


def _dbfs(power: float) -> DbFs:
    return DbFs(round(10.0 * math.log10(2.0 * max(power, 1e-13)), 1))
