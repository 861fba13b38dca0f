"""Attacks on the command topic, at a running node: keys, rights, nonsense. `test_commands.py` has what else may be
wrong with a command.

Each is refused with the contract's reason where its sender can be told, stands in the log at the centre, makes no
sound, and the node obeys the next good command.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from agent.station import keys
from agent.station.commands import compose, seal
from playlists.models.command import PAYLOAD_TYPE, Command
from tests.support.centre import FEED, CentreUnderTest
from tests.support.house import House, media, open_house, speech, wait_until
from tests.support.pulse import Sink

OPERATORS = {
    # key in keys/: actions, expiry
    "officer": (("announce", "live", "alert", "control", "maintain"), "2038-12-31"),
    "reader": (("announce",), "2038-12-31"),
    "retired": (("announce", "control"), "2024-12-31"),
    "dismissed": (("announce", "control"), "2038-12-31"),
}
ANNOUNCE = {"type": "announce", "items": [media("long")]}
FAR = "2099-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def house(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node of a commune with several operators; afterwards the centre lists those it had before."""
    commune = centre.folder.authoring / "commune.toml"
    before = commune.read_text(encoding="utf-8")
    for name in OPERATORS:
        if name != keys.OFFICER:
            keys.add(centre.folder, name)
    list_operators(commune, *OPERATORS)
    try:
        directory = tmp_path_factory.mktemp("guarded")
        with open_house(centre, sink, directory, id="guarded-01", ready=False) as house:
            house.publish()
            yield house
            commune.write_text(before, encoding="utf-8")
            house.publish()
    finally:
        commune.write_text(before, encoding="utf-8")


def list_operators(commune: Path, *names: str) -> None:
    """Write who may command."""
    entries = [
        f'[[operator]]\nname = "{name}"\nkey = "{name}"\nactions = {json.dumps(OPERATORS[name][0])}\n'
        f"expires = {OPERATORS[name][1]}\n"
        for name in names
    ]
    commune.write_text('name = "Xã thử"\n' + "".join(entries), encoding="utf-8")


def a_command(house: House, do: dict[str, Any]) -> Command:
    return compose(do, feed=FEED, to=[f"node:{house.id}"], now=datetime.now(UTC))


def send(house: House, envelope: bytes) -> None:
    house.wire.publish(f"node/{house.id}/command", envelope)


def key_of(house: House, name: str) -> CryptoSigner:
    return keys.load(house.centre.folder, name)


def sealed(payload: bytes, signer: CryptoSigner, kind: str = PAYLOAD_TYPE) -> bytes:
    """Any bytes, signed as a command is."""
    envelope = Envelope(payload, kind, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict()).encode()


def is_logged(house: House, reason: str, count: int = 1, **where: Any) -> Callable[[], bool]:
    """Whether the centre has so many records of refusals for that reason."""

    def found() -> bool:
        records = house.records(kind="command", **where)
        return sum(f"refused: {reason}" in (r.get("reason") or "") for r in records) >= count

    return found


def the_node_goes_on(house: House, since: float) -> None:
    """Nothing has sounded, and a good command is obeyed."""
    assert house.moments("sound", after=since) == []
    assert house.ended(house.command("sync")).state == "finished"


@pytest.mark.parametrize(
    ("signer", "do", "reason"),
    [
        ("retired", ANNOUNCE, "unknown key"),
        ("reader", {"type": "mute", "until": FAR}, "not allowed"),
        ("reader", {"type": "live", "stream": "http://127.0.0.1:9/x"}, "not allowed"),
        ("reader", {"type": "alert", "cap": "<alert/>"}, "not allowed"),
        ("reader", {"type": "stop"}, "not allowed"),
        ("reader", {"type": "reboot"}, "not allowed"),
    ],
    ids=lambda part: part["type"] if isinstance(part, dict) else part,
)
def test_a_key_is_good_for_what_it_is_listed_for_until_it_expires(
    house: House, signer: str, do: dict[str, Any], reason: str
) -> None:
    since = time.monotonic()
    command = a_command(house, do)
    send(house, seal(command, key_of(house, signer)))
    refused = house.centre.wait_for_receipt(command, "refused")
    assert (refused.reason or "").startswith(reason)
    wait_until(is_logged(house, reason, command=command.id), 10, "the refusal is in the log")
    assert house.node.health()["muted"] == {}
    the_node_goes_on(house, since)


