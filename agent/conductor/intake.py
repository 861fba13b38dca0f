"""Alerts that a source of the node's own brought, beside those that come by command."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.alerts.events import AlertFetched, DocumentRefused, SourceTroubled, SourceWell
from agent.conductor.alarms import Alarms
from agent.conductor.ledger import Ledger
from agent.conductor.tellings import Origin
from agent.faults import Faults
from playlists.errors import Rejected

log = logging.getLogger("loa.alerts")


class Intake:
    """Hands verified documents to the alarms, and says how the sources are. On the conductor's thread only."""

    def __init__(self, alarms: Alarms, ledger: Ledger, faults: Faults) -> None:
        self._alarms = alarms
        self._ledger = ledger
        self._faults = faults

    def handlers(self) -> dict[type, Callable[..., None]]:
        """Which event goes where."""
        return {
            AlertFetched: self._take,
            DocumentRefused: lambda e: self._refuse(e.source, e.reason),
            SourceTroubled: lambda e: self._faults.raise_(
                _code(e.source), f"alert source {e.source}: {e.reason}"
            ),
            SourceWell: lambda e: self._faults.clear(_code(e.source)),
        }

    def _take(self, event: AlertFetched) -> None:
        try:
            self._alarms.receive(event.document, Origin(None, origin_of(event.source), event.level))
        except Rejected as error:
            self._refuse(event.source, f"malformed: {error}")
        event.taken()

    def _refuse(self, source: str, reason: str) -> None:
        log.warning("alert source %s: refused: %s", source, reason)
        self._ledger.remark(f"refused: {reason}"[:1_000], kind="alert", feed=origin_of(source))


def origin_of(source: str) -> str:
    """How the log names a source: no feed can have a name with a colon."""
    return f"source:{source}"


def _code(source: str) -> str:
    return f"alert-source:{source}"
