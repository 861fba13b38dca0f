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


def page_times(duration_s: Seconds, words: Sequence[int]) -> list[Seconds]:
    """How long each page of a turn stays, given the number of words on it.

    A turn of one page lasts `duration_s`. Pages share that time by their words, but each stays long enough
    to be read: a long text takes a longer turn instead of flying past.
    """
    if len(words) <= 1:
        return [duration_s] * len(words)
    total = max(1, sum(words))
    return [
        Seconds(max(duration_s * count / total, count / READING_WORDS_PER_S, SHORTEST_PAGE_S))
        for count in words
    ]
