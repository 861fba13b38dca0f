"""What is asked at the socket: who may not act is refused, and every action is written down, with its name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent import reset
from agent.conductor.requests import STRANGERS_BURST
from agent.control.protocol import LONGEST_MUTE_S, ControlRequest
from tests.agent.conductor.fakes import START, House, programme
from tests.support.alerts import cap

LOOKS = ("status", "next", "log", "audit", "timeline", "self-test-state")
ACTS = ("identify", "mute", "note", "play", "relay", "reset", "say", "self-test", "stop")


def ask(house: House, op: str, *, may_act: bool = True, **arguments: Any) -> dict[str, Any]:
    """What the control socket would answer to Lan."""
    request = ControlRequest(op, arguments, "lan", may_act)
    house.conductor.post(request)
    house.run_for(0.0)
    return request.wait(0.0)


def audit(house: House) -> list[dict[str, Any]]:
    actions: list[dict[str, Any]] = ask(house, "audit", count=1_000, may_act=False)["actions"]
    return actions


class TestRights:
    @pytest.mark.parametrize("op", ACTS)
    def test_who_only_looks_may_do_nothing_and_trying_is_written_down(self, house: House, op: str) -> None:
        reply = ask(house, op, may_act=False, name="amplifier", on=True, text="Xin chào")
        assert reply["denied"] is True
        assert "loa-admin" in reply["error"]
        house.run_for(3)
        assert house.player.heard == []
        (entry,) = audit(house)
        assert (entry["user"], entry["op"], entry["outcome"]) == ("lan", op, "refused")
        (told,) = [r.text for r in house.records(kind="system") if " by lan" in (r.text or "")]
        assert told is not None
        assert "refused" in told

    def test_who_only_looks_is_answered_and_that_is_no_news(self, house: House) -> None:
        for op in LOOKS:
            assert "denied" not in ask(house, op, may_act=False), op
        assert audit(house) == []

    def test_what_nobody_knows_is_no_look(self, house: House) -> None:
        assert ask(house, "shell", may_act=False)["denied"] is True
        assert "known are" in ask(house, "shell")["error"]

    def test_who_tries_without_end_fills_nothing_and_is_counted(self, house: House) -> None:
        for _ in range(200):
            ask(house, "stop", may_act=False)
        assert len(audit(house)) == STRANGERS_BURST
        house.run_for(120)
        ask(house, "stop", may_act=False)
        assert audit(house)[-1]["text"] == f"and {200 - STRANGERS_BURST} more before this"


class TestAudit:
    def test_each_action_is_there_with_what_and_how_it_ended(self, house: House) -> None:
        ask(house, "relay", name="preamp", on=True)
        ask(house, "relay", name="pramp", on=True)
        ask(house, "say", text="Xin chào")
        ask(house, "stop")
        told = [(e["op"], e["text"], e["outcome"]) for e in audit(house)]
        assert told == [
            ("relay", "preamp on", "done"),
            ("relay", "name pramp, on True", "refused"),
            ("say", "'Xin chào'", "done"),
            ("stop", "*", "done"),
        ]
        assert "no relay 'pramp'" in audit(house)[1]["reason"]

    def test_the_centre_hears_of_it_too(self, house: House) -> None:
        ask(house, "relay", name="preamp", on=True)
        assert house.records(kind="system", text="relay by lan: preamp on")


class TestMute:
    def test_it_silences_programmes_and_ends_by_itself(self, house: House) -> None:
        house.schedule(programme("a", START + timedelta(minutes=30), "x.mp3"))
        house.schedule(
            programme("a", START + timedelta(minutes=30), "x.mp3"),
            programme("b", START + timedelta(minutes=90), "x.mp3"),
        )
        reply = ask(house, "mute", for_s=3_600)
        assert reply["zones"] == ["hamlet", "square"]
        until = (START + timedelta(hours=1)).timestamp()
        muted = ask(house, "status")["health"]["muted"]
        assert set(muted) == {"hamlet", "square"}
        house.run_for(2 * 3_600)
        assert house.heard("a") == []
        assert len(house.heard("b")) == 1
        assert ask(house, "status")["health"]["muted"] == {}
        assert until > START.timestamp()

    def test_an_emergency_still_sounds(self, house: House) -> None:
        ask(house, "mute", for_s=3_600)
        house.announce("c1", "Sơ tán", **{"class": "emergency"})
        house.run_for(5)
        assert len(house.heard("c1")) == 1

    def test_one_zone_and_not_the_other_and_unmute(self, house: House) -> None:
        assert ask(house, "mute", for_s=3_600, zones=["square"])["zones"] == ["square"]
        assert set(ask(house, "status")["health"]["muted"]) == {"square"}
        assert ask(house, "mute", zones=["square"])["until"] is None
        assert ask(house, "status")["health"]["muted"] == {}

    def test_it_outlives_a_restart(self, build) -> None:
        house = build()
        ask(house, "mute", for_s=3_600)
        house.stop()
        assert set(ask(build(), "status")["health"]["muted"]) == {"hamlet", "square"}

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"for_s": 0}, "from 1 to"),
            ({"for_s": LONGEST_MUTE_S + 1}, "from 1 to"),
            ({"for_s": True}, "from 1 to"),
            ({"for_s": 60, "zones": ["sqare"]}, "known are: hamlet, square"),
        ],
    )
    def test_a_wrong_one_changes_nothing_and_says_why(self, house: House, arguments, words) -> None:
        assert words in ask(house, "mute", **arguments)["error"]
        assert ask(house, "status")["health"]["muted"] == {}


class TestReset:
    def test_the_agent_restarts_to_do_it(self, house: House, tmp_path: Path) -> None:
        (tmp_path / "state").mkdir(exist_ok=True)
        assert ask(house, "reset", parts=["state"])["parts"] == ["state"]
        assert house.conductor.stop_asked is not None
        assert house.conductor.stop_asked.then == "restart"
        assert (tmp_path / "state" / reset.MARK).exists()

    def test_trying_does_nothing(self, house: House, tmp_path: Path) -> None:
        assert ask(house, "reset", parts=["state"], only_try=True)["ok"]
        assert house.conductor.stop_asked is None
        assert not (tmp_path / "state" / reset.MARK).exists()

    @pytest.mark.parametrize("parts", [["audit"], [], ["state", "*"], [5], "state"])
    def test_a_wrong_request_does_nothing(self, house: House, parts: Any) -> None:
        assert "error" in ask(house, "reset", parts=parts)
        assert house.conductor.stop_asked is None

    def test_who_may_not_act_may_not_reset(self, house: House) -> None:
        assert ask(house, "reset", may_act=False, parts=["state"])["denied"]
        assert house.conductor.stop_asked is None

    def test_not_while_an_emergency_is_told(self, house: House, tmp_path: Path) -> None:
        house.command("c1", type="alert", cap=cap(identifier="storm-1", sent=house.clock.now()))
        house.run_for(1)
        reply = ask(house, "reset", parts=["state"])
        assert "an emergency is told" in reply["error"]
        assert house.conductor.stop_asked is None
        assert not (tmp_path / "state" / reset.MARK).exists()
