"""The gate: a command passes only if a key that this node trusts signed it, for this node, now, once.

The checks stand in this order, and nothing that the sender wrote is believed before the signature is:
size → envelope (DSSE, https://github.com/secure-systems-lab/dsse) → payload type → key listed by a feed and
not expired → signature → the command's own form → its feed is the one that lists the key → not expired →
meant for this node → allowed to that operator → not above the feed's ceiling → allowed while the clock is not
synchronised → not a replay.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import (  # type: ignore[attr-defined]  # it exports them without saying so
    Key,
    Signature,
    SSlibKey,
)

from agent.clock import Clock
from agent.journal import Journal, JournalError
from agent.uplink.errors import Refused
from playlists.errors import Rejected
from playlists.models.base import BulletinClass, ClockState, Model, read_json, validate
from playlists.models.command import (
    MAX_COMMAND_BYTES,
    NEEDS,
    PAYLOAD_TYPE,
    AlertCommand,
    Announce,
    Command,
    Live,
    RefusalReason,
)
from playlists.models.operators import Operator, Operators

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}")


class _SignatureForm(Model):
    keyid: Annotated[str, StringConstraints(max_length=128)]
    sig: Annotated[str, StringConstraints(max_length=1_024)]


class _EnvelopeForm(Model):
    payload: str
    payloadType: Annotated[str, StringConstraints(max_length=256)]  # noqa: N815 - DSSE's name
    signatures: Annotated[tuple[_SignatureForm, ...], Field(min_length=1, max_length=8)]


@dataclass(frozen=True)
class _Trusted:
    """One operator of one feed, with the key ready for use."""

    feed: str
    operator: Operator
    key: Key


class Gate:
    """Turns envelopes into commands, or refuses them. Thread-safe."""

    def __init__(
        self,
        trust: Mapping[str, tuple[Operators, BulletinClass]],
        node: str,
        groups: frozenset[str],
        journal: Journal,
        clock: Clock,
    ) -> None:
        """`trust` gives each feed's operators, and the highest class that this node lets it claim."""
        self._node = node
        self._groups = groups
        self._journal = journal
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[_Trusted, ...]] = {}
        self._ceilings: dict[str, BulletinClass] = {}
        for feed, (operators, ceiling) in trust.items():
            self.trust(feed, operators, ceiling)

    def trust(self, feed: str, operators: Operators | None, ceiling: BulletinClass) -> None:
        """Put a feed's present list of operators in force in place of its last; None trusts nobody of it."""
        listed = operators.operators if operators else ()
        known = tuple(_Trusted(feed, operator, _key_of(operator)) for operator in listed)
        with self._lock:
            # replaced, never changed: a check that is under way keeps what it began with
            self._known = {**self._known, feed: known}
            self._ceilings = {**self._ceilings, feed: ceiling}

    def check(self, envelope: bytes) -> Command:
        """Let a command pass, and remember it.

        Raises:
            Refused: it is not to be obeyed, with the contract's reason.
        """
        opened = _open(envelope)
        claimed = _claimed_id(opened.payload)
        now = self._clock.judged
        with self._lock:
            known, ceilings = self._known, self._ceilings
        vouching = _verify(opened, known, now, claimed)
        try:
            command = validate(Command, "command", read_json("command", opened.payload, MAX_COMMAND_BYTES))
        except Rejected as error:
            raise Refused("malformed", str(error), claimed, signed=True) from error
        self._judge(command, vouching, now, ceilings)
        self._remember(command, now, opened.payload)
        return command

    def _judge(
        self,
        command: Command,
        vouching: list[_Trusted],
        now: datetime,
        ceilings: Mapping[str, BulletinClass],
    ) -> None:
        mine = [trusted for trusted in vouching if trusted.feed == command.feed]
        if not mine:
            listed = ", ".join(sorted({trusted.feed for trusted in vouching}))
            raise _refuse(
                command, "not allowed", f"the key is listed by {listed}, the command names {command.feed}"
            )
        if command.expires <= now:
            raise _refuse(
                command, "expired", f"at {command.expires.isoformat()}, it is {now.isoformat()} here"
            )
        if not command.addresses(self._node, self._groups):
            raise _refuse(command, "not addressed", f"this is {self._node}")
        needed = NEEDS[command.do.type]
        if not any(needed in trusted.operator.actions for trusted in mine):
            raise _refuse(command, "not allowed", f"{mine[0].operator.name or 'this key'} may not {needed}")
        ceiling = ceilings[command.feed]
        class_ = class_of(command)
        if class_ is not None and class_.rank > ceiling.rank:
            raise _refuse(command, "above ceiling", f"{command.feed} may claim {ceiling} here, not {class_}")
        state = self._clock.state
        if state is not ClockState.SYNCHRONISED and not _passes_any_clock(command, class_, needed):
            raise _refuse(
                command, "policy", f"the clock is {state}: only emergencies and maintenance are obeyed"
            )

    def _remember(self, command: Command, now: datetime, payload: bytes) -> None:
        try:
            reset_at = self._journal.reset_at
            if reset_at is not None and command.issued < reset_at:
                raise _refuse(command, "replayed", "or not: the memory of commands before it was lost")
            # what ends this process would end it again at the next start; a lease does not outlive it
            body = None if command.do.type in ("restart", "reboot", "live-renew") else payload.decode()
            if not self._journal.remember_command(command.id, command.expires, now, body):
                raise _refuse(command, "replayed", "")
        except JournalError as error:
            raise _refuse(command, "policy", f"it cannot be remembered: {error}") from error


