"""The node's own tones: known to every part, made by the player itself, so always ready.

A tone is data here; the player turns it into samples (agent.player.synth).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from playlists.units import Seconds


@dataclass(frozen=True)
class Note:
    """A struck or swept sound. `to_hz` other than `hz` sweeps; `decay_s` None holds the level."""

    at_s: float
    length_s: float
    hz: float
    to_hz: float
    decay_s: float | None
    amplitude: float


@dataclass(frozen=True)
class Tone:
    """Notes, and the length of the whole."""

    length_s: Seconds
    notes: tuple[Note, ...]


OVERTONES: Final = ((1.0, 1.0), (2.0, 0.25), (3.0, 0.1))
"""Multiples of a note's frequency, and their weights."""

FUNDAMENTAL: Final = 1.0 / sum(weight for _, weight in OVERTONES)
"""Share of a note's amplitude at its own frequency."""

CHIME: Final = "chime"
ALARM: Final = "alarm"
PROBE: Final = "self-test"
DONE: Final = "done"
FAILED: Final = "failed"

TONES: Final[dict[str, Tone]] = {
    # G5 E5 C5, struck like bells: an announcement follows
    CHIME: Tone(
        Seconds(2.4),
        (
            Note(0.0, 1.2, 783.99, 783.99, 0.35, 0.35),
            Note(0.45, 1.2, 659.26, 659.26, 0.35, 0.35),
            Note(0.9, 1.5, 523.25, 523.25, 0.45, 0.38),
        ),
    ),
    # Four rising sweeps, 500 to 1200 Hz, where horns are loudest: an emergency follows
    ALARM: Tone(
        Seconds(4.0),
        tuple(Note(start, 0.95, 500.0, 1200.0, None, 0.6) for start in (0.0, 1.0, 2.0, 3.0)),
    ),
    # Two notes up: what a stick brought is in force, or taken along
    DONE: Tone(
        Seconds(0.9),
        (
            Note(0.0, 0.3, 659.26, 659.26, 0.25, 0.3),
            Note(0.25, 0.6, 987.77, 987.77, 0.3, 0.3),
        ),
    ),
    # The same low note three times: the stick was of no use
    FAILED: Tone(
        Seconds(1.3),
        tuple(Note(start, 0.3, 261.63, 261.63, 0.2, 0.35) for start in (0.0, 0.4, 0.8)),
    ),
    # The self-test: soft, after a silence in which the noise is measured; none near an overtone of the mains
    # (50 Hz) or of another
    PROBE: Tone(
        Seconds(2.6),
        tuple(
            Note(0.8 + 0.45 * number, 0.3, hz, hz, None, 0.1)
            for number, hz in enumerate((520.0, 830.0, 1_270.0, 2_030.0))
        ),
    ),
}
