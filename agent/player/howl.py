"""A guard against acoustic feedback: a live microphone near a horn howls, and the horn feeds the microphone.

A howl is one narrow tone, near full level, that does not move: by these signs of the literature (T. van Waterschoot,
M. Moonen, "Fifty years of acoustic feedback control", Proc. IEEE 99(2), 2011: peak-to-average power, interframe
persistence) it is told from speech, whose pitch moves, from music, whose power is spread, and from alarm tones, which
sweep or beat. A howl that is clipped on its way has odd harmonics: they are counted with it.

The remedy is less gain: with a loop gain below one a howl dies by itself, whichever pitch it has; a notch would only
move it to the next one. Pure: blocks in, blocks out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.player.mixer import Block, factor, ramp
from agent.player.protocol import RATE
from playlists.units import DbFs, Decibel, Seconds

FRAME: Final = 4_096
HOP: Final = 1_024
LOUD: Final = DbFs(-12.0)
LOWEST_HZ: Final = 120.0
HIGHEST_HZ: Final = 12_000.0
TONE_SHARE: Final = 0.75
"""Least share of the power in the tone itself."""

ALL_SHARE: Final = 0.93
"""Least share of the power in the tone and its odd harmonics."""

STEADY: Final = 0.012
"""Farthest that its pitch moves, as a part of it."""

HOWLS_AFTER_S: Final = Seconds(0.8)
AGAIN_AFTER_S: Final = Seconds(0.25)
"""A howl that comes back while it is still turned down is known sooner."""

QUIET_FOR_S: Final = Seconds(0.5)
DUCK_DB: Final = Decibel(-30.0)
BACK_DB_A_S: Final = 6.0

_WINDOW: Final = np.hanning(FRAME).astype(np.float32)
_LOBE: Final = 3
_FULL: Final = float(np.sum(_WINDOW**2)) * FRAME / 4
"""Power over the bins of half a spectrum for a sine of full scale."""


@dataclass(frozen=True)
class Peak:
    """The strongest tone of a frame."""

    hz: float
    level: DbFs
    share: float
    """Of the power of the frame."""
    all_share: float
    """Together with its odd harmonics."""


def strongest(frame: Block) -> Peak | None:
    """The strongest tone in `FRAME` samples; None for silence."""
    power = np.abs(np.fft.rfft(frame * _WINDOW)) ** 2
    whole = float(np.sum(power))
    if whole <= 1e-9:
        return None
    at = int(np.argmax(power))
    lobe = power[max(0, at - _LOBE) : at + _LOBE + 1]
    # the middle of the lobe, finer than a bin
    bin_ = float(np.sum(lobe * np.arange(max(0, at - _LOBE), max(0, at - _LOBE) + len(lobe))) / np.sum(lobe))
    tone = float(np.sum(lobe))
    harmonics = 0.0
    for number in (3, 5, 7):
        middle = round(bin_ * number)
        if middle + _LOBE < len(power) and middle - _LOBE > at + _LOBE:
            harmonics += float(np.sum(power[middle - _LOBE : middle + _LOBE + 1]))
    level = DbFs(10.0 * float(np.log10(tone / _FULL)))
    return Peak(bin_ * RATE / FRAME, level, tone / whole, (tone + harmonics) / whole)


def is_tone(peak: Peak | None) -> bool:
    """Whether a frame is what a howl looks like at one moment."""
    return (
        peak is not None
        and LOWEST_HZ <= peak.hz <= HIGHEST_HZ
        and peak.level >= LOUD
        and peak.share >= TONE_SHARE
        and peak.all_share >= ALL_SHARE
    )


class HowlGuard:
    """Passes blocks on, turned down while they howl."""

    def __init__(self) -> None:
        self.howling_hz: float | None = None
        """Pitch of the howl that is being turned down."""
        self._ring = np.zeros(FRAME, np.float32)
        self._fresh = 0
        self._hz = 0.0
        self._steady_s = 0.0
        self._quiet_s = 0.0
        self._gain_db = Decibel(0.0)

    def feed(self, block: Block) -> Block:
        """The next block, as it may go out."""
        self._ring = np.concatenate([self._ring[len(block) :], block[-FRAME:]])
        self._fresh += len(block)
        if self._fresh >= HOP:
            self._look(self._fresh / RATE)
            self._fresh = 0
        before = self._gain_db
        if self.howling_hz is not None:
            # down within 50 ms: what comes out of the horn while it falls feeds the loop
            self._gain_db = Decibel(max(DUCK_DB, before + DUCK_DB * len(block) / (0.05 * RATE)))
        elif before < 0:
            self._gain_db = Decibel(min(0.0, before + BACK_DB_A_S * len(block) / RATE))
        if before >= 0.0 <= self._gain_db:
            return block
        passed: Block = block * ramp(factor(before), factor(self._gain_db), len(block))
        return passed

    def _look(self, passed_s: float) -> None:
        loud = float(np.max(np.abs(self._ring), initial=0.0)) > factor(Decibel(LOUD))
        peak = strongest(self._ring) if loud else None
        if peak is not None and is_tone(peak):
            same = abs(peak.hz - self._hz) <= STEADY * peak.hz
            self._steady_s = self._steady_s + passed_s if same else 0.0
            self._hz = self._hz if same else peak.hz
        else:
            self._steady_s = 0.0
        if self._steady_s >= (HOWLS_AFTER_S if self._gain_db >= 0.0 else AGAIN_AFTER_S):
            self.howling_hz, self._quiet_s = self._hz, 0.0
        elif self.howling_hz is not None:
            self._quiet_s += passed_s
            if self._quiet_s >= QUIET_FOR_S:
                self.howling_hz = None
