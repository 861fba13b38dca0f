"""A healthy machine: nothing cries wolf."""

from __future__ import annotations

from agent.doctor.checks import CHECKS, GROUPS
from agent.doctor.finding import Verdict
from tests.agent.doctor.patient import Patient, wrong


def test_a_healthy_machine_is_all_well(patient: Patient) -> None:
    found = patient.examine()
    assert wrong(found) == {}
    absent = {name for name, result in found.items() if result.finding.verdict is Verdict.ABSENT}
    assert absent == {"certificates"}, {name: found[name].finding.text for name in absent}


def test_every_check_has_a_name_of_its_own_and_a_group_that_is_shown() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS) >= 40
    assert {check.group for check in CHECKS} == set(GROUPS)
