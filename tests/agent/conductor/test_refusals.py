"""Each rule that keeps something silent is in the log by its name, and a command is told of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from playlists.policy import Rule
from tests.agent.conductor.fakes import START, House, programme

SOON = START + timedelta(seconds=60)
TODAY = f"{START:%Y-%m-%d}"
Build = Callable[..., House]


def muted(house: House) -> None:
    until = (house.clock.now() + timedelta(minutes=5)).isoformat()
    house.command("m1", type="mute", until=until)


def nothing(_house: House) -> None:
    """The policy alone forbids it."""


def a_long_session(house: House) -> None:
    """It has sounded for as long as it may, and only draws breath."""
    house.library.lengths["dài"] = 50.0
    house.announce("before", "dài")
    house.run_for(35)


RULES: tuple[tuple[Rule, str, Callable[[House], None], dict[str, Any]], ...] = (
    (Rule.HOURS, 'allowed_hours = ["06:00-07:00"]', nothing, {}),
    (Rule.QUIET_DAY, f'quiet_days = ["{TODAY}"]', nothing, {}),
    (Rule.SESSION, "longest_session_s = 30", a_long_session, {}),
    (Rule.MUTED, "", muted, {}),
    (Rule.NO_ZONE, "", nothing, {"zones": ["elsewhere"]}),
)


@pytest.mark.parametrize(
    ("rule", "policy", "before", "parts"), RULES, ids=lambda part: getattr(part, "name", None)
)
class TestWhatMayNotBegin:
    def test_a_command_is_refused_with_the_rule(
        self, build: Build, rule: Rule, policy: str, before: Callable[[House], None], parts: dict[str, Any]
    ) -> None:
        house = build(policy=policy)
        before(house)
        house.announce("c1", "Xin chào", **parts)
        house.run_for(5)
        said = [(r.state, r.reason) for r in house.uplink.receipts if r.command == "c1"]
        assert said == [("refused", f"policy: {rule}")]
        assert [r.text for r in house.records(kind="command", command="c1")] == [
            f"announce refused: policy: {rule}"
        ]
        assert not house.heard("c1")

    def test_a_live_broadcast_is_refused_with_the_rule(
        self, build: Build, rule: Rule, policy: str, before: Callable[[House], None], parts: dict[str, Any]
    ) -> None:
        house = build(policy=policy)
        before(house)
        house.command("c1", type="live", stream="http://radio.example/a", **parts)
        said = [(r.state, r.reason) for r in house.uplink.receipts if r.command == "c1"]
        assert said == [("refused", f"policy: {rule}")]

    def test_a_programme_is_written_down_with_the_rule(
        self, build: Build, rule: Rule, policy: str, before: Callable[[House], None], parts: dict[str, Any]
    ) -> None:
        house = build(policy=policy)
        before(house)
        start = house.clock.now() + timedelta(seconds=1)
        house.schedule(programme("news", start, **parts))
        house.run_for(10)
        assert [(r.outcome, r.reason) for r in house.plays("news")] == [("skipped", rule)]
        assert not house.heard("news")

    def test_a_technician_is_told_the_rule_and_the_log_too(
        self, build: Build, rule: Rule, policy: str, before: Callable[[House], None], parts: dict[str, Any]
    ) -> None:
        from tests.agent.conductor.test_commands import ask

        house = build(policy=policy)
        before(house)
        reply = ask(house, "say", text="Xin chào", **parts)
        assert rule in reply["error"]
        (said,) = (r.text or "" for r in house.records(kind="system") if "say by" in (r.text or ""))
        assert f"refused: not now: {rule} (" in said


def test_what_was_suspended_too_long_says_so(build: Build) -> None:
    house = build(policy="resume_within_s = 30")
    house.library.lengths.update({"Sơ tán": 60.0, "dài": 100.0})
    house.schedule(programme("music", SOON, "long.mp3"))
    house.run_for(70)
    house.announce("c1", "dài", **{"class": "priority"})
    house.run_for(5)
    house.announce("c2", "Sơ tán", **{"class": "emergency"})
    house.run_for(120)
    dropped = [r for r in house.records(kind="system") if "does not go on" in (r.text or "")]
    assert {(r.programme or r.command, r.text) for r in dropped} == {
        ("music", f"does not go on: {Rule.SUSPENDED_TOO_LONG}"),
        ("c1", f"does not go on: {Rule.SUSPENDED_TOO_LONG}"),
    }
    assert house.uplink.receipts[-2].command == "c1"
    assert [(r.state, r.reason) for r in house.uplink.receipts if r.command == "c1"][-1] == (
        "interrupted",
        Rule.SUSPENDED_TOO_LONG,
    )


def test_an_announcement_that_may_not_wait_says_by_whom_the_output_was_taken(house: House) -> None:
    house.library.lengths["dài"] = 100.0
    house.announce("c1", "dài")
    house.run_for(5)
    house.announce("c2", "Xin chào", on_conflict="skip")
    house.run_for(5)
    reason = "skipped: the output was taken by command/c1"
    assert [(r.state, r.reason) for r in house.uplink.receipts if r.command == "c2"] == [("failed", reason)]
    assert [(r.outcome, r.reason) for r in house.plays() if r.command == "c2"] == [("skipped", reason)]


def test_an_announcement_that_a_mute_overtakes_is_told_the_rule(house: House) -> None:
    house.library.held.add("chậm")
    house.announce("c1", "chậm")
    muted(house)
    house.library.release("chậm")
    house.run_for(5)
    assert [(r.state, r.reason) for r in house.uplink.receipts if r.command == "c1"] == [
        ("failed", Rule.MUTED)
    ]
    assert [(r.outcome, r.reason) for r in house.plays() if r.command == "c1"] == [("skipped", Rule.MUTED)]


def test_a_programme_that_comes_too_late_says_by_how_much(house: House) -> None:
    house.jump(600)
    house.schedule(programme("news", SOON, if_late="skip", grace_s=900))
    house.run_for(5)
    assert [(r.outcome, r.reason) for r in house.plays("news")] == [("skipped", "late by 540 s")]


def test_a_programme_above_the_ceiling_says_so(build: Build) -> None:
    house = build(ceiling="routine")
    house.schedule(programme("news", SOON, **{"class": "emergency"}))
    (record,) = house.records(kind="system", programme="news")
    assert record.feed == "commune"
    assert record.text == "programme left out: class emergency is above the feed's ceiling routine"


class TestWhatOfficersSetIsInTheHealth:
    def test_a_mute_is_seen_at_once_with_its_end_and_gone_with_it(self, house: House) -> None:
        house.run_for(5)
        end = house.clock.now() + timedelta(days=3_650)
        house.command("m1", type="mute", until=end.isoformat(), zones=["square"])
        house.run_for(1.5)
        assert house.uplink.healths[-1].muted == {"square": end}
        (record,) = house.records(kind="command", command="m1")
        assert record.text == f"mute until {end.isoformat()} in square"
        house.command("m2", type="mute", until=None)
        house.run_for(1.5)
        assert house.uplink.healths[-1].muted == {}

    def test_a_mute_that_has_ended_is_told_at_once(self, house: House) -> None:
        muted(house)
        house.run_for(2)
        assert set(house.uplink.healths[-1].muted) == {"square", "hamlet"}
        house.run_for(299)
        assert house.uplink.healths[-1].muted == {}

    def test_a_volume_is_seen_with_its_end(self, house: House) -> None:
        house.command("v1", type="volume", volume_db=-6, zones=["hamlet"])
        house.run_for(2)
        (volume,) = house.uplink.healths[-1].volumes.items()
        assert volume[0] == "hamlet"
        assert (volume[1].gain_db, volume[1].until) == (-6, None)
