"""From a programme's planned second to its first sample at the sink.

Short programmes follow each other, each at an instant of its own that falls on no round fraction of a second.
Between them the amplifier goes off and the card is closed, so each is a start from rest: relays with settle
0.2 s, card opened anew. The onset is looked for in a recording of the sink's monitor; early and late count
alike.
"""

from __future__ import annotations

import random
import statistics
import time
from datetime import UTC, datetime, timedelta

from bench.stand import figures, onset_after, stand
from tests.support.sound import sine

TARGETS = {"ontime_p99_ms": 10.0}

STARTS = 44
EACH_S = 1.6
HEAD_START_S = 6.0
MEDIA = "media/tone.wav"
LOUD = 0.01
EARLY_S = 0.2
"""Sound is looked for from so long before the plan."""


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    dice = random.Random(11)
    with stand() as here:
        first = datetime.now(UTC) + timedelta(seconds=HEAD_START_S)
        planned = [
            first + timedelta(seconds=number * EACH_S + dice.uniform(0, 0.05)) for number in range(STARTS)
        ]
        programmes = [
            {"id": f"p{number}", "start": instant.isoformat(), "items": [{"media": MEDIA}]}
            for number, instant in enumerate(planned)
        ]
        here.publish({MEDIA: sine(1_000.0, 0.15)}, programmes)
        with here.node("node", 1) as node:
            begun = datetime.now(UTC)
            time.sleep(max(0.0, (planned[-1] - begun).total_seconds()) + 1.0)
            switched = node.log.read_text(encoding="utf-8").count("relay amplifier on")
        wall_ahead_s = time.time() - time.monotonic()
        heard = here.heard()
    if begun > first - timedelta(seconds=2):
        raise AssertionError("the node was ready too late for the first start")
    plans = [instant.timestamp() - wall_ahead_s for instant in planned]
    onsets = [onset_after(heard, plan - EARLY_S, LOUD, 1.0) for plan in plans]
    errors = [onset - plan for plan, onset in zip(plans, onsets, strict=True) if onset is not None]
    if len(errors) < STARTS or switched < STARTS:
        raise AssertionError(f"of {STARTS} starts {len(errors)} were heard, {switched} from rest")
    return {
        "starts": len(errors),
        **figures("ontime", [abs(error) for error in errors]),
        "earliest_ms": round(min(errors) * 1e3, 2),
        "median_ms": round(statistics.median(errors) * 1e3, 2),
        "latest_ms": round(max(errors) * 1e3, 2),
    }
