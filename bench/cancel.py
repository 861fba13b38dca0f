"""From a Cancel at the officer's desk to silence at the sink, and to the board back on the screen.

An alert sounds (its tone, or its words) and has the screen; a signed `alert` with a CAP message of msgType Cancel
ends it. After its silence the node says that the alert is over; a `stop` ends those words, for the next round.

What is counted begins before the Cancel is signed, as in `air`. Silence is the first instant after which nothing is
louder than a whisper for `SILENT_S`. The screen's time is the node's own: when it had painted the board again.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.preempt import cap
from bench.stand import Stand, figures, sleep_until, stand
from tests.support.node import NodeProcess
from tests.support.pulse import RATE, Recording
from tests.support.sound import sine
from tests.support.wait import wait_until

TARGETS = {"silence_p99_ms": 1_000.0, "screen_p99_ms": 1_000.0}

ROUNDS = 30
WHISPER = 0.01
SILENT_S = 0.2
WITHIN_S = 3.0
SOUNDS_S = (0.8, 6.0)
"""So long after it was sent it is cancelled: in its tone, or in its words."""


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    with stand() as here:
        here.publish({"media/shelf.wav": sine(1_000.0, 0.2)})
        with here.node("node", 1, screen=True, screen_size=(640, 360)) as node:
            wait_until(lambda: node.health()["now"]["screen"], 15, "the node has a screen")
            rounds = [one_round(here, node, number) for number in range(ROUNDS)]
        heard = here.heard()
    silent = [silence_after(heard, sent) - sent for sent, _ in rounds]
    for sent, _ in rounds:
        assert np.max(np.abs(heard.between(sent - 1.0, sent))) > WHISPER, "no alert sounded before its Cancel"
    screen = [board - sent for sent, board in rounds]
    return {"cancels": len(rounds), **figures("silence", silent), **figures("screen", screen)}


def one_round(here: Stand, node: NodeProcess, number: int) -> tuple[float, float]:
    """Alert, and cancel it; when the Cancel was handed over, and when the board was back (monotonic)."""
    name = f"bench-{number}"
    document = cap(name)
    begun = time.monotonic()
    alert = here.centre.command({"type": "alert", "cap": document})
    here.centre.wait_for_receipt(alert, "started", 5)
    sleep_until(begun + random.uniform(*SOUNDS_S))
    cancel = cancellation(document, name)
    sent = time.monotonic()
    here.centre.command({"type": "alert", "cap": cancel})

    def board_again() -> float | None:
        moments = node.ask("timeline")["moments"]
        found = (m["monotonic_s"] for m in moments if (m["kind"], m["state"]) == ("screen", "board again"))
        return next((at for at in found if at > sent), None)

    time.sleep(0.5)
    board = wait_until(board_again, WITHIN_S, "the board is back on the screen", 0.1)
    here.centre.command({"type": "stop"})
    wait_until(lambda: node.health()["now"]["audio"] is None, 5, "the node is silent", 0.1)
    return sent, board


def cancellation(document: str, name: str) -> str:
    """The Cancel of an alert, without words of its own."""
    sent = document.partition("<sent>")[2].partition("</sent>")[0]
    sender = document.partition("<sender>")[2].partition("</sender>")[0]
    head = document.partition("<info>")[0].replace(name, f"{name}-over").replace(">Alert<", ">Cancel<")
    later = (datetime.now(UTC) + timedelta(seconds=1)).isoformat(timespec="seconds")
    head = head.replace(f"<sent>{sent}", f"<sent>{later}")
    return f"{head}<references>{sender},{name},{sent}</references></alert>"


def silence_after(heard: Recording, instant: float) -> float:
    """When it first falls silent after a monotonic instant; that instant itself in a pause between two words.

    Raises:
        AssertionError: it does not within `WITHIN_S`.
    """
    after = np.flatnonzero(np.abs(heard.between(instant, instant + WITHIN_S)) > WHISPER) / RATE
    loud = np.concatenate(([0.0], after))
    ends = loud[np.flatnonzero(np.diff(loud, append=WITHIN_S) > SILENT_S)]
    assert len(ends), f"{WITHIN_S:.0f} s after a Cancel it still sounds"
    return instant + float(ends[0])
