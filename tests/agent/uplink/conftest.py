"""An operator, a commander who seals for any feed, and a gate that trusts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from securesystemslib.signer import CryptoSigner

from agent.clock import FakeClock
from agent.journal import Journal
from agent.station.commands import seal
from agent.uplink import Gate
from playlists.models.base import BulletinClass
from playlists.models.command import Command
from playlists.models.operators import Operators

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
ALL = ("announce", "live", "alert", "control", "maintain")
SPEECH = {"type": "announce", "items": [{"speech": {"text": "Kính thưa bà con", "language": "vi"}}]}


def operators(*listed: tuple[CryptoSigner, dict]) -> Operators:
    """A list of operators as a feed publishes it."""
    entries = []
    for signer, changes in listed:
        key = signer.public_key
        entry = {
            "keyid": key.keyid,
            "name": "Chị Lan",
            "key": key.to_dict(),
            "actions": ALL,
            "expires": NOW + timedelta(days=365),
        }
        entries.append(entry | changes)
    return Operators.model_validate({"format": "loa.operators/1", "operators": entries})


def command(number: int = 1, do: dict | None = None, **changes: object) -> Command:
    """A command that is good at NOW."""
    document = {
        "id": f"c{number}",
        "feed": "commune",
        "issued": NOW - timedelta(seconds=1),
        "expires": NOW + timedelta(minutes=5),
        "to": ["*"],
        "do": do or SPEECH,
    }
    return Command.model_validate(document | changes)


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
