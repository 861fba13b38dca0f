"""What a listener costs a pole node: at rest, beside what the node takes without it, and while it listens.

A node as in the bench `idle`, with a microphone in a room that the sound is carried to. It announces half a minute of
a sound that swells like speech, and is watched in the middle of it; then it comes to rest, the listener has made room
(a fresh process, 30 s after the last sound), and all of it is watched as in `idle`.
"""

from __future__ import annotations

import time

import numpy as np

from bench.idle import cpu_s, processes, pss_alone_mb, pss_mb, wakes
from bench.stand import Samples, stand
from tests.support.pulse import RATE
from tests.support.sound import sine
from tests.support.wait import wait_until

TARGETS = {"rest_cpu_percent": 0.2}

MEDIA = "media/swelling.wav"
SOUNDS_S = 30.0
LISTENS_S = 20.0
RESTS_AFTER_S = 40.0
WATCHED_S = 61.0
LISTENER = '[listener]\ndevice = "pulse"\n'


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    with stand() as here, here.sink.second("room") as room, here.sink.carry_to(room, 100, -20.0):
        here.publish({MEDIA: swelling(SOUNDS_S)})
        here.sink.env["PULSE_SOURCE"] = f"{room.name}.mic"
        with here.node("node", 1, poll_s=900.0, keepalive_s=60, extra=LISTENER) as node:
            command = here.centre.command({"type": "announce", "items": [{"media": MEDIA}]})
            here.centre.wait_for_receipt(command, "started")
            time.sleep(3.0)
            listener = node.child("listener")
            before, begun = cpu_s([listener]), time.monotonic()
            time.sleep(LISTENS_S)
            busy = (cpu_s([listener]) - before) / (time.monotonic() - begun)
            busy_mb = pss_mb([listener])
            here.centre.wait_for_receipt(command, "finished", 30.0)
            here.centre.wait_for_receipt(
                command, "heard"
            )  # or it has measured something that does not listen
            time.sleep(RESTS_AFTER_S)
            everyone = processes(node)
            wait_until(lambda: pss_mb([listener]) < busy_mb, 30, "the listener has made room")
            used, woken, begun = cpu_s(everyone), wakes(everyone), time.monotonic()
            own = cpu_s([listener])
            time.sleep(WATCHED_S)
            lasted_s = time.monotonic() - begun
            return {
                "listening_cpu_percent": round(busy * 100, 2),
                "listening_pss_mb": round(busy_mb, 1),
                "processes": len(everyone),
                "rest_cpu_percent": round((cpu_s(everyone) - used) / lasted_s * 100, 3),
                "rest_of_it_listener_percent": round((cpu_s([listener]) - own) / lasted_s * 100, 3),
                "rest_wakes_per_s": round((wakes(everyone) - woken) / lasted_s, 2),
                "rest_pss_alone_mb": round(pss_alone_mb(everyone), 1),
                "rest_of_it_listener_alone_mb": round(
                    pss_alone_mb(everyone) - pss_alone_mb([p for p in everyone if p != listener]), 1
                ),
            }


def swelling(seconds: float) -> Samples:
    """Tones whose level changes three to five times a second, as syllables do."""
    at = np.arange(round(seconds * RATE)) / RATE
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 3.1 * at) * np.sin(2 * np.pi * 0.37 * at + 1.0)
    sound = sum(sine(hz, seconds) for hz in (310.0, 830.0, 1_900.0))
    return (np.asarray(sound) / 6.0 * swell).astype(np.float32)
