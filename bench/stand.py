"""What the benches of sound share: a centre, a sink that is recorded, a node, and when something was heard."""

from __future__ import annotations

import compileall
import contextlib
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.centre import CentreUnderTest
from tests.support.node import ROOT, NodeProcess, NodeSettings, running
from tests.support.pulse import RATE, Recorder, Recording, Sink, private_sink
from tests.support.sound import write_wav
from tests.support.wait import wait_until

Samples = NDArray[np.float32]


@dataclass
class Stand:
    """A centre, a sink and a recorder on its monitor; nodes come and go."""

    directory: Path
    centre: CentreUnderTest
    sink: Sink
    recorder: Recorder

    def publish(
        self, media: dict[str, Samples], programmes: Sequence[dict[str, Any]] = ()
    ) -> dict[str, Path]:
        """Publish programmes, and recordings that a programme of tomorrow holds ready; returns their files."""
        files = {
            name: write_wav(self.directory / Path(name).name, samples) for name, samples in media.items()
        }
        hold = {
            "id": "hold",
            "start": (datetime.now(UTC) + timedelta(hours=20)).isoformat(),
            "items": [{"media": name} for name in files],
        }
        self.centre.publish([*programmes, hold], media=files)
        return files

    def settings(self, **changes: Any) -> NodeSettings:
        """Settings of a node that is installed as installers do it: with its byte code compiled."""
        env = {**self.sink.env, "PYTHONDONTWRITEBYTECODE": "", **changes.pop("env", {})}
        return self.centre.node_settings(env=env, **changes)

    @contextlib.contextmanager
    def node(self, name: str, media: int, **changes: Any) -> Iterator[NodeProcess]:
        """A node that has the feed in force, `media` recordings decoded and the broker at hand."""
        with running(self.directory / name, self.settings(**changes)) as node:
            facts = node.directory / "cache" / "sounds" / "facts"
            wait_until(
                lambda: len(list(facts.glob("*"))) >= media,
                20,
                f"recordings are decoded; log:\n{node.tail()}",
            )
            wait_until(lambda: node.ask("status")["link"] == "connected", 10, "the node is connected")
            yield node

    def heard(self) -> Recording:
        """End the recording, and return all of it."""
        time.sleep(0.3)
        return self.recorder.finish()


@contextlib.contextmanager
def stand() -> Iterator[Stand]:
    """Set everything up in a folder of its own, and take it down."""
    for room in ("agent", "drivers", "playlists"):
        compileall.compile_dir(ROOT / room, quiet=1)
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        directory = Path(name)
        # a peer that may not run as root must reach sink and recordings, too
        directory.chmod(0o755)
        with (
            CentreUnderTest(directory / "centre") as centre,
            private_sink(socket=directory / "pulse") as sink,
            sink.record() as recorder,
        ):
            yield Stand(directory, centre, sink, recorder)


def onset_after(heard: Recording, instant: float, threshold: float, within_s: float) -> float | None:
    """When the sound first passes `threshold` after a monotonic instant."""
    loud = np.flatnonzero(np.abs(heard.between(instant, instant + within_s)) > threshold)
    begin = max(0, round((instant - heard.began) * RATE))
    return heard.at(begin + int(loud[0])) if len(loud) else None


def figures(name: str, seconds: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile (nearest rank: of fewer than 100 the largest) and largest, in ms."""
    ordered = sorted(seconds)
    p99 = ordered[math.ceil(len(ordered) * 0.99) - 1]
    return {
        f"{name}_p50_ms": round(statistics.median(ordered) * 1e3, 1),
        f"{name}_p99_ms": round(p99 * 1e3, 1),
        f"{name}_max_ms": round(ordered[-1] * 1e3, 1),
    }


def sleep_until(instant: float) -> None:
    """Sleep to a monotonic instant."""
    time.sleep(max(0.0, instant - time.monotonic()))