def test_a_key_that_is_taken_off_the_list_is_worth_nothing_from_then_on(house: House) -> None:
    signer = key_of(house, "dismissed")
    before = a_command(house, {"type": "volume", "volume_db": 0})
    send(house, seal(before, signer))
    house.centre.wait_for_receipt(before, "finished")
    commune = house.centre.folder.authoring / "commune.toml"
    list_operators(commune, *(name for name in OPERATORS if name != "dismissed"))
    signed_before = a_command(house, ANNOUNCE)
    envelope = seal(signed_before, signer)
    house.publish()
    since = time.monotonic()
    send(house, envelope)
    refused = house.centre.wait_for_receipt(signed_before, "refused")
    assert (refused.reason or "").startswith("unknown key")
    the_node_goes_on(house, since)


def test_what_nobody_signed_is_no_command_and_gets_no_answer(house: House) -> None:
    payload = json.dumps(a_command(house, ANNOUNCE).model_dump(mode="json", by_alias=True)).encode()
    encoded = base64.b64encode(payload).decode()
    officer = key_of(house, "officer").public_key.keyid
    unsigned: list[Any] = [
        json.loads(payload),
        {"payload": encoded, "payloadType": PAYLOAD_TYPE},
        {"payload": encoded, "payloadType": PAYLOAD_TYPE, "signatures": []},
        {"payload": encoded, "payloadType": PAYLOAD_TYPE, "signatures": [{"keyid": officer}]},
        {"payload": encoded, "payloadType": PAYLOAD_TYPE, "signatures": {"keyid": officer, "sig": ""}},
        json.loads(sealed(payload, key_of(house, "officer"), "application/vnd.loa.joke+json")),
    ]
    since, receipts = time.monotonic(), len(house.wire.documents(f"node/{house.id}/receipt"))
    logged = [r for r in house.records(kind="command") if "malformed" in (r.get("reason") or "")]
    for document in unsigned:
        send(house, json.dumps(document).encode())
    wait_until(is_logged(house, "malformed", len(logged) + len(unsigned)), 10, "each is in the log")
    assert len(house.wire.documents(f"node/{house.id}/receipt")) == receipts
    the_node_goes_on(house, since)


NONSENSE: dict[str, dict[str, Any]] = {
    "no action": {"do": None},
    "an action that is a list": {"do": [ANNOUNCE]},
    "a shell": {"do": {"type": "run", "shell": "rm -rf /"}},
    "no type": {"do": {"items": []}},
    "nothing to play": {"do": {"type": "announce", "items": []}},
    "a hundred and one items": {"do": {"type": "announce", "items": [media("long")] * 101}},
    "an item of no kind": {"do": {"type": "announce", "items": [{"file": "/etc/passwd"}]}},
    "a path out of the feed": {"do": {"type": "announce", "items": [{"media": "media/../../../etc/passwd"}]}},
    "a path of the machine": {"do": {"type": "announce", "items": [{"media": "/etc/passwd"}]}},
    "more words than a node speaks": {"do": {"type": "announce", "items": [speech("a" * 20_001)]}},
    "a class of its own": {"do": {**ANNOUNCE, "class": "urgent"}},
    "a volume that bursts horns": {"do": {**ANNOUNCE, "volume_db": 99}},
    "a volume that is no number": {"do": {"type": "volume", "volume_db": "NaN"}},
    "a file as a stream": {"do": {"type": "live", "stream": "file:///etc/passwd"}},
    "a stream with a space": {"do": {"type": "live", "stream": "http://x/ --sout=#std"}},
    "a lease for ever": {"do": {"type": "live", "stream": "http://x/", "lease_s": 1e9}},
    "a mute until a wall time": {"do": {"type": "mute", "until": "2027-01-01T00:00:00"}},
    "a mute until nonsense": {"do": {"type": "mute", "until": "tomorrow"}},
    "a picture of a million pixels": {"do": {"type": "screenshot", "width": 1_000_000}},
    "addressed to nobody": {"to": []},
    "addressed to a topic": {"to": ["node/#"]},
    "an expiry without offset": {"expires": "2099-01-01T00:00:00"},
    "an expiry beyond time": {"expires": "99999-01-01T00:00:00Z"},
    "no issue": {"issued": None},
    "a feed that is a path": {"feed": "../commune"},
}


