"""Live broadcasts and relayed stations as the conductor sees them: who may send, when they begin, how they stand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from playlists.models.health import AudioNow
from tests.agent.conductor.fakes import START, House, long

LIVE = {"type": "live", "stream": "http://radio.example/a", "lease_s": 60}
NOBODY = {**LIVE, "stream": "http://radio.example/nobody"}
STRANGER = "http://evil.example/a"
KEY = "command/c1/0"
URGENT = {"class": "emergency"}


def relayed(id_: str, seconds_from_start: float, url: str = "http://radio.example/vov", **relay: Any) -> dict:
    start = (START + timedelta(seconds=seconds_from_start)).strftime("%Y-%m-%dT%H:%M:%S")
    return {"id": id_, "start": start, "items": [{"relay": {"url": url, "for_s": 20, **relay}}]}


def reasons(house: House, command: str) -> list[tuple[str, str | None]]:
    return [(r.state, r.reason) for r in house.uplink.receipts if r.command == command]


def audio(house: House) -> AudioNow:
    now = house.node.wellbeing.build().now.audio
    assert now is not None
    return now


class TestHosts:
    @pytest.mark.parametrize(
        "do",
        [
            {**LIVE, "stream": STRANGER},
            {"type": "announce", "items": [{"relay": {"url": STRANGER, "for_s": 5}}]},
        ],
    )
    def test_a_command_that_names_a_stranger_is_refused_and_nothing_is_opened(
        self, house: House, do: dict[str, Any]
    ) -> None:
        house.command("c1", **do)
        house.run_for(15)
        assert reasons(house, "c1") == [("refused", "policy: host evil.example is not allowed")]
        assert house.player.orders == [] or all("evil" not in repr(order) for order in house.player.orders)
        assert not house.heard("c1")

    def test_a_programme_of_a_stranger_s_station_is_skipped_and_says_why(self, house: House) -> None:
        house.schedule(relayed("p", 20, STRANGER))
        house.run_for(60)
        (record,) = house.plays("p")
        assert (record.outcome, record.reason) == ("skipped", "policy: host evil.example is not allowed")
        assert all("evil" not in repr(order) for order in house.player.orders)

    def test_by_default_nobody_is_allowed(self, build) -> None:
        house = build(streams="")
        house.command("c1", **LIVE)
        assert reasons(house, "c1") == [("refused", "policy: host radio.example is not allowed")]

    def test_a_password_in_an_address_is_in_no_record(self, house: House) -> None:
        house.command("c1", **{**LIVE, "stream": "http://me:hunter2@radio.example/a"})
        house.run_for(5)
        house.command("s1", type="live-stop", live="c1")
        house.run_for(5)
        (record,) = house.records(kind="play", command="c1")
        assert record.title == "http://radio.example/a"
        assert "hunter2" not in repr(house.records())


class TestLive:
    def test_what_plays_goes_on_until_the_first_samples_are_there(self, house: House) -> None:
        house.schedule(long("under", START + timedelta(seconds=2)))
        house.run_for(10)
        house.player.hold_streams = True
        house.command("c1", **LIVE)
        house.run_for(5)
        assert house.heard("under")[0].ended is None
        assert house.player.received == {KEY: LIVE["stream"]}
        house.player.stream(KEY, "ready")
        house.run_for(3)
        assert house.heard("under")[0].ended is not None
        assert house.receipts("c1") == ["started"]

    def test_one_that_nobody_sends_fails_with_the_reason_and_interrupts_nothing(self, house: House) -> None:
        house.schedule(long("under", START + timedelta(seconds=2)))
        house.run_for(10)
        house.command("c1", **NOBODY)
        house.run_for(30)
        (under,) = house.heard("under")
        assert under.ended is None
        why = "no sound came from radio.example:80: connection refused"
        assert reasons(house, "c1") == [("failed", why)]
        assert house.player.received == {}

    def test_stopped_before_it_is_there_it_is_forgotten(self, house: House) -> None:
        house.command("c1", **NOBODY)
        house.run_for(2)
        house.command("s1", type="live-stop", live="c1")
        house.run_for(2)
        assert house.player.received == {}
        assert house.receipts("c1") == ["failed"]
        assert house.receipts("s1") == ["finished"]

    def test_an_emergency_cuts_it_and_it_is_received_on_until_it_resumes(self, house: House) -> None:
        house.command("c1", **LIVE)
        house.run_for(3)
        house.library.lengths["chạy đi"] = 8.0
        house.announce("e1", "chạy đi", **URGENT)
        house.run_for(4)
        assert house.player.received == {KEY: LIVE["stream"]}
        house.run_for(10)
        assert len(house.heard("c1")) == 2
        assert house.player.received == {}
        assert house.receipts("c1") == ["started", "interrupted"]

    def test_one_that_brings_nothing_any_more_is_over_and_gives_back(self, house: House) -> None:
        house.schedule(long("under", START + timedelta(seconds=2)))
        house.run_for(10)
        house.command("c1", **{**LIVE, "lease_s": 600})
        house.run_for(5)
        house.player.stream(KEY, "stalled", "no sound for 3 s")
        house.run_for(10)
        house.player.stream(KEY, "reconnecting", "answers 404")
        house.run_for(15)
        assert len(house.heard("under")) == 1
        house.run_for(10)
        assert len(house.heard("under")) == 2
        assert reasons(house, "c1")[-1] == ("interrupted", "nothing came for 30 s: answers 404")

    def test_one_that_is_only_silent_goes_on(self, house: House) -> None:
        house.command("c1", **{**LIVE, "lease_s": 600})
        house.run_for(5)
        house.player.stream(KEY, "silent", "below -50 dBFS for 10 s")
        house.run_for(60)
        assert house.heard("c1")[0].ended is None

    def test_a_player_that_dies_while_it_is_awaited_is_asked_again(self, house: House) -> None:
        house.player.hold_streams = True
        house.command("c1", **LIVE)
        house.run_for(1)
        house.player.kill("ended by SIGSEGV")
        house.run_for(2)
        assert house.player.received == {KEY: LIVE["stream"]}
        house.player.stream(KEY, "ready")
        house.run_for(3)
        assert house.receipts("c1") == ["started"]


class TestStations:
    def test_it_is_connected_ten_seconds_before_its_turn_and_not_sooner(self, house: House) -> None:
        house.schedule(relayed("p", 40))
        house.run_until(START + timedelta(seconds=29))
        assert house.player.received == {}
        house.run_until(START + timedelta(seconds=31))
        assert list(house.player.received.values()) == ["http://radio.example/vov"]
        house.run_until(START + timedelta(seconds=65))
        (heard,) = house.heard("p")
        assert heard.ended - heard.began == pytest.approx(20.0)
        assert house.player.received == {}

    def test_one_that_cannot_be_reached_begins_on_its_second_all_the_same(self, house: House) -> None:
        house.schedule(relayed("p", 40, "http://radio.example/nobody", fallback="media/music.mp3"))
        house.run_until(START + timedelta(seconds=65))
        (heard,) = house.heard("p")
        assert heard.source.fallback == "/pcm/music.mp3"

    def test_what_was_missed_of_a_station_is_gone_and_it_ends_when_it_would_have_ended(
        self, house: House
    ) -> None:
        house.schedule(
            {**relayed("p", 20), "items": [*relayed("p", 20)["items"], {"media": "media/music.mp3"}]}
        )
        house.run_until(START + timedelta(seconds=25))
        house.library.lengths["chạy đi"] = 8.0
        house.announce("e1", "chạy đi", **URGENT)
        house.run_until(START + timedelta(seconds=44))
        before, after, music = house.heard("p")
        assert before.ended - before.began == pytest.approx(5.0, abs=0.2)
        assert after.ended - before.began == pytest.approx(20.0, abs=0.2)
        assert music.began - before.began == pytest.approx(20.0, abs=0.2)

    def test_a_station_whose_time_has_passed_meanwhile_does_not_come_back(self, house: House) -> None:
        house.schedule(relayed("p", 20))
        house.run_until(START + timedelta(seconds=25))
        house.library.lengths["chạy đi"] = 30.0
        house.announce("e1", "chạy đi", **URGENT)
        house.run_until(START + timedelta(seconds=70))
        assert len(house.heard("p")) == 1
        assert [(r.outcome, r.reason) for r in house.plays("p")] == [("interrupted", "by command/e1")]
        assert house.player.received == {}

    def test_a_programme_that_is_withdrawn_before_its_turn_is_forgotten(self, house: House) -> None:
        house.schedule(relayed("p", 40))
        house.run_until(START + timedelta(seconds=35))
        house.schedule()
        house.run_for(2)
        assert house.player.received == {}

    @pytest.mark.parametrize(
        ("state", "reason"),
        [
            ("stalled", "no sound for 3 s"),
            ("reconnecting", "radio.example:80 answers 404"),
            ("silent", "below -50 dBFS for 10 s"),
            ("howling", "feedback at 2350 Hz is turned down"),
        ],
    )
    def test_how_it_stands_is_in_health_faults_and_timeline(
        self, house: House, state: str, reason: str
    ) -> None:
        house.schedule(relayed("p", 20))
        house.run_until(START + timedelta(seconds=25))
        key = next(o.cues[0].source.key for o in house.player.orders if getattr(o, "cues", None))
        house.player.stream(key, "playing")
        house.run_for(1)
        assert audio(house).stream.state == "playing"
        house.player.stream(key, state, reason)
        house.run_for(1)
        assert (audio(house).stream.state, audio(house).stream.reason) == (state, reason)
        (fault,) = [f for f in house.node.faults.standing() if f.code == "stream:radio.example:80"]
        assert fault.text == f"the stream from radio.example:80 is {state}: {reason}"
        states = [moment["state"] for moment in house.node.timeline.to_json()]
        assert f"stream {state}" in states
        sent = house.uplink.healths[-1].now.audio
        assert sent is not None and sent.stream is not None and sent.stream.state == state
        house.run_until(START + timedelta(seconds=50))
        assert "stream:radio.example:80" not in house.faults()

    def test_the_seconds_that_were_really_relayed_are_in_its_record(self, house: House) -> None:
        house.player.relayed_s = 12.5
        house.schedule(relayed("p", 20))
        house.run_until(START + timedelta(seconds=50))
        (record,) = house.plays("p")
        assert (record.played_s, record.relayed_s) == (20.0, 12.5)

    def test_what_the_player_says_of_a_stream_that_nobody_knows_is_nothing(self, house: House) -> None:
        house.player.stream("command/x/0", "stalled", "?")
        house.run_for(1)
        assert house.faults() == set()
