"""Whose turn it is in a zone, and for how long. Pure.

Turns are dealt by smooth weighted round robin (the method of nginx's upstream balancing): in every run of
sum-of-weights turns each bulletin has exactly as many as it weighs, spread as evenly as possible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from playlists.units import Seconds

READING_WORDS_PER_S: Final = 3.0
"""A comfortable pace for text on a wall; Vietnamese writes a word a syllable."""
SHORTEST_PAGE_S: Final = Seconds(4.0)
LONGEST_TURN_S: Final = Seconds(120.0)
"""A text that takes longer goes on in its next turn: nobody waits twenty minutes for what else there is."""


def next_turn(
    weights: Sequence[tuple[str, int]], credit: Mapping[str, int]
) -> tuple[str, dict[str, int]] | None:
    """Whose turn is next.

    Args:
        weights: bulletins of the zone in their order, with their weights (at least 1).
        credit: what the turn before has left; empty at first. Of bulletins that are gone, it is forgotten.

    Returns:
        the bulletin, and the credit for the turn after it; None when there is no bulletin.
    """
    if not weights:
        return None
    raised = {name: credit.get(name, 0) + weight for name, weight in weights}
    chosen = max(raised, key=lambda name: raised[name])  # of equals, the first
    raised[chosen] -= sum(weight for _, weight in weights)
    return chosen, raised


def page_times(duration_s: Seconds, words: Sequence[int | None]) -> list[Seconds]:
    """How long each page of a bulletin stays, given the number of words on it.

    A single page stays `duration_s`, and so does one of which nobody knows the words. Other pages share that time by
    their words, but each stays long enough to be read: a long text takes a longer turn instead of flying past.
    """
    if len(words) <= 1:
        return [duration_s] * len(words)
    total = max(1, sum(count for count in words if count is not None))
    return [
        duration_s
        if count is None
        else Seconds(max(duration_s * count / total, count / READING_WORDS_PER_S, SHORTEST_PAGE_S))
        for count in words
    ]


def last_of_turn(times: Sequence[Seconds], first: int, duration_s: Seconds) -> int:
    """The last page of a turn that begins with page `first`: the turn takes `LONGEST_TURN_S` at most.

    It has one page at least, and as many as `duration_s` holds where that is longer.
    """
    most_s = max(LONGEST_TURN_S, duration_s)
    last, taken_s = first, times[first]
    while last + 1 < len(times) and taken_s + times[last + 1] <= most_s:
        last += 1
        taken_s = Seconds(taken_s + times[last])
    return last
