"""An exercise is not meant: it keeps the node's rules, and takes the output from no emergency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.agent.conductor.fakes import House, long
from tests.agent.conductor.test_alarms import SOON, cap

Build = Callable[..., House]
URGENT = {"class": "emergency"}
SPEECH = "Nghe đây"
NIGHT = 'allowed_hours = ["06:00-21:00"]'
"""The house opens at 05:00."""


def drill(house: House, command: str = "e1", sender: str = "province", *, for_s: float = 600) -> None:
    """From as high up as there is here."""
    house.command(command, sender, type="alert", cap=cap("E1", house, status="Exercise", for_s=for_s))


def test_it_waits_for_an_emergency_announcement_of_a_lower_feed(house: House) -> None:
    house.library.lengths[SPEECH] = 60.0
    house.announce("o1", SPEECH, **URGENT)
    house.run_for(5)
    drill(house)
    house.run_for(20)
    assert house.receipts("o1") == ["started"]
    assert house.receipts("e1") == []
    house.run_for(60)
    assert house.receipts("o1") == ["started", "finished"]
    assert house.receipts("e1") == ["started", "finished"]


def test_an_emergency_announcement_cuts_it(house: House) -> None:
    drill(house)
    house.run_for(3)
    house.announce("o1", SPEECH, **URGENT)
    house.run_for(1)
    assert house.receipts("o1") == ["started"]
    assert house.receipts("e1") == ["started", "interrupted"]


def test_it_waits_for_an_officer_who_speaks_live_in_an_emergency(house: House) -> None:
    house.command("l1", type="live", stream="http://radio.example/a", lease_s=30, **URGENT)
    house.run_for(5)
    drill(house)
    house.run_for(20)
    assert house.receipts("l1") == ["started"]
    assert not house.heard("E1")
    house.run_for(30)
    assert house.receipts("l1") == ["started", "interrupted"]
    assert house.receipts("e1") == ["started", "finished"]


@pytest.mark.parametrize(("class_", "cut"), [("routine", True), ("priority", True), ("emergency", False)])
def test_it_takes_the_output_from_a_programme_unless_that_is_an_emergency(
    house: House, class_: str, cut: bool
) -> None:
    house.schedule(long("p", SOON, **{"class": class_}))
    house.run_for(100)
    drill(house)
    house.run_for(5)
    playing = house.node.voice.playing
    assert playing is not None
    assert (playing.alert == "E1") is cut


def test_the_commune_decides_whose_comes_first(build: Build) -> None:
    house = build(policy='tie_break = ["commune"]')
    house.library.lengths[SPEECH] = 60.0
    house.announce("o1", SPEECH, **{"class": "priority"})
    house.run_for(5)
    drill(house)
    house.run_for(20)
    assert house.receipts("o1") == ["started"]


class TestRules:
    """The node's rules hold."""

    def test_outside_the_allowed_hours_it_is_shown_and_not_told_and_the_officer_hears_why(
        self, build: Build
    ) -> None:
        house = build(policy=NIGHT)
        drill(house, for_s=5 * 3_600)
        house.run_for(2 * 3_600)
        assert not house.player.heard
        assert house.receipts("e1") == ["finished"]
        assert house.uplink.receipts[-1].reason == "not told: policy: outside allowed hours"
        told = [record.text for record in house.records(kind="alert")]
        assert told == ["in force (exercise)", "not told: policy: outside allowed hours (exercise)"]
        assert {record.class_ for record in house.records(kind="alert")} == {"priority"}
        assert [one.identifier for one in house.node.alarms.book.in_force] == ["E1"]

    def test_what_is_meant_in_earnest_passes_them(self, build: Build) -> None:
        house = build(policy=NIGHT)
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(30)
        assert house.receipts("c1") == ["started", "finished"]

    def test_a_mute_holds_for_it_and_ends_it(self, house: House) -> None:
        drill(house)
        house.run_for(3)
        house.command("m1", type="mute", until=(house.clock.now() + timedelta(minutes=5)).isoformat())
        house.run_for(400)
        assert house.receipts("e1") == ["started", "interrupted"]
        assert house.uplink.receipts[-1].reason == "muted"
        assert {play.reason for play in house.plays()} == {"muted"}

    def test_it_is_as_loud_as_the_hour_allows(self, build: Build) -> None:
        house = build(loudness='[{ hours = "05:00-06:00", gain_db = -12.0 }]')
        drill(house)
        house.run_for(30)
        assert {play.gain_db for play in house.plays()} == {-12.0}

    def test_that_it_is_over_is_not_said_at_night_either(self, build: Build) -> None:
        house = build(policy=NIGHT)
        document = cap("E1", house, status="Exercise")
        house.command("e1", type="alert", cap=document)
        names = f"pctt@tinh.example,E1,{document.partition('<sent>')[2].partition('</sent>')[0]}"
        house.command("e2", type="alert", cap=cap("E2", house, "Cancel", names=names, status="Exercise"))
        house.run_for(60)
        assert not house.player.heard
        assert house.receipts("e2") == ["finished"]
