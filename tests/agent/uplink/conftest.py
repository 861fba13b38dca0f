"""An operator, a commander who seals for any feed, and a gate that trusts them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from securesystemslib.signer import CryptoSigner

from agent.clock import FakeClock
from agent.journal import Journal
from agent.station.collector import Collector
from agent.station.commands import seal
from agent.uplink import Gate
from playlists.models.base import BulletinClass
from tests.agent.uplink.makers import NOW, operators
from tests.agent.uplink.stand import Node, Tap
from tests.support.broker import Mosquitto
from tests.support.wait import wait_until


@pytest.fixture
def world(tmp_path):
    """`signer` may do all in `commune` (ceiling priority), `province` all in `province` (emergency)."""
    signer, province = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
    clock = FakeClock(NOW)
    journal = Journal.open(tmp_path / "journal", max_mb=50, now=clock.now)
    trust = {
        "commune": (operators((signer, {})), BulletinClass.PRIORITY),
        "province": (operators((province, {})), BulletinClass.EMERGENCY),
    }
    gate = Gate(trust, "pole-07", frozenset({"hamlet-3"}), journal, clock)
    yield SimpleNamespace(
        signer=signer,
        province=province,
        clock=clock,
        journal=journal,
        gate=gate,
        seal=lambda c, by=signer: seal(c, by),
    )
    journal.close()


@pytest.fixture
def broker(tmp_path):
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def tap(broker):
    tap = Tap(broker.settings())
    yield tap
    tap.session.stop()


@pytest.fixture
def node(broker, tmp_path, monkeypatch):
    monkeypatch.setattr("agent.uplink.window.FIRST_PATIENCE_S", 1.0)
    node = Node(tmp_path / "node", broker.settings())
    yield node
    node.stop()


@pytest.fixture
def centre(broker, tmp_path):
    with Collector(tmp_path / "station.db", broker.settings(), "xa") as collector:
        wait_until(lambda: collector.connected, 10, "the collector is connected")
        yield collector
