"""What happened lately, in the order in which it happened."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.clock import FakeClock
from agent.timeline import KEPT, Timeline
from playlists.units import MonotonicS

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def test_moments_stand_in_the_order_in_which_they_were() -> None:
    clock = FakeClock(NOW)
    timeline = Timeline(clock)
    clock.advance(10)
    timeline.add("sound", "news", "finished")
    timeline.add("relay", "amplifier", "on", at=MonotonicS(clock.monotonic() - 4))
    (first, second) = timeline.to_json()
    assert (first["name"], first["wall"]) == ("amplifier", "2026-11-23T05:00:06+00:00")
    assert (second["name"], second["monotonic_s"]) == ("news", clock.monotonic())


def test_a_clock_that_is_set_does_not_change_the_order() -> None:
    clock = FakeClock(NOW)
    timeline = Timeline(clock)
    timeline.add("sound", "a", "started")
    clock.jump(-3_600)
    clock.advance(1)
    timeline.add("sound", "a", "finished")
    assert [moment["state"] for moment in timeline.to_json()] == ["started", "finished"]


def test_only_the_newest_are_kept() -> None:
    timeline = Timeline(FakeClock(NOW))
    for number in range(KEPT + 5):
        timeline.add("sound", str(number), "started")
    moments = timeline.to_json()
    assert len(moments) == KEPT
    assert moments[0]["name"] == "5"
