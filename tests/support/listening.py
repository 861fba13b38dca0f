"""Ears at a sink, over a whole test module, and what they make of the sound: when, how loud, which tone."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from tests.support.pulse import RATE, Recorder, Recording
from tests.support.sound import Samples, level_dbfs, pitch
from tests.support.wait import wait_until

AUDIBLE = 0.01
RUNG_S = 0.1
FIRST_RUNG_HZ = 400.0
RUNG_HZ = 20.0
"""A ladder goes up by so much every `RUNG_S`: its pitch tells where in it one is."""


def ladder(seconds: float, amplitude: float = 0.5) -> Samples:
    """A tone that climbs in steps, without clicks: each place in it has a pitch of its own."""
    place = np.arange(round(seconds * RATE)) / RATE
    hz = FIRST_RUNG_HZ + RUNG_HZ * np.floor(place / RUNG_S)
    return (amplitude * np.sin(2 * np.pi * np.cumsum(hz) / RATE)).astype(np.float32)


def place_on_ladder(samples: Samples) -> float:
    """Where on the ladder these samples are, to about `RUNG_S`, in seconds."""
    return (pitch(samples) - FIRST_RUNG_HZ) / RUNG_HZ * RUNG_S


@dataclass(frozen=True)
class Stretch:
    """An unbroken stretch of sound, in monotonic seconds."""

    began: float
    ended: float
    samples: Samples

    @property
    def seconds(self) -> float:
        """How long it sounded."""
        return self.ended - self.began

    def part(self, first_s: float, last_s: float) -> Samples:
        """Some of it, by seconds from its beginning; negative ones count from its end."""
        first, last = (s if s >= 0 else self.seconds + s for s in (first_s, last_s))
        return self.samples[round(first * RATE) : round(last * RATE)]

    @property
    def hz(self) -> float:
        """Pitch of its middle half second."""
        middle = self.seconds / 2
        return pitch(self.part(max(0.0, middle - 0.25), min(self.seconds, middle + 0.25)))

    @property
    def dbfs(self) -> float:
        """Its level."""
        return level_dbfs(self.samples)


class Ears:
    """Reads a running recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def since(self, first: float, last: float | None = None) -> Recording:
        """What was heard between two monotonic instants; waits until the last of it is recorded."""
        last = time.monotonic() if last is None else last
        wait_until(lambda: self._recorder.heard_until() >= last, 10, "the recorder has heard so far")
        return self._recorder.excerpt(first, last)

    def stretches(
        self, first: float, last: float | None = None, *, apart_s: float = 0.05, threshold: float = AUDIBLE
    ) -> list[Stretch]:
        """The stretches of sound in a span; silences shorter than `apart_s` do not part them."""
        heard = self.since(first, last)
        loud = np.flatnonzero(np.abs(heard.samples) > threshold)
        if not len(loud):
            return []
        breaks = np.flatnonzero(np.diff(loud) > apart_s * RATE)
        begins = [loud[0], *loud[breaks + 1]]
        ends = [*loud[breaks], loud[-1]]
        return [
            Stretch(heard.at(int(begin)), heard.at(int(end) + 1), heard.samples[begin : end + 1])
            for begin, end in zip(begins, ends, strict=True)
        ]

    def wait_for_sound(self, after: float, timeout_s: float = 10.0, seconds: float = 0.2) -> float:
        """Wait until something is heard for so long after an instant; returns when it began."""

        def find() -> float | None:
            found = [s for s in self.stretches(after) if s.seconds >= seconds]
            return found[0].began if found else None

        return wait_until(find, timeout_s, "something is heard")

    def longest_silence(self, first: float, last: float) -> float:
        """The longest stretch without sound in a span, in seconds."""
        heard = self.since(first, last)
        loud = np.flatnonzero(np.abs(heard.samples) > AUDIBLE)
        edges = np.concatenate(([0], loud, [len(heard.samples)]))
        return float(np.max(np.diff(edges))) / RATE
