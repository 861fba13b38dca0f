"""Signed commands, from the officer's key to recorded sound and back to receipts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.house import TONE_S, TONES_HZ, House, in_s, media, speech
from tests.support.listening import place_on_ladder
from tests.support.sound import level_dbfs


@pytest.fixture
def unmuted(house: House) -> Iterator[House]:
    """The node, whose mute is lifted and volume restored afterwards whatever happens."""
    yield house
    for what in (house.command("mute", until=None), house.command("volume", volume_db=0.0)):
        house.centre.wait_for_receipt(what, "finished")


def test_an_announcement_is_heard_and_answered_step_by_step(house: House) -> None:
    began = time.monotonic()
    command = house.announce(media("high"), title="Thông báo")
    house.ended(command)
    (sound,) = house.ears.stretches(began)
    assert sound.hz == pytest.approx(TONES_HZ["high"], abs=1)
    assert sound.seconds == pytest.approx(TONE_S, abs=0.02)
    states = [state for state, _ in house.receipts(command)]
    assert states == ["received", "verified", "started", "finished"]
    (play,) = house.wait_for_records(1, command=command.id, kind="play")
    assert play["outcome"] == "finished"
    assert play["sounded_dbfs"] == pytest.approx(sound.dbfs, abs=1.0)


def test_words_are_spoken(house: House) -> None:
    began = time.monotonic()
    command = house.announce(speech("Kính mời bà con đến nhà văn hóa thôn lúc mười chín giờ."))
    house.ended(command)
    spoken = house.ears.stretches(began, apart_s=1.0)
    assert len(spoken) == 1
    assert 1.5 < spoken[0].seconds < 8.0
    (play,) = house.wait_for_records(1, command=command.id, kind="play")
    assert play["language"] == "vi"
    assert play["played_s"] == pytest.approx(spoken[0].seconds, abs=0.6)


def test_an_emergency_takes_over_at_once_and_the_programme_goes_on_where_it_was(house: House) -> None:
    house.publish({"id": "ladder", "start": in_s(1.2).isoformat(), "items": [media("ladder")], "length_s": 3})
    began = time.monotonic()
    house.wait_for_moment("sound", "ladder", "started")
    house.ears.wait_for_sound(began, seconds=1.0)
    sent = time.monotonic()
    command = house.command("announce", items=[media("alarm")], **{"class": "emergency"})
    house.centre.wait_for_receipt(command, "finished")
    house.wait_for_moment("sound", "ladder", "finished")

    heard = house.ears.since(began)
    window_s = 0.05
    places = []
    for at in (began + i * window_s for i in range(int(8 / window_s))):
        samples = heard.between(at, at + window_s)
        if len(samples) > 1_000 and level_dbfs(samples) > -40:
            places.append((at, place_on_ladder(samples)))
    alarm_at = [at for at, place in places if abs(place - 8.0) < 0.15 and at >= sent]
    before = [place for at, place in places if at < alarm_at[0] - window_s]
    after = [place for at, place in places if at > alarm_at[-1] + window_s]
    assert alarm_at[0] - sent < 0.3
    assert alarm_at[-1] - alarm_at[0] == pytest.approx(TONE_S, abs=0.15)
    # the pitch goes on from the step where it was cut: nothing is left out, at most a step begins anew
    assert after[0] == pytest.approx(before[-1], abs=0.25)
    assert len(before) + len(after) == pytest.approx(3.0 / window_s, abs=5)

    plays = house.wait_for_records(2, programme="ladder", kind="play")
    assert [r["outcome"] for r in plays] == ["interrupted", "finished"]
    assert sum(r["played_s"] for r in plays) == pytest.approx(3.0, abs=0.03)


def test_what_is_stopped_ends_at_once_and_says_by_whom(house: House) -> None:
    announced = house.announce(media("long"))
    stopping = house.command("stop", programme="*")
    sent = time.monotonic()
    house.centre.wait_for_receipt(stopping, "finished")
    ended = house.ended(announced)
    assert ended.state == "interrupted"
    assert stopping.id in (ended.reason or "")
    assert house.ears.stretches(sent - 1)[-1].ended < sent + 0.5
    assert stopping.id in house.wait_for_records(1, command=announced.id, kind="play")[0]["reason"]


def test_volume_is_heard_and_is_lifted_again(unmuted: House) -> None:
    house = unmuted
    house.centre.wait_for_receipt(house.command("volume", volume_db=-12.0), "finished")
    began = time.monotonic()
    house.ended(house.announce(media("high")))
    soft = house.ears.stretches(began, threshold=0.005)[0].dbfs
    house.centre.wait_for_receipt(house.command("volume", volume_db=0.0), "finished")
    began = time.monotonic()
    house.ended(house.announce(media("high")))
    loud = house.ears.stretches(began)[0].dbfs
    assert loud - soft == pytest.approx(12.0, abs=0.3)


def test_after_a_mute_is_lifted_the_node_speaks_again(unmuted: House) -> None:
    house = unmuted
    until = (in_s(0) + timedelta(minutes=5)).isoformat()
    house.centre.wait_for_receipt(house.command("mute", until=until), "finished")
    house.centre.wait_for_receipt(house.command("mute", until=None), "finished")
    began = time.monotonic()
    house.ended(house.announce(media("high")))
    assert house.ears.stretches(began)[0].hz == pytest.approx(TONES_HZ["high"], rel=0.005)


def test_a_mute_silences_all_but_emergencies(unmuted: House) -> None:
    house = unmuted
    until = (in_s(0) + timedelta(minutes=5)).isoformat()
    playing = house.announce(media("long"))
    house.centre.wait_for_receipt(house.command("mute", until=until), "finished")
    muted_at = time.monotonic()
    assert house.ended(playing).state in ("interrupted", "failed")
    refused = house.command("announce", items=[media("high")])
    reason = house.centre.wait_for_receipt(refused, "refused").reason or ""
    assert reason.startswith("policy")
    emergency = house.command("announce", items=[media("alarm")], **{"class": "emergency"})
    house.centre.wait_for_receipt(emergency, "finished")
    tones = [s.hz for s in house.ears.stretches(muted_at + 0.3) if s.seconds > 0.3]
    assert tones == pytest.approx([TONES_HZ["alarm"]], rel=0.005)


def test_self_test_sync_and_logs_are_answered(house: House) -> None:
    sync = house.command("sync")
    logs = house.command("send-logs")
    assert house.ended(sync).state == "finished"
    assert house.ended(logs).state == "finished"
    archive = house.centre.archive()
    try:
        sent = archive.upload(logs.id)
    finally:
        archive.close()
    assert sent is not None and sent[:2] == b"\x1f\x8b"
    nobody_listens = house.ended(house.command("self-test"))
    assert nobody_listens.state == "failed"
