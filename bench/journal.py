"""100,000 records written offline, then drained through a real broker into the centre's database.

- `fill_s`: the node writes them, 100 to a transaction, each synced to the medium. `one_ms` is what one record
  in its own transaction costs, median of 500.
- `drain_s`: from the start of the uplink until the node has heard that the last one is stored.
- Memory is the resident set of a process that runs only the node's side: after the journal is filled, and at
  its highest while draining.
- `lost`, `doubled`: counted in the centre's database.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.station.collector import Collector
from tests.support.broker import Mosquitto
from tests.support.wait import wait_until

RECORDS = 100_000
TARGETS = {"drain_s": 60.0, "memory_growth_mb": 10.0, "lost": 0, "doubled": 0}


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        directory = Path(name)
        with (
            Mosquitto(directory / "broker") as broker,
            Collector(directory / "station.db", broker.settings(), "bench") as centre,
        ):
            wait_until(lambda: centre.connected, 10, "the collector is connected")
            figures = _node(directory / "node", broker.port, broker.password_file)
            rows = centre.archive.rows("SELECT seq, json_extract(body, '$.programme') FROM records")
    held = {programme for _, programme in rows if programme}
    return {
        **figures,
        "records": RECORDS,
        "records_per_s": round(RECORDS / figures["drain_s"]),
        "lost": RECORDS - len(held),
        "doubled": len([programme for _, programme in rows if programme]) - len(held),
    }


def _node(directory: Path, port: int, password_file: Path) -> dict[str, Any]:
    child = [sys.executable, "-m", "bench.journal", str(directory), str(port), str(password_file)]
    done = subprocess.run(child, check=True, capture_output=True, text=True, timeout=600)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _drain(directory: Path, port: int, password_file: Path) -> dict[str, float]:
    from agent.clock import SystemClock
    from agent.config import Broker, parse
    from agent.journal import Journal
    from agent.uplink import Gate, Uplink
    from playlists.models.health import Status

    directory.mkdir()
    journal = Journal.open(directory, max_mb=200)
    one_ms, fill_s = _fill(journal)
    clock = SystemClock(directory, vouched=True)
    config = parse('[node]\nid = "pole-01"\nsite = "bench"\n').model_copy(
        update={
            "broker": Broker(
                host="127.0.0.1", port=port, tls=False, user="loa", password_file=str(password_file)
            )
        }
    )
    status = Status(state="online", epoch="", boot="bench", agent="bench", since=clock.now())
    gate = Gate({}, "pole-01", frozenset(), journal, clock)
    uplink = Uplink(config, "pole-01", journal, gate, lambda event: None, status, clock)
    before, highest = _resident_mb(), 0.0
    began = time.monotonic()
    uplink.start()
    while journal.stored_through < journal.last:
        highest = max(highest, _resident_mb())
        time.sleep(0.05)
    drain_s = time.monotonic() - began
    uplink.stop()
    journal.close()
    return {
        "one_ms": round(one_ms, 2),
        "fill_s": round(fill_s, 1),
        "drain_s": round(drain_s, 1),
        "memory_before_mb": round(before, 1),
        "memory_highest_mb": round(highest, 1),
        "memory_growth_mb": round(highest - before, 1),
    }


def _fill(journal: Any) -> tuple[float, float]:
    from playlists.models.base import ClockState
    from playlists.models.record import ClockReading, Record

    now = datetime.now(UTC)

    def record(number: int) -> Record:
        return Record(
            kind="play", feed="commune", programme=f"p{number}", item=1, media="sha256:" + "a" * 64,
            class_="routine", language="vi", planned=now, started=now, ended=now, played_s=93.2,
            outcome="finished", zones=("*",), gain_db=-3.0, amplifier_on=True, sounded_dbfs=-20.8,
            clock=ClockReading(state=ClockState.SYNCHRONISED, error_s=0.012),
        )  # fmt: skip

    took = []
    began = time.monotonic()
    for number in range(500):
        at = time.monotonic()
        journal.append(record(number))
        took.append(time.monotonic() - at)
    for first in range(500, RECORDS, 100):
        journal.append_all(record(number) for number in range(first, first + 100))
    return statistics.median(took) * 1000, time.monotonic() - began


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    print(json.dumps(_drain(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))))
