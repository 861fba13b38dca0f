"""When to ask again: spread out, so that a thousand poles do not ask in one breath."""

from __future__ import annotations

import random

from playlists.units import Seconds

SPREAD = 0.2
FIRST_RETRY_S = 5.0


def jittered(interval_s: Seconds, chance: random.Random | None = None) -> Seconds:
    """The interval, up to a tenth shorter or longer: for the chore that polls."""
    share = (chance or random).random()
    return Seconds(interval_s * (1 - SPREAD / 2 + SPREAD * share))


def back_off(failures: int, longest_s: Seconds, chance: random.Random | None = None) -> Seconds:
    """How long to wait after the n-th failure in a row: growing by 1.8 from a few seconds, spread out.

    The growth is aioesphomeapi's, which has proved itself against flapping links.
    """
    grown = FIRST_RETRY_S * 1.8 ** min(failures - 1, 20)
    return jittered(Seconds(min(grown, longest_s)), chance)
