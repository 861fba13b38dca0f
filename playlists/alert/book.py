"""Which alerts are in force. Immutable: each step returns the next book and what changed.

Rules: an Alert comes into force; an Update does and ends those it names; a Cancel only ends those it names.
A message that was seen, or that was named before it came (the network turned them round), does not come into
force, yet what it names ends: the order of arrival does not matter. A message ends only those of its own
status, so that an exercise never ends an alert meant in earnest. Nothing outlives its `expires`.
`effective` and `onset` do not delay: whoever signs an alert wants it told when it arrives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime

from playlists.alert.message import Alert, Kind, Reference, Status
from playlists.models.base import Model

MAX_IN_FORCE = 64
MAX_REMEMBERED = 1_000
REMEMBERED_FOR = timedelta(days=30)
"""How long a seen or foretold message is remembered; one that is in force, as long as it is."""


@dataclass(frozen=True, slots=True)
class Began:
    """An alert came into force."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class Replaced:
    """An Update came into force in place of others, which are no longer."""

    alert: Alert
    ended: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """Alerts are no longer in force. `by`: the Cancel that ended them, whose words may be told."""

    ended: tuple[Alert, ...]
    reason: str
    by: Alert | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message put nothing in force and ended nothing."""

    alert: Alert
    reason: str


Effect = Began | Replaced | Ended | Ignored


class Remembered(Model):
    """A message that must not come into force (again)."""

    reference: Reference
    status: Status
    until: AwareDatetime


class AlertBook(Model):
    """The alerts in force, oldest first, and those that must not come (again).

    As JSON (`model_dump_json`) it survives a restart.
    """

    in_force: tuple[Alert, ...] = ()
    remembered: tuple[Remembered, ...] = ()

    def apply(self, alert: Alert, now: datetime) -> tuple[AlertBook, tuple[Effect, ...]]:
        """Take in a message; what has expired by `now` ends first."""
        book, effects = self.expire(now)
        book, effect = book._take(alert, now.astimezone(UTC))
        return book, (*effects, effect)

    def expire(self, now: datetime) -> tuple[AlertBook, tuple[Effect, ...]]:
        """End what has expired by `now`."""
        over = tuple(alert for alert in self.in_force if alert.expires <= now)
        book = AlertBook(
            in_force=tuple(alert for alert in self.in_force if alert.expires > now),
            remembered=tuple(one for one in self.remembered if one.until > now),
        )
        return book, ((Ended(over, "expired"),) if over else ())

    def next_expiry(self) -> datetime | None:
        """The moment (UTC) at which the next of those in force ends by itself."""
        return min((alert.expires for alert in self.in_force), default=None)

    def _take(self, alert: Alert, now: datetime) -> tuple[AlertBook, Effect]:
        if alert.not_public_because is not None:
            return self, Ignored(alert, alert.not_public_because)
        # what a late or repeated message names is over too: the order of arrival must not matter
        named = {reference.key for reference in alert.references}
        ended = tuple(
            one for one in self.in_force if one.status is alert.status and one.reference.key in named
        )
        in_force = tuple(one for one in self.in_force if one not in ended)
        reason = self._stays_out(alert, now)
        if reason is None:
            in_force, crowded_out = _with(in_force, alert)
            ended += crowded_out
        book = AlertBook(in_force=in_force, remembered=self._remembering(alert, now))
        if reason is None:
            return book, Replaced(alert, ended) if ended else Began(alert)
        if not ended:
            return book, Ignored(alert, reason)
        return book, Ended(ended, reason, by=alert if alert.kind is Kind.CANCEL else None)

    def _stays_out(self, alert: Alert, now: datetime) -> str | None:
        """Why a message does not itself come into force."""
        if alert.kind is Kind.CANCEL:
            return f"cancelled by {alert.identifier}"
        known = {(one.reference.key, one.status) for one in self.remembered}
        known |= {(one.reference.key, one.status) for one in self.in_force}
        if (alert.reference.key, alert.status) in known:
            return f"{alert.identifier} was seen before, or ended by a message that came first"
        if alert.expires <= now:
            return f"{alert.identifier} expired at {alert.expires.isoformat()}"
        return None

    def _remembering(self, alert: Alert, now: datetime) -> tuple[Remembered, ...]:
        until = now + REMEMBERED_FOR
        fresh = {
            (reference.key, alert.status): Remembered(reference=reference, status=alert.status, until=until)
            for reference in (*alert.references, alert.reference)
        }
        old = (one for one in self.remembered if (one.reference.key, one.status) not in fresh)
        return (*old, *fresh.values())[-MAX_REMEMBERED:]


def _with(in_force: tuple[Alert, ...], alert: Alert) -> tuple[tuple[Alert, ...], tuple[Alert, ...]]:
    """Add an alert; beyond the bound, the one that ends soonest makes room and is the second value."""
    crowded_out = sorted(in_force, key=lambda one: one.expires)[: max(0, len(in_force) + 1 - MAX_IN_FORCE)]
    kept = (*(one for one in in_force if one not in crowded_out), alert)
    return tuple(sorted(kept, key=lambda one: (one.sent, one.identifier))), tuple(crowded_out)
