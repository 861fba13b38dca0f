"""Tells the level of a microphone five times a second: `python -m agent.tryout.meter SECONDS DEVICE`.

A process of its own, as everything that loads PortAudio for a moment. JSON lines: `{"level_dbfs": …,
"peak_dbfs": …}`, or `{"error": …}` and the end.
"""

from __future__ import annotations

import json
import math
import os
import queue
import sys
import time
from typing import Any, Final

from agent.player.alsa import LEAN_ALSA
from drivers.errors import Retry
from drivers.listener import PortAudioMicrophone, Samples

EACH_S: Final = 0.2
BLOCKS: Final = 10
"""Of 20 ms each."""


def main() -> None:
    """Listen, and tell."""
    seconds, device = float(sys.argv[1]), sys.argv[2]
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries of sound print where they like

    def say(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    blocks: queue.SimpleQueue[Samples] = queue.SimpleQueue()
    alsa = LEAN_ALSA if device == "pulse" else None
    try:
        microphone = PortAudioMicrophone(None if device == "default" else device, alsa)
        microphone.open(lambda block, _at: blocks.put(block))
    except (Retry, OSError) as error:
        say(error=str(error))
        return
    end = time.monotonic() + seconds
    while time.monotonic() < end and (lost := microphone.lost) is None:
        try:
            heard = [blocks.get(timeout=2.5) for _ in range(BLOCKS)]
        except queue.Empty:
            continue  # it says by itself why nothing comes
        power = sum(float((block**2).mean()) for block in heard) / len(heard)
        peak = max(float(abs(block).max()) for block in heard)
        say(level_dbfs=_dbfs(power * 2), peak_dbfs=_dbfs(peak**2))
    if lost is not None:
        say(error=f"{microphone.name}: {lost}")
    out.close()
    os._exit(0)  # a library that hangs at its end is not waited for


def _dbfs(power: float) -> float:
    """0: a full-scale sine."""
    return round(10.0 * math.log10(max(power, 1e-12)), 1)


if __name__ == "__main__":
    main()
