"""Real nodes with ears: the monitor of a null sink is the microphone, and another sink the room between."""

from __future__ import annotations

import time
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
LONG = f"{SHORT} Đề nghị mỗi hộ cử một người tham dự, mang theo giấy tờ."


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
    env = {"PULSE_SOURCE": f"{room.name}.monitor"}
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


def test_a_pole_whose_loudspeaker_is_silent_says_so_while_it_speaks(
    pole: House, sink: Sink, room: Sink
) -> None:
    command = pole.announce(speech(LONG))
    began = time.monotonic()
    assert "loudspeakers" in pole.wait_for_fault("not-heard", 15)
    assert pole.sounds() is not None, f"it still speaks, {time.monotonic() - began:.1f} s after it began"
    pole.ended(command)
    (play,) = pole.wait_for_records(1, command=command.id, kind="play")
    assert play["outcome"] == "finished"
    assert play["sounded_dbfs"] > -30
    assert (play["heard"], play["heard_dbfs"]) == (False, None)
    assert "heard" not in [state for state, _ in pole.receipts(command)]
    with sink.carry_to(room, DELAY_MS, GAIN_DB):
        pole.centre.wait_for_receipt(pole.announce(speech(SHORT)), "heard")
        assert "not-heard" not in pole.faults()
    pole.quiet()


def test_an_emergency_ends_a_self_test_and_a_microphone_that_dies_costs_no_sound(pole: House) -> None:
    test = pole.command("self-test")
    pole.centre.wait_for_receipt(test, "started")
    emergency = pole.announce(speech(SHORT), **{"class": "emergency"})
    assert pole.ended(test).state == "interrupted"
    pole.node.child("listener").kill()
    assert "listener" in pole.wait_for_fault("listener")
    assert pole.ended(emergency).state == "finished"
    wait_until(lambda: "listener" not in pole.faults(), 20, "the listener is back")
    pole.quiet()


def test_a_microphone_that_is_pulled_out_is_a_fault_until_it_is_back(pole: House, sink: Sink) -> None:
    module = next(
        line.split("\t")[0]
        for line in sink.control("list", "short", "modules").splitlines()
        if "sink_name=room" in line
    )
    sink.control("unload-module", module)
    command = pole.announce(speech(SHORT))
    assert "microphone" in pole.wait_for_fault("listener", 20)
    pole.ended(command)
    (play,) = pole.wait_for_records(1, command=command.id, kind="play")
    assert (play["outcome"], play.get("heard")) == ("finished", None)
    with sink.second("room") as room, sink.carry_to(room, DELAY_MS, GAIN_DB):
        pole.centre.wait_for_receipt(pole.announce(speech(SHORT)), "heard")
        assert "listener" not in pole.faults()
    pole.quiet()
