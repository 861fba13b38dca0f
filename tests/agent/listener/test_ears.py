"""The listener's work, with the fake microphone in rooms that change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from agent.listener.bands import band_powers, to_tenths
from agent.listener.ears import Ears
from agent.player.synth import tone
from agent.tones import PROBE, TONES
from drivers.listener import FakeMicrophone, Room, Samples
from playlists.units import MonotonicS
from tests.support.voices import RATE, spoken

PIECE = RATE // 5


class Pole:
    """A loudspeaker, a microphone, and the listener between them, in a time of their own."""

    def __init__(self, room: Room) -> None:
        self.now = 100.0
        self.microphone = FakeMicrophone(room)
        self.said: list[dict[str, Any]] = []
        self.ears = Ears(self.microphone, self._hear, lambda: MonotonicS(self.now))

    def _hear(self, message: Mapping[str, Any]) -> None:
        self.said.append(dict(message))

    def sound(self, samples: Samples) -> None:
        """Put it out, piece by piece, as the player does."""
        for begin in range(0, len(samples) // PIECE * PIECE, PIECE):
            piece = samples[begin : begin + PIECE]
            self.ears.handle({"op": "put-out", "at": self.now, "bands": to_tenths(band_powers(piece, RATE))})
            if self.ears.listening and not self.microphone.unplugged and self.said_of("open"):
                self.microphone.put_out(piece, self.now)
            self.now += PIECE / RATE
            self.ears.tick()

    def said_of(self, event: str) -> list[dict[str, Any]]:
        """What was said of this kind."""
        return [message for message in self.said if message["event"] == event]

    def listen(self) -> None:
        """Begin to listen."""
        self.ears.handle({"op": "listen", "path_gain_db": -20.0})
        self.ears.tick()


def verdicts_of(pole: Pole) -> list[bool]:
    """Verdicts that say something."""
    return [m["heard"] for m in pole.said_of("verdict") if m["heard"] is not None]


def test_what_sounds_is_heard_and_said_each_half_second() -> None:
    pole = Pole(Room())
    pole.listen()
    pole.sound(spoken(0))
    assert set(verdicts_of(pole)) == {True}
    assert len(pole.said_of("verdict")) >= 2 * (len(spoken(0)) / RATE - 2)
    assert pole.said_of("alive")


def test_a_loudspeaker_that_falls_silent_is_noticed_and_its_return_too() -> None:
    pole = Pole(Room())
    pole.listen()
    pole.sound(spoken(0))
    pole.microphone.room = Room(deaf=True)
    pole.sound(spoken(1)[RATE:])
    pole.microphone.room = Room()
    pole.sound(spoken(3)[RATE:])
    changes = [b for a, b in zip([None, *verdicts_of(pole)], verdicts_of(pole), strict=False) if a is not b]
    assert changes == [True, False, True]


def test_a_microphone_that_is_pulled_out_is_told_and_tried_until_it_is_back() -> None:
    pole = Pole(Room())
    pole.listen()
    pole.sound(spoken(0)[: 3 * RATE])
    pole.microphone.unplug()
    pole.sound(spoken(0)[3 * RATE :])
    lost = pole.said_of("lost")
    assert "ended by itself" in lost[0]["reason"]
    assert "no such device" in lost[1]["reason"]
    assert len(lost) <= 4, "it is not asked all the time"
    pole.microphone.plug_in()
    pole.now += 10.0
    pole.ears.tick()
    assert len(pole.said_of("open")) == 2
    before = len(pole.said_of("verdict"))
    pole.sound(spoken(1))
    assert True in [m["heard"] for m in pole.said_of("verdict")[before:]]


def test_a_microphone_that_was_put_back_between_two_sounds_is_open_for_the_second() -> None:
    pole = Pole(Room())
    pole.microphone.unplug()
    pole.listen()
    pole.sound(spoken(0))
    assert not pole.said_of("open")
    pole.ears.handle({"op": "rest"})
    pole.microphone.plug_in()
    pole.listen()
    assert pole.said_of("open")


def test_tones_are_measured_once_they_have_come_back() -> None:
    pole = Pole(Room(delay_s=0.3))
    pole.listen()
    pole.sound(np.zeros(RATE, dtype=np.float32))
    at = pole.now
    notes = TONES[PROBE].notes
    tones = [{"at": at + n.at_s, "hz": n.hz, "length_s": n.length_s} for n in notes]
    pole.ears.handle({"op": "measure", "id": "t", "tones": tones})
    pole.sound(tone(PROBE))
    assert not pole.said_of("measured")
    pole.sound(np.zeros(RATE, dtype=np.float32))
    (measured,) = pole.said_of("measured")
    assert measured["id"] == "t"
    assert measured["delay_s"] == pytest.approx(0.3, abs=0.05)
    assert not measured["clipped"]
    assert [t["hz"] for t in measured["tones"]] == [n.hz for n in notes]
    assert all(t["level_dbfs"] > t["noise_dbfs"] + 10 for t in measured["tones"])


def test_tones_that_never_come_are_given_up() -> None:
    pole = Pole(Room())
    tones = [{"at": pole.now + 0.5, "hz": 500.0, "length_s": 0.3}]
    pole.ears.handle({"op": "measure", "id": "t", "tones": tones})
    pole.ears.tick()
    pole.now += 10
    pole.ears.tick()
    assert pole.said_of("measured") == [
        {"event": "measured", "id": "t", "reason": "the microphone heard nothing"}
    ]


def test_at_rest_the_microphone_is_closed() -> None:
    pole = Pole(Room())
    pole.listen()
    assert pole.ears.listening
    pole.ears.handle({"op": "rest"})
    pole.now += 60
    pole.ears.tick()
    assert not pole.ears.listening
    assert len(pole.said_of("open")) == 1


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"op": "sing"},
        {"op": "put-out"},
        {"op": "put-out", "at": "now", "bands": []},
        {"op": "put-out", "at": 1.0, "bands": [[1, 2]]},
        {"op": "put-out", "at": 1.0, "bands": "loud"},
        {"op": "measure", "id": "a", "tones": []},
        {"op": "measure", "id": "a", "tones": [{"hz": 500}]},
        {"op": "listen", "path_gain_db": "soft"},
    ],
    ids=str,
)
def test_a_bad_message_is_ignored(message: dict[str, Any]) -> None:
    pole = Pole(Room())
    pole.ears.handle(message)
    pole.listen()
    pole.sound(spoken(1))
    assert True in verdicts_of(pole)
