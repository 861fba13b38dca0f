"""A whole house for one test module: a centre, a node that follows it, and ears at the node's sink."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from playlists.models.command import Command, Receipt
from tests.support.centre import FEED, SITE, CentreUnderTest
from tests.support.listening import Ears, ladder
from tests.support.node import NodeProcess
from tests.support.pulse import Sink
from tests.support.sound import sine, write_wav
from tests.support.wait import wait_until as wait_for
from tests.support.wire import Wire

T = TypeVar("T")

ASK_EACH_S = 0.05
"""Asking more often would load the node that is measured."""

TONES_HZ = {"low": 440.0, "high": 880.0, "alarm": 2_000.0}
"""Recordings of `TONE_S` in every house's feed, as `media/NAME.wav`."""

TONE_S = 1.0
LONG_HZ = 300.0
LONG_S = 40.0
LADDER_S = 10.0
FAR = timedelta(hours=20)


def wait_until(probe: Callable[[], T], timeout_s: float, what: str) -> T:
    """Wait for a node or centre, without pressing it."""
    return wait_for(probe, timeout_s, what, ASK_EACH_S)


def monotonic_of(wall: str | datetime) -> float:
    """The monotonic instant of a wall time near now."""
    moment = datetime.fromisoformat(wall) if isinstance(wall, str) else wall
    return moment.timestamp() - time.time() + time.monotonic()


def in_s(seconds: float) -> datetime:
    """A wall time from now, on a whole millisecond."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)


def media(name: str) -> dict[str, str]:
    """An item that plays one of the recordings."""
    return {"media": f"media/{name}.wav"}


def speech(text: str, language: str = "vi") -> dict[str, Any]:
    """An item that speaks."""
    return {"speech": {"text": text, "language": language}}


class House:
    """What tests do with a running node. Everything is addressed to this node alone: a centre may have more."""

    def __init__(
        self, centre: CentreUnderTest, sink: Sink, node: NodeProcess, ears: Ears, wire: Wire
    ) -> None:
        self.centre = centre
        self.sink = sink
        self.node = node
        self.ears = ears
        self.wire = wire
        self.id = node.settings.id
        self._planned = False

    # ---- what the centre does

    def publish(self, *programmes: dict[str, Any], files: dict[str, Path] | None = None, **parts: Any) -> int:
        """Publish these programmes, besides the shelf, and wait until they are in force; returns the version."""
        self._planned = bool(programmes)
        version = shelve(self.centre, *programmes, node=self.id, files=files, **parts)
        self.wire.publish(f"feed/{FEED}", {"version": version})
        wait_until(
            lambda: self.feed()["version"] == version, 10, f"version {version} is in force: {self.feed()}"
        )
        return version

    def feed(self) -> dict[str, Any]:
        """How the feed stands, as the node says."""
        found: dict[str, Any] = self.node.health()["feeds"][FEED]
        return found

    def command(self, type_: str, valid_s: float = 300.0, **do: Any) -> Command:
        """Sign and send a command to this node."""
        return self.centre.command({"type": type_, **do}, (f"node:{self.id}",), valid_s)

    def announce(self, *items: dict[str, Any], **do: Any) -> Command:
        """Send an announcement; returns it when it sounds."""
        command = self.command("announce", items=list(items), **do)
        self.centre.wait_for_receipt(command, "started")
        return command

    def receipts(self, command: Command) -> list[tuple[str, str | None]]:
        """State and reason of each receipt at the centre, in order."""
        return [(receipt.state, receipt.reason) for receipt in self.centre.receipts(command)]

    def ended(self, command: Command, timeout_s: float = 15.0) -> Receipt:
        """Wait for the command's last receipt."""

        def find() -> Receipt | None:
            ends = ("finished", "refused", "interrupted", "failed")
            found = self.centre.receipts(command)
            return found[-1] if found and found[-1].state in ends else None

        return wait_until(find, timeout_s, f"{command.do.type} has ended: {self.receipts(command)}")

    def records(self, **where: Any) -> list[dict[str, Any]]:
        """This node's records at the centre."""
        return self.centre.records(node=self.id, **where)

    def wait_for_records(self, count: int = 1, timeout_s: float = 15.0, **where: Any) -> list[dict[str, Any]]:
        """This node's records at the centre, once there are `count`."""
        return self.centre.wait_for_records(count, timeout_s, node=self.id, **where)

    def reported(self, what: str) -> dict[str, Any]:
        """The node's latest `status` or `health` at the centre."""
        archive = self.centre.archive()
        try:
            return archive.latest(what).get(self.id, {})
        finally:
            archive.close()

    def all_is_stored(self, timeout_s: float = 15.0) -> None:
        """Wait until nothing of the log waits for the centre."""

        def done() -> bool:
            log = self.node.health()["log"]
            return bool(log["last"] == log["stored_through"])

        wait_until(done, timeout_s, f"the whole log is stored: {self.node.health()['log']}")

    # ---- what the node does

    def moments(self, kind: str, name: str = "", after: float = 0.0) -> list[dict[str, Any]]:
        """What the node says has happened, of this kind, with `name` in its name, since `after` (monotonic)."""
        found = self.node.ask("timeline")["moments"]
        return [m for m in found if m["kind"] == kind and name in m["name"] and m["monotonic_s"] >= after]

    def wait_for_moment(
        self, kind: str, name: str, state: str, after: float = 0.0, timeout_s: float = 15.0
    ) -> dict[str, Any]:
        """Wait for something to happen; returns it."""

        def find() -> dict[str, Any] | None:
            return next((m for m in self.moments(kind, name, after) if m["state"] == state), None)

        return wait_until(find, timeout_s, f"{kind} {name} {state}; the node's log:\n{self.node.tail(25)}")

    def sounds(self) -> dict[str, Any] | None:
        """What sounds now, as the node says."""
        found: dict[str, Any] | None = self.node.health()["now"]["audio"]
        return found

    def faults(self) -> dict[str, str]:
        """Codes and words of the faults that stand."""
        return {fault["code"]: fault["text"] for fault in self.node.health()["faults"]}

    def wait_for_fault(self, code: str, timeout_s: float = 15.0) -> str:
        """Wait until a fault stands; returns its words."""
        return wait_until(
            lambda: self.faults().get(code), timeout_s, f"fault {code}; there are {self.faults()}"
        )

    def quiet(self) -> None:
        """Stop what sounds, forget what is planned, and wait until the relays are off."""
        if self._planned:
            self.publish()
        self.node.ask("stop", name="*")

        def at_rest() -> bool:
            health = self.node.health()
            return health["now"]["audio"] is None and not any(health["relays"].values())

        wait_until(at_rest, 15, f"the node is at rest: {self.sounds()}")


