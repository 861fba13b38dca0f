"""From the microphone of a live broadcast to the sink of a pole.

ffmpeg is fed samples at the pace of a microphone, a short pip now and then in faint noise, and sends them as a studio
does. What is counted begins when a pip's first sample is due at the microphone and ends at its onset in the recording
of the sink's monitor: encoder, server, network, tuner, cushion and sound card are all inside. All on the loopback.

- `rtp`: 16-bit PCM straight to the node, 10 ms a packet.
- `mp3`, `opus`: through a real Icecast2 with its usual burst, 64 kbit/s.

`…_begins_ms` is from the `live` command at the desk to the first sound of the broadcast.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from bench.stand import Samples, Stand, figures, onset_after, stand
from tests.support.icecast import BLOCK, RATE, Icecast, Sender, rtp_sender, udp_port
from tests.support.node import NodeProcess
from tests.support.wait import wait_until

TARGETS = {"rtp_p99_ms": 400.0, "mp3_p99_ms": 2_000.0, "opus_p99_ms": 2_000.0}

PIPS = 12
EACH_S = 2.5
"""More than the longest way that is allowed: a pip cannot be taken for the one after it."""

PIP_S = 0.06
STARTS = 3
LOUD = 0.1
SETTLE_S = 4.0


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    found: dict[str, float | str | int] = {"pips_each": PIPS}
    measured: dict[str, tuple[list[float], list[float]]] = {}
    with stand() as here, Icecast() as icecast:
        here.publish({"media/shelf.wav": pips(0)})
        with here.node("node", 1, tail_s=0.0, settle_s=0.0, relay_delay_s=0.0) as node:
            port = udp_port()
            with rtp_sender(port, pips) as sender:
                measured["rtp"] = broadcast(here, node, sender, f"rtp://127.0.0.1:{port}")
            for name, codec in (("mp3", "mp3"), ("opus", "ogg")):
                with icecast.source(name, pips, codec) as sender:
                    time.sleep(3.0)  # a broadcast that has been on for a while, with a burst for who comes
                    measured[name] = broadcast(here, node, sender, icecast.url(name))
        heard = here.heard()
    for name, (began, due) in measured.items():
        onsets = [onset_after(heard, at, LOUD, EACH_S) for at in due]
        missing = onsets.count(None)
        if missing:
            raise AssertionError(f"{missing} of {len(due)} pips ({name}) were not heard")
        found |= figures(
            name, [onset - at for at, onset in zip(due, onsets, strict=True) if onset is not None]
        )
        found[f"{name}_begins_ms"] = round(statistics.median(began) * 1e3)
    return found


def pips(first: int) -> Samples:
    """A block of what the microphone hears."""
    places = np.arange(first, first + BLOCK)
    noise = np.random.default_rng(first).normal(0, 0.004, BLOCK)
    on = places % round(EACH_S * RATE) < PIP_S * RATE
    return np.asarray(noise + on * 0.5 * np.sin(2 * np.pi * 1_000 * places / RATE), dtype=np.float32)


def broadcast(here: Stand, node: NodeProcess, sender: Sender, url: str) -> tuple[list[float], list[float]]:
    """Go live some times; seconds until it sounded, and the instants at which pips were due."""
    began: list[float] = []
    for number in range(STARTS):
        sent = time.monotonic()
        command = here.centre.command({"type": "live", "stream": url, "lease_s": 300.0})
        here.centre.wait_for_receipt(command, "started", 20)
        moments = node.ask("timeline")["moments"]
        (started,) = [m for m in moments if command.id in m["name"] and m["state"] == "started"]
        began.append(started["monotonic_s"] - sent)
        due: list[float] = []
        if number == STARTS - 1:
            time.sleep(SETTLE_S)
            next_one = int((time.monotonic() - sender.began) / EACH_S) + 1
            due = [sender.began + (next_one + n) * EACH_S for n in range(PIPS)]
            time.sleep(due[-1] + EACH_S - time.monotonic())
        stop = here.centre.command({"type": "live-stop", "live": command.id})
        here.centre.wait_for_receipt(stop, "finished", 10)
        wait_until(lambda: node.health()["now"]["audio"] is None, 10, "the node is silent", 0.1)
    return began, due
