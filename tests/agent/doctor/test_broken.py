"""A table of broken machines: the right check says so, with the right remedy, and no other cries wolf."""

from __future__ import annotations

import pytest

from tests.agent.doctor import broken_devices, broken_system
from tests.agent.doctor.patient import UNIT, Patient, wrong
from tests.agent.doctor.rows import TABLE

assert broken_devices and broken_system  # their rows are in the table now


@pytest.mark.parametrize("name", TABLE)
def test_the_right_check_names_the_right_remedy_and_no_other_cries_wolf(patient: Patient, name: str) -> None:
    broken, verdict, remedy, check = TABLE[name]
    broken(patient)
    found = patient.examine()
    seen = wrong(found)
    assert check in seen, f"{check} says: {found[check].finding}"
    assert seen[check][0] is verdict, seen[check]
    assert remedy in " ".join(seen[check][1:]), seen[check]
    assert set(seen) - patient.also == {check}, seen


def test_most_checks_stand_in_the_table() -> None:
    from agent.doctor.checks import CHECKS

    untried = {check.id for check in CHECKS} - {row[3] for row in TABLE.values()}
    # these are tried in files of their own: a tmpfs, a libVLC without plug-ins, other judgements
    assert untried == {
        "model",
        "disk-space",
        "inodes",
        "outputs",
        "clock-drift",
        "decoder",
        "listener",
        "workers",
    }


def test_unit_properties_are_those_that_the_program_asks_for() -> None:
    assert set(UNIT) == {
        "LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts", "Result", "ExecMainStatus", "User",
    }  # fmt: skip