def shelve(
    centre: CentreUnderTest,
    *programmes: dict[str, Any],
    node: str = "*",
    files: dict[str, Path] | None = None,
    **parts: Any,
) -> int:
    """Publish these programmes and, far ahead, one that needs every recording; returns the version."""
    shelf = {f"media/{path.name}": path for path in sorted((centre.directory / "shelf").iterdir())}
    extra = {f"media/{name}": path for name, path in (files or {}).items()}
    hold = {
        "id": "shelf",
        "start": in_s(FAR.total_seconds()).isoformat(),
        "items": [{"media": m} for m in shelf],
    }
    listed = [{"targets": [node], **programme} for programme in programmes]
    published = centre.publish([*listed, hold], media=shelf | extra, **parts)
    assert published.version is not None
    return published.version


def stock(centre: CentreUnderTest) -> None:
    """Make the recordings of the shelf, and publish them."""
    shelf = centre.directory / "shelf"
    shelf.mkdir()
    for name, hz in TONES_HZ.items():
        write_wav(shelf / f"{name}.wav", sine(hz, TONE_S))
    write_wav(shelf / "long.wav", sine(LONG_HZ, LONG_S))
    write_wav(shelf / "ladder.wav", ladder(LADDER_S))
    noise = np.random.default_rng(7).bytes(50_000)
    (shelf / "broken.mp3").write_bytes(noise)
    shelve(centre)


@contextlib.contextmanager
def open_centre(directory: Path) -> Iterator[CentreUnderTest]:
    """A centre with its recordings, at work."""
    with CentreUnderTest(directory) as centre:
        stock(centre)
        centre.serve()
        yield centre


@contextlib.contextmanager
def open_house(
    centre: CentreUnderTest,
    sink: Sink,
    directory: Path,
    *,
    ready: bool = True,
    run: tuple[str, ...] = NodeProcess.run,
    **changes: Any,
) -> Iterator[House]:
    """A node of that centre, and ears. `ready` waits until its recordings are there; `run` starts it."""
    env = {**sink.env, **changes.pop("env", {})}
    node = NodeProcess(directory, centre.node_settings(**{"env": env, "latency_ms": 40.0, **changes}))
    node.run = run
    with sink.record() as recorder, Wire(centre.broker, SITE) as wire:
        house = House(centre, sink, node, Ears(recorder), wire)
        try:
            node.start()
            wait_until(lambda: _follows(node), 15, f"the node follows its feed; log:\n{node.tail()}")
            if ready:
                wait_until(lambda: _has_media(node), 15, f"the node has its recordings; log:\n{node.tail()}")
            yield house
        finally:
            if os.environ.get("LOA_TEST_LOG"):
                print(node.tail(200))
            node.stop()


def _follows(node: NodeProcess) -> bool:
    """Whether its schedule is in force."""
    feed = node.health()["feeds"].get(FEED)
    return feed is not None and feed["state"] == "current"


def _has_media(node: NodeProcess) -> bool:
    """Whether all of the shelf has been made soundable, so that tests measure what they mean."""
    made = list((node.directory / "cache" / "sounds" / "facts").glob("[!.]*"))
    return len(made) >= len(TONES_HZ) + 2
