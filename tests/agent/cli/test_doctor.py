"""`loa doctor` as it is typed: words, columns, exit codes, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.cli.tree import app
from agent.doctor import checks
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning

LONG = (
    "the name feeds.province.example.vn is not found, and neither is any other that the configuration names"
)


def have(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    """Have these be found."""
    made = [
        Check(f"check-{number}", "network", "something", lambda _machine: None, lambda _facts, f=finding: f)
        for number, finding in enumerate(findings)
    ]
    monkeypatch.setattr(checks, "CHECKS", tuple(made))


def loa(*words: str) -> Any:
    return CliRunner().invoke(app, ["doctor", *words])


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([ok("fine"), absent("none")], 0),
        ([ok("fine"), warning("soon", "do it")], 5),
        ([warning("soon", "do it"), fault("broken", "mend it"), ok("fine")], 1),
    ],
)
def test_the_exit_code_is_that_of_the_gravest(
    monkeypatch: pytest.MonkeyPatch, findings: list[Finding], code: int
) -> None:
    have(monkeypatch, *findings)
    assert loa().exit_code == code
    assert loa("--json").exit_code == code


def test_what_is_wrong_comes_with_its_remedy_and_what_is_well_in_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    have(monkeypatch, ok("fine"), warning("soon", "do it"), fault("broken", "mend it"), absent("none"))
    assert loa().output.splitlines() == [
        "network        1/3",
        "  warning check-1: soon",
        "    → do it",
        "  FAULT check-2: broken",
        "    → mend it",
        "1 fault, 1 warning, 1 ok, 1 not here",
    ]
    assert "  ok check-0: fine" in loa("--all").output


def test_nothing_is_wider_than_a_telephone(monkeypatch: pytest.MonkeyPatch) -> None:
    have(
        monkeypatch, fault(LONG, "sudo usermod -aG " + "audio,gpio,video " * 6), warning(LONG, LONG), ok(LONG)
    )
    for line in (loa("--all").output + loa("--list").output).splitlines():
        assert len(line) <= 60, line


def test_all_real_checks_are_listed_within_sixty_columns() -> None:
    lines = loa("--list").output.splitlines()
    assert len(lines) == len(checks.CHECKS) + len(checks.GROUPS)
    assert max(map(len, lines)) <= 60, max(lines, key=len)


def test_scripts_get_stable_names(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, ok("fine"), fault("broken", "mend it"))
    document = json.loads(loa("--json").stdout)
    assert document == {
        "verdict": "fault",
        "checks": [
            {"id": "check-0", "group": "network", "verdict": "ok", "text": "fine", "remedy": None},
            {"id": "check-1", "group": "network", "verdict": "fault", "text": "broken", "remedy": "mend it"},
        ],
    }


def test_one_check_or_group_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, ok("fine"), fault("broken", "mend it"))
    assert loa("check-0").exit_code == 0
    assert "  ok check-0: fine" in loa("check-0").output
    assert loa("network").exit_code == 1


def test_an_unknown_check_is_an_error_of_usage() -> None:
    result = loa("sond")
    assert result.exit_code == 2
    assert "loa doctor --list" in result.output


def test_a_machine_with_nothing_is_examined_without_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOA_SOCKET", str(tmp_path / "control.sock"))
    result = loa("configuration", "agent", "-c", str(tmp_path / "config.toml"))
    assert result.exit_code == 1
    assert "sudo loa setup" in result.output
    assert "Traceback" not in result.output
