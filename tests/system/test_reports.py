"""What the centre learns: receipts, health, status, and a log that says what was really played."""

from __future__ import annotations

import time

import pytest

from tests.support.house import TONE_S, House, in_s, media, monotonic_of, shelve, wait_until
from tests.support.listening import place_on_ladder


def test_the_log_at_the_centre_is_what_was_heard(house: House) -> None:
    start = in_s(1.3)
    house.publish(
        {
            "id": "twice",
            "start": start.isoformat(),
            "items": [media("low")],
            "loops": 2,
            "gap_s": 0.5,
            "volume_db": -3,
            "class": "priority",
            "language": "tay",
        }
    )
    house.wait_for_moment("sound", "twice", "finished")
    heard = house.ears.stretches(monotonic_of(start) - 0.3)
    plays = house.wait_for_records(2, programme="twice")
    assert len(plays) == len(heard) == 2
    for play, sound in zip(plays, heard, strict=True):
        assert monotonic_of(play["started"]) == pytest.approx(sound.began, abs=0.03)
        assert monotonic_of(play["ended"]) == pytest.approx(sound.ended, abs=0.05)
        assert play["played_s"] == pytest.approx(sound.seconds, abs=0.02)
        assert play["sounded_dbfs"] == pytest.approx(sound.dbfs, abs=1.0)
        assert play["heard_dbfs"] is None
        assert play["media"].startswith("sha256:")
        assert (play["class"], play["language"], play["zones"]) == ("priority", "tay", ["*"])
        assert play["clock"]["state"] == "synchronised"
    assert heard[1].began - heard[0].ended == pytest.approx(0.5, abs=0.02)


def test_media_that_is_not_there_is_skipped_and_what_cannot_be_played_failed(house: House) -> None:
    start = in_s(1.3)
    items = [{"media": "media/nobody-has-it.mp3"}, {"media": "media/broken.mp3"}, media("high")]
    house.publish({"id": "gappy", "start": start.isoformat(), "items": items})
    plays = {record["item"]: record for record in house.wait_for_records(3, programme="gappy")}
    assert [plays[i]["outcome"] for i in range(3)] == ["skipped", "failed", "finished"]
    assert "nobody-has-it" in plays[0]["reason"]
    assert "decoded" in plays[1]["reason"]
    assert plays[0]["played_s"] == plays[1]["played_s"] == 0
    assert plays[2]["played_s"] == pytest.approx(TONE_S, abs=0.02)
    (sound,) = house.ears.stretches(monotonic_of(start) - 0.3)
    assert abs(sound.began - monotonic_of(start)) < 0.03


def test_health_at_the_centre_follows_what_sounds(house: House) -> None:
    house.announce(media("long"), title="Bản tin")

    def reported() -> bool:
        now = house.reported("health").get("now", {})
        return bool(now.get("audio") and now["audio"]["title"])

    wait_until(reported, 10, "the centre knows what sounds")
    health = house.reported("health")
    assert health["relays"] == {"preamp": True, "amplifier": True}
    assert health["feeds"]["commune"]["state"] == "current"
    assert health["readings"]["memory_available_mb"] > 0
    assert health["position"] == {"lat": 18.67, "lon": 105.69}
    house.node.ask("stop", name="*")
    wait_until(
        lambda: house.reported("health")["relays"] == {"preamp": False, "amplifier": False},
        10,
        "the centre knows of the silence",
    )


def test_what_the_centre_has_stored_is_kept_a_while_and_not_sent_again(house: House) -> None:
    for _ in range(3):
        house.ended(house.command("stop", programme="nothing-of-that-name"))
    house.all_is_stored()
    log = house.node.health()["log"]
    assert log["last"] == log["stored_through"] > 0
    assert house.node.records()[-1]["seq"] == log["last"]
    assert {r["seq"] for r in house.records(epoch=epoch(house))} == set(range(1, log["last"] + 1))
    house.node.stop()
    house.node.start()
    assert set(range(1, log["last"] + 1)) <= {r["seq"] for r in house.node.records()}


def epoch(house: House) -> str:
    """The journal's epoch as the centre knows it."""
    found: str = house.reported("status")["epoch"]
    return found


def test_status_says_online_and_offline_when_the_node_ends_or_dies(house: House) -> None:
    wait_until(lambda: house.reported("status").get("state") == "online", 10, "it is online")
    assert house.node.stop() == 0
    wait_until(lambda: house.reported("status")["state"] == "offline", 10, "it said goodbye")
    house.node.start()
    wait_until(lambda: house.reported("status")["state"] == "online", 10, "it is back")
    house.node.kill()
    wait_until(lambda: house.reported("status")["state"] == "offline", 10, "its will was read")
    house.node.start()
    wait_until(lambda: house.reported("status")["state"] == "online", 10, "it is back")


def test_a_late_start_of_the_node_joins_what_should_be_playing(house: House) -> None:
    house.node.stop()
    start = in_s(-2.0)
    late = {"id": "joined", "start": start.isoformat(), "if_late": "join", "grace_s": 60}
    shelve(house.centre, {**late, "items": [media("ladder")]}, node=house.id)
    began = time.monotonic()
    house.node.start()
    house.ears.wait_for_sound(began, seconds=0.6)
    (sound, *_) = [s for s in house.ears.stretches(began) if s.seconds > 0.5]
    should_be_at = sound.began + 0.2 - monotonic_of(start)
    assert place_on_ladder(sound.part(0.1, 0.3)) == pytest.approx(should_be_at, abs=0.1)
