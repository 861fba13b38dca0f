"""Bytes of today: over restarts and power cuts, anew at midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.traffic import KEY, Traffic
from drivers.traffic import Counters

NOON = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
"""In Hanoi."""


class Machine:
    """Counters, a clock and a memory."""

    def __init__(self) -> None:
        self.now = NOON
        self.counters: Counters | None = Counters(1_000, 100)
        self.kept: dict[str, Any] = {}
        self.boot = "boot-1"

    def get(self, key: str) -> Any:
        return self.kept.get(key)

    def put(self, key: str, value: Any) -> None:
        self.kept[key] = value

    def agent(self) -> Traffic:
        zone = ZoneInfo("Asia/Ho_Chi_Minh")
        return Traffic(lambda: self.now, zone, self.boot, self, lambda: self.counters)  # type: ignore[arg-type]


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_only_what_goes_from_now_on_counts(machine: Machine) -> None:
    traffic = machine.agent()
    machine.counters = Counters(1_500, 120)
    assert traffic.measure() == Counters(500, 20)
    assert traffic.to_json() == {
        "since": "2026-11-28T00:00:00+07:00",
        "received_bytes": 500,
        "sent_bytes": 20,
    }


def test_at_midnight_of_the_node_it_begins_anew(machine: Machine) -> None:
    traffic = machine.agent()
    machine.counters = Counters(1_500, 120)
    traffic.measure()
    machine.now = NOON + timedelta(hours=12, minutes=1)
    machine.counters = Counters(1_507, 121)
    assert traffic.measure() == Counters(7, 1)


def test_a_restart_of_the_agent_loses_nothing(machine: Machine) -> None:
    traffic = machine.agent()
    machine.counters = Counters(1_500, 120)
    traffic.save()
    machine.counters = Counters(1_600, 130)
    assert machine.agent().measure() == Counters(600, 30)


def test_after_a_power_cut_the_days_sum_goes_on_and_counters_begin_at_0(machine: Machine) -> None:
    traffic = machine.agent()
    machine.counters = Counters(1_500, 120)
    traffic.save()
    machine.boot, machine.counters = "boot-2", Counters(10, 5)
    again = machine.agent()
    machine.counters = Counters(30, 6)
    assert again.measure() == Counters(520, 21)


def test_yesterdays_sum_is_not_todays(machine: Machine) -> None:
    machine.counters = Counters(1_500, 120)
    machine.agent().save()
    machine.now = NOON + timedelta(days=1)
    assert machine.agent().measure() == Counters(0, 0)


def test_an_interface_that_was_pulled_out_takes_nothing_away(machine: Machine) -> None:
    traffic = machine.agent()
    machine.counters = Counters(5_000, 500)
    traffic.measure()
    machine.counters = Counters(50, 5)
    assert traffic.measure() == Counters(4_050, 405)
    machine.counters = None
    assert traffic.measure() == Counters(4_050, 405)


@pytest.mark.parametrize("kept", [5, [], {}, {"day": "2026-11-28"}, {"day": "2026-11-28", "received": "x"}])
def test_what_was_kept_and_cannot_be_read_is_forgotten(machine: Machine, kept: Any) -> None:
    machine.kept[KEY] = kept
    assert machine.agent().measure() == Counters(0, 0)
