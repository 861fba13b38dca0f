"""The table of commands that must not be obeyed: what is wrong with one → the receipt's reason, and silence."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner

from agent.station import keys
from agent.station.commands import compose, seal
from playlists.models.command import Command
from tests.faults.test_attacks_alerts import alert
from tests.support.centre import FEED, CentreUnderTest
from tests.support.house import House, media, open_house, wait_until
from tests.support.pulse import Sink

ANNOUNCE = {"type": "announce", "items": [media("long")]}


@pytest.fixture(scope="module")
def house(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node that lets its commune claim `priority` at most."""
    directory = tmp_path_factory.mktemp("modest")
    with open_house(centre, sink, directory, id="modest-01", ceiling="priority", ready=False) as house:
        yield house


@dataclass
class Attempt:
    """Somebody's try at the node's command topic."""

    house: House

    def command(self, do: dict[str, Any] = ANNOUNCE, ago_s: float = 0.0, **changes: Any) -> Command:
        """A command for this node, composed some time ago."""
        now = datetime.now(UTC) - timedelta(seconds=ago_s)
        composed = compose(do, feed=FEED, to=[f"node:{self.house.id}"], now=now)
        return composed.model_copy(update=changes)

    def signer(self) -> CryptoSigner:
        """The officer's key."""
        return keys.load(self.house.centre.folder, keys.OFFICER)

    def send(self, envelope: bytes) -> None:
        """Hand it to the broker."""
        self.house.wire.publish(f"node/{self.house.id}/command", envelope)


Wrong = Callable[[Attempt], Command]


def stale(attempt: Attempt) -> Command:
    """It has lain around until after its expiry."""
    command = attempt.command(ago_s=600)
    attempt.send(seal(command, attempt.signer()))
    return command


def replayed(attempt: Attempt) -> Command:
    """A good one, recorded and sent again."""
    command = attempt.command({"type": "sync"})
    sealed = seal(command, attempt.signer())
    attempt.send(sealed)
    attempt.house.centre.wait_for_receipt(command, "finished")
    attempt.send(sealed)
    return command


def for_another_node(attempt: Attempt) -> Command:
    """Another pole's, on this pole's topic."""
    command = attempt.command(to=("node:pole-99", "group:hamlet-9"))
    attempt.send(seal(command, attempt.signer()))
    return command


def above_its_ceiling(attempt: Attempt) -> Command:
    """The commune claims an emergency."""
    command = attempt.command({**ANNOUNCE, "class": "emergency"})
    attempt.send(seal(command, attempt.signer()))
    return command


def an_alert_above_its_ceiling(attempt: Attempt) -> Command:
    """The commune's officer, who may alert, issues a storm on a node where the commune may not."""
    command = attempt.command({"type": "alert", "cap": alert("C1")})
    attempt.send(seal(command, attempt.signer()))
    return command


def an_exercise_above_its_ceiling(attempt: Attempt) -> Command:
    """What only claims to be an exercise is a message that nobody has read yet."""
    command = attempt.command({"type": "alert", "cap": alert("C2", status="Exercise")})
    attempt.send(seal(command, attempt.signer()))
    return command


def speaking_live_above_its_ceiling(attempt: Attempt) -> Command:
    """Over everything, muted or not."""
    command = attempt.command({"type": "live", "stream": "http://127.0.0.1:9/x", "class": "emergency"})
    attempt.send(seal(command, attempt.signer()))
    return command


def by_a_stranger(attempt: Attempt) -> Command:
    """A key that no feed lists."""
    command = attempt.command()
    attempt.send(seal(command, CryptoSigner.generate_ed25519()))
    return command


def under_the_officers_name(attempt: Attempt) -> Command:
    """A stranger's signature with the officer's key id."""
    command = attempt.command()
    envelope = json.loads(seal(command, CryptoSigner.generate_ed25519()))
    envelope["signatures"][0]["keyid"] = attempt.signer().public_key.keyid
    attempt.send(json.dumps(envelope).encode())
    return command


def changed_on_the_way(attempt: Attempt) -> Command:
    """Somebody turned the volume of a signed announcement up."""
    command = attempt.command()
    envelope = json.loads(seal(command, attempt.signer()))
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["do"]["volume_db"] = 12.0
    envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    attempt.send(json.dumps(envelope).encode())
    return command


def in_the_name_of_another_feed(attempt: Attempt) -> Command:
    """The commune's key speaks for the province."""
    command = attempt.command(feed="province")
    attempt.send(seal(command, attempt.signer()))
    return command


def of_no_known_form(attempt: Attempt) -> Command:
    """Signed, and not of the contract."""
    command = attempt.command()
    document = json.loads(command.model_dump_json(by_alias=True))
    document["do"] = {"type": "run", "shell": "rm -rf /"}

    class Odd:
        id = command.id

        def model_dump_json(self, by_alias: bool) -> str:
            return json.dumps(document)

    attempt.send(seal(Odd(), attempt.signer()))  # type: ignore[arg-type]  # on purpose no command
    return command


TABLE: tuple[tuple[Wrong, str], ...] = (
    (stale, "expired"),
    (replayed, "replayed"),
    (for_another_node, "not addressed"),
    (above_its_ceiling, "above ceiling"),
    (an_alert_above_its_ceiling, "above ceiling"),
    (an_exercise_above_its_ceiling, "above ceiling"),
    (speaking_live_above_its_ceiling, "above ceiling"),
    (by_a_stranger, "unknown key"),
    (under_the_officers_name, "signature"),
    (changed_on_the_way, "signature"),
    (in_the_name_of_another_feed, "not allowed"),
    (of_no_known_form, "malformed"),
)


@pytest.mark.parametrize(("wrong", "reason"), TABLE, ids=lambda part: getattr(part, "__name__", None))
def test_it_is_refused_with_the_reason_and_nothing_sounds(wrong: Wrong, reason: str, house: House) -> None:
    began = time.monotonic()
    command = wrong(Attempt(house))
    refused = house.centre.wait_for_receipt(command, "refused")
    assert (refused.reason or "").startswith(reason)

    def logged() -> bool:
        records = house.records(kind="command", command=command.id)
        return any(reason in (record.get("reason") or "") for record in records)

    wait_until(logged, 10, "the refusal is in the log at the centre")
    assert house.sounds() is None
    assert house.moments("sound", after=began) == []


GARBAGE = (
    b"",
    b"\x00\xff" * 500,
    b"{",
    b"[" * 100_000,
    b'{"payload": 1e999, "payloadType": null, "signatures": {}}',
    b'{"version": -1}',
    b'{"epoch": "x", "through": 99999999999999999999}',
    b"x" * 1_000_000,
)


def test_garbage_on_every_topic_stops_nothing(house: House) -> None:
    own = f"node/{house.id}"
    topics = (f"{own}/command", "all/command", "group/hamlet-3/command", f"{own}/log/stored", f"feed/{FEED}")
    for topic in topics:
        for rubbish in GARBAGE:
            house.wire.publish(topic, rubbish)
    command = house.command("announce", items=[media("high")])
    assert house.ended(command).state == "finished"
    wait_until(lambda: house.reported("status")["state"] == "online", 5, "it is online")
    assert house.feed()["state"] == "current"
    house.all_is_stored()
