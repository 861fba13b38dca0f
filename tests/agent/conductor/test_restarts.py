"""A crash, a power cut, an orderly end: what goes on, and where; and an amplifier that was on for too long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.agent.conductor.fakes import START, House, long, monotonic, programme
from tests.agent.conductor.test_alarms import cap

SOON = START + timedelta(seconds=60)


class TestRestart:
    def test_after_a_crash_it_goes_on_where_it_would_be(self, build, house: House) -> None:
        house.schedule(long("music", SOON))
        house.run_for(60 + 100)
        house.crash()
        house.clock.advance(2.0)
        after = build(clock=house.clock)
        after.schedule(long("music", SOON))
        after.run_for(600)
        (heard,) = after.heard("music")
        assert heard.position_s == pytest.approx(heard.began - monotonic(after, SOON), abs=0.05)
        assert [(r.outcome, r.reason) for r in after.plays("music")] == [
            ("interrupted", "the agent was restarted"),
            ("finished", None),
        ]

    def test_a_second_crash_before_the_schedule_is_read_loses_nothing(self, build, house: House) -> None:
        house.schedule(long("music", SOON))
        house.run_for(60 + 100)
        house.crash()
        build(clock=house.clock).crash()
        after = build(clock=house.clock)
        after.schedule(long("music", SOON))
        after.run_for(600)
        (heard,) = after.heard("music")
        assert heard.position_s == pytest.approx(heard.began - monotonic(after, SOON), abs=0.05)

    def test_after_a_crash_several_suspended_go_on_where_they_were(self, build, house: House) -> None:
        parts = (
            long("music", SOON),
            programme("talk", SOON + timedelta(seconds=100), "hour.mp3", priority=5, on_conflict="preempt"),
        )
        house.schedule(*parts)
        house.run_for(60 + 400)
        house.crash()
        after = build(clock=house.clock)
        after.schedule(feed="province")
        after.schedule(*parts)
        after.schedule(feed="province")
        after.run_for(4_200)
        (talk,), (music,) = after.heard("talk"), after.heard("music")
        assert talk.position_s == pytest.approx(talk.began - monotonic(after, SOON) - 100, abs=0.05)
        assert music.position_s == pytest.approx(100.0, abs=0.5)

    def test_after_a_power_cut_it_begins_again_only_by_its_own_rules(self, build, house: House) -> None:
        parts = long("late", SOON, grace_s=300, if_late="join"), long("over", SOON, grace_s=10)
        house.schedule(*parts)
        house.run_for(60 + 100)
        house.crash()
        house.clock.advance(30)
        after = build(clock=house.clock, boot="boot-2")
        after.schedule(*parts)
        after.run_for(1_300)
        assert next(r.outcome for r in after.plays("late")) == "lost-power"
        (heard,) = after.heard("late")
        assert heard.position_s == pytest.approx(heard.began - monotonic(after, SOON), abs=0.05)

    def test_what_has_been_played_is_not_played_again_after_a_restart(self, build, house: House) -> None:
        part = programme("news", SOON, grace_s=600, if_late="full")
        house.schedule(part)
        house.run_for(100)
        house.crash()
        for boot in ("boot-1", "boot-2"):
            after = build(clock=house.clock, boot=boot)
            after.schedule(part)
            after.run_for(60)
            assert not after.player.heard
            after.crash()

    def test_an_orderly_end_leaves_no_open_record(self, build, house: House) -> None:
        house.schedule(long("music", SOON))
        house.run_for(160)
        house.stop()
        after = build(clock=house.clock)
        (record,) = after.plays("music")
        assert (record.outcome, record.reason) == ("interrupted", "the agent was stopped")
        assert record.played_s == pytest.approx(100.5, abs=0.01)


SPEECH = {"type": "announce", "items": [{"speech": {"text": "xin nghe", "language": "vi"}}]}


class TestLetInAndCut:
    """A command passed the gate, and the agent was killed before anybody obeyed: nobody will send it again."""

    @pytest.mark.parametrize("boot", ["boot-1", "boot-2"])
    def test_it_is_obeyed_at_the_next_start(self, build, house: House, boot: str) -> None:
        house.let_in("c1", **SPEECH)
        house.crash()
        after = build(clock=house.clock, boot=boot)
        after.schedule()
        after.run_for(60)
        assert len(after.heard("c1")) == 1
        assert after.receipts("c1")[-1] == "finished"

    def test_it_is_obeyed_only_once(self, build, house: House) -> None:
        house.let_in("c1", **SPEECH)
        house.crash()
        for _ in range(2):
            after = build(clock=house.clock)
            after.schedule()
            after.run_for(60)
            after.crash()
        assert not after.heard("c1")

    def test_one_that_ends_the_agent_is_not_obeyed_at_each_start(
        self, build, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        house.let_in("c1", **SPEECH)
        house.crash()

        def ends(*_: object) -> None:
            raise SystemError("as a crash would")

        second = build(clock=house.clock)
        monkeypatch.setattr(second.node.orders, "obey_late", ends)
        second.schedule()
        second.run_for(5)
        assert second.uplink.started, "new commands are heard whatever one is about"
        second.crash()
        third = build(clock=house.clock)
        third.schedule()
        third.run_for(60)
        assert not third.heard("c1")

    def test_one_that_was_obeyed_is_not_obeyed_again(self, build, house: House) -> None:
        house.schedule()
        house.announce("c1", "xin nghe")
        house.run_for(60)
        house.crash()
        after = build(clock=house.clock)
        after.schedule()
        after.run_for(60)
        assert not after.heard("c1") and not after.receipts("c1")

    def test_one_that_sounded_goes_on_and_does_not_begin_again_beside_itself(
        self, build, house: House
    ) -> None:
        house.schedule()
        house.announce("c1", *["xin nghe"] * 20)
        house.run_for(10)
        assert house.heard("c1")
        house.crash()
        after = build(clock=house.clock)
        after.schedule()
        after.run_for(120)
        assert after.receipts("c1").count("finished") == 1

    def test_one_whose_time_is_over_is_told_as_such(self, build, house: House) -> None:
        house.let_in("c1", **SPEECH)
        house.crash()
        house.clock.advance(600.0)
        after = build(clock=house.clock, boot="boot-2")
        after.schedule()
        after.run_for(60)
        assert not after.heard("c1")
        assert after.receipts("c1") == ["interrupted"]
        assert not after.journal.commands_waiting()

    def test_an_alert_is_told_at_the_next_start(self, build, house: House) -> None:
        house.let_in("a1", type="alert", cap=cap("A1", house, for_s=60))
        house.crash()
        after = build(clock=house.clock)
        after.schedule()
        after.run_for(30)
        assert after.receipts("a1") and after.heard("A1")


class TestOverrun:
    def test_an_amplifier_on_for_too_long_ends_what_plays_and_serves_the_next(self, build) -> None:
        house = build(extra="[amplifier]\nlongest_on_s = 60")
        house.schedule(long("wild", SOON), programme("next", SOON + timedelta(seconds=100)))
        house.run_for(300)
        (wild,) = house.heard("wild")
        assert wild.ended - wild.began < 61
        (after,) = house.heard("next")
        assert after.relays == {"preamp", "amplifier"}
        assert "longest on-time" in (house.plays("wild")[0].reason or "")
        assert "amplifier-overrun" not in house.faults()
