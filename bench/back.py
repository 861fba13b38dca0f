"""From a stream server that is back to its sound at the sink.

A real Icecast2 is cut off as by a power cut, and started again on its port after a while; the studio's ffmpeg then
comes back by itself. What is counted begins when the server listens again and ends when the stream's own tone is
heard at the sink: the studio's return, the node's back-off, and the two seconds that a station must have been well.

- `station`: a relayed station, with a fallback that sounds meanwhile.
- `live`: a live broadcast whose lease is still running.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.stand import RATE, figures, stand
from tests.support.icecast import Icecast, steady
from tests.support.node import NodeProcess
from tests.support.pulse import Recording
from tests.support.sound import sine, strength
from tests.support.wait import wait_until

TARGETS = {"station_max_ms": 10_000.0, "live_max_ms": 10_000.0}

AWAY_S = (2.0, 7.0, 15.0)
"""So long the server is down: the pause between two tries grows meanwhile."""

BACK_WITHIN_S = 20.0
STREAM_HZ = 700.0
FALLBACK_HZ = 440.0
FALLBACK = "media/fallback.wav"
HEARD_DB = -30.0
STEP_S = 0.02
HEAD_START_S = 12.0


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    returns: dict[str, list[float]] = {}
    with stand() as here, Icecast() as icecast, icecast.source("air", steady(STREAM_HZ, 0.2)):
        start = datetime.now(UTC) + timedelta(seconds=HEAD_START_S)
        relay = {"url": icecast.url("air"), "for_s": 600.0, "fallback": FALLBACK}
        programme = {"id": "relay", "start": start.isoformat(), "items": [{"relay": relay}]}
        here.publish({FALLBACK: sine(FALLBACK_HZ, 5.0, 0.2)}, [programme])
        with here.node("node", 1) as node:
            wait_until(lambda: state(node) == "playing", HEAD_START_S + 10, "the station sounds", 0.2)
            returns["station"] = [restart(icecast, node, away_s) for away_s in AWAY_S]
            here.centre.command({"type": "stop", "programme": "relay"})
            wait_until(lambda: node.health()["now"]["audio"] is None, 10, "the station is off", 0.2)
            live = here.centre.command({"type": "live", "stream": icecast.url("air"), "lease_s": 600.0})
            here.centre.wait_for_receipt(live, "started", 20)
            wait_until(lambda: state(node) == "playing", 10, "the broadcast sounds", 0.2)
            returns["live"] = [restart(icecast, node, away_s) for away_s in AWAY_S]
        heard = here.heard()
    found: dict[str, float | str | int] = {"restarts_each": len(AWAY_S)}
    for name, instants in returns.items():
        found |= figures(name, [stream_after(heard, at) - at for at in instants])
    return found


def state(node: NodeProcess) -> str | None:
    """How the stream stands that sounds."""
    audio = node.health()["now"]["audio"]
    return audio["stream"]["state"] if audio and audio["stream"] else None


def restart(icecast: Icecast, node: NodeProcess, away_s: float) -> float:
    """Cut the server off and start it again; the instant at which it listened. Waits until all is well again."""
    icecast.stop()
    gone = time.monotonic()
    wait_until(lambda: state(node) not in ("playing", None), 10, "the node misses it", 0.1)
    time.sleep(max(0.0, gone + away_s - time.monotonic()))
    icecast.start()
    back = time.monotonic()
    wait_until(lambda: state(node) == "playing", BACK_WITHIN_S, f"it is back; log:\n{node.tail()}", 0.1)
    time.sleep(2.0)
    return back


def stream_after(heard: Recording, instant: float) -> float:
    """When the stream's tone is heard for the first time after a monotonic instant.

    Raises:
        AssertionError: it is not heard.
    """
    samples = heard.between(instant, instant + BACK_WITHIN_S)
    step = round(STEP_S * RATE)
    for at in range(0, len(samples) - step, step):
        block = samples[at : at + step]
        if np.max(np.abs(block)) > 0.01 and strength(block, STREAM_HZ) > HEARD_DB:
            return instant + at / RATE
    raise AssertionError(f"the stream is not heard within {BACK_WITHIN_S:.0f} s")
