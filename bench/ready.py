"""From the start of the process to `READY=1`, as systemd is told it: the player is up, an emergency has a voice.

- `ready_cold`: nothing of the agent, of Python or of its libraries is in the page cache, as after power-on, and
  the node has no state of its own yet. Emptying the cache needs root; without it the figure is left out.
- `ready`: started again, with a feed in force and a broker: what `systemctl restart` takes.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.stand import stand
from tests.support.node import ROOT, NodeProcess
from tests.support.sound import sine

TARGETS = {"ready_p50_s": 2.0, "ready_max_s": 2.0, "ready_cold_max_s": 2.0}

WARM_STARTS = 10
COLD_STARTS = 3


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    with stand() as here:
        media = "media/tone.wav"
        here.publish({media: sine(1_000.0, 1.0)})
        settings = here.settings()
        with here.node("warm", 1):
            pass  # it has fetched the feed, decoded the recording and said goodbye
        warm = [start(NodeProcess(here.directory / "warm", settings)) for _ in range(WARM_STARTS)]
        cold = [
            start(NodeProcess(here.directory / f"cold-{number}", settings))
            for number in range(COLD_STARTS)
            if forget_page_cache()
        ]
    found: dict[str, float | str | int] = {
        "starts": len(warm),
        "ready_p50_s": round(statistics.median(warm), 2),
        "ready_max_s": round(max(warm), 2),
    }
    if cold:
        found |= {"ready_cold_starts": len(cold), "ready_cold_max_s": round(max(cold), 2)}
    return found


def start(node: NodeProcess) -> float:
    """Start a node the way systemd does, wait until it says that it is ready, end it; the seconds that took."""
    node.config.write_text(node.settings.toml(node.directory), encoding="utf-8")
    address = node.directory / "notify"
    address.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear, node.log.open("ab") as log:
        ear.bind(str(address))
        ear.settimeout(30.0)
        begun = time.monotonic()
        node.process = subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "run", "--config", str(node.config)],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env={**os.environ, **node.settings.env, "NOTIFY_SOCKET": str(address)},
        )
        try:
            while b"READY=1" not in ear.recv(4_096):
                continue
            return time.monotonic() - begun
        finally:
            node.stop()


def forget_page_cache() -> bool:
    """Have the kernel drop all clean pages; False where we may not."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n", encoding="ascii")
    except OSError:
        return False
    return True
