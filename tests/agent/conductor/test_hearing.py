"""Sounded, amplifier on, heard: three claims. And the self-test."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from agent.listener.link import FromListener
from agent.tones import FUNDAMENTAL, PROBE, TONES
from agent.worker import WorkerDied, WorkerSaid, WorkerStarted
from playlists.models.health import SelfTest
from tests.agent.conductor.fakes import START, House, long, programme

LISTENER = '[listener]\ndevice = "fake"\n'


class FakeListener:
    """Does what a listener's link does; tests say what it hears."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.killed: list[str] = []
        self.opens = True
        self.post: Callable[[object], None] = lambda _event: None

    def start(self) -> None:
        """It runs."""
        self.post(FromListener(WorkerStarted("listener", 7)))
        self.say(event="ready")

    def stop(self, deadline_s: float = 1.0) -> None:
        """Nothing to stop."""

    def kill(self, reason: str) -> None:
        self.killed.append(reason)

    def send(self, message: Mapping[str, Any]) -> bool:
        self.sent.append(dict(message))
        if message["op"] == "listen" and self.opens:
            self.say(event="open", microphone="fake", rate=48_000)
        return True

    def say(self, **message: Any) -> None:
        self.post(FromListener(WorkerSaid("listener", message)))

    def ops(self) -> list[str]:
        return [message["op"] for message in self.sent]


class Pole:
    """A house with a listener."""

    def __init__(self, build: Callable[..., House], **parts: Any) -> None:
        self.listener = FakeListener()
        extra = parts.pop("extra", LISTENER)
        self.house = build(listener=self.listener, extra=extra, **parts)
        (self.house.directory / "state").mkdir(exist_ok=True)
        self.listener.post = self.house.conductor.post
        self.listener.start()
        self.house.run_for(0.0)

    def sounds(self, id_: str, for_s: float, count: int = 1) -> None:
        """Let time pass until so much of it has sounded."""
        for _ in range(400):
            if len(self.house.heard(id_)) >= count:
                self.house.run_for(for_s)
                return
            self.house.run_for(0.05)
        raise AssertionError(f"{id_} does not sound")

    def verdict(self, heard: bool | None, *, level: float = -40.0, correlation: float = 0.9) -> None:
        """The listener says this of the last two seconds."""
        self.listener.say(
            event="verdict",
            until=self.house.now,
            heard=heard,
            level_dbfs=level if heard else None,
            correlation=correlation,
            delay_s=0.05,
            sound_s=2.0,
        )
        self.house.run_for(0.5)

    def tones(self, change_db: float | None = 0.0, **fields: Any) -> None:
        """The tones of the self-test come back 20 dB softer, changed by so much; None: they do not."""
        asked = next(message for message in reversed(self.listener.sent) if message["op"] == "measure")
        put_out = -20.0 + 20 * math.log10(FUNDAMENTAL)
        level = -100.0 if change_db is None else put_out - 20.0 + change_db
        found = [{"hz": t["hz"], "level_dbfs": level, "noise_dbfs": -100.0} for t in asked["tones"]]
        self.listener.say(
            event="measured", id=asked["id"], **{"delay_s": 0.1, "clipped": False, "tones": found, **fields}
        )
        self.house.run_for(0.1)

    @property
    def last(self) -> SelfTest | None:
        return self.house.node.wellbeing.build().self_test


@pytest.fixture
def pole(build: Callable[..., House]) -> Pole:
    return Pole(build)


def in_min(minutes: float) -> Any:
    return START + timedelta(minutes=minutes)


def test_without_a_listener_heard_is_never_true(house: House) -> None:
    house.announce("a", "Xin chào")
    house.run_for(5)
    (play,) = house.plays()
    assert play.sounded_dbfs is not None
    assert (play.heard, play.heard_dbfs) == (None, None)
    assert "heard" not in house.receipts("a")


def test_what_is_heard_stands_in_record_receipt_and_health(pole: Pole) -> None:
    house = pole.house
    house.library.lengths["một"] = 4.0
    house.announce("a", "một", "hai")
    pole.sounds("a", 1.1)
    assert pole.listener.ops()[0] == "listen"
    pole.verdict(True, level=-41.0)
    pole.verdict(True, level=-39.0)
    audio = house.node.wellbeing.build().now.audio
    assert audio is not None
    assert (audio.heard, audio.heard_dbfs) == (True, -39.0)
    house.run_for(10)
    first, second = house.plays()
    assert first.heard is True
    assert first.heard_dbfs == pytest.approx(-40.0, abs=0.2)
    assert (second.heard, second.heard_dbfs) == (None, None), "nothing was said of it"
    assert house.receipts("a") == ["started", "heard", "finished"]
    assert pole.listener.ops()[-1] == "rest"


