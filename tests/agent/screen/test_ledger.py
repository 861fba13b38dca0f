from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent.screen.ledger import Ledger
from playlists.units import MonotonicS

WALL = datetime(2026, 11, 23, tzinfo=UTC)


def at(seconds: float) -> tuple[MonotonicS, datetime]:
    return MonotonicS(50 + seconds), WALL + timedelta(seconds=seconds)


def test_showings_and_seconds_are_summed_from_the_first_one() -> None:
    ledger = Ledger()
    ledger.appear("a", *at(1))
    ledger.vanish("a", at(4)[0])
    ledger.appear("b", *at(4))
    ledger.vanish("b", at(6)[0])
    ledger.appear("a", *at(6))
    ledger.vanish("a", at(7)[0])
    sums = {one.bulletin: (one.count, one.seconds, one.since) for one in ledger.report(*at(60))}
    assert sums == {
        "a": (2, 4.0, "2026-11-23T00:00:01.000+00:00"),
        "b": (1, 2.0, "2026-11-23T00:00:04.000+00:00"),
    }
    assert ledger.report(*at(120)) == []
    assert not ledger.open


def test_what_stays_on_is_reported_in_parts_that_add_up() -> None:
    ledger = Ledger()
    ledger.appear("a", *at(0))
    first, second = ledger.report(*at(60)), ledger.report(*at(90))
    assert [(s.count, s.seconds) for s in (*first, *second)] == [(1, 60.0), (0, 30.0)]
    assert second[0].since == "2026-11-23T00:01:00.000+00:00"
    assert ledger.open


def test_what_is_covered_does_not_count() -> None:
    ledger = Ledger()
    ledger.appear("a", *at(0))
    ledger.vanish_all(at(5)[0])
    assert [one.seconds for one in ledger.report(*at(60))] == [5.0]
