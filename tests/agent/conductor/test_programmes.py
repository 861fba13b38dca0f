"""What a village hears of its programmes, on a fake clock and a fake player."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.clock import FakeClock
from playlists.models.base import ClockState
from tests.agent.conductor.fakes import START, House, long, monotonic, programme

SOON = START + timedelta(seconds=60)


def test_a_programme_sounds_at_its_second_with_its_relays_closed(house: House) -> None:
    house.schedule(programme("news", SOON, "chime.ogg", "news.mp3"))
    planned = monotonic(house, SOON)
    house.run_for(120)
    first, second = house.heard("news")
    assert first.began == pytest.approx(planned, abs=1e-6)
    assert second.began == pytest.approx(planned + 2.0, abs=1e-6)
    assert first.relays == {"preamp", "amplifier"}
    assert not any(relay.is_on for relay in house.relays.values())
    assert [(r.item, r.outcome, r.played_s, r.amplifier_on) for r in house.plays("news")] == [
        (0, "finished", 2.0, True),
        (1, "finished", 2.0, True),
    ]
    assert house.plays("news")[0].planned == SOON
    assert abs((house.plays("news")[0].started - SOON).total_seconds()) < 1e-5


def intervals(house: House, id_: str) -> list[tuple[float, float]]:
    """From where to where in its source each stretch was heard."""
    return [
        (round(h.position_s, 3), round(h.position_s + (h.ended or house.now) - h.began, 3))
        for h in house.heard(id_)
    ]


def test_one_too_short_to_sound_leaves_a_record_that_says_so(house: House) -> None:
    house.schedule(programme("blink", SOON, length_s=0.001))
    house.run_for(120)
    assert not house.heard("blink")
    assert [(r.item, r.outcome, r.reason, r.played_s) for r in house.plays("blink")] == [
        (None, "failed", "nothing to sound", 0.0)
    ]


class TestWhoSounds:
    def test_what_preempts_suspends_and_the_rest_follows_without_repetition(self, house: House) -> None:
        house.schedule(
            long("music", SOON),
            programme("news", SOON + timedelta(seconds=100), priority=5, on_conflict="preempt"),
        )
        house.run_for(900)
        assert intervals(house, "music") == [
            (0.0, pytest.approx(100.0, abs=0.2)),
            (pytest.approx(100.0, abs=0.2), 600.0),
        ]
        (_, cut), (on, _) = intervals(house, "music")
        assert 0 <= on - cut <= 0.01
        assert [r.outcome for r in house.plays("music")] == ["interrupted", "finished"]
        assert "news" in (house.plays("music")[0].reason or "")
        assert sum(r.played_s or 0 for r in house.plays("music")) == pytest.approx(600.0, abs=0.02)

    def test_several_suspended_resume_strongest_first(self, house: House) -> None:
        for name in ("low", "middle", "high"):
            house.library.lengths[f"{name}.mp3"] = 100.0
        house.schedule(
            *(
                programme(
                    name, SOON + timedelta(seconds=20 * n), f"{name}.mp3", priority=n, on_conflict="preempt"
                )
                for n, name in enumerate(("low", "middle", "high"))
            )
        )
        house.run_for(400)
        assert [h.id.split("/")[1].split("@")[0] for h in house.player.heard] == [
            "low", "middle", "high", "middle", "low",
        ]  # fmt: skip
        for name in ("low", "middle"):
            (_, cut), (on, end) = intervals(house, name)
            assert 0 <= on - cut <= 0.01
            assert end == 100.0

    @pytest.mark.parametrize(("tie_break", "wins"), [("[]", "province"), ('["commune"]', "commune")])
    def test_of_equals_the_commune_decides_who_goes_first(self, build, tie_break: str, wins: str) -> None:
        house = build(policy=f"tie_break = {tie_break}")
        for feed in ("commune", "province"):
            house.schedule(programme(f"of-{feed}", SOON, **{"class": "priority"}), feed=feed)
        house.run_for(70)
        first, _ = house.player.heard
        assert first.id.startswith(f"{wins}/")

    def test_the_communes_own_order_puts_its_announcement_before_the_provinces(self, build) -> None:
        house = build(policy='tie_break = ["commune"]')
        house.library.lengths["tỉnh"] = 60.0
        house.announce("c1", "tỉnh", sender="province", **{"class": "priority"})
        house.run_for(5)
        house.announce("c2", "xã", **{"class": "priority"})
        house.run_for(100)
        assert house.receipts("c1") == ["started", "interrupted", "finished"]
        assert house.receipts("c2") == ["started", "finished"]

    def test_the_communes_own_order_keeps_no_emergency_waiting(self, build) -> None:
        house = build(policy='tie_break = ["commune"]')
        house.library.lengths["xã"] = 60.0
        house.announce("c1", "xã", **{"class": "emergency"})
        house.run_for(5)
        house.announce("c2", "tỉnh", sender="province", **{"class": "emergency"})
        house.run_for(100)
        assert house.receipts("c1") == ["started", "interrupted", "finished"]

    def test_what_queues_waits_its_turn_and_is_played_whole(self, house: House) -> None:
        house.schedule(long("music", SOON), programme("news", SOON + timedelta(seconds=30), priority=5))
        house.run_for(700)
        assert intervals(house, "news") == [(0.0, 2.0)]
        assert house.heard("news")[0].began == pytest.approx(monotonic(house, SOON) + 600, abs=0.3)

    def test_what_may_not_wait_is_dropped_when_the_output_is_taken(self, house: House) -> None:
        house.schedule(
            long("music", SOON), programme("news", SOON + timedelta(seconds=30), on_conflict="skip")
        )
        house.run_for(700)
        assert not house.heard("news")
        assert [(r.outcome, "taken by" in (r.reason or "")) for r in house.plays("news")] == [
            ("skipped", True)
        ]

    def test_what_may_not_wait_is_not_dropped_for_its_neighbours_last_samples(self, house: House) -> None:
        house.schedule(
            long("music", SOON), programme("news", SOON + timedelta(seconds=600), on_conflict="skip")
        )
        house.run_for(700)
        assert intervals(house, "news") == [(0.0, 2.0)]

    def test_what_ends_before_its_successor_begins_is_finished_and_not_resumed(self, house: House) -> None:
        # the officer's words take over with the last second of the music, after the relays' lead
        house.schedule(long("music", SOON, zones=["hamlet"]))
        house.run_for(60 + 599.9)
        house.announce("c1", "Kính mời bà con", zones=["square"])
        house.run_for(30)
        assert len(house.heard("music")) == 1
        assert [r.outcome for r in house.plays("music")] == ["finished"]
        assert house.heard("c1")

    def test_one_that_is_over_does_not_keep_the_next_one_waiting(self, house: House) -> None:
        house.jump(30)
        house.schedule(
            programme(
                "late", house.clock.now() - timedelta(seconds=50), grace_s=100, if_late="join", priority=9
            ),
            programme(
                "other", house.clock.now() - timedelta(seconds=1), "long.mp3", grace_s=100, if_late="full"
            ),
        )
        house.run_for(5)
        assert house.heard("other")
        assert "over" in (house.plays("late")[0].reason or "")


class TestLateness:
    def test_a_late_joiner_is_in_step_with_its_neighbours(self, house: House) -> None:
        begun = START - timedelta(seconds=100)
        house.schedule(long("music", begun, grace_s=600))
        house.run_for(20)
        (heard,) = house.heard("music")
        assert heard.position_s == pytest.approx(heard.began - monotonic(house, begun), abs=0.002)

    def test_it_is_in_step_also_when_its_recording_is_made_late(self, house: House) -> None:
        house.library.held.add("long.mp3")
        begun = START - timedelta(seconds=100)
        house.schedule(long("music", begun, grace_s=600))
        house.run_for(5)
        assert not house.heard("music")
        house.library.release("long.mp3")
        house.run_for(5)
        (heard,) = house.heard("music")
        assert heard.position_s == pytest.approx(heard.began - monotonic(house, begun), abs=0.002)

    @pytest.mark.parametrize(
        ("if_late", "grace_s", "heard"), [("full", 600, [(0.0, 600.0)]), ("skip", 600, []), ("join", 50, [])]
    )
    def test_lateness_follows_the_programmes_own_rule(self, house, if_late, grace_s, heard) -> None:
        begun = START - timedelta(seconds=100)
        house.schedule(long("music", begun, grace_s=grace_s, if_late=if_late, length_s=600))
        house.run_for(800)
        assert intervals(house, "music") == heard
        assert len(house.plays("music")) == 1

    def test_a_missing_recording_is_left_out_and_the_rest_sounds(self, house: House) -> None:
        house.feeds.missing.add("a.mp3")
        house.schedule(programme("news", SOON, "a.mp3", "b.mp3"))
        house.run_for(100)
        assert [(r.item, r.outcome) for r in house.plays("news")] == [(0, "skipped"), (1, "finished")]
        assert "has not arrived" in (house.plays("news")[0].reason or "")

    def test_a_recording_that_cannot_be_decoded_is_a_failure(self, house: House) -> None:
        house.library.failures["bad.mp3"] = "no decodable sound"
        house.schedule(programme("news", SOON, "bad.mp3"))
        house.run_for(100)
        assert [(r.item, r.outcome, r.reason) for r in house.plays("news")] == [
            (0, "failed", "no decodable sound")
        ]

    def test_a_failed_start_is_not_tried_again_by_a_new_schedule(self, house: House) -> None:
        house.feeds.missing.add("a.mp3")
        house.schedule(programme("news", SOON, "a.mp3", grace_s=600))
        house.run_for(65)
        house.schedule(programme("news", SOON, "a.mp3", grace_s=600))
        house.run_for(60)
        assert len(house.plays("news")) == 1

    def test_what_is_not_decoded_in_time_is_left_out_after_ten_seconds(self, house: House) -> None:
        house.library.held.add("a.mp3")
        house.schedule(programme("news", SOON, "a.mp3", "b.mp3"))
        house.run_for(69)
        assert not house.heard("news")
        house.run_for(10)
        assert [(r.item, r.outcome) for r in house.plays("news")] == [(0, "skipped"), (1, "finished")]

    def test_the_disk_is_left_alone_while_nothing_changes(self, house: House) -> None:
        house.feeds.missing.add("a.mp3")
        house.schedule(long("music", START + timedelta(seconds=5)), programme("news", SOON, "a.mp3"))
        house.run_for(31)
        before = house.feeds.looked_up
        house.run_for(25)
        assert house.feeds.looked_up == before


class TestItemsThatFail:
    def test_a_silent_item_is_failed_and_what_follows_is_written_down(self, house: House) -> None:
        house.library.lengths["silent.mp3"] = 30.0
        house.schedule(programme("news", SOON, "silent.mp3", "b.mp3", "c.mp3"))
        house.run_for(120)
        assert [(r.item, r.outcome) for r in house.plays("news")] == [
            (0, "failed"),
            (1, "finished"),
            (2, "finished"),
        ]

    def test_an_item_that_fails_in_the_middle_costs_no_record(self, house: House) -> None:
        house.schedule(programme("news", SOON, "a.mp3", "broken.mp3", "c.mp3"))
        house.run_for(120)
        assert [(r.item, r.outcome) for r in house.plays("news")] == [
            (0, "finished"),
            (1, "failed"),
            (2, "finished"),
        ]

    def test_a_programme_whose_first_item_fails_has_begun_all_the_same(self, house: House) -> None:
        house.schedule(programme("news", SOON, "broken.mp3", "long.mp3", grace_s=300))
        house.run_for(100)
        house.schedule(programme("news", SOON, "broken.mp3", "long.mp3", grace_s=300))
        house.run_for(700)
        assert intervals(house, "news") == [(0.0, 600.0)]

    def test_a_long_gap_is_no_standstill(self, house: House) -> None:
        house.schedule(programme("news", SOON, "a.mp3", "b.mp3", gap_s=90))
        house.run_for(300)
        assert house.player.deaths == 0
        assert [r.outcome for r in house.plays("news")] == ["finished", "finished"]


class TestSchedules:
    def test_what_a_new_schedule_no_longer_holds_stops(self, house: House) -> None:
        house.schedule(long("music", SOON))
        house.run_for(100)
        house.schedule()
        house.run_for(5)
        (heard,) = house.heard("music")
        assert heard.ended is not None
        assert [(r.outcome, r.reason) for r in house.plays("music")] == [
            ("interrupted", "no longer in the schedule")
        ]

    def test_what_is_unchanged_goes_on(self, house: House) -> None:
        house.schedule(long("music", SOON))
        house.run_for(100)
        house.schedule(long("music", SOON), programme("other", SOON + timedelta(hours=2)))
        house.run_for(700)
        assert intervals(house, "music") == [(0.0, 600.0)]

    def test_what_was_changed_plays_on_and_is_new_the_next_time(self, house: House) -> None:
        daily = {"recurrence": "FREQ=HOURLY"}
        house.schedule(long("music", SOON, **daily))
        house.run_for(100)
        house.schedule(programme("music", SOON, "b.mp3", **daily))
        house.run_for(3_700)
        assert intervals(house, "music") == [(0.0, 600.0), (0.0, 2.0)]

    def test_what_was_about_to_begin_follows_the_new_schedule(self, house: House) -> None:
        house.schedule(programme("news", SOON, "a.mp3"), programme("gone", SOON, "a.mp3"))
        house.run_for(50)
        house.schedule(programme("news", SOON, "b.mp3"))
        house.run_for(60)
        assert [h.source.path for h in house.player.heard] == ["/pcm/b.mp3"]
        assert not house.plays("gone")

    def test_what_waits_for_its_turn_is_not_lost_by_a_new_schedule(self, house: House) -> None:
        parts = long("music", SOON), programme("news", SOON + timedelta(seconds=30), priority=5, grace_s=1)
        house.schedule(*parts)
        house.run_for(300)
        house.schedule(*parts)
        house.run_for(500)
        assert intervals(house, "news") == [(0.0, 2.0)]

    def test_a_class_above_the_ceiling_is_left_out_and_told_once(self, build) -> None:
        house = build(ceiling="routine")
        for _ in range(3):
            house.schedule(programme("news", SOON, **{"class": "priority"}))
        house.run_for(100)
        assert not house.player.heard
        assert len(house.records(kind="system", programme="news")) == 1

    def test_targets_are_heeded(self, house: House) -> None:
        house.schedule(
            programme("mine", SOON, targets=["hamlet-3"]), programme("other", SOON, targets=["pole-08"])
        )
        house.run_for(100)
        assert house.heard("mine")
        assert not house.heard("other")


class TestClock:
    @pytest.fixture
    def wrong(self, build) -> House:
        """A node whose clock nobody keeps right: it may be set back, and is believed afterwards."""
        clock = FakeClock(START - timedelta(days=1), ClockState.RESTORED)
        clock.jump(86_400)
        return build(clock=clock)

    def test_nothing_is_doubled_when_the_clock_is_set_back(self, wrong: House) -> None:
        wrong.schedule(programme("news", SOON, grace_s=600), programme("later", SOON + timedelta(hours=1)))
        wrong.run_for(120)
        wrong.jump(-90)
        wrong.run_for(7_500)
        assert len(wrong.heard("news")) == 1
        assert len(wrong.heard("later")) == 1

    def test_a_leap_over_an_hour_does_not_start_all_that_it_passed(self, wrong: House) -> None:
        wrong.schedule(
            *(programme(f"p{n}", SOON + timedelta(minutes=n), grace_s=1) for n in range(60)),
            long("now", SOON + timedelta(minutes=59, seconds=59), grace_s=30),
        )
        wrong.clock.advance(2)
        wrong.clock.jump(3_600)  # the turn may come before the event that tells of it
        wrong.run_for(60)
        assert {h.id.split("/")[1].split("@")[0] for h in wrong.player.heard} == {"now"}
        assert len([r for r in wrong.plays() if r.reason == "the clock was put forward over its start"]) == 60

    def test_a_leap_of_years_and_back_neither_stops_nor_doubles(self, wrong: House) -> None:
        wrong.schedule(programme("news", SOON, grace_s=600, recurrence="FREQ=DAILY"))
        wrong.run_for(100)
        wrong.jump(3 * 365 * 86_400)
        wrong.run_for(100)
        wrong.jump(-3 * 365 * 86_400)
        wrong.run_for(300)
        assert len(wrong.heard("news")) == 1
        wrong.run_for(86_400)
        assert len(wrong.heard("news")) == 2

    def test_what_begins_in_a_moment_is_called_back_when_the_clock_is_set_back(self, wrong: House) -> None:
        wrong.schedule(programme("news", SOON))
        wrong.run_until(SOON - timedelta(seconds=0.3))
        assert wrong.node.voice.playing is not None
        wrong.jump(-3_600)
        wrong.run_for(60)
        assert not wrong.heard("news")
        wrong.run_for(3_600)
        (heard,) = wrong.heard("news")
        assert heard.began == pytest.approx(monotonic(wrong, SOON), abs=0.001)
        assert len(wrong.plays("news")) == 1

    def test_with_an_unset_clock_programmes_stay_off(self, house: House) -> None:
        house.schedule(programme("news", SOON))
        house.run_for(5)
        house.jump(-10 * 365 * 86_400)
        house.run_for(20)
        assert not house.node.voice.performances
        house.jump(10 * 365 * 86_400)
        house.run_for(60)
        assert len(house.heard("news")) == 1

    def test_what_sounds_is_not_cut_by_a_leap(self, build) -> None:
        house = build(policy="longest_session_s = 900")
        house.schedule(long("music", SOON))
        house.run_for(100)
        house.jump(1_800)
        house.run_for(700)
        assert intervals(house, "music") == [(0.0, 600.0)]


class TestPolicy:
    def test_nothing_begins_outside_allowed_hours(self, build) -> None:
        house = build(policy='allowed_hours = ["05:01-05:02"]')
        house.schedule(
            programme("early", SOON - timedelta(seconds=1)),
            programme("first", SOON),
            programme("late", SOON + timedelta(seconds=60)),
        )
        house.run_for(300)
        assert [h.id.split("/")[1].split("@")[0] for h in house.player.heard] == ["first"]
        assert {r.reason for r in house.plays() if r.outcome == "skipped"} == {"outside allowed hours"}
        assert len(house.plays()) == 3

    def test_what_sounds_ends_with_the_hours(self, build) -> None:
        house = build(policy='allowed_hours = ["05:01-05:02"]')
        house.schedule(long("music", SOON))
        house.run_for(300)
        (heard,) = house.heard("music")
        assert heard.ended == pytest.approx(monotonic(house, SOON) + 60, abs=0.1)
        assert [(r.outcome, r.reason) for r in house.plays("music")] == [
            ("interrupted", "outside allowed hours")
        ]

    def test_what_an_emergency_suspended_does_not_go_on_after_hours(self, build) -> None:
        house = build(policy='allowed_hours = ["05:00-05:03"]')
        house.library.lengths["Khẩn cấp"] = 300.0
        house.schedule(long("music", SOON))
        house.run_for(90)
        house.announce("c1", "Khẩn cấp", **{"class": "emergency"})
        house.run_for(600)
        assert len(house.heard("music")) == 1
        assert house.heard("c1")[0].ended - house.heard("c1")[0].began == 300.0
        assert house.receipts("c1") == ["started", "finished"]

    def test_the_longest_session_counts_through_neighbours(self, build) -> None:
        house = build(policy="longest_session_s = 30")
        house.library.lengths.update({"a.mp3": 20.0})
        house.schedule(
            programme("one", SOON, "a.mp3"), programme("two", SOON + timedelta(seconds=20), "a.mp3")
        )
        house.run_for(300)
        (second,) = house.heard("two")
        assert second.ended == pytest.approx(monotonic(house, SOON) + 30, abs=0.2)
        assert house.plays("two")[0].reason == "longest session reached"

    def test_the_hours_loudness_comes_in_softly(self, build) -> None:
        house = build(loudness='[{ hours = "05:02-06:00", gain_db = -10 }]')
        house.schedule(long("music", SOON))
        house.run_for(300)
        gains = [order for order in house.player.orders if type(order).__name__ == "Gain"]
        assert [gain.gain_db for gain in gains] == [-10.0]

    def test_an_emergency_programme_ahead_keeps_nobody_from_speaking(self, house: House) -> None:
        house.schedule(programme("drill", SOON, **{"class": "emergency"}))
        house.run_for(40)
        house.announce("c1", "Xin chào")
        house.run_for(5)
        assert house.heard("c1")
