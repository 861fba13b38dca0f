"""What the tests of the uplink share: a node without a voice, and somebody who listens at the broker."""

from __future__ import annotations

import queue
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from securesystemslib.signer import CryptoSigner

from agent.clock import SystemClock
from agent.config import Broker, parse
from agent.journal import Journal
from agent.station.collector import Collector
from agent.station.commands import seal
from agent.uplink import (
    Gate,
    LinkUp,
    Uplink,
)
from agent.uplink.session import Handlers, Session
from playlists.models.base import BulletinClass, ClockState
from playlists.models.health import Health, LogState, Now, Readings, Status
from playlists.models.record import ClockReading
from tests.agent.uplink.makers import command, operators

CONFIG = """
[node]
id = "pole-07"
site = "xa"
groups = ["hamlet-3"]
[[feeds]]
name = "commune"
url = "https://feed.example/"
root = "{root}"
[broker]
host = "127.0.0.1"
user = "x"
password_file = "/x"
"""


# paho leaves the socket of a failed TLS handshake to the garbage collector
paho_leaves_sockets = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Node:
    """A node with nothing but its uplink."""

    def __init__(self, directory, broker: Broker, clock=None) -> None:
        directory.mkdir(exist_ok=True)
        self.signer = CryptoSigner.generate_ed25519()
        self.clock = clock or SystemClock(directory, vouched=True)
        self.journal = Journal.open(directory, max_mb=50)
        soon = datetime.now(UTC) + timedelta(days=9999)
        listed = operators((self.signer, {"expires": soon}))
        self.gate = Gate(
            {"commune": (listed, BulletinClass.PRIORITY)},
            "pole-07",
            frozenset({"hamlet-3"}),
            self.journal,
            self.clock,
        )
        self.events: queue.SimpleQueue = queue.SimpleQueue()
        config = parse(CONFIG.format(root=directory / "root.json"))
        config = config.model_copy(update={"broker": broker})
        status = Status(state="online", epoch="", boot="b1", agent="0.1.0", since=self.clock.now())
        self.uplink = Uplink(config, "pole-07", self.journal, self.gate, self.events.put, status, self.clock)

    def start(self) -> Node:
        self.uplink.start()
        self.expect(LinkUp)
        return self

    def expect(self, kind: type, timeout_s: float = 10):
        """The next event of that kind; others are passed over."""
        deadline = time.monotonic() + timeout_s
        while True:
            event = self.events.get(timeout=max(0.01, deadline - time.monotonic()))
            if isinstance(event, kind):
                return event

    def stop(self) -> None:
        self.uplink.stop()
        self.journal.close()

    def envelope(self, number: int = 1, **changes) -> bytes:
        now = datetime.now(UTC)
        fresh = {"issued": now, "expires": now + timedelta(minutes=5)}
        return seal(command(number, **{**fresh, **changes}), self.signer)


class Tap:
    """Somebody else at the broker: publishes anything, hears all."""

    def __init__(self, broker: Broker) -> None:
        self.heard: list = []
        up = threading.Event()
        handlers = Handlers(message=self.heard.append, up=up.set, down=lambda why: None)
        self.session = Session(broker, f"tap-{secrets.token_hex(4)}", ["loa/#"], handlers, expiry_s=0)
        self.session.start()
        assert up.wait(10)

    def publish(self, what: str, payload: bytes, **options) -> None:
        self.session.publish(f"loa/1/xa/{what}", payload, **options)

    def payloads(self, what: str) -> list[bytes]:
        return [m.payload for m in list(self.heard) if m.topic == f"loa/1/xa/node/pole-07/{what}"]


def health(number: int = 0) -> Health:
    return Health(
        at=datetime.now(UTC),
        clock=ClockReading(state=ClockState.SYNCHRONISED),
        readings=Readings(uptime_s=number),
        feeds={},
        now=Now(),
        relays={},
        faults=(),
        log=LogState(stored_through=0, last=0),
    )


def stored_seqs(centre: Collector) -> list[int]:
    return [seq for (seq,) in centre.archive.rows("SELECT seq FROM records ORDER BY epoch, seq")]
