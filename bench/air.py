"""From a command at the officer's desk to the first sample at the sink.

A signed `announce` of a recording that the node holds decoded is handed to a real broker; the onset is looked
for in a recording of the sink's monitor. What is counted begins before the command is signed, so signature,
broker, network, verification, replay memory and play record are all inside. Two nodes, one after the other:

- `air`: at rest, as a pole is: the amplifier is off and the sound card closed before each command. The relays
  have settle and delay 0, so their settling is left out by not being there, and hides nothing: the card is
  opened within the figure.
- `air_on`: the amplifier is still on (a long tail), the card still open: a command that follows another one.
- `settled`: with settle 0.2 s, after two relays 0.05 s apart. The relays need 250 ms of it (`relays_need_ms`);
  the card is opened meanwhile, so `settled_beyond_ms` is what the node itself adds.
- `cvlc`: the peer in the same run: `cvlc FILE` started for it, of the same recording into the same sink.
"""

from __future__ import annotations

import os
import pwd
import random
import shutil
import statistics
import subprocess
import time

import numpy as np

from bench.stand import Samples, Stand, figures, onset_after, sleep_until, stand
from tests.support.node import NodeProcess
from tests.support.pulse import Recording
from tests.support.sound import sine, write_wav

TARGETS = {"air_p50_ms": 60.0, "air_p99_ms": 150.0, "air_on_p50_ms": 60.0, "air_on_p99_ms": 150.0}

COMMANDS = 100
SETTLED_COMMANDS = 8
PEER_RUNS = 10
RELAYS_S = 0.25
MEDIA = "media/tone.wav"
TONE_S = 0.08
LOUD = 0.05
WITHIN_S = 2.0


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    with stand() as here:
        here.publish({MEDIA: tone(TONE_S)})
        quiet = {"settle_s": 0.0, "relay_delay_s": 0.0}
        with here.node("off", 1, tail_s=0.0, **quiet) as node:
            off = commands(here, COMMANDS, 0.32)
            went_off = switched_off(node)
        with here.node("on", 1, tail_s=5.0, **quiet) as node:
            on = commands(here, COMMANDS, 0.22)
            stayed_on = switched_off(node) <= 1
        with here.node("settled", 1, tail_s=0.0, settle_s=0.2, relay_delay_s=0.05) as node:
            settled = commands(here, SETTLED_COMMANDS, 0.75)
        peers = peer_runs(here)
        heard = here.heard()
    if went_off < COMMANDS or not stayed_on:
        raise AssertionError(f"the amplifier went off {went_off} times of {COMMANDS}; stayed on: {stayed_on}")
    at_rest = latencies(heard, off)
    found: dict[str, float | str | int] = {
        "commands": len(off) + len(on),
        **figures("air", at_rest),
        **figures("air_on", latencies(heard, on)),
        "relays_need_ms": round(RELAYS_S * 1e3),
        "settled_beyond_p50_ms": round((statistics.median(latencies(heard, settled)) - RELAYS_S) * 1e3, 1),
    }
    if peers:
        peer = [onset - at for at in peers if (onset := onset_after(heard, at, LOUD, WITHIN_S)) is not None]
        found |= {"cvlc_runs": len(peers), "cvlc_unheard": len(peers) - len(peer), **figures("cvlc", peer)}
        found["ratio_to_cvlc"] = round(statistics.median(at_rest) / statistics.median(peer), 2)
    return found


def tone(seconds: float) -> Samples:
    """A tone that begins at full strength."""
    return sine(1_000.0, seconds)


def commands(here: Stand, count: int, each_s: float) -> list[float]:
    """Send announcements, one after the other; the monotonic instants at which each was handed over."""
    here.centre.desk()
    sent: list[float] = []
    # the first one finds files that the machine has not read yet
    for number in range(count + 1):
        begun = time.monotonic()
        here.centre.command({"type": "announce", "class": "priority", "items": [{"media": MEDIA}]})
        if number:
            sent.append(begun)
        # not in step with the blocks of the sink
        sleep_until(begun + (each_s if number else 1.0) + random.uniform(0, 0.01))
    time.sleep(0.5)
    return sent


def latencies(heard: Recording, sent: list[float]) -> list[float]:
    """Seconds from each hand-over to the onset.

    Raises:
        AssertionError: a command was not heard, or fell into the sound of another: there is no figure then.
    """
    onsets = [onset_after(heard, at, LOUD, WITHIN_S) for at in sent]
    assert all(onset is not None for onset in onsets), f"{onsets.count(None)} of {len(sent)} were not heard"
    overlapping = [at for at in sent if np.max(np.abs(heard.between(at - 0.01, at))) > LOUD]
    assert not overlapping, f"{len(overlapping)} commands were sent while the one before still sounded"
    return [onset - at for at, onset in zip(sent, onsets, strict=True) if onset is not None]


def switched_off(node: NodeProcess) -> int:
    """How often the amplifier's relay was opened."""
    return node.log.read_text(encoding="utf-8").count("relay amplifier off")


def peer_runs(here: Stand) -> list[float]:
    """Start cvlc for the recording; the instants of its starts, none where it is not installed."""
    if shutil.which("cvlc") is None:
        return []
    # it swallows short ones now and then
    file = write_wav(here.directory / "peer.wav", tone(0.5))
    # vlc's command refuses to run as root
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    started: list[float] = []
    for number in range(PEER_RUNS + 1):
        begun = time.monotonic()
        subprocess.run(
            ["cvlc", "--quiet", "--no-video", "--aout", "pulse", "--play-and-exit", str(file)],
            env={**os.environ, **here.sink.env, "HOME": "/nonexistent"},
            user=user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=True,
        )
        if number:
            started.append(begun)
        time.sleep(0.2)
    return started
