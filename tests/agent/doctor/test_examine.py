"""The doctor itself never falls ill: what hangs, fails or may not be looked at is a warning, in time."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agent.control.client import NotRunning
from agent.doctor.checks import CHECKS
from agent.doctor.examine import examine
from agent.doctor.finding import Check, Finding, Verdict, ok
from agent.doctor.machine import Blocked, Machine, NoConfig
from tests.agent.doctor.patient import Patient


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "config.toml", tmp_path / "control.sock", root=tmp_path)


def check(probe: Any, judge: Any = lambda _facts: ok("")) -> Check[Any]:
    return Check("x", "machine", "something", probe, judge)


def only(machine: Machine, probe: Any, **more: Any) -> Finding:
    (result,) = examine(machine, [check(probe)], **more)
    return result.finding


def raising(error: BaseException) -> Any:
    def probe(_machine: Machine) -> None:
        raise error

    return probe


def test_a_check_that_fails_is_a_warning(machine: Machine) -> None:
    finding = only(machine, raising(ZeroDivisionError("oh")))
    assert finding.verdict is Verdict.WARNING
    assert "ZeroDivisionError: oh" in finding.text
    assert "\n" not in finding.text


def test_a_check_that_hangs_is_a_warning_and_holds_nobody_up(machine: Machine) -> None:
    for_ever = threading.Event()
    began = time.monotonic()
    results = examine(machine, [check(lambda _m: for_ever.wait(60)), check(lambda _m: None)], within_s=0.3)
    for_ever.set()
    assert time.monotonic() - began < 5
    assert [result.finding.verdict for result in results] == [Verdict.WARNING, Verdict.OK]


def test_what_may_not_be_looked_at_asks_for_root(machine: Machine) -> None:
    finding = only(machine, raising(PermissionError(13, "Permission denied", "/etc/loa/config.toml")))
    assert finding.verdict is Verdict.WARNING
    assert "/etc/loa/config.toml" in finding.text
    assert finding.remedy == "sudo loa doctor"


@pytest.mark.parametrize("error", [NoConfig(), NotRunning("x"), Blocked("route")])
def test_what_waits_for_another_check_is_not_judged(machine: Machine, error: Exception) -> None:
    assert only(machine, raising(error)).verdict is Verdict.ABSENT


def test_each_end_is_told(machine: Machine) -> None:
    told: list[int] = []
    examine(machine, [check(lambda _m: None)] * 5, progress=told.append)
    assert told == [1, 2, 3, 4, 5]


def test_a_machine_without_anything_gets_findings_and_no_trace(machine: Machine) -> None:
    results = examine(machine, CHECKS)
    assert not [r for r in results if "the check itself failed" in r.finding.text]
    found = {result.check.id: result.finding for result in results}
    assert found["config"].remedy == "sudo loa setup"


def test_what_is_dear_is_asked_once(machine: Machine) -> None:
    asked: list[int] = []

    def slow() -> int:
        time.sleep(0.05)
        asked.append(1)
        return 7

    results = examine(machine, [check(lambda m: m.once("dear", slow), lambda n: ok(str(n)))] * 8)
    assert {result.finding.text for result in results} == {"7"}
    assert len(asked) == 1


def test_all_of_a_healthy_machine_takes_less_than_ten_seconds(patient: Patient) -> None:
    patient.forget_looks = True
    began = time.monotonic()
    patient.examine()
    assert time.monotonic() - began < 10
