"""What officers and technicians ask for, and what they are answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agent.conductor.events import StopAsked
from agent.control.protocol import ControlRequest
from tests.agent.conductor.fakes import START, House, programme

SOON = START + timedelta(seconds=60)
LIVE = {"type": "live", "stream": "http://radio.example/a", "lease_s": 10}
URGENT = {"class": "emergency"}


def ask(house: House, op: str, **arguments: Any) -> dict[str, Any]:
    """What the control socket would answer."""
    request = ControlRequest(op, arguments, "lan", may_act=True)
    house.conductor.post(request)
    house.run_for(0.0)
    return request.wait(0.0)


def audit(house: House, command: str) -> list[str | None]:
    return [record.text for record in house.records(kind="command", command=command)]


class TestAnnouncements:
    def test_one_is_heard_at_once_and_answered(self, house: House) -> None:
        house.announce("c1", "Xin chào")
        house.run_for(5)
        assert house.receipts("c1") == ["started", "finished"]
        assert house.heard("c1")[0].relays == {"preamp", "amplifier"}
        assert audit(house, "c1") == ["announce obeyed"]

    def test_an_emergency_is_heard_over_a_programme_which_then_goes_on(self, house: House) -> None:
        house.schedule(programme("music", SOON, "long.mp3"))
        house.run_for(100)
        house.announce("c1", "Sơ tán", **URGENT, on_conflict="queue")
        asked = house.now
        house.run_for(700)
        assert house.heard("c1")[0].began - asked < 0.1
        (_, again) = house.heard("music")
        assert again.ended is not None

    def test_it_does_not_wait_for_words_after_what_can_sound(self, house: House) -> None:
        house.library.held.add("chậm")
        house.announce("c1", "nhanh", "chậm")
        house.run_for(5)
        assert len(house.heard("c1")) == 1
        house.library.release("chậm")
        house.run_for(5)
        assert [r.item for r in house.plays()] == [0, 1]
        assert house.receipts("c1") == ["started", "finished"]

    def test_words_that_never_come_are_given_up(self, house: House) -> None:
        house.library.held.add("chậm")
        house.announce("c1", "nhanh", "chậm")
        house.run_for(30)
        assert house.receipts("c1") == ["started", "finished"]
        assert "not all of it" in (house.uplink.receipts[-1].reason or "")
        assert not any(relay.is_on for relay in house.relays.values())

    def test_words_made_while_it_was_suspended_are_heard_when_it_goes_on(self, house: House) -> None:
        house.library.held.add("chậm")
        house.library.lengths["nhanh"] = 20.0
        house.announce("c1", "nhanh", "chậm")
        house.run_for(5)
        house.announce("c2", "Sơ tán", **URGENT)
        house.library.release("chậm")
        house.run_for(40)
        assert [r.item for r in house.plays() if r.command == "c1"] == [0, 0, 1]
        assert house.receipts("c1") == ["started", "interrupted", "finished"]

    def test_nothing_that_can_be_sounded_is_a_failure(self, house: House) -> None:
        house.library.failures["?"] = "no voice for bru"
        house.announce("c1", "?")
        house.run_for(1)
        assert house.receipts("c1") == ["failed"]
        assert house.uplink.receipts[-1].reason == "no voice for bru"

    @pytest.mark.parametrize(
        ("policy", "zones", "reason"),
        [
            ('allowed_hours = ["06:00-07:00"]', ["*"], "policy: outside allowed hours"),
            ("", ["elsewhere"], "policy: no such zone here"),
        ],
    )
    def test_a_rule_refuses_it(self, build, policy: str, zones: list[str], reason: str) -> None:
        house = build(policy=policy)
        house.announce("c1", "Xin chào", zones=zones)
        house.run_for(5)
        assert [(r.state, r.reason) for r in house.uplink.receipts] == [("refused", reason)]
        assert not house.player.heard

    def test_a_clock_that_is_set_back_does_not_delay_it(self, build) -> None:
        house = build(policy='allowed_hours = ["00:00-24:00"]')
        house.library.held.add("Xin chào")
        house.announce("c1", "Xin chào")
        house.jump(-3_600)
        house.library.release("Xin chào")
        house.run_for(2)
        assert house.heard("c1")

    def test_a_crash_loses_none_that_was_accepted(self, build, house: House) -> None:
        house.library.lengths["một"] = 100.0
        house.announce("c1", "một")
        house.run_for(10)
        house.announce("c2", "hai", on_conflict="queue")
        house.run_for(10)
        house.crash()
        after = build(clock=house.clock, lengths={"một": 100.0})
        after.run_for(200)
        (first,) = after.heard("c1")
        assert first.position_s == pytest.approx(20.5, abs=1.0)
        assert after.heard("c2")
        assert after.receipts("c1")[-1] == after.receipts("c2")[-1] == "finished"

    def test_a_power_cut_ends_it_and_says_so(self, build, house: House) -> None:
        house.library.lengths["một"] = 100.0
        house.announce("c1", "một")
        house.run_for(10)
        house.crash()
        after = build(clock=house.clock, boot="boot-2")
        after.run_for(10)
        assert after.receipts("c1") == ["interrupted"]
        assert [r.outcome for r in after.plays()] == ["lost-power"]


class TestLive:
    def test_it_ends_by_itself_when_nobody_renews_it(self, house: House) -> None:
        house.command("c1", **LIVE)
        house.run_for(30)
        (heard,) = house.heard("c1")
        assert 9 < heard.ended - heard.began < 10.1
        assert house.receipts("c1") == ["started", "interrupted"]

    def test_renewed_it_goes_on_until_it_is_stopped(self, house: House) -> None:
        house.command("c1", **LIVE)
        for number in range(5):
            house.run_for(8)
            house.command(f"r{number}", type="live-renew", live="c1", lease_s=10)
        house.command("s1", type="live-stop", live="c1")
        house.run_for(5)
        (heard,) = house.heard("c1")
        assert heard.ended - heard.began == pytest.approx(40, abs=1)
        assert house.receipts("s1") == house.receipts("r4") == ["finished"]

    def test_there_is_nothing_to_renew_where_none_is_on(self, house: House) -> None:
        house.command("r1", type="live-renew", live="c1")
        assert house.receipts("r1") == ["failed"]

    @pytest.mark.parametrize("change", [{"type": "live-renew", "lease_s": 60}, {"type": "live-stop"}])
    def test_a_commune_neither_ends_nor_prolongs_the_provinces(self, house: House, change) -> None:
        house.command("c1", sender="province", **LIVE, **URGENT)
        house.run_for(5)
        house.command("x1", **change, live="c1")
        house.run_for(2)
        assert house.heard("c1")[0].ended is None
        house.run_for(20)
        (heard,) = house.heard("c1")
        assert 9 < heard.ended - heard.began < 10.1
        assert [(r.state, r.reason) for r in house.uplink.receipts if r.command == "x1"] == [
            ("refused", "above ceiling: command/c1 is not commune's to change")
        ]

    def test_a_crash_ends_it(self, build, house: House) -> None:
        house.command("c1", **LIVE)
        house.run_for(3)
        house.crash()
        after = build(clock=house.clock)
        after.run_for(5)
        assert after.receipts("c1") == ["interrupted"]
        assert not after.player.heard


class TestControl:
    def test_stop_ends_what_plays_and_what_was_just_asked_for(self, house: House) -> None:
        house.schedule(programme("music", SOON, "long.mp3"))
        house.run_for(100)
        house.library.held.add("chờ")
        house.announce("c1", "chờ")
        house.command("s1", type="stop")
        house.run_for(5)
        assert house.node.voice.performances == {}
        assert house.receipts("s1") == ["finished"]
        assert house.receipts("c1") == ["failed"]
        assert [(r.outcome, r.reason) for r in house.plays("music")] == [
            ("interrupted", "stopped by command s1")
        ]

    def test_stop_in_one_zone_leaves_the_other(self, house: House) -> None:
        house.schedule(programme("music", SOON, "long.mp3"))
        house.run_for(100)
        house.command("s1", type="stop", zones=["square"])
        house.run_for(5)
        assert {name for name, relay in house.relays.items() if relay.is_on} == {"preamp"}
        assert house.heard("music")[0].ended is None

    def test_a_commune_does_not_end_the_provinces_voice(self, house: House) -> None:
        house.library.lengths["Bão"] = 60.0
        house.announce("c1", "Bão", sender="province", **URGENT)
        house.run_for(5)
        house.command("s1", type="stop")
        house.run_for(5)
        assert house.receipts("s1") == ["refused"]
        assert "above ceiling" in (house.uplink.receipts[-1].reason or "")
        assert house.heard("c1")[0].ended is None

    def test_a_mute_ends_what_plays_but_no_emergency(self, house: House) -> None:
        house.schedule(programme("music", SOON, "long.mp3"))
        house.run_for(100)
        house.command("m1", type="mute", until=(house.clock.now() + timedelta(minutes=5)).isoformat())
        house.run_for(5)
        assert [(r.outcome, r.reason) for r in house.plays("music")] == [("interrupted", "muted")]
        house.announce("c1", "Sơ tán", **URGENT)
        house.announce("c2", "Xin chào")
        house.run_for(5)
        assert house.receipts("c1") == ["started", "finished"]
        assert house.receipts("c2") == ["refused"]
        house.run_for(300)
        house.announce("c3", "Xin chào")
        house.run_for(5)
        assert house.receipts("c3") == ["started", "finished"]

    def test_a_mute_outlives_a_restart(self, build, house: House) -> None:
        house.command("m1", type="mute", until=(house.clock.now() + timedelta(minutes=5)).isoformat())
        house.crash()
        after = build(clock=house.clock)
        after.announce("c1", "Xin chào")
        assert after.receipts("c1") == ["refused"]

    def test_a_volume_is_followed_at_once_and_ends_by_itself(self, house: House) -> None:
        house.schedule(programme("music", SOON, "long.mp3"))
        house.run_for(100)
        until = (house.clock.now() + timedelta(seconds=30)).isoformat()
        house.command("v1", type="volume", volume_db=-6, until=until)
        house.run_for(60)
        gains = [order.gain_db for order in house.player.orders if type(order).__name__ == "Gain"]
        assert gains == [-6.0, 0.0]

    @pytest.mark.parametrize("do", [{"type": "mute"}, {"type": "volume", "volume_db": 3}])
    def test_a_zone_that_is_not_here_is_a_failure(self, house: House, do: dict[str, Any]) -> None:
        house.command("x1", **do, zones=["elsewhere"])
        assert house.receipts("x1") == ["failed"]

    def test_no_sum_of_gains_is_more_than_the_player_takes(self, house: House) -> None:
        house.command("v1", type="volume", volume_db=20)
        house.announce("c1", "Xin chào", volume_db=20)
        house.run_for(5)
        assert house.receipts("c1") == ["started", "finished"]


class TestMaintenance:
    @pytest.mark.parametrize(
        ("what", "state"),
        [("sync", "finished"), ("send-logs", "finished"), ("restart", "finished"), ("reboot", "finished"),
         ("self-test", "failed")],
    )  # fmt: skip
    def test_each_is_answered_once_and_written_down(self, house: House, what: str, state: str) -> None:
        house.command("x1", type=what)
        assert house.receipts("x1") == [state]
        assert len(audit(house, "x1")) == 1

    def test_restart_ends_the_agent(self, house: House) -> None:
        house.command("x1", type="restart")
        house.run_for(0.1)
        assert house.conductor.stop_asked == StopAsked("command x1", "restart")

    def test_a_picture_needs_a_screen(self, house: House) -> None:
        house.command("x1", type="screenshot")
        assert house.receipts("x1") == ["failed"]

    def test_an_update_is_refused_where_no_feed_carries_releases(self, house: House) -> None:
        house.command("x1", type="update", feed="commune", release="1.0")
        assert house.receipts("x1") == ["refused"]


class TestTechnician:
    def test_status_says_what_sounds(self, house: House) -> None:
        house.announce("c1", "Xin chào")
        house.run_for(1)
        audio = ask(house, "status")["health"]["now"]["audio"]
        assert (audio["command"], audio["item"], audio["level_dbfs"]) == ("c1", 0, -20.0)

    def test_next_lists_starts_and_what_forbids_them(self, build) -> None:
        house = build(policy='allowed_hours = ["05:00-06:00"]')
        house.schedule(programme("news", SOON, recurrence="FREQ=HOURLY"))
        upcoming = ask(house, "next", count=2)["upcoming"]
        assert [(e["programme"], e["refused"]) for e in upcoming] == [
            ("news", None),
            ("news", "outside allowed hours"),
        ]

    def test_say_is_heard_and_written_down_with_the_name(self, house: House) -> None:
        reply = ask(house, "say", text="Một hai ba")
        house.run_for(5)
        assert house.heard(reply["id"])
        assert any("say by lan" in (record.text or "") for record in house.records(kind="system"))

    @pytest.mark.parametrize(
        ("op", "arguments", "words"),
        [
            ("fly", {}, "not understood"),
            ("say", {}, "text: expected a text"),
            ("say", {"text": 5}, "text: expected a text"),
            ("say", {"text": "x", "language": "!"}, "language"),
            ("say", {"text": "x", "zones": 5}, "zones: expected a list"),
            ("say", {"text": "x", "zones": ["nowhere"]}, "no such zone"),
            ("next", {"count": "many"}, "count: expected a whole number"),
            ("next", {"count": float("inf")}, "count: expected a whole number"),
            ("next", {"count": -1}, "count: expected a whole number"),
            ("log", {"count": True}, "count: expected a whole number"),
            ("play", {"path": "/nowhere.mp3"}, "not a file"),
            ("play", {"path": "/" + "x" * 5_000}, "play: "),
            ("play", {}, "path: expected a text"),
            ("relay", {"name": "siren", "on": True}, "known are: preamp, amplifier"),
            ("relay", {"name": "preamp", "on": "off"}, "on: expected true or false"),
            ("screenshot", {}, "no screen"),
            ("screenshot", {"format": "bmp"}, "format: expected png or jpg"),
            ("screenshot", {"width": 0}, "width: expected a whole number"),
        ],
    )
    def test_a_bad_request_gets_one_clear_line(self, house: House, op, arguments, words) -> None:
        reply = ask(house, op, **arguments)
        assert not reply["ok"]
        assert words in reply["error"]

    def test_a_file_is_played(self, house: House, tmp_path) -> None:
        (tmp_path / "x.wav").write_bytes(b"RIFF")
        reply = ask(house, "play", path=str(tmp_path / "x.wav"))
        house.run_for(5)
        assert house.heard(reply["id"])
        ask(house, "stop", name=reply["id"])
        house.run_for(5)
        assert not (tmp_path / "x.wav").exists()

    def test_a_file_that_may_not_sound_is_not_kept(self, house: House, tmp_path) -> None:
        (tmp_path / "x.wav").write_bytes(b"RIFF")
        assert not ask(house, "play", path=str(tmp_path / "x.wav"), zones=["nowhere"])["ok"]
        assert not (tmp_path / "x.wav").exists()

    def test_a_relay_by_hand_falls_back_and_does_not_cut_what_sounds(self, house: House) -> None:
        assert ask(house, "relay", name="amplifier", on=True)["ok"]
        assert house.relays["amplifier"].is_on
        house.schedule(programme("music", SOON, "long.mp3"))
        house.run_for(30)
        assert ask(house, "relay", name="amplifier", on=True)["ok"]
        house.run_for(70)
        assert house.relays["amplifier"].is_on
        refused = ask(house, "relay", name="amplifier", on=False)
        assert "needed by what sounds" in refused["error"]
        house.run_for(700)
        assert not house.relays["amplifier"].is_on

    def test_one_held_by_hand_outlasts_a_short_programme(self, house: House) -> None:
        house.schedule(programme("news", SOON))
        house.run_until(SOON)
        ask(house, "relay", name="amplifier", on=True)
        house.run_for(30)
        assert house.relays["amplifier"].is_on
        house.run_for(60)
        assert not house.relays["amplifier"].is_on

    def test_stop_and_timeline_and_log_answer(self, house: House) -> None:
        ask(house, "say", text="Một hai ba")
        house.run_for(1)
        assert ask(house, "stop")["stopped"] is True
        assert ask(house, "stop")["stopped"] is False
        house.run_for(5)
        assert {m["kind"] for m in ask(house, "timeline")["moments"]} == {"relay", "sound"}
        assert len(ask(house, "log", count=2)["records"]) == 2
