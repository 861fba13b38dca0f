"""An alert from a feed of signed alerts, through the whole node: published by a station, heard and seen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.cli.common import EXIT_FAILED, EXIT_WARNING
from agent.station import alerts
from tests.support.alerts import cap, toml
from tests.support.centre import CentreUnderTest
from tests.support.house import LONG_HZ, House, in_s, media, open_house, wait_until
from tests.support.node import ROOT
from tests.support.pulse import Sink


@pytest.fixture(scope="module")
def house(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node with a screen that pins the station's certificate."""
    directory = tmp_path_factory.mktemp("source")
    pin = directory / "pinned.pem"
    pin.write_bytes(alerts.make_key(centre.folder).read_bytes())
    source = toml("province", f"{centre.feed_url}alerts/index.atom", pin)
    with open_house(
        centre,
        sink,
        directory,
        id="kiosk-09",
        screen=True,
        screen_size=(640, 360),
        extra=source,
    ) as house:
        yield house


def loa(*words: str | Path, **env: str) -> str:
    """Type a command."""
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # `status` tells by its code that a fault stands, which one of a source does here
    assert done.returncode in ((0, EXIT_FAILED, EXIT_WARNING) if "status" in words else (0,)), done.stderr
    return done.stdout


def loa_of(house: House, *words: str) -> str:
    """Ask the node by a command."""
    return loa(*words, LOA_SOCKET=str(house.node.socket))


def publish(house: House, tmp_path: Path, document: bytes) -> None:
    """An officer publishes a document, and the node is told to look."""
    file = tmp_path / "cap.xml"
    file.write_bytes(document)
    assert "is listed" in loa("station", "alerts", "publish", house.centre.folder.path, file)


def sync(house: House) -> None:
    """Have the node ask its sources now."""
    house.ended(house.command("sync"))


def takeover(house: House) -> str | None:
    """The alert that the screen shows."""
    found: str | None = house.node.health()["now"]["screen"]["takeover"]
    return found


def test_an_alert_of_a_source_takes_sound_and_screen_and_its_cancel_gives_both_back(
    house: House, tmp_path: Path
) -> None:
    house.publish({"id": "long", "start": in_s(1.2).isoformat(), "items": [media("long")]})
    house.wait_for_moment("sound", "long", "started")
    sent_at = datetime.now(UTC).replace(microsecond=0)
    began = time.monotonic()
    publish(house, tmp_path, cap("storm-1", sent=sent_at))
    # nobody tells the node: it asks each 5 s
    house.wait_for_moment("sound", "storm-1", "started", after=began)
    house.wait_for_moment("screen", "storm-1", "takeover", after=began)
    begun = house.wait_for_moment("sound", "storm-1", "started", after=began)["monotonic_s"]
    heard = house.ears.stretches(begun + 0.1, begun + 0.6, apart_s=0.5)
    assert heard
    assert all(abs(stretch.hz - LONG_HZ) > 5 for stretch in heard)
    assert takeover(house) == "storm-1"

    cancelled = time.monotonic()
    cancel = cap(
        "storm-2",
        kind="Cancel",
        sent=sent_at + timedelta(seconds=1),
        references=[("storm-1", sent_at)],
        text="Hủy.",
    )
    publish(house, tmp_path, cancel)
    sync(house)
    house.wait_for_moment("screen", "", "board again", after=cancelled)
    house.wait_for_moment("sound", "long", "resumed", after=cancelled)
    assert takeover(house) is None
    texts = [record["text"] for record in house.wait_for_records(2, kind="alert", feed="source:province")]
    assert texts[0] == "in force"
    assert "cancelled" in texts[1]
    plays = house.wait_for_records(1, kind="play", alert="storm-1")
    assert plays[0]["feed"] == "source:province"
    assert "storm-2" in loa("station", "alerts", "list", house.centre.folder.path)
    house.quiet()


def test_an_alert_in_force_is_not_told_again_after_a_crash(house: House, tmp_path: Path) -> None:
    began = time.monotonic()
    publish(house, tmp_path, cap("storm-3"))
    sync(house)
    house.wait_for_moment("sound", "storm-3", "finished", after=began, timeout_s=30)
    house.node.kill()
    again = time.monotonic()
    house.node.start()
    wait_until(lambda: sources(house)["province"]["state"] == "current", 15, "the source was asked")
    wait_until(lambda: takeover(house) == "storm-3", 10, "it is shown again")
    assert house.moments("sound", "storm-3", after=again) == []
    assert len(house.records(kind="alert", alert="storm-3")) == 1


def sources(house: House) -> dict[str, dict[str, str]]:
    """How the sources stand, as `loa status` says."""
    found: dict[str, dict[str, str]] = house.node.ask("status")["alert_sources"]
    return found


def test_the_certificate_is_rolled_while_the_node_runs(house: House, tmp_path: Path) -> None:
    folder, pin = house.centre.folder, house.node.directory / "pinned.pem"
    assert "alerts-next.pem" in loa("station", "alerts", "new-key", folder.path)
    both = pin.read_bytes() + folder.certificate(alerts.NEXT).read_bytes()
    loa("station", "alerts", "use-key", folder.path)
    began = time.monotonic()
    publish(house, tmp_path, cap("storm-4"))
    sync(house)
    assert "is not signed by a pinned certificate" in house.wait_for_fault("alert-source:province")
    assert "check its host and the pinned certificates" in loa_of(house, "status")
    pin.write_bytes(both)
    sync(house)
    house.wait_for_moment("sound", "storm-4", "started", after=began)
    wait_until(lambda: "alert-source:province" not in house.faults(), 10, "the fault is gone")
    house.quiet()
