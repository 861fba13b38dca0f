"""Recurring chores keep their rhythm, whatever the wall clock does."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from agent.chores import ChoreDue, Chores, Every
from tests.support.wait import wait_until

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def test_a_leap_of_three_years_makes_one_run_and_not_millions() -> None:
    every = Every(10.0)
    runs, due = 0, every.get_next_fire_time(None, NOW)
    later = NOW + timedelta(days=3 * 365)
    while due <= later:
        runs += 1
        due = every.get_next_fire_time(due, later)
    assert runs == 1
    assert due == later + timedelta(seconds=10)


def test_after_a_clock_was_set_back_it_goes_on_at_once() -> None:
    every = Every(10.0)
    earlier = NOW - timedelta(hours=1)
    assert every.get_next_fire_time(NOW, earlier) == earlier + timedelta(seconds=10)


def test_jitter_spreads_a_fleet_over_its_span() -> None:
    every = Every(100.0, 50.0)
    waits = {(every.get_next_fire_time(None, NOW) - NOW).total_seconds() for _ in range(200)}
    assert 100 <= min(waits) < 110
    assert 140 < max(waits) <= 150


def test_chores_post_events_again_and_again_also_after_a_realignment() -> None:
    posted: list[object] = []
    came = threading.Event()

    def post(event: object) -> None:
        posted.append(event)
        came.set()

    chores = Chores(post)
    chores.add("ping", 0.05)
    chores.add("rare", 3_600)
    chores.start()
    try:
        wait_until(lambda: len(posted) >= 2, 5, "two pings")
        chores.realign()
        had = len(posted)
        wait_until(lambda: len(posted) >= had + 2, 5, "two more pings")
    finally:
        chores.stop()
    assert set(posted) == {ChoreDue("ping")}


def test_ending_chores_that_never_began_is_no_error() -> None:
    Chores(lambda _event: None).stop()
