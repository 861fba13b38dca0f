"""The conductor's turn, its thinker, and the health it reports."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from agent.clock import FakeClock
from agent.conductor.events import StopAsked
from agent.conductor.loop import LONGEST_SLEEP_S, MANY_EVENTS, SAY_AGAIN_S, Conductor
from agent.conductor.thinker import Thinker, Thought
from agent.feeds.events import (
    FeedEnded,
    FeedExpired,
    FeedRecovered,
    FeedRefused,
    FeedUnreachable,
    MediaArrived,
    MediaUnavailable,
)
from drivers.errors import Retry
from tests.agent.conductor.fakes import START, House, programme
from tests.support.wait import wait_until


class TestTurns:
    def test_events_are_handled_before_parts_are_asked(self) -> None:
        clock = FakeClock()
        conductor = Conductor(clock)
        order: list[object] = []
        conductor.on(int, order.append)
        conductor.each_turn("part", lambda: order.append("part"))
        conductor.post(1)
        conductor.post(2)
        assert conductor.step() == clock.monotonic() + LONGEST_SLEEP_S
        assert order == [1, 2, "part"]

    def test_a_flood_of_events_does_not_starve_the_parts(self) -> None:
        conductor = Conductor(FakeClock())
        turns: list[int] = []
        conductor.on(int, lambda _n: None)
        conductor.each_turn("part", lambda: turns.append(1))
        for number in range(MANY_EVENTS * 3):
            conductor.post(number)
        conductor.step()
        assert turns == [1]

    def test_a_part_that_fails_is_told_once_a_minute_and_when_it_works_again(self, caplog) -> None:
        clock = FakeClock()
        conductor = Conductor(clock)
        told: list[str | None] = []
        conductor.when_broken(lambda _name, error: told.append(None if error is None else str(error)))
        broken = True
        others: list[int] = []

        def part() -> None:
            if broken:
                raise ValueError("oh")

        conductor.each_turn("part", part)
        conductor.each_turn("other", lambda: others.append(1))
        for _ in range(100):
            assert conductor.step() <= clock.monotonic() + 1.0
            clock.advance(0.1)
        assert told == ["oh"]
        assert len(others) == 100
        assert conductor.failing_for_s("part") == pytest.approx(10.0)
        clock.advance(SAY_AGAIN_S)
        conductor.step()
        broken = False
        conductor.step()
        assert told == ["oh", "oh", None]
        assert conductor.failing_for_s("part") == 0
        assert len([line for line in caplog.records if line.exc_info]) == 2

    def test_it_runs_until_somebody_asks_to_stop(self) -> None:
        conductor = Conductor(FakeClock())
        conductor.each_turn("part", lambda: conductor.post(StopAsked("enough")))
        assert conductor.run() == StopAsked("enough")


class TestThinker:
    def test_an_answer_comes_back_as_an_event(self) -> None:
        posted: list[object] = []
        answers: list[int] = []
        Thinker(posted.append).think("sum", lambda: 6 * 7, answers.append)
        thought = wait_until(lambda: posted and posted[0], 5, "the thought")
        assert answers == []
        thought.take()
        assert answers == [42]

    def test_only_the_newest_question_that_waits_is_answered(self) -> None:
        posted: list[object] = []
        answers: list[int] = []
        go = threading.Event()
        thinker = Thinker(posted.append)
        thinker.think("slow", lambda: go.wait(5), lambda _answer: None)
        for number in range(5):
            thinker.think("sum", lambda number=number: number, answers.append)
        go.set()
        wait_until(lambda: len(posted) == 2, 5, "two thoughts")
        for thought in posted:
            assert isinstance(thought, Thought)
            thought.take()
        assert answers == [4]

    def test_an_error_is_raised_where_the_answer_is_taken(self) -> None:
        posted: list[object] = []
        Thinker(posted.append).think("sum", lambda: 1 // 0, lambda _answer: None)
        thought = wait_until(lambda: posted and posted[0], 5, "the thought")
        with pytest.raises(ZeroDivisionError):
            thought.take()


class TestHealth:
    def test_it_is_sent_when_what_matters_changes_and_not_each_turn(self, house: House) -> None:
        house.run_for(10)
        before = len(house.uplink.healths)
        for _ in range(100):
            house.run_for(0.1)
        assert len(house.uplink.healths) == before
        house.announce("c1", "Xin chào")
        house.run_for(10)
        sent = house.uplink.healths[before:]
        assert any(health.now.audio and health.now.audio.command == "c1" for health in sent)
        assert sent[-1].now.audio is None
        assert not any(sent[-1].relays.values())
        assert len(sent) < 8

    def test_the_level_begins_anew_with_what_sounds(self, house: House) -> None:
        house.schedule(programme("music", START + timedelta(seconds=10), "long.mp3"))
        house.run_for(30)
        assert house.node.playback.level_dbfs == -20.0
        house.announce("c1", "Xin chào")
        assert house.node.playback.level_dbfs is None


class TestFaults:
    def test_a_feeds_troubles_go_when_it_recovers(self, house: House) -> None:
        for event in (
            FeedRefused("commune", "not JSON"),
            FeedUnreachable("commune", "timeout"),
            FeedExpired("commune", "yesterday", None),
            FeedEnded("commune", "long ago"),
        ):
            house.conductor.post(event)
        house.run_for(0.0)
        assert len({code for code in house.faults() if code.startswith("feed-")}) == 4
        house.conductor.post(FeedRecovered("commune"))
        house.run_for(0.0)
        assert house.faults() == set()
        ended = [r.ended is not None for r in house.records(kind="fault")]
        assert ended.count(True) == ended.count(False) == 4

    def test_missing_media_is_a_fault_until_it_arrives_or_is_not_needed(self, house: House) -> None:
        for path in ("media/a.mp3", "media/b.mp3"):
            house.conductor.post(MediaUnavailable("commune", path, "404"))
        house.conductor.post(MediaArrived("commune", "media/a.mp3", "x"))
        house.run_for(0.0)
        assert house.faults() == {"media:commune/media/b.mp3"}
        house.schedule()
        assert house.faults() == set()

    def test_a_feed_that_ended_is_silent(self, house: House) -> None:
        house.schedule(programme("music", START + timedelta(seconds=10), "long.mp3"))
        house.run_for(30)
        house.conductor.post(FeedEnded("commune", "expired 30 days ago"))
        house.run_for(5)
        assert house.heard("music")[0].ended is not None
        assert house.gate.trusted["commune"] is None

    def test_a_relay_that_cannot_be_switched_is_a_fault_until_it_can(self, house: House) -> None:
        house.relays["amplifier"].fail(Retry("stuck"))  # type: ignore[attr-defined]
        house.announce("c1", "Xin chào")
        house.run_for(5)
        assert "relay-amplifier" in house.faults()
        assert house.receipts("c1") == ["started", "finished"]
        house.relays["amplifier"].heal()  # type: ignore[attr-defined]
        house.announce("c2", "Xin chào")
        house.run_for(5)
        assert "relay-amplifier" not in house.faults()

    def test_a_journal_that_cannot_be_written_costs_no_sound(self, house: House, monkeypatch) -> None:
        from agent.journal.errors import Retry as JournalRetry

        def full(*_args: object, **_fields: object) -> None:
            raise JournalRetry("no room")

        for name in ("begin", "append", "complete", "mark_started", "put"):
            monkeypatch.setattr(house.journal, name, full)
        house.announce("c1", "Xin chào")
        house.run_for(5)
        assert house.heard("c1")
        assert "journal" in house.faults()
        monkeypatch.undo()
        house.announce("c2", "Xin chào")
        house.run_for(5)
        assert "journal" not in house.faults()
        assert [r.command for r in house.plays()] == ["c2"]


class TestManyProgrammes:
    def test_what_starts_soon_is_made_ready_a_little_at_a_time(self, house: House) -> None:
        programmes = [programme(f"p{n}", START + timedelta(minutes=n), f"{n}.mp3") for n in range(1, 101)]
        turns = house.conductor.turns
        house.schedule(*programmes)
        assert house.conductor.turns - turns >= 5
        assert len(house.library.wanted) == 100
        assert len(house.library.kept) == 100

    def test_an_arrival_looks_at_nothing_else(self, house: House) -> None:
        house.schedule(*[programme(f"p{n}", START + timedelta(hours=1), f"{n}.mp3") for n in range(50)])
        before = house.feeds.looked_up
        house.conductor.post(MediaArrived("commune", "media/7.mp3", "x"))
        house.run_for(0.0)
        assert house.feeds.looked_up - before <= 1
