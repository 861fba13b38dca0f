"""Alerts that a source of the node's own brought: whose they are, what they may end, and what is said of sources."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.alerts.events import AlertFetched, DocumentRefused, SourceTroubled, SourceWell
from playlists.units import Level
from tests.agent.conductor.fakes import START, House
from tests.support.alerts import cap


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    return build()


def fetched(house: House, document: bytes, level: int = 20, source: str = "province") -> bool:
    """Hand a document over; whether it was taken."""
    taken: list[bool] = []
    house.conductor.post(AlertFetched(source, document.decode(), Level(level), lambda: taken.append(True)))
    house.run_for(0.5)
    return bool(taken)


def sounding(house: House) -> set[str | None]:
    return {p.alert for p in house.node.voice.performances.values()}


def texts(house: House) -> list[str | None]:
    return [record.text for record in house.records(kind="alert")]


def storm(name: str, *ends: str, kind: str = "Alert") -> bytes:
    return cap(name, sent=START, kind=kind, references=[(end, START) for end in ends], expires_s=10**9)


def test_it_comes_into_force_in_the_name_of_its_source(house: House) -> None:
    assert fetched(house, storm("storm-1"))
    assert sounding(house) == {"storm-1"}
    (record,) = house.records(kind="alert")
    assert (record.feed, record.command, record.alert) == ("source:province", None, "storm-1")


def test_a_source_ends_what_stands_as_high_as_itself(house: House) -> None:
    fetched(house, storm("storm-1"), level=20, source="province")
    assert fetched(house, storm("storm-2", "storm-1", kind="Cancel"), level=20, source="region")
    assert house.node.alarms.book.in_force == ()


def test_a_source_cancels_nothing_that_stands_higher(house: House) -> None:
    fetched(house, storm("storm-1"), level=20)
    assert fetched(house, storm("storm-2", "storm-1", kind="Cancel"), level=5, source="commune")
    assert [alert.identifier for alert in house.node.alarms.book.in_force] == ["storm-1"]
    assert "storm-1 was issued at a higher level" in (texts(house)[-1] or "")


def test_an_update_of_a_source_that_stands_lower_is_told_beside_what_it_names(house: House) -> None:
    fetched(house, storm("storm-1"), level=20)
    assert fetched(house, storm("storm-2", "storm-1", kind="Update"), level=5, source="commune")
    assert [alert.identifier for alert in house.node.alarms.book.in_force] == ["storm-1", "storm-2"]


def test_a_document_that_is_no_alert_is_refused_and_not_asked_for_again(house: House) -> None:
    assert fetched(house, b"<html/>")
    assert "malformed" in (texts(house)[-1] or "")


def test_one_that_comes_twice_changes_nothing(house: House) -> None:
    fetched(house, storm("storm-1"))
    assert fetched(house, storm("storm-1"))
    assert len(house.node.alarms.book.in_force) == 1
    assert "seen before" in (texts(house)[-1] or "")


def test_trouble_is_a_fault_until_it_is_over_and_a_refusal_a_record(house: House) -> None:
    house.conductor.post(SourceTroubled("province", "cannot be reached"))
    house.conductor.post(DocumentRefused("province", "is not signed"))
    house.run_for(0.1)
    assert "alert-source:province" in house.faults()
    assert texts(house) == ["refused: is not signed"]
    house.conductor.post(SourceWell("province"))
    house.run_for(0.1)
    assert "alert-source:province" not in house.faults()
