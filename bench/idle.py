"""What a pole node costs while nothing happens: CPU and memory of all its processes, and how often they wake.

The node follows a feed and is connected to its broker, with the default configuration: a feed poll each
15 minutes, keep-alive and heartbeat each minute. It has announced something before, as any node that has been
up for a while. The 65 s in which it is watched hold a heartbeat; `with_poll` adds what a poll costs, spread
over 15 minutes.

CPU is read from the processes' own clocks (ns), memory as PSS from smaps_rollup, wake-ups as the voluntary
context switches of all threads.
"""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from bench.stand import Stand, stand
from tests.support.node import NodeProcess
from tests.support.sound import sine

TARGETS = {"cpu_percent": 0.2, "cpu_with_poll_percent": 0.2, "pss_mb": 80.0}

WATCHED_S = 65.0
SETTLING_S = 10.0
POLL_EACH_S = 900.0
MEDIA = "media/tone.wav"


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    with stand() as here:
        here.publish({MEDIA: sine(1_000.0, 0.5)})
        with here.node("node", 1, poll_s=POLL_EACH_S, keepalive_s=60) as node:
            return watch(here, node)


def watch(here: Stand, node: NodeProcess) -> dict[str, float | str | int]:
    """Let it speak once, let it come to rest, and watch."""
    command = here.centre.command({"type": "announce", "items": [{"media": MEDIA}]})
    here.centre.wait_for_receipt(command, "finished")
    time.sleep(SETTLING_S)
    daemon, *children = processes(node)
    everyone = [daemon, *children]
    before, woken, begun = cpu_s(everyone), wakes(everyone), time.monotonic()
    time.sleep(WATCHED_S)
    lasted_s = time.monotonic() - begun
    used_s, woke = cpu_s(everyone) - before, wakes(everyone) - woken
    if processes(node) != everyone:
        raise AssertionError(f"a process was replaced meanwhile; log:\n{node.tail()}")
    daemon_mb, children_mb = pss_mb([daemon]), pss_mb(children)
    poll_s = one_poll(here, node, everyone)
    return {
        "watched_s": round(lasted_s),
        "processes": len(everyone),
        "cpu_percent": round(used_s / lasted_s * 100, 3),
        "cpu_with_poll_percent": round((used_s / lasted_s + poll_s / POLL_EACH_S) * 100, 3),
        "pss_mb": round(daemon_mb + children_mb, 1),
        "of_it_daemon_mb": round(daemon_mb, 1),
        "of_it_player_mb": round(children_mb, 1),
        "wakes_per_s": round(woke / lasted_s, 2),
        "poll_ms": round(poll_s * 1e3, 1),
    }


def one_poll(here: Stand, node: NodeProcess, everyone: list[psutil.Process]) -> float:
    """CPU seconds of a poll that finds nothing new."""
    before = cpu_s(everyone)
    here.centre.wait_for_receipt(here.centre.command({"type": "sync"}), "finished")
    time.sleep(1.0)
    return cpu_s(everyone) - before


def processes(node: NodeProcess) -> list[psutil.Process]:
    """The daemon and its children."""
    assert node.process is not None
    daemon = psutil.Process(node.process.pid)
    return [daemon, *daemon.children(recursive=True)]


def cpu_s(some: list[psutil.Process]) -> float:
    """CPU seconds that processes have used, all threads, by their own clocks (clock_getcpuclockid(3))."""
    return sum(time.clock_gettime((~process.pid << 3) | 2) for process in some)


def wakes(some: list[psutil.Process]) -> int:
    """How often threads of these processes have gone to sleep so far."""
    total = 0
    for process in some:
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            for line in (task / "status").read_text(encoding="ascii").splitlines():
                if line.startswith("voluntary_ctxt_switches:"):
                    total += int(line.split()[1])
    return total


def pss_mb(some: list[psutil.Process]) -> float:
    """Their proportional set size, in MB of 1,000,000 bytes."""
    total_kib = 0
    for process in some:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
        total_kib += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total_kib * 1_024 / 1e6