def test_what_sounds_and_is_not_heard_is_a_fault_at_once_until_something_is_heard(pole: Pole) -> None:
    house = pole.house
    house.schedule(long("news", in_min(1)))
    house.run_until(in_min(1.2))
    pole.verdict(False)
    assert house.faults() == {"not-heard"}
    house.run_until(in_min(12))
    (play,) = house.plays("news")
    assert (play.outcome, play.heard, play.heard_dbfs) == ("finished", False, None)
    assert house.faults() == {"not-heard"}
    house.announce("a", "Xin chào")
    pole.sounds("a", 1.2)
    pole.verdict(True)
    assert house.faults() == set()


def test_a_doubtful_verdict_counts_when_the_next_agrees(pole: Pole) -> None:
    house = pole.house
    house.schedule(long("news", in_min(1)))
    house.run_until(in_min(1.2))
    pole.verdict(False, correlation=0.3)
    pole.verdict(True, correlation=0.5)
    pole.verdict(None)
    pole.verdict(False, correlation=0.3)
    assert house.faults() == set()
    pole.verdict(False, correlation=0.3)
    assert house.faults() == {"not-heard"}


def test_what_was_heard_of_one_item_says_nothing_of_the_next(pole: Pole) -> None:
    house = pole.house
    house.announce("a", "một", "hai")
    pole.sounds("a", 0.3, count=2)
    pole.verdict(True)
    house.run_for(10)
    assert [play.heard for play in house.plays()] == [None, None]


def test_a_microphone_that_is_lost_is_a_fault_of_its_own_and_costs_no_sound(pole: Pole) -> None:
    house = pole.house
    house.announce("a", "một", "hai")
    house.run_for(2.0)
    pole.listener.say(event="lost", reason="the stream ended by itself")
    house.run_for(0.1)
    assert house.faults() == {"listener"}
    house.run_for(10)
    assert [(play.outcome, play.heard) for play in house.plays()] == [("finished", None)] * 2
    pole.listener.say(event="open", microphone="fake", rate=48_000)
    house.run_for(0.1)
    assert house.faults() == set()


def test_a_listener_that_dies_is_told_again_what_to_do_and_one_that_hangs_is_killed(pole: Pole) -> None:
    house = pole.house
    house.schedule(long("news", in_min(1)))
    house.run_until(in_min(1.1))
    pole.listener.post(FromListener(WorkerDied("listener", "ended by SIGSEGV")))
    house.run_for(0.1)
    assert house.faults() == {"listener"}
    pole.listener.start()
    house.run_for(0.1)
    assert pole.listener.ops().count("listen") == 2
    assert house.faults() == set()
    house.run_for(30)
    assert pole.listener.killed


def test_a_self_test_compares_with_the_reference_of_the_installation(pole: Pole) -> None:
    house = pole.house
    request = house.ask("self-test", reference=True)
    assert request["ok"]
    house.run_for(6)
    assert house.heard("self-test")[0].relays == {"preamp", "amplifier"}
    pole.tones()
    assert pole.last is not None and pole.last.verdict == "good"
    assert (house.directory / "state" / "listener-reference.json").exists()

    house.command("t", type="self-test")
    house.run_for(6)
    pole.tones(-6.0)
    assert house.receipts("t") == ["started", "heard", "failed"]
    assert pole.last.verdict == "weaker"
    assert pole.last.change_db == pytest.approx(-6.0)
    assert house.faults() == {"self-test"}
    assert any("6 dB softer" in (r.text or "") for r in house.records(kind="command", command="t"))

    house.command("u", type="self-test")
    house.run_for(6)
    pole.tones(0.3)
    assert house.receipts("u") == ["started", "heard", "finished"]
    assert house.faults() == set()
    house.command("v", type="self-test")
    house.run_for(6)
    pole.tones(None)
    assert house.receipts("v") == ["started", "failed"]
    assert pole.last.verdict == "silent"


