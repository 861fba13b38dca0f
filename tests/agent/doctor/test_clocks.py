"""Clocks that are wrong: behind, ahead, kept by nobody."""

from __future__ import annotations

import pytest

from agent.doctor.finding import Verdict
from tests.agent.doctor.patient import Patient, wrong

YEAR_S = 365 * 86_400


def test_a_clock_behind_the_last_good_time_is_a_fault(patient: Patient) -> None:
    patient.clock_off_s = -3 * YEAR_S
    patient.disciplined = False
    seen = wrong(patient.examine())
    # the feed's host says so, too
    assert set(seen) == {"clock", "clock-drift"}
    assert seen["clock"][0] is Verdict.FAULT
    assert "timedatectl" in seen["clock"][2]


@pytest.mark.parametrize("off_s", [-3_600, 3_600])
def test_a_clock_that_disagrees_with_the_feeds_host_is_a_fault(patient: Patient, off_s: float) -> None:
    patient.clock_off_s = off_s
    patient.write("sys/class/rtc/rtc0/since_epoch", str(int(patient.wall_s())))
    (patient.state / "last-good-time").unlink()
    seen = wrong(patient.examine())
    assert set(seen) == {"clock-drift"}
    assert "set-ntp true" in seen["clock-drift"][2]


def test_a_clock_that_something_else_keeps_is_well(patient: Patient) -> None:
    patient.disciplined = False
    patient.time_services = ["inactive"] * 4
    patient.values["extra"] = "[clock]\nvouched = true\n"
    assert wrong(patient.examine()) == {}
