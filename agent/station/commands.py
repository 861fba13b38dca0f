"""Commands: composed, signed with an operator's key (DSSE), sent, and their receipts waited for."""

from __future__ import annotations

import json
import queue
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self

from securesystemslib.dsse import Envelope
from securesystemslib.signer import Signer  # type: ignore[attr-defined]  # computed __all__

from agent.station.centre import Centre
from agent.station.errors import Retry, StationError
from agent.uplink.session import Arrived, Handlers, NotConnected, Session
from agent.uplink.topics import Topics
from playlists.errors import Rejected
from playlists.models.base import read_json, validate
from playlists.models.command import MAX_COMMAND_BYTES, PAYLOAD_TYPE, Command, Receipt
from playlists.units import Seconds

VALID_S: Final = Seconds(300.0)
"""How long a command may take to arrive, unless the officer says otherwise."""

CONNECT_WITHIN_S: Final = Seconds(10.0)


class Mistake(StationError, ValueError):  # noqa: N818 - the officer's, who is told what to write instead
    """Error raised when what the officer asks for is no command of the contract."""


def compose(
    do: Mapping[str, Any],
    *,
    feed: str,
    to: tuple[str, ...] | list[str],
    now: datetime,
    valid_s: Seconds = VALID_S,
) -> Command:
    """Make a command with a new id, sorted by time.

    Args:
        do: the action with its `type`, as contract §4 lists them.
        to: `node:…`, `group:…` or `*`.

    Raises:
        Mistake: it breaks the contract; every problem is named.
    """
    document = {
        "id": f"{int(now.timestamp() * 1000):012x}-{secrets.token_hex(8)}",
        "feed": feed,
        "issued": now,
        "expires": now + timedelta(seconds=valid_s),
        "to": tuple(to),
        "do": dict(do),
    }
    try:
        return validate(Command, str(do.get("type", "command")), document)
    except Rejected as error:
        raise Mistake(str(error)) from error


def seal(command: Command, signer: Signer) -> bytes:
    """Sign a command and put it into its envelope.

    Raises:
        Mistake: it is bigger than a node accepts.
    """
    payload = command.model_dump_json(by_alias=True).encode()
    envelope = Envelope(payload, PAYLOAD_TYPE, {})
    envelope.sign(signer)
    sealed = json.dumps(envelope.to_dict(), separators=(",", ":")).encode()
    if len(sealed) > MAX_COMMAND_BYTES:
        raise Mistake(f"the command has {len(sealed)} bytes, a node accepts {MAX_COMMAND_BYTES}")
    return sealed


@dataclass(frozen=True)
class Answer:
    """A receipt, and the node that sent it."""

    node: str
    receipt: Receipt


class Desk:
    """The officer's connection to the broker: sends commands, hears receipts. Use it as a context manager."""

    def __init__(self, centre: Centre, signer: Signer) -> None:
        """Raises Technician of `agent.uplink`: a file of the broker's settings cannot be read."""
        self._centre = centre
        self._signer = signer
        self._topics = Topics(centre.site)
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._session = Session(
            centre.broker,
            f"desk-{secrets.token_hex(6)}",
            [self._topics.node("+", "receipt")],
            Handlers(
                message=self._heard,
                up=lambda: self._events.put(None),
                down=lambda why: None,
                delivered=self._events.put,
            ),
            expiry_s=0,
        )

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            Retry: the broker does not let us in within ten seconds.
        """
        self._session.start()
        try:
            self._wait_for(None, CONNECT_WITHIN_S)
        except Retry:
            self._session.stop(1.0)
            broker = self._centre.broker
            raise Retry(f"no connection to the broker {broker.host}:{broker.port}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.stop(1.0)

    def send(self, command: Command, within_s: Seconds = CONNECT_WITHIN_S) -> None:
        """Sign a command and hand it to the broker, once for each addressee.

        Raises:
            Mistake: it is too big.
            Retry: the broker did not take it in time; whether the nodes get it is not known.
        """
        sealed = seal(command, self._signer)
        life_s = (command.expires - command.issued).total_seconds()
        try:
            for address in command.to:
                mid = self._session.publish(self._topics.of_address(address), sealed, expires_s=life_s)
                self._wait_for(mid, within_s)
        except NotConnected as error:
            raise Retry(str(error)) from error

    def answers(self, command: Command, within_s: Seconds) -> Iterator[Answer]:
        """Receipts for `command` as they come, until `within_s` has passed."""
        deadline = time.monotonic() + within_s
        while (left := deadline - time.monotonic()) > 0:
            answer = self.next_answer(Seconds(left))
            if answer is not None and answer.receipt.command == command.id:
                yield answer

    def next_answer(self, within_s: Seconds) -> Answer | None:
        """The next receipt for whatever command; None when none comes within `within_s`."""
        try:
            return self._answers.get(timeout=within_s)
        except queue.Empty:
            return None

    def _wait_for(self, event: int | None, within_s: Seconds) -> None:
        deadline = time.monotonic() + within_s
        while True:
            try:
                if self._events.get(timeout=max(0.0, deadline - time.monotonic())) == event:
                    return
            except queue.Empty:
                raise Retry("the broker did not acknowledge the command in time") from None

    def _heard(self, message: Arrived) -> None:
        found = self._topics.node_of(message.topic)
        if found is None or found[1] != "receipt":
            return
        try:
            receipt = validate(Receipt, message.topic, read_json(message.topic, message.payload, 4_096))
        except Rejected:
            return  # of a node that is broken, or none: the collector reports it
        self._answers.put(Answer(found[0], receipt))