def test_nonsense_is_malformed_whoever_signs_it(house: House) -> None:
    since = time.monotonic()
    officer = key_of(house, "officer")
    sent: dict[str, Command] = {}
    for name, changes in NONSENSE.items():
        good = a_command(house, ANNOUNCE)
        document = json.loads(good.model_dump_json(by_alias=True)) | changes
        send(house, sealed(json.dumps(document).encode(), officer))
        sent[name] = good
    for name, command in sent.items():
        refused = house.centre.wait_for_receipt(command, "refused")
        assert (refused.reason or "").startswith("malformed"), name
    ids = {command.id for command in sent.values()}
    wait_until(
        lambda: ids <= {r.get("command") for r in house.records(kind="command")}, 10, "each is in the log"
    )
    the_node_goes_on(house, since)


def test_bytes_that_are_no_document_are_malformed_whoever_signs_them(house: House) -> None:
    since = time.monotonic()
    officer = key_of(house, "officer")
    logged = [r for r in house.records(kind="command") if "malformed" in (r.get("reason") or "")]
    odd = (b"", b"null", b"[]", b"\xff\xfe", b'{"id": "x"', b"[" * 60_000, b'{"id": "a/b#"}', b'{"id": 7}')
    for payload in odd:
        send(house, sealed(payload, officer))
    wait_until(is_logged(house, "malformed", len(logged) + len(odd)), 10, "each is in the log")
    the_node_goes_on(house, since)


def test_a_megabyte_to_speak_is_not_spoken(house: House) -> None:
    since = time.monotonic()
    officer = key_of(house, "officer")
    command = a_command(house, ANNOUNCE)
    document = json.loads(command.model_dump_json(by_alias=True))
    # the larger one is more than the node lets its broker hand over at all
    for letters in (1_000_000, 150_000):
        document["do"] = {"type": "announce", "items": [speech("a " * (letters // 2))]}
        send(house, sealed(json.dumps(document).encode(), officer))
    refused = house.centre.wait_for_receipt(command, "refused")
    assert (refused.reason or "").startswith("malformed")
    wait_until(is_logged(house, "malformed", command=command.id), 10, "it is in the log")
    the_node_goes_on(house, since)


def test_a_command_that_waited_at_the_broker_until_it_expired_is_not_obeyed(house: House) -> None:
    """The node is away, the command waits in its session, and comes too late."""
    command = compose(
        ANNOUNCE,
        feed=FEED,
        to=[f"node:{house.id}"],
        now=datetime.now(UTC) - timedelta(seconds=299),
    )
    house.node.stop()
    send(house, seal(command, key_of(house, "officer")))
    wait_until(lambda: datetime.now(UTC) > command.expires, 5, "it has expired")
    since = time.monotonic()
    house.node.start()
    refused = house.centre.wait_for_receipt(command, "refused")
    assert (refused.reason or "").startswith("expired")
    wait_until(lambda: house.feed()["state"] == "current", 15, "the node follows its feed")
    the_node_goes_on(house, since)
