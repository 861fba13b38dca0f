"""A fault is told when it comes and when it goes, and not in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent.faults import Faults
from playlists.models.health import Fault

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


class Told:
    def __init__(self) -> None:
        self.now = NOW
        self.changes: list[tuple[str, str, bool]] = []
        self.faults = Faults(lambda: self.now, self._changed)

    def _changed(self, fault: Fault, raised: bool) -> None:
        self.changes.append((fault.code, fault.text, raised))


@pytest.fixture
def told() -> Told:
    return Told()


def test_it_is_told_once_however_often_it_is_stated(told: Told) -> None:
    for text in ("a", "a", "b"):
        told.faults.raise_("disk", text)
    told.faults.clear("disk")
    told.faults.clear("disk")
    assert told.changes == [("disk", "a", True), ("disk", "b", False)]


def test_it_keeps_its_beginning_and_takes_the_newest_words(told: Told) -> None:
    told.faults.raise_("disk", "200 MB")
    told.now += timedelta(hours=1)
    told.faults.raise_("disk", "100 MB")
    assert told.faults.standing() == (Fault(code="disk", since=NOW, text="100 MB"),)


def test_the_oldest_stands_first(told: Told) -> None:
    told.faults.raise_("z", "")
    told.now += timedelta(seconds=1)
    told.faults.raise_("a", "")
    assert [fault.code for fault in told.faults.standing()] == ["z", "a"]


def test_setting_none_clears(told: Told) -> None:
    told.faults.set("hot", "90 °C")
    told.faults.set("hot", None)
    assert told.faults.standing() == ()


def test_a_fault_that_is_raised_while_one_is_told_is_told_too(told: Told) -> None:
    faults = Faults(lambda: NOW, lambda fault, _raised: faults.raise_("journal", f"for {fault.code}"))
    faults.raise_("disk", "full")
    assert {fault.code for fault in faults.standing()} == {"disk", "journal"}
