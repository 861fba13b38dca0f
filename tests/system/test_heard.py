"""A real node with a microphone: a second null sink is the room that it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.centre import CentreUnderTest
from tests.support.house import House, open_house, speech, wait_until
from tests.support.pulse import Sink

LISTENER = '[listener]\ndevice = "pulse"\n'
DELAY_MS = 250
GAIN_DB = -20.0
SHORT = "Kính mời bà con đến nhà văn hóa thôn lúc mười chín giờ."


@pytest.fixture(scope="module")
def room(sink: Sink) -> Iterator[Sink]:
    """What the microphone stands in; what sounds gets there while `sink.carry_to(room, …)` lasts."""
    with sink.second("room") as room:
        yield room


@pytest.fixture(scope="module")
def pole(
    centre: CentreUnderTest, sink: Sink, room: Sink, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A node whose microphone hears that room."""
    directory: Path = tmp_path_factory.mktemp("listening")
    env = {"PULSE_SOURCE": f"{room.name}.mic"}
    with open_house(
        centre, sink, directory, ready=False, id="pole-ear", extra=LISTENER, latency_ms=40.0, env=env
    ) as house:
        yield house


def self_test(house: House, **arguments: bool) -> dict[str, object]:
    """Run one as `loa self-test` does; returns how it ended."""
    house.node.ask("self-test", **arguments)
    return wait_until(
        lambda: (state := house.node.ask("self-test-state")) and not state["running"] and state,
        30,
        "the self-test has ended",
    )


def test_speech_is_heard_through_a_room_and_its_tones_are_compared_with_the_installation(
    pole: House, sink: Sink, room: Sink
) -> None:
    with sink.carry_to(room, DELAY_MS, GAIN_DB):
        taken = self_test(pole, reference=True)
        assert taken["state"] == "finished", taken
        command = pole.announce(speech(SHORT))
        pole.centre.wait_for_receipt(command, "heard")
        audio = wait_until(
            lambda: (now := pole.sounds()) and now["heard_dbfs"] is not None and now, 10, "a level is heard"
        )
        assert audio["heard"] is True
        assert pole.ended(command).state == "finished"
    states = [state for state, _ in pole.receipts(command)]
    assert states == ["received", "verified", "started", "heard", "finished"]
    (play,) = pole.wait_for_records(1, command=command.id, kind="play")
    assert (play["heard"], play["amplifier_on"]) == (True, True)
    assert play["heard_dbfs"] - play["sounded_dbfs"] == pytest.approx(GAIN_DB, abs=4.0)
    assert "not-heard" not in pole.faults()
    pole.quiet()

    with sink.carry_to(room, DELAY_MS, GAIN_DB - 7):
        command = pole.command("self-test")
        ended = pole.ended(command, 30)
        assert ended.state == "failed"
        assert "dB softer" in (ended.reason or "")
        assert "self-test" in pole.faults()
        health = pole.node.health()["self_test"]
        assert health["verdict"] == "weaker"
        assert health["change_db"] == pytest.approx(-7, abs=2)
        assert len(health["tones"]) == 4
    pole.quiet()


def test_an_emergency_ends_a_self_test(pole: House) -> None:
    test = pole.command("self-test")
    pole.centre.wait_for_receipt(test, "started")
    emergency = pole.announce(speech(SHORT), **{"class": "emergency"})
    assert pole.ended(test).state == "interrupted"
    assert pole.ended(emergency).state == "finished"
    pole.quiet()
