"""What waits to go up, and the order in which it goes: status, receipts, health, uploads, log.

One thread (the uplink's sender) calls `turn`; everybody else only puts things in and wakes it. Nothing is
handed to the MQTT client while the link is down, and only a bounded window while it is up: receipts and log
wait in the journal, health and status are only ever the newest, uploads are few.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from agent.journal import Journal, JournalError
from agent.uplink.topics import Topics
from agent.uplink.window import SIZE, Window
from agent.uplink.wire import encode, encode_batch
from playlists.models.command import FINAL, Receipt
from playlists.models.health import Health, Status
from playlists.models.record import Stored
from playlists.units import MonotonicS, Seconds

BATCH: Final = 200
LINGER_S: Final = Seconds(0.5)
"""New records wait this long for company: a batch costs more than its records."""

RECEIPTS_UNDER_WAY: Final = 16
MAX_NEW_RECEIPTS: Final = 1_000
MAX_UPLOADS: Final = 4
MAX_ACKNOWLEDGEMENTS: Final = 64

log = logging.getLogger("loa.uplink")


class Link(Protocol):
    """What the outbox needs of a session."""

    @property
    def connected(self) -> bool:
        """Whether the link is up."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        user: dict[str, str] | None = None,
        expires_s: float | None = None,
    ) -> int:
        """Hand over one message; raises `NotConnected`."""


