"""A fault is injected → `loa status` shows it, and the centre hears of it, over a real broker.

The clock starts when the fault is there: a process is stopped or killed, a sound server ends, a disk is full.
`loa status --json` is run again and again, as a process; upstream counts when a subscriber of the broker has the
health with it.

- `player-stuck`: SIGSTOP to the player of a node at rest.
- `player-killed`: the player is killed, and cannot be started again at once (it is killed each time).
- `output-lost`: the sound server ends while a recording sounds.
- `disk-full`: the disk under the node's state fills up (a file system of its own; needs root, left out without).
- `broker-lost`: the broker ends; only `loa status` can show that.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from bench.stand import Stand, stand
from tests.support.centre import SITE
from tests.support.node import NodeProcess
from tests.support.sound import sine
from tests.support.wait import wait_until
from tests.support.wire import Wire

TARGETS = {"shown_max_s": 10.0, "upstream_max_s": 10.0}

WITHIN_S = 60.0
MEDIA = "media/long.wav"


def run() -> dict[str, float]:
    """Measure; figures carry their unit in the name."""
    found: dict[str, float] = {}
    for inject in (player_stuck, player_killed, disk_full, output_lost, broker_lost):
        with stand() as here:
            here.publish({MEDIA: sine(1_000.0, 60.0)})
            found |= inject(here)
    shown = [value for name, value in found.items() if name.endswith("_shown_s")]
    upstream = [value for name, value in found.items() if name.endswith("_upstream_s")]
    return found | {"shown_max_s": max(shown), "upstream_max_s": max(upstream)}


def player_stuck(here: Stand) -> dict[str, float]:
    """The player answers no more, at rest."""
    with here.node("stuck", 1) as node, Wire(here.centre.broker, SITE) as wire:
        player = node.child("player")
        found = seen(node, wire, "player_stuck", "stuck-player", lambda: player.send_signal(signal.SIGSTOP))
        player.send_signal(signal.SIGCONT)
    return found


def player_killed(here: Stand) -> dict[str, float]:
    """The player is killed as often as it comes."""
    with here.node("killed", 1) as node, Wire(here.centre.broker, SITE) as wire:
        over = threading.Event()

        def kill() -> None:
            while not over.is_set():
                assert node.process is not None
                for child in psutil.Process(node.process.pid).children():
                    with contextlib.suppress(psutil.NoSuchProcess):
                        if "agent.player" in child.cmdline():
                            child.kill()
                time.sleep(0.02)

        killer = threading.Thread(target=kill)
        try:
            return seen(node, wire, "player_killed", "player", killer.start)
        finally:
            over.set()
            killer.join()


def output_lost(here: Stand) -> dict[str, float]:
    """The sound server is gone in the middle of a recording."""
    with here.node("output", 1) as node, Wire(here.centre.broker, SITE) as wire:
        here.centre.command({"type": "announce", "items": [{"media": MEDIA}], "title": "long"})
        wait_until(lambda: node.health()["now"]["audio"], 15, "it sounds")
        wait_until(lambda: node.health()["now"]["audio"]["level_dbfs"], 15, "it is loud")
        return seen(node, wire, "output_lost", "sound-output", lambda: here.sink.control("exit"))


def disk_full(here: Stand) -> dict[str, float]:
    """The card is full."""
    with small_disk(here.directory / "full") as disk:
        if disk is None:
            return {}
        node = NodeProcess(disk, here.settings())
        node.start()
        try:
            with Wire(here.centre.broker, SITE) as wire:
                wait_until(lambda: node.ask("status")["link"] == "connected", 15, "the node is connected")
                free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize

                def fill() -> None:
                    (disk / "ballast").write_bytes(bytes(free - 100_000_000))

                return seen(node, wire, "disk_full", "disk-full", fill)
        finally:
            node.stop()


def broker_lost(here: Stand) -> dict[str, float]:
    """Nobody upstream can hear of it, but the technician can."""
    with here.node("broker", 1) as node:
        begun = time.monotonic()
        here.centre.broker.stop()
        return {"broker_lost_shown_s": shown_after_s(node, "not-connected", begun)}


def seen(
    node: NodeProcess, wire: Wire, name: str, code: str, inject: Callable[[], object]
) -> dict[str, float]:
    """Inject; how long until both have it."""
    already = len(wire.heard)
    inject()
    begun = time.monotonic()
    upstream: list[float] = []

    def listen() -> None:
        place = already
        while not upstream and time.monotonic() < begun + WITHIN_S:
            while place < len(wire.heard):
                topic, payload = wire.heard[place]
                place += 1
                if topic.endswith("/health") and code in [f["code"] for f in json.loads(payload)["faults"]]:
                    upstream.append(time.monotonic() - begun)
                    break
            time.sleep(0.01)

    listener = threading.Thread(target=listen)
    listener.start()
    shown = shown_after_s(node, code, begun)
    listener.join()
    if not upstream:
        raise RuntimeError(f"{name}: {code} did not go up within {WITHIN_S:.0f} s")
    return {f"{name}_shown_s": round(shown, 2), f"{name}_upstream_s": round(upstream[0], 2)}


def shown_after_s(node: NodeProcess, code: str, begun: float) -> float:
    """When `loa status` has shown this finding for the first time, since `begun`."""
    loa = Path(sys.executable).with_name("loa")
    while time.monotonic() < begun + WITHIN_S:
        done = subprocess.run(
            [loa, "status", "--json"],
            env={**os.environ, "LOA_SOCKET": str(node.socket)},
            capture_output=True,
            check=False,
        )
        if code in [finding["code"] for finding in json.loads(done.stdout).get("findings", [])]:
            return round(time.monotonic() - begun, 2)
        time.sleep(0.05)
    raise RuntimeError(f"loa status did not show {code} within {WITHIN_S:.0f} s; log:\n{node.tail()}")


@contextlib.contextmanager
def small_disk(path: Path) -> Iterator[Path | None]:
    """A file system of 400 MB; None where it cannot be mounted."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400M", "loa-bench", str(path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        yield None
        return
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)
