"""Makes what the tests of gate and uplink are given: lists of operators, and commands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from securesystemslib.signer import CryptoSigner

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