def test_the_reference_outlives_a_restart_and_tells_the_listener_what_to_expect(
    build: Callable[..., House],
) -> None:
    first = Pole(build)
    first.house.ask("self-test", reference=True)
    first.house.run_for(6)
    first.tones(-3.0)
    first.house.crash()
    second = Pole(build, clock=first.house.clock)
    second.house.announce("a", "Xin chào")
    second.house.run_for(1)
    assert second.listener.sent[0]["path_gain_db"] == pytest.approx(-23.0, abs=0.1)
    second.house.crash()
    other = Pole(build, clock=first.house.clock, extra='[listener]\ndevice = "another"\n')
    other.house.announce("b", "Xin chào")
    other.house.run_for(1)
    assert other.listener.sent[0]["path_gain_db"] is None, "it was taken with another microphone"


@pytest.mark.parametrize(
    ("policy", "until", "state"),
    [
        ('allowed_hours = ["20:00-21:00"]', None, "refused"),
        ('quiet_days = ["11-23"]', None, "refused"),
        ("", "mute", "refused"),
        ("", "sound", "failed"),
        ("", "soon", "failed"),
    ],
)
def test_a_self_test_keeps_the_rules_and_never_sounds_into_anything(
    build: Callable[..., House], policy: str, until: str | None, state: str
) -> None:
    pole = Pole(build, policy=policy)
    house = pole.house
    if until == "mute":
        house.command("m", type="mute", until=(START + timedelta(hours=1)).isoformat())
    elif until == "sound":
        house.schedule(long("news", START + timedelta(seconds=30)))
        house.run_for(40)
    elif until == "soon":
        house.schedule(programme("news", START + timedelta(seconds=15)))
        house.run_for(1)
    house.command("t", type="self-test")
    house.run_for(3)
    assert house.receipts("t") == [state]
    assert not house.heard("self-test")


def test_an_emergency_ends_a_self_test_at_once_and_it_does_not_go_on(pole: Pole) -> None:
    house = pole.house
    house.command("t", type="self-test")
    house.run_for(1.5)
    assert house.heard("self-test")
    house.announce("e", "Báo động", **{"class": "emergency"})
    house.run_for(0.3)
    assert house.heard("e")[0].began - house.heard("self-test")[0].ended < 0.1
    house.run_for(20)
    assert len(house.heard("self-test")) == 1
    assert house.receipts("t")[-1] == "interrupted"
    assert pole.last is None
    assert pole.listener.ops()[-1] == "rest"


def test_a_programme_need_not_wait_for_a_self_test(pole: Pole) -> None:
    house = pole.house
    house.command("t", type="self-test")
    house.run_for(0.8)
    house.schedule(programme("news", house.clock.now() + timedelta(seconds=1), on_conflict="queue"))
    house.run_for(10)
    assert house.heard("news")[0].began - house.heard("self-test")[0].began < 2.0
    assert house.receipts("t")[-1] == "interrupted"


def test_a_self_test_without_a_microphone_says_so(build: Callable[..., House]) -> None:
    house = build()
    house.command("t", type="self-test")
    assert house.receipts("t") == ["failed"]
    house.crash()
    pole = Pole(build)
    pole.listener.opens = False
    pole.house.command("u", type="self-test")
    pole.listener.say(event="lost", reason="no such device")
    pole.house.run_for(30)
    assert pole.house.receipts("u") == ["failed"]
    assert not pole.house.heard("self-test"), "no tones for nobody"


def test_a_daily_self_test_waits_for_a_pause(build: Callable[..., House]) -> None:
    pole = Pole(build, extra=LISTENER + 'self_test_at = "05:10"\n')
    house = pole.house
    house.schedule(long("news", in_min(5)))
    house.run_until(in_min(14))
    assert not house.heard("self-test")
    house.run_until(in_min(19.9))
    pole.sounds("self-test", 4.0)
    assert len(house.heard("self-test")) == 1
    pole.tones()
    assert pole.last is not None and pole.last.verdict == "no-reference"
    house.run_until(START + timedelta(days=1))
    house.run_until(in_min(24 * 60 + 11))
    assert len(house.heard("self-test")) == 2


def test_the_tones_are_those_that_sound(pole: Pole) -> None:
    pole.house.ask("self-test")
    pole.house.run_for(6)
    asked = next(message for message in pole.listener.sent if message["op"] == "measure")
    began = pole.house.heard("self-test")[0].began
    assert [(t["hz"], t["length_s"]) for t in asked["tones"]] == [
        (n.hz, n.length_s) for n in TONES[PROBE].notes
    ]
    assert [t["at"] - began for t in asked["tones"]] == pytest.approx([n.at_s for n in TONES[PROBE].notes])