def class_of(command: Command) -> BulletinClass | None:
    """The class that a command claims; None for those that voice nothing. An alert is an emergency."""
    do = command.do
    if isinstance(do, Announce | Live):
        return do.class_
    return BulletinClass.EMERGENCY if isinstance(do, AlertCommand) else None


def _passes_any_clock(command: Command, class_: BulletinClass | None, needed: str) -> bool:
    # a live broadcast that was let in must also be renewable and endable, whatever the clock does meanwhile
    continues = command.do.type in ("live-renew", "live-stop")
    return class_ is BulletinClass.EMERGENCY or needed == "maintain" or continues


def _open(raw: bytes) -> Envelope:
    try:
        document = read_json("envelope", raw, MAX_COMMAND_BYTES)
        form = validate(_EnvelopeForm, "envelope", document)
    except Rejected as error:
        raise Refused("malformed", str(error)) from error
    if form.payloadType != PAYLOAD_TYPE:
        raise Refused("malformed", f"payloadType is {form.payloadType!r}, {PAYLOAD_TYPE} is understood here")
    try:
        return Envelope.from_dict(form.model_dump(mode="json"))
    except ValueError as error:
        # not base64, or two signatures of one key
        raise Refused("malformed", f"envelope: {error}") from error


def _claimed_id(payload: bytes) -> str | None:
    """The id that an unverified command names: good for a receipt, for nothing else."""
    try:
        claimed = read_json("command", payload, MAX_COMMAND_BYTES).get("id")
    except Rejected:
        return None
    return claimed if isinstance(claimed, str) and _SAFE_ID.fullmatch(claimed) else None


def _verify(
    envelope: Envelope, known: Mapping[str, tuple[_Trusted, ...]], now: datetime, claimed: str | None
) -> list[_Trusted]:
    """The operators, of any feed, whose signature under the envelope is good."""
    candidates = list(_candidates(envelope, known))
    if not candidates:
        keyids = ", ".join(sorted(envelope.signatures))
        raise Refused("unknown key", f"no feed lists {keyids[:200]!r}", claimed)
    current = [(trusted, signature) for trusted, signature in candidates if trusted.operator.expires > now]
    if not current:
        trusted = candidates[0][0]
        expired = trusted.operator.expires.isoformat()
        raise Refused("unknown key", f"the key of {trusted.operator.name!r} expired at {expired}", claimed)
    pae = envelope.pae()
    vouching = [trusted for trusted, signature in current if _is_good(trusted.key, signature, pae)]
    if not vouching:
        raise Refused("signature", f"it is not by the key {current[0][0].operator.keyid!r}", claimed)
    return vouching


def _candidates(
    envelope: Envelope, known: Mapping[str, tuple[_Trusted, ...]]
) -> Iterator[tuple[_Trusted, Signature]]:
    for listed in known.values():
        for trusted in listed:
            signature = envelope.signatures.get(trusted.operator.keyid)
            if signature is not None:
                yield trusted, signature


def _is_good(key: Key, signature: Signature, pae: bytes) -> bool:
    try:
        key.verify_signature(signature, pae)
    except UnverifiedSignatureError:
        return False
    return True


def _key_of(operator: Operator) -> Key:
    return SSlibKey(
        operator.keyid,
        operator.key.keytype,
        operator.key.scheme,
        {"public": operator.key.keyval.public},
    )


def _refuse(command: Command, reason: RefusalReason, text: str) -> Refused:
    return Refused(reason, text, command.id, signed=True)