class Outbox:
    """See the module. Methods that put things in are thread-safe; `turn` belongs to one thread."""

    def __init__(self, node: str, topics: Topics, journal: Journal, status: Callable[[], Status]) -> None:
        """`status` gives the status of now, asked whenever it is to be published."""
        self._node = node
        self._topics = topics
        self._journal = journal
        self._status = status
        self._lock = threading.Lock()
        self._keeping = threading.Lock()
        self._delivered: deque[int] = deque()
        self._stored: deque[Stored] = deque(maxlen=MAX_ACKNOWLEDGEMENTS)
        self._receipts: deque[Receipt] = deque(maxlen=MAX_NEW_RECEIPTS)
        self._uploads: deque[tuple[str, bytes, str]] = deque(maxlen=MAX_UPLOADS)
        self._health: Health | None = None
        self._forget = threading.Event()
        self._renewed = threading.Event()
        self._health_mid: int | None = None
        self._receipt_mids: dict[int, int] = {}
        self._log_mids: set[int] = set()
        self._receipts_after = 0
        self._announced: str | None = None
        self._epoch = journal.epoch
        self._window = Window(journal.stored_through)
        self._linger_until: MonotonicS | None = None
        self._linger_s: float = LINGER_S

    # -- from any thread -----------------------------------------------------------------------

    def put_health(self, health: Health) -> None:
        """The newest health replaces one that has not gone out yet."""
        with self._lock:
            self._health = health

    def put_receipt(self, receipt: Receipt) -> None:
        """Receipts all go out, in order. The last one of a command is on the medium when this returns, if it can be:
        nobody would send it again after a crash.
        """
        self._receipts.append(receipt)
        if receipt.state in FINAL:
            with contextlib.suppress(JournalError):  # it waits in memory, and is tried again at each turn
                self._keep_receipts()

    def put_upload(self, kind: str, data: bytes, command: str) -> None:
        """A picture or a bundle of log lines; of those that wait, the newest few stay."""
        self._uploads.append((kind, data, command))

    def put_stored(self, stored: Stored) -> None:
        """The centre's acknowledgement."""
        self._stored.append(stored)

    def delivered(self, mid: int) -> None:
        """The broker has the message with this number."""
        self._delivered.append(mid)

    def link_renewed(self) -> None:
        """The link came up: the status is to be said again."""
        self._renewed.set()

    def reborn(self) -> None:
        """What was handed over and not delivered is lost."""
        self._forget.set()

    # -- on the sender's thread ----------------------------------------------------------------

    def turn(self, link: Link, now: MonotonicS) -> MonotonicS | None:
        """Take in what came, hand over what may go; returns when to ask again, None for when something comes.

        Raises:
            NotConnected: the link went down in the middle; nothing is lost.
            JournalError: the journal cannot be read or written now; nothing is lost.
        """
        self._take_in(now)
        if not link.connected:
            return None
        self._say_status(link)
        self._say_receipts(link)
        self._say_health(link)
        while self._uploads:
            kind, data, command = self._uploads[0]
            link.publish(self._topics.node(self._node, kind), data, user={"command": command})
            self._uploads.popleft()
        return self._say_log(link, now)

    def _take_in(self, now: MonotonicS) -> None:
        if self._renewed.is_set():
            self._renewed.clear()
            self._announced = None
        if self._forget.is_set():
            self._forget.clear()
            self._window.take_back()
            self._health_mid, self._receipts_after = None, 0
            self._receipt_mids.clear()
            self._log_mids.clear()
        self._keep_receipts()
        sent = []
        while self._delivered:
            mid = self._delivered.popleft()
            self._log_mids.discard(mid)
            if mid == self._health_mid:
                self._health_mid = None
            elif mid in self._receipt_mids:
                sent.append(self._receipt_mids.pop(mid))
        if sent:
            self._journal.receipts_sent(sent)
        if self._journal.epoch != self._epoch:
            self._epoch = self._journal.epoch
            self._window = Window(self._journal.stored_through)
        while self._stored:
            self._acknowledge(self._stored.popleft(), now)

    def _keep_receipts(self) -> None:
        with self._keeping:
            while self._receipts:
                receipt = self._receipts.popleft()
                try:
                    self._journal.keep_receipt(receipt)
                except JournalError:
                    self._receipts.appendleft(receipt)
                    raise

    def _acknowledge(self, stored: Stored, now: MonotonicS) -> None:
        if stored.epoch != self._epoch or not 0 <= stored.through <= self._journal.last:
            log.warning("acknowledgement of %s through %d is not ours", stored.epoch[:40], stored.through)
            return
        if stored.through < self._window.acked:
            log.warning("the centre has less than it said: %d, not %d", stored.through, self._window.acked)
        self._journal.stored(stored.through, stored.epoch)
        self._window.stored(stored.through, now)

    def _say_status(self, link: Link) -> None:
        if self._announced != self._epoch:
            link.publish(self._topics.node(self._node, "status"), encode(self._status()), retain=True)
            self._announced = self._epoch

    def _say_receipts(self, link: Link) -> None:
        room = RECEIPTS_UNDER_WAY - len(self._receipt_mids)
        if room <= 0:
            return
        for number, receipt in self._journal.receipts(self._receipts_after, room):
            mid = link.publish(self._topics.node(self._node, "receipt"), encode(receipt))
            self._receipt_mids[mid] = number
            self._receipts_after = number

    def hurry(self) -> None:
        """From now on records do not wait for company: the node is about to end."""
        self._linger_s = 0.0
        self._linger_until = None

    def _say_health(self, link: Link) -> None:
        if self._health_mid is not None:
            return
        with self._lock:
            health, self._health = self._health, None
        if health is None:
            return
        try:
            self._health_mid = link.publish(
                self._topics.node(self._node, "health"), encode(health), retain=True
            )
        except BaseException:
            with self._lock:
                self._health = self._health or health
            raise

    def _say_log(self, link: Link, now: MonotonicS) -> MonotonicS | None:
        if self._window.tick(now):
            log.info(
                "the centre acknowledged nothing in time: the log after %d goes again", self._window.acked
            )
        # what the broker has not taken yet waits in the client's memory: never more than a window of it
        while len(self._log_mids) < SIZE and (after := self._window.next_after) is not None:
            waiting = self._journal.last - after
            if waiting <= 0:
                self._linger_until = None
                break
            if waiting < BATCH:
                if self._linger_until is None:
                    self._linger_until = MonotonicS(now + self._linger_s)
                if now < self._linger_until:
                    break
            self._linger_until = None
            batch = self._journal.batch(after, BATCH)
            if batch is None or batch.epoch != self._epoch:
                break
            mid = link.publish(self._topics.node(self._node, "log"), encode_batch(batch))
            self._log_mids.add(mid)
            self._window.sent(batch.last, now)
        if len(self._log_mids) >= SIZE:
            self._linger_until = None
        times = [at for at in (self._linger_until, self._window.deadline) if at is not None]
        return min(times) if times else None
