"""From an emergency at the officer's desk to its first sample at the sink, over a programme that sounds.

The programme sounds all the time, quietly; the emergencies are loud and of another pitch, so the recording of
the sink's monitor tells them apart. After each the programme resumes. Both ways in are measured:

- `announce`: a signed `announce` of class `emergency` with a recording that the node holds decoded.
- `alert`: a signed `alert` with a CAP document that the node has not seen; what is heard first is the alarm
  tone, which the node makes itself. It is ended again by a `stop`.

What is counted begins before the command is signed, as in `air`. The amplifier is on: the programme sounds.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bench.stand import Stand, figures, onset_after, sleep_until, stand
from tests.support.node import NodeProcess
from tests.support.sound import sine
from tests.support.wait import wait_until

TARGETS = {"announce_p99_ms": 250.0, "alert_p99_ms": 250.0}

ANNOUNCEMENTS = 60
ANNOUNCE_EACH_S = 0.5
ALERTS = 40
ALERT_EACH_S = 0.7
EMERGENCY = "media/emergency.wav"
PROGRAMME = "media/programme.wav"
QUIETER_DB = -24.0
LOUD = 0.1
HEAD_START_S = 6.0
WITHIN_S = 0.5
CAP = Path(__file__).parents[1] / "agent" / "station" / "sample" / "alert-storm.xml"


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    with stand() as here:
        media = {EMERGENCY: sine(1_000.0, 0.15), PROGRAMME: sine(300.0, 30.0)}
        start = datetime.now(UTC) + timedelta(seconds=HEAD_START_S)
        programme = {
            "id": "music",
            "start": start.isoformat(),
            "loops": 10,
            "volume_db": QUIETER_DB,
            "items": [{"media": PROGRAMME}],
        }
        here.publish(media, [programme])
        with here.node("node", len(media)) as node:
            wait_until(lambda: sounding(node), HEAD_START_S + 5, "the programme sounds")
            announced = announcements(here)
            alerted = alerts(here)
            wait_until(lambda: sounding(node), 5, f"the programme has resumed; log:\n{node.tail()}")
        heard = here.heard()
    before = heard.between(announced[0] - 1.0, announced[0])
    assert 0.001 < float(np.max(np.abs(before))) < LOUD / 2, "the programme does not sound, or not quietly"
    found: dict[str, float | str | int] = {}
    for name, sent in (("announce", announced), ("alert", alerted)):
        onsets = [onset_after(heard, at, LOUD, WITHIN_S) for at in sent]
        taken = [onset - at for at, onset in zip(sent, onsets, strict=True) if onset is not None]
        if len(taken) < len(sent):
            raise AssertionError(f"{len(sent) - len(taken)} of {len(sent)} ({name}) were not heard")
        found |= {f"{name}s": len(taken), **figures(name, taken)}
    return found


def sounding(node: NodeProcess) -> bool:
    """Whether the programme is what sounds now."""
    audio = node.health()["now"]["audio"]
    return audio is not None and audio["programme"] == "music" and audio["level_dbfs"] is not None


def announcements(here: Stand) -> list[float]:
    """Interrupt the programme by announcements; the monotonic instants at which each was handed over."""
    do = {"type": "announce", "class": "emergency", "items": [{"media": EMERGENCY}]}
    return [interrupt(here, do, ANNOUNCE_EACH_S) for _ in range(ANNOUNCEMENTS)]


def alerts(here: Stand) -> list[float]:
    """Interrupt the programme by alerts, each stopped again while its tone sounds; the instants as above."""
    sent = []
    for number in range(ALERTS):
        name = f"bench-{number}"
        sent.append(interrupt(here, {"type": "alert", "cap": cap(name)}, ALERT_EACH_S / 2))
        interrupt(here, {"type": "stop", "programme": name}, ALERT_EACH_S / 2)
    return sent


def interrupt(here: Stand, do: dict[str, object], each_s: float) -> float:
    """Send one command and wait, not in step with the blocks of the sink; when it was handed over."""
    begun = time.monotonic()
    here.centre.command(do)
    sleep_until(begun + each_s + random.uniform(0, 0.01))
    return begun


def cap(identifier: str) -> str:
    """The sample commune's storm, as an alert of its own, sent now."""
    now = datetime.now(UTC).replace(microsecond=0)
    text = CAP.read_text(encoding="utf-8")
    for tag, value in (
        ("identifier", identifier),
        ("sent", now.isoformat()),
        ("expires", (now + timedelta(minutes=5)).isoformat()),
    ):
        before, _, rest = text.partition(f"<{tag}>")
        _, _, after = rest.partition(f"</{tag}>")
        text = f"{before}<{tag}>{value}</{tag}>{after}"
    return text
