"""A node's uplink and a centre's collector over a real mosquitto."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from securesystemslib.signer import CryptoSigner

from agent.station.collector import Collector
from agent.station.commands import seal
from agent.uplink import (
    CommandRefused,
    CommandVerified,
    FeedHint,
    LinkDown,
    LinkUp,
    TooBig,
)
from playlists.models.command import Receipt
from playlists.models.health import Health, Status
from playlists.models.record import Record
from tests.agent.uplink.makers import command
from tests.agent.uplink.stand import Node, Tap, health, stored_seqs
from tests.support.wait import wait_until


def test_a_verified_command_is_posted_and_answered(node, tap):
    node.start()
    began = time.monotonic()
    tap.publish("node/pole-07/command", node.envelope())
    event = node.expect(CommandVerified)
    assert time.monotonic() - began < 2
    assert event.command.id == "c1"
    receipts = wait_until(lambda: (r := tap.payloads("receipt"), len(r) == 2)[1] and r, 5, "two receipts")
    states = [Receipt.model_validate_json(r).state for r in receipts]
    assert states == ["received", "verified"]
    wait_until(lambda: not node.journal.receipts(0, 9), 5, "the outbox is empty again")


def test_commands_reach_a_node_by_its_name_its_group_and_all(node, tap):
    node.start()
    for number, topic in enumerate(("node/pole-07", "group/hamlet-3", "all"), 1):
        tap.publish(f"{topic}/command", node.envelope(number))
        assert node.expect(CommandVerified).command.id == f"c{number}"


def test_a_refused_command_is_answered_logged_and_posted(node, tap, centre):
    node.start()
    tap.publish("all/command", node.envelope(to=["node:pole-08"]))
    event = node.expect(CommandRefused)
    assert (event.reason, event.command_id) == ("not addressed", "c1")
    receipts = wait_until(lambda: centre.archive.receipts("c1"), 5, "the centre has the receipt")
    assert receipts[0]["state"] == "refused" and receipts[0]["reason"].startswith("not addressed")
    record = wait_until(centre.archive.records, 5, "the centre has the log record")[0]
    assert (record["kind"], record["command"]) == ("command", "c1")


def test_strangers_cannot_make_a_node_talk_much(node, tap):
    node.start()
    stranger = CryptoSigner.generate_ed25519()
    for number in range(200):
        tap.publish("all/command", seal(command(number), stranger))
    tap.publish("all/command", node.envelope(999))
    node.expect(CommandVerified)
    wait_until(lambda: any(b"c999" in r for r in tap.payloads("receipt")), 5, "the operator is answered")
    assert len([r for r in tap.payloads("receipt") if b"refused" in r]) <= 10
    assert node.journal.last <= 10


def test_a_hint_is_posted_only_for_feeds_that_are_followed(node, tap):
    node.start()
    tap.publish("feed/other", b'{"version":1}')
    for payload in (b"junk", b'{"version":"x"}', b'{"version":43}'):
        tap.publish("feed/commune", payload)
    assert node.expect(FeedHint) == FeedHint("commune", None)
    assert node.expect(FeedHint) == FeedHint("commune", 43)


def test_status_is_retained_and_becomes_offline_by_will_and_by_goodbye(broker, tmp_path, tap):
    node = Node(tmp_path / "node", broker.settings()).start()

    def state() -> dict:
        heard = tap.payloads("status")
        return Status.model_validate_json(heard[-1]).model_dump() if heard else {}

    wait_until(lambda: state().get("state") == "online", 5, "online")
    assert (state()["epoch"], state()["boot"]) == (node.journal.epoch, "b1")
    node.uplink._session.interrupt()
    wait_until(lambda: b"offline" in b"".join(tap.payloads("status")), 5, "the will")
    node.expect(LinkDown)
    wait_until(lambda: state()["state"] == "online", 10, "online again")
    node.stop()
    wait_until(lambda: state()["state"] == "offline", 5, "goodbye")
    late = Tap(broker.settings())
    wait_until(lambda: late.payloads("status"), 5, "retained")
    late.session.stop()


def test_only_the_newest_health_waits_for_the_link(broker, node, tap):
    broker.stop()
    node.uplink.start()
    for number in range(50):
        node.uplink.publish_health(health(number))
    broker.start()
    node.expect(LinkUp, 20)
    heard = wait_until(lambda: tap.payloads("health"), 15, "health")
    assert [Health.model_validate_json(h).readings.uptime_s for h in heard] == [49]
    node.uplink.publish_health(health(50))
    wait_until(lambda: len(tap.payloads("health")) == 2, 5, "and the next at once")


def test_receipts_survive_a_restart_offline_and_go_out_in_order(broker, tmp_path, centre):
    broker.stop()
    node = Node(tmp_path / "node", broker.settings())
    node.uplink.start()
    for number in range(30):
        node.uplink.receipt(Receipt(command=f"c{number:02}", state="finished", at=datetime.now(UTC)))
    wait_until(lambda: len(node.journal.receipts(0, 99)) == 30, 5, "kept in the journal")
    node.stop()
    broker.start()
    node = Node(tmp_path / "node", broker.settings()).start()
    wait_until(lambda: len(centre.archive.receipts()) == 30, 15, "all receipts")
    assert [r["command"] for r in centre.archive.receipts()] == [f"c{n:02}" for n in range(30)]
    node.stop()


def test_the_log_is_drained_acknowledged_and_let_go(node, centre):
    node.journal.append_all(Record(kind="play", programme=f"p{n}") for n in range(1_000))
    node.start()
    wait_until(lambda: node.journal.stored_through == 1_000, 15, "all acknowledged")
    assert stored_seqs(centre) == list(range(1, 1_001))
    assert node.journal.batch(0, 1) is None
    node.journal.append(Record(kind="play", programme="one more"))
    wait_until(lambda: node.journal.stored_through == 1_001, 5, "the next one follows by itself")
    play = centre.archive.records()[0]
    assert play["heard_dbfs"] is None and play["reason"] is None, "a reading that is not there is null"
    assert "shown" not in play


def test_a_centre_away_for_long_gets_all_once_when_it_is_back(broker, node, tmp_path):
    node.journal.append_all(Record(kind="play", programme=f"p{n}") for n in range(2_000))
    node.start()
    time.sleep(0.5)
    assert node.journal.stored_through == 0
    with Collector(tmp_path / "station.db", broker.settings(), "xa") as centre:
        wait_until(lambda: node.journal.stored_through == 2_000, 20, "all acknowledged")
        assert stored_seqs(centre) == list(range(1, 2_001))


def test_cut_links_and_broker_restarts_lose_and_double_nothing(broker, node, centre):
    node.start()
    chance = random.Random(3)
    for round_ in range(6):
        node.journal.append_all(Record(kind="play", programme=f"p{n}") for n in range(400))
        if round_ == 2:
            broker.stop()
            node.journal.append_all(Record(kind="play") for n in range(100))
            broker.start()
        time.sleep(chance.uniform(0, 0.1))
        for session in (node.uplink._session, centre._session):
            if session.connected and chance.random() < 0.7:
                session.interrupt()
    wait_until(lambda: node.journal.stored_through == 2_500, 40, "all acknowledged")
    assert stored_seqs(centre) == list(range(1, 2_501))


def test_a_centre_that_lost_its_database_is_served_from_what_is_left(broker, node, tmp_path):
    node.journal.append_all(Record(kind="play") for _ in range(10))
    node.start()
    with Collector(tmp_path / "first.db", broker.settings(), "xa"):
        wait_until(lambda: node.journal.stored_through == 10, 10, "stored")
    node.journal.append_all(Record(kind="play") for _ in range(5))
    with Collector(tmp_path / "second.db", broker.settings(), "xa") as centre:
        wait_until(lambda: node.journal.stored_through == 15, 15, "the rest is stored")
        assert stored_seqs(centre) == [11, 12, 13, 14, 15]


def test_a_new_epoch_is_told_and_sent_on(broker, node, centre, tmp_path):
    node.journal.append_all(Record(kind="play") for _ in range(10))
    node.start()
    wait_until(lambda: node.journal.stored_through == 10, 10, "stored")
    old = node.journal.epoch
    path = tmp_path / "node" / "journal.db"
    node.journal._medium.read("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    node.journal._medium._db.execute("PRAGMA shrink_memory")
    node.journal.append(Record(kind="play", programme="after"))
    assert node.journal.epoch != old
    wait_until(lambda: node.journal.stored_through == node.journal.last, 10, "the new epoch is stored")
    assert centre.archive.latest("status")["pole-07"]["epoch"] == node.journal.epoch
    assert centre.archive.records()[-1]["epoch"] == node.journal.epoch


def test_garbage_on_every_topic_stops_neither_node_nor_centre(node, tap, centre):
    node.start()
    chance = random.Random(11)
    junk = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\x00\xfe",
        b"[" * 50_000,
        b'{"epoch":1,"through":[]}',
        b'{"epoch":"x","first":1,"last":2,"records":[{"seq":99}]}',
        b'{"epoch":"x","first":1,"last":2,"records":[{"seq":"1"}, 7]}',
        b'{"version":' + b"9" * 5_000 + b"}",
        chance.randbytes(300_000),
    ]
    topics = [
        f"node/pole-07/{what}" for what in ("command", "log/stored", "status", "health", "log", "receipt")
    ]
    topics += ["all/command", "group/hamlet-3/command", "feed/commune", "feed/", "node//log", "node/a/b/log"]
    for topic in topics:
        for payload in junk:
            tap.publish(topic, payload)
    epoch = node.journal.epoch.encode()
    for through in (b"-1", b"99999999999999999999", b"1e400", b"5", b'"2"'):
        tap.publish("node/pole-07/log/stored", b'{"epoch":"' + epoch + b'","through":' + through + b"}")
    tap.publish("node/pole-07/command", node.envelope(5))
    assert node.expect(CommandVerified, 20).command.id == "c5"
    node.journal.append(Record(kind="play", programme="still alive"))
    wait_until(
        lambda: any(r.get("programme") == "still alive" for r in centre.archive.records()), 15, "stored"
    )


def test_a_forged_acknowledgement_lets_no_unsent_record_go(node, tap):
    node.journal.append_all(Record(kind="play") for _ in range(3))
    node.start()
    for payload in (
        b'{"epoch":"other","through":3}',
        b'{"epoch":"%b","through":4}' % node.journal.epoch.encode(),
    ):
        tap.publish("node/pole-07/log/stored", payload)
    tap.publish("all/command", node.envelope())
    node.expect(CommandVerified)
    assert node.journal.stored_through == 0


def test_a_picture_goes_up_with_its_command_and_not_when_it_is_too_big(node, centre):
    node.start()
    with pytest.raises(TooBig, match="256001"):
        node.uplink.picture(bytes(256_001), "c1")
    node.uplink.picture(b"\x89PNG" + bytes(1_000), "c2")
    node.uplink.logs(b"\x1f\x8b", "c3")
    wait_until(lambda: centre.archive.upload("c3"), 5, "both are stored")
    assert centre.archive.upload("c2") == b"\x89PNG" + bytes(1_000)


def test_a_command_that_the_broker_sends_again_after_a_cut_is_no_replay_to_report(node):
    node.start()
    message = SimpleNamespace(topic="loa/1/xa/all/command", payload=node.envelope(), again=False)
    node.uplink._arrived(message)
    node.expect(CommandVerified)
    message.again = True
    node.uplink._arrived(message)
    message.again = False
    node.uplink._arrived(message)
    assert node.expect(CommandRefused).reason == "replayed"
    assert node.events.empty()


def test_the_last_receipt_of_a_command_is_on_the_medium_at_once(node):
    """Whoever is killed now must not leave a command without an end."""
    for state in ("received", "verified", "finished"):
        node.uplink.receipt(Receipt(command="c1", state=state, at=datetime.now(UTC)))
    assert [receipt.state for _, receipt in node.journal.receipts(0, 9)] == [
        "received",
        "verified",
        "finished",
    ]
