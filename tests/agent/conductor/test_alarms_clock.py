"""A wall clock that nobody disciplines neither silences an alert nor keeps it alive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from agent.clock import FakeClock
from playlists.models.base import ClockState
from tests.agent.conductor.fakes import START, House
from tests.agent.conductor.test_alarms import cap
from tests.agent.conductor.test_alarms_told import told

Build = Callable[..., House]
DAY_S = 86_400.0
EACH_S = 60.0


def storm(house: House, for_s: float = 600) -> str:
    """An alert by the true time, which is carried on from the last good one."""
    expires = house.clock.last_good + timedelta(seconds=for_s)
    return cap("A1", house, for_s=(expires - house.clock.now()).total_seconds())


def off_by(seconds: float) -> FakeClock:
    """A clock that is wrong, and that the node has not been able to set."""
    clock = FakeClock(START, ClockState.RESTORED)
    clock.jump(seconds)
    return clock


@pytest.mark.parametrize("seconds", [DAY_S, 30 * DAY_S, -DAY_S])
def test_an_alert_is_told_again_and_ended_by_the_true_time(build: Build, seconds: float) -> None:
    house = build(clock=off_by(seconds), extra=f"[alerts]\nrepeat_s = {EACH_S}")
    house.command("c1", type="alert", cap=storm(house, for_s=200))
    house.run_for(2)
    assert house.receipts("c1") == ["started"]
    house.run_for(190)
    assert len(told(house)) == 3
    assert house.node.alarms.book.in_force
    house.run_for(20)
    assert not house.node.alarms.book.in_force
    assert [record.text for record in house.records(kind="alert")] == ["in force", "expired"]


def test_one_that_is_over_by_the_true_time_is_not_told(build: Build) -> None:
    house = build(clock=off_by(-DAY_S))
    house.command("c1", type="alert", cap=storm(house, for_s=-60))
    house.run_for(20)
    assert not house.player.heard
    assert "expired at" in (house.uplink.receipts[-1].reason or "")


def test_when_the_clock_is_put_right_the_next_telling_comes_no_sooner_and_no_later(build: Build) -> None:
    house = build(clock=off_by(DAY_S), extra=f"[alerts]\nrepeat_s = {EACH_S}")
    house.command("c1", type="alert", cap=storm(house))
    house.run_for(30)
    ended = house.heard("A1")[-1].ended
    assert ended is not None
    house.jump(-DAY_S)
    house.clock.become(ClockState.SYNCHRONISED)
    house.run_for(70)
    assert EACH_S <= told(house)[-1].began - ended < EACH_S + 1.5


def test_an_alert_in_force_outlives_a_restart_with_a_clock_that_is_ahead(build: Build, house: House) -> None:
    house.command("c1", type="alert", cap=storm(house))
    house.run_for(30)
    house.crash()
    house.clock.become(ClockState.RESTORED)
    house.clock.jump(DAY_S)
    after = build(clock=house.clock)
    after.run_for(1)
    assert [one.identifier for one in after.node.alarms.book.in_force] == ["A1"]
