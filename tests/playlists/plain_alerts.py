"""Which alerts are in force, said in one sentence: those told, not run out, that no other told one names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from playlists.alert import Alert


def in_force(received: Iterable[Alert], now: datetime) -> set[str]:
    """Identifiers of the alerts in force, whatever the order in which `received` came."""
    told = [
        m for m in received if m.status in ("Actual", "Exercise") and m.kind in ("Alert", "Update", "Cancel")
    ]
    return {
        one.identifier
        for one in told
        if one.kind != "Cancel"
        and one.expires > now
        and not any(
            one.identifier == r.identifier for m in told if m.status == one.status for r in m.references
        )
    }
