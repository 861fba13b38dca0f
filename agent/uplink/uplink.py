"""The uplink: wires session, gate, outbox and journal, and posts what the conductor should know.

Two threads: paho's network thread, on which commands pass the gate and are posted at once, and the sender,
which hands over what waits in the outbox. What goes wrong is logged and tried again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from agent.clock import Clock
from agent.config import Config
from agent.journal import Journal, JournalError
from agent.uplink.errors import Refused, TooBig
from agent.uplink.events import CommandRefused, CommandVerified, FeedHint, LinkDown, LinkUp
from agent.uplink.gate import Gate
from agent.uplink.limiter import Limiter
from agent.uplink.outbox import Outbox
from agent.uplink.session import Arrived, Handlers, NotConnected, Session
from agent.uplink.topics import Topics
from agent.uplink.wire import encode
from playlists.errors import Rejected
from playlists.models.base import ClockState, read_json, validate
from playlists.models.command import Receipt, ReceiptState
from playlists.models.health import Health, Status
from playlists.models.record import Record, Stored
from playlists.units import MonotonicS, Seconds

MAX_UPLOAD_BYTES: Final = 256_000
MAX_SMALL_BYTES: Final = 4_096
PAUSE_AFTER_ERROR_S: Final = Seconds(2.0)

log = logging.getLogger("loa.uplink")

T = TypeVar("T")
Event = CommandVerified | CommandRefused | FeedHint | LinkUp | LinkDown


class Uplink:
    """The node's side of contract §3. Thread-safe."""

    def __init__(
        self,
        config: Config,
        node: str,
        journal: Journal,
        gate: Gate,
        post: Callable[[Event], None],
        status: Status,
        clock: Clock,
    ) -> None:
        """`status` is what holds for this start: boot and agent; the rest is filled in when it is published.

        Raises:
            Technician: a file that `[broker]` names cannot be read.
            ValueError: there is no `[broker]`.
        """
        if config.broker is None:
            raise ValueError("there is no [broker] in the configuration")
        self._topics = Topics(config.node.site)
        self._node = node
        self._feeds = frozenset(feed.name for feed in config.feeds)
        self._journal = journal
        self._gate = gate
        self._post = post
        self._template = status
        self._clock = clock
        self._outbox = Outbox(node, self._topics, journal, lambda: self._status("online"))
        # strangers can make us write and answer: that must cost them more than us
        self._strangers = Limiter(10, Seconds(60.0))
        self._operators = Limiter(60, Seconds(1.0))
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._sender = threading.Thread(target=self._send, name="uplink-sender", daemon=True)
        self._session = Session(
            config.broker,
            node,
            self._topics.down(node, config.node.groups, self._feeds),
            Handlers(
                message=self._arrived,
                up=self._up,
                down=lambda why: self._post(LinkDown(why)),
                delivered=lambda mid: self._put(self._outbox.delivered, mid),
                reborn=self._outbox.reborn,
                will=lambda: (self._topics.node(node, "status"), encode(self._status("offline"))),
                believes_clock=lambda: self._clock.state is not ClockState.UNSET,
            ),
        )

    @property
    def connected(self) -> bool:
        """Whether the link to the broker is up."""
        return self._session.connected

    @property
    def answered(self) -> tuple[Seconds, MonotonicS] | None:
        """How long the broker took to acknowledge the last message, and when it did; None before the first."""
        latency_s, at = self._session.latency_s, self._session.answered_at
        return None if latency_s is None or at is None else (latency_s, at)

    def start(self) -> None:
        """Connect and stay connected; send what waits in the journal."""
        self._journal.listen(self._wake.set)
        self._sender.start()
        self._session.start()

    def publish_health(self, health: Health) -> None:
        """Say how the node is; of what cannot go out now, the newest stays."""
        self._put(self._outbox.put_health, health)

    def receipt(self, receipt: Receipt) -> None:
        """Answer a command; it goes out in order, also after days and restarts."""
        self._put(self._outbox.put_receipt, receipt)

    def picture(self, data: bytes, command: str) -> None:
        """Send a PNG or JPEG that `command` asked for.

        Raises:
            TooBig: it has more than 256,000 bytes.
        """
        self._upload("screenshot", data, command)

    def logs(self, data: bytes, command: str) -> None:
        """Send gzipped journal lines that `command` asked for.

        Raises:
            TooBig: it has more than 256,000 bytes.
        """
        self._upload("logs", data, command)

    def stop(self, deadline_s: float = 3.0) -> None:
        """Say goodbye, and end both threads; what did not go out stays in the journal."""
        ends = time.monotonic() + deadline_s
        self._stopping.set()
        self._wake.set()
        if self._sender.ident is not None:
            self._sender.join(deadline_s / 2)
        if not self._sender.is_alive():
            self._outbox.hurry()
            self._send_once()  # the last receipts go to the journal, and what may go goes
        try:
            topic = self._topics.node(self._node, "status")
            self._session.publish(topic, encode(self._status("offline")), retain=True)
        except NotConnected as error:
            log.info("no goodbye: %s", error)
        self._session.stop(max(0.1, ends - time.monotonic()))

    # -- what comes ----------------------------------------------------------------------------

    def _arrived(self, message: Arrived) -> None:
        topic = message.topic
        if topic.endswith("/command"):
            self._command(message)
        elif topic == self._topics.node(self._node, "log/stored"):
            self._stored(message.payload)
        elif topic.startswith(self._topics.feed("")):
            self._hint(topic.removeprefix(self._topics.feed("")), message.payload)
        else:
            log.debug("nobody asked for %.200r", topic)

    def _command(self, message: Arrived) -> None:
        try:
            command = self._gate.check(message.payload)
        except Refused as refused:
            if message.again and refused.reason == "replayed":
                # the link broke before the broker heard that we had it: no news for anybody
                log.info("command %s came again", refused.command_id)
            else:
                self._refused(refused)
            return
        self._post(CommandVerified(command))
        for state in ("received", "verified"):
            self._answer(command.id, state)

    def _refused(self, refused: Refused) -> None:
        limiter = self._operators if refused.signed else self._strangers
        if not limiter.allows(self._clock.monotonic()):
            log.debug("command refused, one of many: %s", refused)
            return
        more, limiter.held_back = limiter.held_back, 0
        reason = f"{refused} (and {more} more since the last report)" if more else str(refused)
        log.warning("command %s refused: %s", refused.command_id, reason)
        self._post(CommandRefused(refused.reason, refused.text, refused.command_id))
        if refused.command_id is not None:
            self._answer(refused.command_id, "refused", reason)
        record = Record(
            kind="command",
            command=refused.command_id,
            started=self._clock.now(),
            outcome="skipped",
            reason=f"refused: {reason}"[:500],
            clock=self._clock.reading(),
        )
        try:
            self._journal.append(record)
        except JournalError as error:
            log.error("the refusal is not in the log: %s", error)

    def _stored(self, payload: bytes) -> None:
        try:
            stored = validate(Stored, "log/stored", read_json("log/stored", payload, MAX_SMALL_BYTES))
        except Rejected as error:
            log.warning("ignored: %s", error)
            return
        self._put(self._outbox.put_stored, stored)

    def _hint(self, feed: str, payload: bytes) -> None:
        if feed not in self._feeds:
            return
        try:
            version = read_json(f"feed/{feed}", payload, MAX_SMALL_BYTES).get("version")
        except Rejected as error:
            log.warning("ignored: %s", error)
            return
        self._post(FeedHint(feed, version if isinstance(version, int) and version >= 0 else None))

    # -- what goes -----------------------------------------------------------------------------

    def _up(self) -> None:
        self._outbox.link_renewed()
        self._wake.set()
        self._post(LinkUp())

    def _answer(self, command: str, state: ReceiptState, reason: str | None = None) -> None:
        reason = reason[:500] if reason else None
        self.receipt(Receipt(command=command, state=state, reason=reason, at=self._clock.now()))

    def _upload(self, kind: str, data: bytes, command: str) -> None:
        if len(data) > MAX_UPLOAD_BYTES:
            raise TooBig(f"{kind} for {command}: {len(data)} bytes, at most {MAX_UPLOAD_BYTES} may go up")
        self._outbox.put_upload(kind, data, command)
        self._wake.set()

    def _put(self, put: Callable[[T], None], what: T) -> None:
        put(what)
        self._wake.set()

    def _status(self, state: str) -> Status:
        return self._template.model_copy(
            update={"state": state, "epoch": self._journal.epoch, "since": self._clock.now()}
        )

    def _send(self) -> None:
        wait_s: float | None = 0.0
        while not self._stopping.is_set():
            self._wake.wait(wait_s)
            self._wake.clear()
            wait_s = self._send_once()

    def _send_once(self) -> float | None:
        """Hand over what may go; how long to wait for more, None for until something comes."""
        try:
            again_at = self._outbox.turn(self._session, MonotonicS(time.monotonic()))
        except NotConnected as error:
            log.debug("%s", error)
            return None
        except JournalError as error:
            log.warning("what waits to go up waits longer: %s", error)
            return PAUSE_AFTER_ERROR_S
        except Exception:
            # a mistake of ours must not end the thread: the log would wait for the next start
            log.exception("the sender goes on after")
            return PAUSE_AFTER_ERROR_S
        return None if again_at is None else max(0.0, again_at - time.monotonic())
