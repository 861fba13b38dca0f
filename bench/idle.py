"""What a pole node costs while nothing happens: CPU and memory of all its processes, and how often they wake.

The node follows a feed and is connected to its broker, with the default configuration: a feed poll each
15 minutes, keep-alive and heartbeat each minute. It has announced something before, as any node that has been
up for a while. The minute in which it is watched holds a heartbeat; `with_poll` adds what a poll costs, spread
over 15 minutes.

CPU is read from the processes' own clocks (ns), wake-ups are the voluntary context switches of all threads.
Memory is what the node would take alone on its machine: pages of its own, and those that only its own
processes share, once. PSS as the kernel gives it (`pss_here_mb`) is less here, because the bench itself is a
Python process that maps the same libraries and takes a share of them.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import psutil

from bench.stand import Stand, stand
from tests.support.node import NodeProcess
from tests.support.sound import sine

TARGETS = {"cpu_percent": 0.2, "cpu_with_poll_percent": 0.2, "pss_alone_mb": 80.0}

WATCHED_S = 61.0
SETTLING_S = 14.0
POLL_EACH_S = 900.0
MEDIA = "media/tone.wav"
NAMES = ("daemon", "player")


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
    alone_mb, here_mb = pss_alone_mb(everyone), pss_mb(everyone)
    each = {f"of_it_{name}_mb": round(pss_mb([p]), 1) for name, p in zip(NAMES, everyone, strict=True)}
    poll_s = one_poll(here, node, everyone)
    return {
        "watched_s": round(lasted_s),
        "processes": len(everyone),
        "cpu_percent": round(used_s / lasted_s * 100, 3),
        "cpu_with_poll_percent": round((used_s / lasted_s + poll_s / POLL_EACH_S) * 100, 3),
        "pss_alone_mb": round(alone_mb, 1),
        "pss_here_mb": round(here_mb, 1),
        **each,
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


def pss_alone_mb(some: list[psutil.Process]) -> float:
    """Their memory if nobody else ran, in MB of 1,000,000 bytes: own pages, and once those that they share.

    Of a file that several of them map, the pages of the one that has most of it are counted.
    """
    own_kib = 0
    shared_kib: Counter[str] = Counter()
    for process in some:
        shared_here: Counter[str] = Counter()
        for mapping in process.memory_maps(grouped=True):
            own_kib += (mapping.private_clean + mapping.private_dirty) // 1_024
            shared_here[mapping.path] += (mapping.shared_clean + mapping.shared_dirty) // 1_024
        shared_kib |= shared_here
    return (own_kib + shared_kib.total()) * 1_024 / 1e6
