"""One performance laid out in time: which item sounds when, how often, for how long.

Pure arithmetic on lengths, used for programmes and announcements alike. Silence of `gap_s` stands between one
item and the next, also between the last of a loop and the first of the following one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from playlists.units import Seconds

MAX_CUES = 20_000
"""Longest layout; what would come after is left out. A chime of 5 s that fills a whole day fits."""

SHORTEST_S = Seconds(0.01)
"""One block of the mixer. Nothing shorter is laid out, be it an item or the rest of one that is cut."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One sounding of one item."""

    item: int
    """Index in the programme's items."""
    loop: int
    """Counts from 0."""
    offset_s: Seconds | None
    """When it begins, from the start of the performance; None after an item of unknown length."""
    length_s: Seconds | None
    """Where in the item it stops, from the item's beginning; None where nobody knows yet."""
    gap_before_s: Seconds
    """Silence that is still to pass before it."""
    seek_s: Seconds = Seconds(0.0)
    """Where in the item it begins."""

    @property
    def for_s(self) -> Seconds | None:
        """How long it sounds."""
        return None if self.length_s is None else Seconds(self.length_s - self.seek_s)


def lay_out(
    items: Sequence[object],
    durations: Sequence[Seconds | None],
    loops: int,
    gap_s: Seconds,
    length_s: Seconds | None,
) -> list[Cue]:
    """Lay out items one after the other.

    Args:
        durations: length of each item; None where it is not known yet (speech being rendered); 0 for one that
            cannot be played, which is left out together with its gap.
        loops: how often all items sound, where `length_s` does not say otherwise.
        gap_s: silence between items.
        length_s: ends the performance early, or repeats the items until it is full. With an item of unknown
            length they sound once, and the caller ends the performance at `length_s`.

    Raises:
        ValueError: there are not as many durations as items.
    """
    playable = [
        (number, duration)
        for number, (_, duration) in enumerate(zip(items, durations, strict=True))
        if duration is None or duration >= SHORTEST_S
    ]
    unknown = any(duration is None for _, duration in playable)
    cues: list[Cue] = []
    offset: float | None = 0.0
    for loop in count() if playable else ():
        if loop >= (loops if length_s is None else 1 if unknown else MAX_CUES):
            break
        for number, duration in playable:
            gap = gap_s if cues else Seconds(0.0)
            begin = None if offset is None else offset + gap
            left = None if begin is None or length_s is None else length_s - begin
            if len(cues) == MAX_CUES or (left is not None and left < SHORTEST_S):
                return cues
            sounds = duration if left is None or duration is None else Seconds(min(duration, left))
            cues.append(Cue(number, loop, None if begin is None else Seconds(begin), sounds, gap))
            offset = None if begin is None or sounds is None else begin + sounds
    return cues


def total_s(cues: Sequence[Cue]) -> Seconds | None:
    """Length of the whole performance, from its start to the last item's end; None while unknown."""
    if not cues:
        return Seconds(0.0)
    last = cues[-1]
    return None if last.offset_s is None or last.length_s is None else Seconds(last.offset_s + last.length_s)


def resume_from(cues: Sequence[Cue], position_s: Seconds) -> list[Cue]:
    """What is left of a performance at `position_s` from its start: for late joins and resumption.

    What has sounded is not repeated, and what has not is not left out, but for a rest shorter than a block.
    A position beyond an item of unknown length lies inside that item.
    """
    for place, cue in enumerate(cues):
        if cue.offset_s is None:
            continue
        seek = position_s - cue.offset_s
        if seek <= 0:
            return [replace(cue, gap_before_s=Seconds(min(cue.gap_before_s, -seek))), *cues[place + 1 :]]
        if cue.length_s is None or cue.length_s - seek >= SHORTEST_S:
            return resume_at(cues, place, Seconds(seek))
    return []


def resume_at(cues: Sequence[Cue], place: int, position_s: Seconds) -> list[Cue]:
    """What is left when `cues[place]` has come to `position_s`, counted from the beginning of its item.

    This is how the player reports where it was cut off, and needs no lengths.
    """
    cue = cues[place]
    if cue.length_s is not None and cue.length_s - position_s < SHORTEST_S:
        return list(cues[place + 1 :])
    return [replace(cue, gap_before_s=Seconds(0.0), seek_s=position_s), *cues[place + 1 :]]
