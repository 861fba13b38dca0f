"""Live broadcasts and relayed stations through a real Icecast2, and RTP: heard at the sink, told in records."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pytest

from tests.support.centre import CentreUnderTest
from tests.support.house import LONG_HZ, House, in_s, media, monotonic_of, open_house, wait_until
from tests.support.icecast import BLOCK, RATE, Icecast, rtp_sender, steady, udp_port
from tests.support.node import ROOT
from tests.support.pulse import Sink
from tests.support.sound import Samples, pitch, strength

PATIENT_S = 20.0
DEAD_AIR_S = 2.0
STATION_HZ = 700.0
FALLBACK_HZ = 880.0
"""Of the recording `high`."""


@pytest.fixture(scope="module")
def icecast() -> Iterator[Icecast]:
    """A stream server."""
    with Icecast() as icecast:
        yield icecast


def voice(first: int) -> Samples:
    """A tone that wavers as a voice does: a steady one near full level would be taken for feedback."""
    t = np.arange(first, first + BLOCK) / RATE
    return (0.4 * np.sin(2 * np.pi * 600 * t + 30 * np.sin(2 * np.pi * 2 * t))).astype(np.float32)


def heard_hz(house: House, hz: float, after: float, timeout_s: float = PATIENT_S) -> float:
    """Wait until this tone is heard; returns about when it began."""

    def find() -> float | None:
        heard = house.ears.since(max(after, time.monotonic() - 3.0))
        step = RATE // 20
        for at in range(0, len(heard.samples) - step, step):
            if strength(heard.samples[at : at + step], hz) > -30:
                return heard.at(at)
        return None

    return wait_until(find, timeout_s, f"{hz} Hz is heard; the node's log:\n{house.node.tail(30)}")


def test_a_live_broadcast_takes_over_when_its_sound_is_there_and_gives_back_when_its_lease_ends(
    house: House, icecast: Icecast
) -> None:
    under = house.announce(media("long"), on_conflict="queue")
    with icecast.source("live", voice):
        wait_until(lambda: True, 1, "")
        began = time.monotonic()
        command = house.command("live", stream=icecast.url("live"), lease_s=8.0)
        house.centre.wait_for_receipt(command, "started", PATIENT_S)
        taken = time.monotonic()
        # until the broadcast is there, the announcement goes on: there is no hole
        assert house.ears.longest_silence(began, taken) < 0.3
        audio = house.sounds()
        assert audio is not None and audio["command"] == command.id
        assert audio["stream"]["state"] in ("opening", "playing")
        renewed = house.command("live-renew", live=command.id, lease_s=2.0)
        assert house.ended(renewed).state == "finished"
        ended = house.ended(command)
    assert ended.state == "interrupted" and "lease" in (ended.reason or "")
    heard_hz(house, LONG_HZ, time.monotonic())
    (record,) = house.wait_for_records(kind="play", command=command.id)
    assert record["relayed_s"] == pytest.approx(record["played_s"], abs=1.0)
    assert house.ended(house.command("stop", programme=under.id)).state == "finished"


def test_a_broadcast_by_rtp_is_cut_by_an_emergency_and_ends_when_the_officer_ends_it(house: House) -> None:
    """As an officer types it: `loa station live`, until Ctrl+C."""
    port = udp_port()
    argv = [sys.executable, "-m", "agent.cli", "station", "live", str(house.centre.folder.path)]
    argv += [f"rtp://127.0.0.1:{port}", "--to", f"node:{house.id}", "--lease", "6"]
    with rtp_sender(port, voice), subprocess.Popen(argv, cwd=ROOT, stdout=PIPE, text=True) as desk:
        assert desk.stdout is not None
        live = desk.stdout.readline().split()[0]
        heard_hz(house, 600.0, time.monotonic(), PATIENT_S)
        began = time.monotonic()
        house.announce(media("alarm"), **{"class": "emergency"})
        heard_hz(house, 2_000.0, began)
        heard_hz(house, 600.0, time.monotonic() + 1.5)  # it is over: the voice is back
        wait_until(lambda: time.monotonic() > began + 7.0, 10, "the first lease would have run out")
        assert (house.sounds() or {}).get("command") == live
        desk.send_signal(signal.SIGINT)
        told = desk.stdout.read()
    assert desk.returncode == 0, told
    assert [line.split()[2] for line in told.splitlines()[:2]] == ["started", "interrupted"]
    assert "finished" in told
    wait_until(lambda: house.sounds() is None, 10, "it is over")


def test_a_broadcast_that_nobody_sends_fails_and_interrupts_nothing(house: House) -> None:
    house.announce(media("long"))
    began = time.monotonic()
    command = house.command("live", stream=f"http://127.0.0.1:{udp_port()}/none", lease_s=60.0)
    failed = house.ended(command, 25)
    assert failed.state == "failed"
    assert "connection refused" in (failed.reason or "")
    assert house.ears.longest_silence(began, time.monotonic()) < 0.3


def test_a_station_starts_on_the_second_fails_over_comes_back_and_ends_on_the_second(
    house: House, icecast: Icecast
) -> None:
    start = in_s(14.0)
    relay = {"url": icecast.url("vov"), "for_s": 16.0, "fallback": "media/high.wav"}
    with icecast.source("vov", steady(STATION_HZ)):
        house.publish({"id": "tiep-am", "start": start.isoformat(), "items": [{"relay": relay}]})
        at = monotonic_of(start)
        wait_until(lambda: time.monotonic() > at + 2.0, 30, "it has begun")
        icecast.stop()
        heard_hz(house, FALLBACK_HZ, at + 2.0)
        assert any(code.startswith("stream:") for code in house.faults())
        icecast.start()
        back_from = time.monotonic()
        assert heard_hz(house, STATION_HZ, back_from) - back_from < 10.0
        (record,) = house.wait_for_records(kind="play", programme="tiep-am", timeout_s=30)
        heard = house.ears.stretches(at - 1.0, apart_s=3.5)
    assert heard[0].began == pytest.approx(at, abs=0.1)
    assert heard[-1].ended == pytest.approx(at + 16.0, abs=0.1)
    assert pitch(heard[0].part(0.1, 0.6)) == pytest.approx(STATION_HZ, abs=3)
    assert record["outcome"] == "finished"
    assert record["played_s"] == pytest.approx(16.0, abs=0.05)
    assert 2.0 < record["relayed_s"] < 14.0
    assert "without the station (the fallback sounded)" in record["reason"]
    wait_until(lambda: not house.faults(), 10, "its fault is gone")


def silenced_by(off: threading.Event) -> Callable[[int], Samples]:
    """A station whose studio goes silent while its encoder goes on sending."""
    on = steady(STATION_HZ)
    return lambda first: np.zeros(BLOCK, np.float32) if off.is_set() else on(first)


def test_a_station_that_sends_silence_is_replaced_until_it_sounds_again(
    centre: CentreUnderTest, sink: Sink, icecast: Icecast, tmp_path: Path
) -> None:
    dead, for_s = threading.Event(), 22.0
    with (
        open_house(
            centre, sink, tmp_path, id="relay-01", dead_air_s=DEAD_AIR_S, stream_hosts=(icecast.host,)
        ) as house,
        icecast.source("quiet", silenced_by(dead)),
    ):
        start = in_s(14.0)
        relay = {"url": icecast.url("quiet"), "for_s": for_s, "fallback": "media/high.wav"}
        house.publish({"id": "tiep-am", "start": start.isoformat(), "items": [{"relay": relay}]})
        at = monotonic_of(start)
        wait_until(lambda: time.monotonic() > at + 2.0, 30, "it has begun")
        assert heard_hz(house, STATION_HZ, at) == pytest.approx(at, abs=0.2)
        dead.set()
        silent = time.monotonic()
        fallback = heard_hz(house, FALLBACK_HZ, silent)
        # what was under way in encoder, server and buffer was still heard
        assert DEAD_AIR_S - 0.1 < fallback - silent < DEAD_AIR_S + 4.0
        assert "below -50 dBFS for 2 s" in house.wait_for_fault(f"stream:{icecast.host}")
        dead.clear()
        back_from = time.monotonic()
        assert heard_hz(house, STATION_HZ, back_from) - back_from < 10.0
        (record,) = house.wait_for_records(kind="play", programme="tiep-am", timeout_s=40)
        assert record["outcome"] == "finished"
        assert record["played_s"] == pytest.approx(for_s, abs=0.05)
        assert 4.0 < record["relayed_s"] < for_s - 2.0
        assert "the fallback sounded" in record["reason"]
        wait_until(lambda: not house.faults(), 10, "its fault is gone")
