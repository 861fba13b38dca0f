"""Was what went out heard? Compares the shape of the output in time with that of what the microphone hears.

Level alone proves nothing: wind, traffic and another pole are loud as well. So both are reduced to their power
in seven bands each 20 ms, and correlated at each delay that the way through the air can have (the envelope
correlation that finds recordings made of the same scene; the fourth root of the power keeps one loud syllable
from deciding alone). The part of the microphone's power that follows the output, by least squares in each band,
is what was heard of it.

Pure functions on arrays; `./dev bench heard` counts how often it errs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.listener.bands import BLOCKS_A_SECOND, FLOOR, Powers
from playlists.units import DbFs, Decibel, Seconds

WINDOW_S: Final = Seconds(4.0)
VERDICT_EACH_S: Final = Seconds(0.5)


EARLIEST_S: Final = Seconds(-0.16)
LATEST_S: Final = Seconds(0.9)
"""Delays that are tried: sound at 170 m is half a second late; what drivers say of their own may be wrong."""

LEAST_CORRELATION: Final = 0.45
"""Over a whole window. Less sound agrees by chance more easily: it must agree better."""

LEAST_SOUND_S: Final = Seconds(0.8)
"""Less sound than this in a window says nothing."""

ENOUGH_SOUND_S: Final = Seconds(2.5)
"""After so much sound it is said that it was not heard."""

SILENT_OUTPUT_DBFS: Final = -60.0
LEAST_MOVEMENT: Final = 0.02
"""A steady tone looks like any hum: only its beginning and its end can be told."""

ASSUMED_GAIN_DB: Final = Decibel(-40.0)
"""From output to microphone, where no reference was taken. A microphone that hears less is badly set."""

TOO_LOUD_DB: Final = 3.0
"""With so much more than was to be expected at the microphone, the output could hide in it."""

TOO_SOFT_DB: Final = 20.0
"""So much below what was to be expected is not this node's loudspeaker, or no longer all of it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one window says."""

    heard: bool | None
    """None: it cannot be told."""
    level_dbfs: DbFs | None = None
    """Of what was heard of the output; None unless something was."""
    correlation: float = 0.0
    delay_s: Seconds = Seconds(0.0)
    sound_s: Seconds = Seconds(0.0)
    """How much of the window the output sounded."""


def compare(put_out: Powers, came_in: Powers, path_gain_db: Decibel | None = None) -> Verdict:
    """Judge one window.

    Args:
        put_out: powers of the output; begins `LATEST_S` before `came_in` and ends `-EARLIEST_S` after it. NaN
            where nothing is known.
        came_in: powers at the microphone; NaN where nothing is known.
        path_gain_db: what came in over what went out when all was well.
    """
    before, after = round(LATEST_S * BLOCKS_A_SECOND), round(-EARLIEST_S * BLOCKS_A_SECOND)
    n = len(came_in)
    if len(put_out) != n + before + after:
        raise ValueError(
            f"{n} blocks came in, so {n + before + after} must have gone out, not {len(put_out)}"
        )
    known_in = ~np.isnan(came_in[:, 0])
    known_out = ~np.isnan(put_out[:, 0])
    out = put_out[before : before + n]
    both = known_in & known_out[before : before + n]
    sound_s = Seconds(
        float(np.count_nonzero(_dbfs(out[both].sum(axis=1)) > SILENT_OUTPUT_DBFS)) / BLOCKS_A_SECOND
    )
    if sound_s < LEAST_SOUND_S:
        return Verdict(None, sound_s=sound_s)
    shape_out, shape_in = _shape(put_out), _shape(came_in)
    best, shift = -1.0, before
    for offset in range(before + after + 1):
        rows = known_in & known_out[offset : offset + n]
        if np.count_nonzero(rows) < LEAST_SOUND_S * BLOCKS_A_SECOND:
            continue
        found = _correlation(shape_out[offset : offset + n][rows], shape_in[rows])
        if found > best:
            best, shift = found, offset
    delay_s = Seconds((before - shift) / BLOCKS_A_SECOND)
    gain_db = ASSUMED_GAIN_DB if path_gain_db is None else path_gain_db
    expected = _mean_dbfs(out[both]) + gain_db
    if best >= min(0.8, LEAST_CORRELATION * math.sqrt(WINDOW_S / sound_s)):
        rows = known_in & known_out[shift : shift + n]
        level = _heard_dbfs(put_out[shift : shift + n][rows], came_in[rows])
        if path_gain_db is None or level >= expected - TOO_SOFT_DB:
            return Verdict(True, DbFs(level), best, delay_s, sound_s)
        return Verdict(False, None, best, delay_s, sound_s)
    loud = _mean_dbfs(came_in[both])
    silent = loud < expected - TOO_SOFT_DB
    plain = _movement(out[both]) > LEAST_MOVEMENT and loud < expected + TOO_LOUD_DB
    missed = sound_s >= ENOUGH_SOUND_S and (silent or plain)
    return Verdict(False if missed else None, None, best, delay_s, sound_s)


def _shape(powers: Powers) -> Powers:
    shaped: Powers = powers**0.25
    return shaped


def _correlation(out: Powers, came: Powers) -> float:
    """Pearson's of two shapes, over all bands together, each about its own mean."""
    x, y = out - out.mean(axis=0), came - came.mean(axis=0)
    size = math.sqrt(float(np.sum(x * x)) * float(np.sum(y * y)))
    return float(np.sum(x * y)) / size if size > FLOOR else 0.0


def _movement(out: Powers) -> float:
    """Share of the shape that moves: 0 for a steady tone, some 0.3 for speech."""
    x = _shape(out)
    total = float(np.sum(x * x))
    return float(np.sum((x - x.mean(axis=0)) ** 2)) / total if total > FLOOR else 0.0


def _heard_dbfs(out: Powers, came: Powers) -> float:
    """Level of the part of `came` that follows `out`."""
    x, y = out - out.mean(axis=0), came - came.mean(axis=0)
    spread = np.sum(x * x, axis=0)
    slope = np.where(spread > FLOOR * FLOOR, np.sum(x * y, axis=0) / np.maximum(spread, FLOOR * FLOOR), 0.0)
    return float(_dbfs(np.asarray(np.sum(np.maximum(slope, 0.0) * out.mean(axis=0)))))


def _mean_dbfs(powers: Powers) -> float:
    return float(_dbfs(np.asarray(powers.sum(axis=1).mean())))


def _dbfs(power: Powers) -> Powers:
    level: Powers = 10.0 * np.log10(2.0 * np.maximum(power, FLOOR))
    return level
