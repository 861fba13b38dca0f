"""Thirty SIGKILLs at random moments. A thousand: `python -m tests.faults.soak`."""

from __future__ import annotations

from tests.faults.soak import SILENT_AT_MOST_S, Soak
from tests.support.house import House

KILLS = 30


def test_thirty_kills_at_random_moments_lose_and_double_nothing(kiosk: House) -> None:
    kiosk.node.wait_until_up()
    kiosk.quiet()
    soaked = Soak(kiosk, seed=20261123).run(KILLS)
    kiosk.quiet()
    assert soaked.clean, soaked
    assert {"daemon", "player", "screen"} <= soaked.kills.keys()
    assert soaked.commands
    assert max(soaked.silences_s) < SILENT_AT_MOST_S
