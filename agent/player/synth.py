"""Makes the samples of a tone."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from agent.player.mixer import Block, fade_in, fade_out, silence
from agent.player.protocol import RATE
from agent.tones import FUNDAMENTAL, OVERTONES, TONES, Note

_EDGE: Final = RATE // 200  # 5 ms: no click


@lru_cache(maxsize=4)
def tone(name: str) -> Block:
    """The samples of a tone at 48 kHz; the array is shared and must not be written to.

    Raises:
        KeyError: no such tone.
    """
    spec = TONES[name]
    out = silence(round(spec.length_s * RATE))
    for note in spec.notes:
        samples = _note(note)
        begin = round(note.at_s * RATE)
        end = min(begin + len(samples), len(out))
        out[begin:end] += samples[: end - begin]
    out.flags.writeable = False
    return out


def _note(note: Note) -> Block:
    t = np.arange(round(note.length_s * RATE)) / RATE
    sweep = (note.to_hz - note.hz) / note.length_s
    phase = 2 * np.pi * (note.hz * t + sweep * t * t / 2)
    wave = np.zeros_like(t)
    for number, weight in OVERTONES:
        wave += weight * np.sin(number * phase)
    wave *= note.amplitude * FUNDAMENTAL
    if note.decay_s is not None:
        wave = wave * np.exp(-t / note.decay_s)
    return fade_out(fade_in(wave.astype(np.float32), _EDGE), _EDGE)
