"""A quiet tune without an author: plucked strings wander over a pentatonic scale, and nobody is owed."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from playlists.units import Seconds

Sound = NDArray[np.float32]
RATE_HZ = 48_000
_SCALE_HZ = (196.00, 220.00, 261.63, 293.66, 329.63, 392.00, 440.00, 523.25, 587.33, 659.26)
"""G A C D E over two octaves: điệu Bắc, as a zither is tuned."""
_BEAT_S = 0.42
_FADE_S = 1.5


def tune(length_s: Seconds) -> bytes:
    """Mono 16-bit samples at `RATE_HZ`; the same length gives the same tune."""
    chance = random.Random(20261123)  # noqa: S311 - a melody is no secret
    out = np.zeros(round(length_s * RATE_HZ), dtype=np.float32)
    strings = [_pluck(hz) for hz in _SCALE_HZ]
    at_s, step = 0.0, 4
    while at_s < length_s:
        step = min(max(step + chance.choice((-2, -1, -1, 1, 1, 2)), 0), len(strings) - 1)
        _add(out, strings[step], at_s, 0.5)
        if chance.random() < 0.25:
            _add(out, strings[max(step - 5, 0)], at_s, 0.35)  # the octave below
        at_s += _BEAT_S * chance.choice((1, 1, 1, 2, 2, 3))
    edge = min(round(_FADE_S * RATE_HZ), len(out) // 2)
    if edge:
        out[:edge] *= np.linspace(0, 1, edge, dtype=np.float32)
        out[-edge:] *= np.linspace(1, 0, edge, dtype=np.float32)
    return bytes((np.clip(out * 0.5, -1, 1) * 32_767).astype("<i2").tobytes())


def _pluck(hz: float) -> Sound:
    """A string: overtones that die the sooner the higher they are."""
    t = np.arange(round(2.5 * RATE_HZ)) / RATE_HZ
    wave = np.zeros_like(t)
    for n in range(1, 7):
        wave += np.sin(2 * np.pi * hz * n * t) * np.exp(-t * (1.2 + 0.9 * n)) / n
    attack = np.minimum(t / 0.004, 1.0)
    release = np.minimum((t[-1] - t) / 0.05, 1.0)
    sound: Sound = (wave * attack * release * 0.5).astype(np.float32)
    return sound


def _add(out: Sound, sound: Sound, at_s: float, volume: float) -> None:
    begin = round(at_s * RATE_HZ)
    end = min(begin + len(sound), len(out))
    out[begin:end] += volume * sound[: end - begin]
