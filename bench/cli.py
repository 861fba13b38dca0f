"""What a technician waits for: whole processes from the start of `loa` to its end, with a node that runs.

- `status`: `loa status`, and with `--json`, alternately; the node follows a feed and has a broker.
- `help`: `loa --help`, which lists every command.
- `next`: a command that goes the common way, through the parser.

Each with the CPU time that it takes, which says more than its duration where other work shares the machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.stand import figures, stand
from tests.support.sound import sine

TARGETS = {"status_p99_ms": 300.0, "help_p99_ms": 200.0}

RUNS = 40


def run() -> dict[str, float]:
    """Measure; figures carry their unit in the name."""
    with stand() as here:
        here.publish({"media/tone.wav": sine(1_000.0, 1.0)})
        with here.node("cli", 1) as node:
            env = {**os.environ, "LOA_SOCKET": str(node.socket)}
            found: dict[str, float] = {}
            for name, commands in (
                ("status", (["status"], ["status", "--json"])),
                ("help", (["--help"],)),
                ("next", (["next"],)),
            ):
                taken = [took_s(commands[number % len(commands)], env) for number in range(RUNS)]
                found |= figures(name, [wall_s for wall_s, _ in taken])
                found[f"{name}_cpu_p50_ms"] = round(statistics.median(cpu_s for _, cpu_s in taken) * 1e3, 1)
    return found


def took_s(words: Sequence[str], env: dict[str, str]) -> tuple[float, float]:
    """How long one command takes, as a process, and how much CPU."""
    loa = Path(sys.executable).with_name("loa")
    begun = time.monotonic()
    process = subprocess.Popen([loa, *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    took = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"loa {' '.join(words)} ended with {process.returncode}")
    return took, used.ru_utime + used.ru_stime
