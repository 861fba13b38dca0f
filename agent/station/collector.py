"""The collector: hears the nodes, keeps what they report, and acknowledges a log only when it is stored.

It believes nothing but the topic's node name (the broker's access list has to keep nodes apart), and it lets
no message stop it: what it cannot read is logged and passed over, fields it does not know are kept.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Final, Self

from pydantic import Field

from agent.config import Broker
from agent.station.archive import Archive
from agent.uplink.session import Arrived, Handlers, NotConnected, Session
from agent.uplink.topics import Topics
from agent.uplink.wire import encode
from playlists.errors import Rejected
from playlists.models.base import Model, read_json, validate
from playlists.models.command import Receipt
from playlists.models.record import Stored

MAX_BATCH_BYTES: Final = 2_000_000
MAX_UPLOAD_BYTES: Final = 300_000

log = logging.getLogger("loa.station")


class _Numbered(Model):
    seq: Annotated[int, Field(ge=1, le=2**62)]


class Batch(Model):
    """A log batch as far as it must be understood here: records of newer agents are kept as they are."""

    epoch: Annotated[str, Field(min_length=1, max_length=64)]
    first: Annotated[int, Field(ge=1, le=2**62)]
    last: Annotated[int, Field(ge=1, le=2**62)]
    records: Annotated[tuple[dict[str, Any], ...], Field(max_length=10_000)]


def read_batch(where: str, document: dict[str, Any]) -> Batch:
    """A log batch, whichever way it came.

    Raises:
        Rejected: it breaks the contract.
    """
    batch = validate(Batch, where, document)
    for record in batch.records:
        seq = validate(_Numbered, where, record).seq
        if not batch.first <= seq <= batch.last:
            raise Rejected(where, [f"seq {seq} lies outside of {batch.first} to {batch.last}"])
    return batch


class Collector:
    """Runs from `start` to `stop`; may be used as a context manager."""

    def __init__(
        self,
        db_path: Path,
        broker: Broker,
        site: str,
        *,
        name: str = "collector",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`name` is the MQTT client id, one collector each: the broker keeps its place while it is away.

        Raises:
            Technician: the database, or a file of the broker's settings, cannot be used.
        """
        self.archive = Archive(db_path)
        self._topics = Topics(site)
        self._now = now
        self._session = Session(
            broker,
            f"{name}-{site}",
            self._topics.up(),
            Handlers(message=self._arrived, up=lambda: None, down=lambda why: None),
        )

    @property
    def connected(self) -> bool:
        """Whether the broker has let it in."""
        return self._session.connected

    def start(self) -> None:
        """Connect and stay connected."""
        self._session.start()

    def stop(self, deadline_s: float = 3.0) -> None:
        """Disconnect and close the database."""
        self._session.stop(deadline_s)
        self.archive.close()

    def hint(self, feed: str, version: int) -> None:
        """Tell nodes, those that come later too, that the feed has this version.

        Raises:
            NotConnected: the link is down; nothing was sent.
        """
        payload = json.dumps({"version": version}, separators=(",", ":")).encode()
        self._session.publish(self._topics.feed(feed), payload, retain=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _arrived(self, message: Arrived) -> None:
        found = self._topics.node_of(message.topic)
        if found is None:
            return
        node, what = found
        try:
            self._take(node, what, message)
        except Rejected as error:
            log.warning("ignored: %s", error)
        except sqlite3.Error as error:
            # a log is sent again because it was not acknowledged; the rest is said again by itself
            log.error("%s of %s is not stored: %s", what, node, error)

    def _take(self, node: str, what: str, message: Arrived) -> None:
        now = self._now()
        if what == "log":
            self._take_log(node, message.payload, now)
        elif what == "receipt":
            receipt = validate(Receipt, message.topic, read_json(message.topic, message.payload, 8_192))
            self.archive.add_receipt(node, receipt, now)
        elif what in ("status", "health"):
            document = read_json(message.topic, message.payload, 100_000)
            self.archive.set_latest(node, what, json.dumps(document, ensure_ascii=False), now)
        elif len(message.payload) <= MAX_UPLOAD_BYTES:
            self.archive.add_upload(node, what, message.user.get("command"), message.payload, now)
        else:
            log.warning("ignored: %s has %d bytes", message.topic, len(message.payload))

    def _take_log(self, node: str, payload: bytes, now: datetime) -> None:
        where = f"log of {node}"
        batch = read_batch(where, read_json(where, payload, MAX_BATCH_BYTES))
        through = self.archive.add_batch(node, batch.epoch, batch.first, batch.last, batch.records, now)
        if through < batch.first - 1:
            log.warning("%s: numbers %d to %d are missing, waiting", where, through + 1, batch.first - 1)
        try:
            self._session.publish(
                self._topics.node(node, "log/stored"), encode(Stored(epoch=batch.epoch, through=through))
            )
        except NotConnected as error:
            log.info("not acknowledged, so it will come again: %s", error)
