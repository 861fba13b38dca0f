"""The MQTT session: TLS, passwords, servers that are none, goodbyes."""

from __future__ import annotations

import logging
import socket
import threading
import time
from datetime import UTC, datetime

import pytest

from agent.clock import FakeClock
from agent.config import Broker
from agent.station.collector import Collector
from agent.uplink import (
    LinkUp,
    Technician,
)
from agent.uplink.session import Handlers, NotConnected, Session
from playlists.models.base import ClockState
from playlists.models.command import Receipt
from playlists.models.record import Record
from tests.agent.uplink.stand import Node, paho_leaves_sockets
from tests.support.broker import Mosquitto, make_certificates
from tests.support.wait import wait_until


def test_over_tls_with_client_certificates(tmp_path):
    with Mosquitto(tmp_path / "broker", tls=True) as broker:
        node = Node(tmp_path / "node", broker.settings())
        node.journal.append(Record(kind="play"))
        node.start()
        with Collector(tmp_path / "station.db", broker.settings(), "xa"):
            wait_until(lambda: node.journal.stored_through == 1, 10, "stored over TLS")
        node.stop()


@paho_leaves_sockets
def test_a_broker_with_a_strangers_certificate_is_not_spoken_to(tmp_path, caplog):
    with Mosquitto(tmp_path / "broker", tls=True) as broker:
        make_certificates(tmp_path / "broker")  # the node now trusts another authority than the broker's
        node = Node(tmp_path / "node", broker.settings())
        node.uplink.start()
        wait_until(lambda: "no link to" in caplog.text, 10, "it is refused and said")
        assert not node.uplink.connected
        node.stop()


@paho_leaves_sockets
@pytest.mark.parametrize(("state", "connects"), [(ClockState.UNSET, True), (ClockState.SYNCHRONISED, False)])
def test_certificate_dates_are_ignored_only_while_the_clock_is_unset(tmp_path, caplog, state, connects):
    directory = tmp_path / "broker"
    with Mosquitto(directory, tls=True, extra="") as broker:
        broker.stop()
        make_certificates(directory, days=-1, since_days=3)
        conf = (directory / "mosquitto.conf").read_text().replace("require_certificate true", "")
        conf = conf.replace("use_identity_as_username true", "allow_anonymous true")
        (directory / "mosquitto.conf").write_text(conf)
        broker.start()
        node = Node(tmp_path / "node", broker.settings(), FakeClock(state=state))
        node.uplink.start()
        if connects:
            node.expect(LinkUp)
        else:
            wait_until(lambda: "no link to" in caplog.text, 10, "expired certificates are refused")
            assert not node.uplink.connected
        node.stop()


def test_a_wrong_password_is_said_once_and_tried_on(broker, tmp_path, caplog):
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    node = Node(tmp_path / "node", broker.settings(password_file=wrong))
    node.uplink.start()
    wait_until(lambda: "the broker refuses" in caplog.text, 10, "refused")
    node.stop()


def test_settings_that_cannot_work_are_for_the_technician(broker, tmp_path):
    with pytest.raises(Technician, match="password_file"):
        Node(tmp_path / "a", broker.settings(password_file=tmp_path / "none"))
    with pytest.raises(Technician, match="cert"):
        Node(tmp_path / "b", broker.settings(tls=True, cert=tmp_path / "none"))


def test_a_server_that_speaks_garbage_only_costs_a_new_connection():
    server = socket.create_server(("127.0.0.1", 0))
    connections: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                connections.append(peer.recv(4_096))
                peer.sendall(b"\x20\x03\x00\x00\x00")  # CONNACK: welcome
                peer.sendall(b"\x30\x05\xff\xff\xff\xff\xff\x40\x01\x01\xf0\x00\x32\x01\x00")

    threading.Thread(target=serve, daemon=True).start()
    broker = Broker(host="127.0.0.1", port=server.getsockname()[1], tls=False)
    session = Session(
        broker, "x", ["a"], Handlers(message=lambda m: None, up=lambda: None, down=lambda w: None)
    )
    session.start()
    wait_until(lambda: len(connections) >= 3, 15, "it connects again after garbage")
    session.stop()
    server.close()


def test_while_the_link_is_down_nothing_is_handed_over(broker):
    session = Session(
        broker.settings(), "x", [], Handlers(message=lambda m: None, up=lambda: None, down=lambda w: None)
    )
    with pytest.raises(NotConnected):
        session.publish("a", b"b")


def test_a_receipt_given_just_before_the_stop_is_kept(broker, tmp_path):
    broker.stop()
    node = Node(tmp_path / "node", broker.settings())
    node.uplink.start()
    node.uplink.receipt(Receipt(command="last", state="finished", at=datetime.now(UTC)))
    node.uplink.stop(1.0)
    assert [r.command for _, r in node.journal.receipts(0, 9)] == ["last"]
    node.journal.close()


def test_stopping_without_a_broker_takes_no_longer_than_allowed(broker, tmp_path):
    broker.stop()
    node = Node(tmp_path / "node", broker.settings())
    node.uplink.start()
    began = time.monotonic()
    node.uplink.stop(1.0)
    assert time.monotonic() - began < 2.5
    node.journal.close()


def test_who_hangs_up_is_not_warned_of_it(broker, caplog):
    downs: list[str] = []
    session = Session(
        broker.settings(), "x", [], Handlers(message=lambda m: None, up=lambda: None, down=downs.append)
    )
    session.start()
    wait_until(lambda: session.connected, 10, "it is connected")
    session.interrupt()
    wait_until(lambda: "is down" in caplog.text, 10, "a link that breaks is warned of")
    wait_until(lambda: session.connected, 10, "it is connected again")
    caplog.clear()
    session.stop()
    wait_until(lambda: len(downs) == 2, 5, "both ends were told")
    assert [r.message for r in caplog.records if r.levelno >= logging.WARNING] == []
