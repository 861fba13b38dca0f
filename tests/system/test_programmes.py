"""From a signed feed to recorded sound: programmes start at their second, through the relays, as published."""

from __future__ import annotations

import time

import pytest

from tests.support.house import TONE_S, TONES_HZ, House, in_s, media, monotonic_of
from tests.support.listening import place_on_ladder
from tests.support.sound import gaps, pitch

SETTLE_S = 0.2


def test_a_programme_sounds_at_its_second_through_two_relays(house: House) -> None:
    start = in_s(1.3)
    house.publish({"id": "morning", "start": start.isoformat(), "items": [media("low"), media("high")]})
    planned = monotonic_of(start)
    house.wait_for_moment("sound", "morning", "finished")
    off = house.wait_for_moment("relay", "preamp", "off", after=planned)

    heard = house.ears.stretches(planned - 0.3, off["monotonic_s"])
    assert len(heard) == 1
    (sound,) = heard
    assert abs(sound.began - planned) < 0.03
    assert sound.seconds == pytest.approx(2 * TONE_S, abs=0.02)
    assert gaps(sound.samples) == []
    assert pitch(sound.part(0.2, 0.8)) == pytest.approx(TONES_HZ["low"], abs=1)
    assert pitch(sound.part(1.2, 1.8)) == pytest.approx(TONES_HZ["high"], abs=1)

    first, second = house.wait_for_records(2, programme="morning")
    # the station measured the loudness and shipped one gain an item: what the log says is what is heard
    assert sound.part(0.2, 0.8).max() == pytest.approx(0.5 * 10 ** (first["gain_db"] / 20), rel=0.05)
    assert [r["outcome"] for r in (first, second)] == ["finished", "finished"]
    assert [r["item"] for r in (first, second)] == [0, 1]
    assert sum(r["played_s"] for r in (first, second)) == pytest.approx(2 * TONE_S, abs=0.02)
    assert abs(monotonic_of(first["started"]) - sound.began) < 0.03
    assert first["amplifier_on"] and second["amplifier_on"]

    edges = house.moments("relay", after=planned - 0.8)
    assert [(e["name"], e["state"]) for e in edges] == [
        ("preamp", "on"),
        ("amplifier", "on"),
        ("amplifier", "off"),
        ("preamp", "off"),
    ]
    on_at, off_at = edges[1]["monotonic_s"], edges[2]["monotonic_s"]
    assert on_at + SETTLE_S <= planned + 0.001
    assert off_at >= sound.ended + house.node.settings.tail_s - 0.05


def test_relays_do_not_chatter_between_neighbours(house: House) -> None:
    start = in_s(1.3)
    follow = in_s(2.6)
    house.publish(
        {"id": "one", "start": start.isoformat(), "items": [media("low")]},
        {"id": "two", "start": follow.isoformat(), "items": [media("high")]},
    )
    house.wait_for_moment("sound", "two", "finished")
    off = house.wait_for_moment("relay", "preamp", "off", after=monotonic_of(start))
    edges = house.moments("relay", after=monotonic_of(start) - 0.8)
    assert len(edges) == 4
    heard = house.ears.stretches(monotonic_of(start) - 0.3, off["monotonic_s"])
    assert [s.hz for s in heard] == pytest.approx([TONES_HZ["low"], TONES_HZ["high"]], abs=3)
    assert abs(heard[1].began - monotonic_of(follow)) < 0.03


def test_the_bigger_priority_takes_over_and_the_smaller_goes_on_where_it_was(house: House) -> None:
    house.publish(
        {"id": "small", "start": in_s(1.3).isoformat(), "priority": 1, "items": [media("low")]},
        {
            "id": "big",
            "start": in_s(1.8).isoformat(),
            "priority": 9,
            "on_conflict": "preempt",
            "items": [media("high")],
        },
    )
    began = time.monotonic()
    house.wait_for_moment("sound", "small", "finished", after=began)
    heard = house.ears.stretches(began, apart_s=0.5)
    assert len(heard) == 1
    sound = heard[0]
    assert sound.seconds == pytest.approx(2 * TONE_S, abs=0.15)
    assert pitch(sound.part(0.1, 0.4)) == pytest.approx(TONES_HZ["low"], abs=4)
    assert pitch(sound.part(0.7, 1.3)) == pytest.approx(TONES_HZ["high"], abs=4)
    assert pitch(sound.part(-0.4, -0.1)) == pytest.approx(TONES_HZ["low"], abs=4)
    plays = house.wait_for_records(2, programme="small")
    assert [r["outcome"] for r in plays] == ["interrupted", "finished"]
    assert "big" in plays[0]["reason"]
    assert sum(r["played_s"] for r in plays) == pytest.approx(TONE_S, abs=0.05)


def test_of_two_that_meet_one_waits_its_turn_and_one_is_skipped(house: House) -> None:
    start = in_s(1.3)
    later = in_s(1.9).isoformat()
    house.publish(
        {"id": "first", "start": start.isoformat(), "items": [media("low")]},
        {"id": "patient", "start": later, "on_conflict": "queue", "items": [media("high")]},
        {"id": "modest", "start": later, "on_conflict": "skip", "items": [media("alarm")]},
    )
    house.wait_for_moment("sound", "patient", "finished")
    heard = house.ears.stretches(monotonic_of(start) - 0.3, apart_s=0.5)
    tones = [pitch(heard[0].part(0.1, 0.8)), pitch(heard[-1].part(-0.7, -0.1))]
    assert tones == pytest.approx([TONES_HZ["low"], TONES_HZ["high"]], abs=4)
    assert sum(s.seconds for s in heard) == pytest.approx(2 * TONE_S, abs=0.1)
    (skipped,) = house.wait_for_records(1, programme="modest")
    assert skipped["outcome"] == "skipped"
    assert skipped["reason"]


def test_a_new_schedule_without_it_ends_a_programme_that_plays(house: House) -> None:
    house.publish({"id": "old", "start": in_s(1.2).isoformat(), "items": [media("long")]})
    started = house.wait_for_moment("sound", "old", "started")
    house.publish()
    ended = house.wait_for_moment("sound", "old", "interrupted")
    assert "schedule" in ended["reason"]
    (play,) = house.wait_for_records(1, programme="old", kind="play")
    assert play["outcome"] == "interrupted"
    heard = house.ears.stretches(started["monotonic_s"] - 1)
    assert heard[-1].ended == pytest.approx(ended["monotonic_s"], abs=0.15)


def test_a_late_joiner_seeks_to_where_the_programme_should_be(house: House) -> None:
    start = in_s(-3.0)
    began = time.monotonic()
    house.publish(
        {
            "id": "late",
            "start": start.isoformat(),
            "if_late": "join",
            "grace_s": 60,
            "items": [media("ladder")],
        }
    )
    house.wait_for_moment("sound", "late", "started")
    house.ears.wait_for_sound(began, seconds=0.6)
    (sound, *_) = house.ears.stretches(began)
    should_be_at = sound.began + 0.2 - monotonic_of(start)
    assert place_on_ladder(sound.part(0.1, 0.3)) == pytest.approx(should_be_at, abs=0.1)


def test_what_is_later_than_its_grace_is_skipped_and_logged(house: House) -> None:
    house.publish(
        {
            "id": "too-late",
            "start": in_s(-90.0).isoformat(),
            "if_late": "full",
            "grace_s": 30,
            "length_s": 300,
            "items": [media("low")],
        }
    )
    (skipped,) = house.wait_for_records(1, programme="too-late")
    assert skipped["outcome"] == "skipped"
    assert "late" in skipped["reason"]
