"""What was done by hand is written down, bounded, and outlives a power cut."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.control import audit as audit_module
from agent.control.audit import Audit

NOW = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)


def audit(tmp_path: Path) -> Audit:
    return Audit(tmp_path / "audit.jsonl", lambda: NOW)


def test_an_action_is_kept_with_name_time_and_outcome_over_a_restart(tmp_path: Path) -> None:
    audit(tmp_path).write("minh", "relay", "amplifier on", None)
    audit(tmp_path).write("root (lan)", "say", "'Xin chào'", "not now: outside allowed hours")
    done, refused = audit(tmp_path).newest(10)
    assert datetime.fromisoformat(done.pop("at")) == NOW
    assert done == {"user": "minh", "op": "relay", "text": "amplifier on", "outcome": "done", "reason": None}
    assert (refused["outcome"], refused["reason"]) == ("refused", "not now: outside allowed hours")
    assert audit(tmp_path).newest(1) == [refused]


def test_its_size_has_a_bound_and_the_newest_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "MAX_BYTES", 2_000)
    log = audit(tmp_path)
    for number in range(100):
        log.write("minh", "say", f"number {number}", None)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2 * 2_000
    texts = [entry["text"] for entry in log.newest(1_000)]
    assert texts == [f"number {number}" for number in range(100 - len(texts), 100)]
    assert len(texts) > 15


def test_one_action_cannot_fill_it(tmp_path: Path) -> None:
    audit(tmp_path).write("m" * 10_000, "x" * 10_000, "y" * 10_000, "z" * 10_000)
    assert (tmp_path / "audit.jsonl").stat().st_size < 2_000


def test_a_line_that_a_power_cut_left_half_written_costs_only_itself(tmp_path: Path) -> None:
    log = audit(tmp_path)
    log.write("minh", "say", "first", None)
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"at": "2026-11-2')
    log.write("minh", "say", "second", None)
    assert [entry["text"] for entry in log.newest(10)] == ["first", "second"]


def test_where_it_cannot_be_written_that_is_said_and_nothing_is_raised(tmp_path: Path, caplog) -> None:
    (tmp_path / "file").touch()
    log = Audit(tmp_path / "file" / "audit.jsonl", lambda: NOW)
    with caplog.at_level(logging.INFO):
        log.write("minh", "say", "hello", None)
    assert "say by minh: hello" in caplog.text
    assert "cannot be written" in caplog.text
    assert log.newest(5) == []
