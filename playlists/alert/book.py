"""Which alerts are in force. Immutable: each step returns the next book and what changed.

Rules: an Alert comes into force; an Update does and ends those it names; a Cancel only ends those it names.
A message that was seen, or that was named before it came (the network turned them round), does not come into
force, yet what it names ends: the order of arrival does not matter. A message ends only those of its own
sender and status that nobody of a higher level vouches for: neither a stranger nor an exercise ends an alert meant
in earnest. A message without a block that is meant for this node (`playlists.alert.area`) only ends what it names.
Nothing outlives its `expires`.
`effective` and `onset` do not delay: whoever signs an alert wants it told when it arrives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime

from playlists.alert.message import Alert, Kind, Reference, Status
from playlists.models.base import Model
from playlists.units import Level

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
    """Alerts are no longer in force. `by`: the Cancel, or the Update for other places, that ended them."""

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
    level: Level = Level(0)
    """Keeps out what nobody of a higher level vouches for."""


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

    def next_expiry(self, now: datetime) -> datetime | None:
        """The moment (UTC) at which the next block of those in force ends by itself."""
        ends = (alert.ends(info) for alert in self.in_force for info in alert.infos)
        return min((end for end in ends if end > now), default=None)

    def _take(self, alert: Alert, now: datetime) -> tuple[AlertBook, Effect]:
        if alert.not_public_because is not None:
            return self, Ignored(alert, alert.not_public_because)
        # what a late or repeated message names is over too: the order of arrival must not matter
        named = {reference.key for reference in alert.references if reference.sender == alert.sender}
        ended = tuple(one for one in self.in_force if one.reference.key in named and _may_end(alert, one))
        same = next((one for one in self.in_force if _is_same(one, alert)), None)
        in_force = tuple(one for one in self.in_force if one not in ended)
        reason = self._stays_out(alert, now)
        if reason is None and same is not None and same not in ended:
            in_force = tuple(alert if one is same else one for one in in_force)
            if same == alert.model_copy(update={"level": same.level}):
                reason = f"{alert.identifier} is in force already; now one of a higher level vouches for it"
            else:
                ended += (same,)
        elif reason is None:
            in_force, crowded_out = _with(in_force, alert)
            ended += crowded_out
        book = AlertBook(in_force=in_force, remembered=self._remembering(alert, now))
        if reason is None:
            return book, Replaced(alert, ended) if ended else Began(alert)
        if not ended:
            return book, Ignored(alert, self._no_end(alert) or reason)
        return book, Ended(ended, reason, by=alert if alert.kind is Kind.CANCEL or not alert.infos else None)

    def _stays_out(self, alert: Alert, now: datetime) -> str | None:
        """Why a message does not itself come into force."""
        if alert.kind is Kind.CANCEL:
            return f"cancelled by {alert.identifier}"
        if not alert.infos:
            return f"the area of {alert.identifier} leaves this node out"
        known = {(one.reference.key, one.status) for one in self.remembered if one.level >= alert.level}
        known |= {(one.reference.key, one.status) for one in self.in_force if one.level >= alert.level}
        if (alert.reference.key, alert.status) in known:
            return f"{alert.identifier} was seen before, or ended by a message that came first"
        if alert.expires <= now:
            return f"{alert.identifier} expired at {alert.expires.isoformat()}"
        return None

    def _no_end(self, alert: Alert) -> str | None:
        """Why a Cancel ended nothing; None for other messages."""
        if alert.kind is not Kind.CANCEL:
            return None
        if all(reference.sender != alert.sender for reference in alert.references):
            return f"a Cancel of {alert.sender} names only messages of others, which it may not end"
        named = {reference.key for reference in alert.references}
        for one in self.in_force:
            if one.reference.key in named and one.status is not alert.status:
                return (
                    f"{one.identifier} is {one.status}, which a Cancel of status {alert.status} may not end"
                )
            if one.reference.key in named and one.sender == alert.sender:
                return f"{one.identifier} was issued at a higher level than this Cancel, which may not end it"
        return "nothing that it cancels is in force here"

    def _remembering(self, alert: Alert, now: datetime) -> tuple[Remembered, ...]:
        until = now + REMEMBERED_FOR
        names = [reference for reference in alert.references if reference.sender == alert.sender]
        if alert.infos or alert.kind is Kind.CANCEL:
            names.append(alert.reference)  # else: it is taken in when it comes again and the node has moved
        known = {(one.reference.key, one.status): one.level for one in self.remembered}
        fresh = {
            (name.key, alert.status): Remembered(
                reference=name,
                status=alert.status,
                until=until,
                level=max(alert.level, known.get((name.key, alert.status), alert.level)),
            )
            for name in names
        }
        old = (one for one in self.remembered if (one.reference.key, one.status) not in fresh)
        return (*old, *fresh.values())[-MAX_REMEMBERED:]


def _may_end(alert: Alert, other: Alert) -> bool:
    return alert.status is other.status and alert.level >= other.level


def _is_same(one: Alert, other: Alert) -> bool:
    return one.reference.key == other.reference.key and one.status is other.status


def _with(in_force: tuple[Alert, ...], alert: Alert) -> tuple[tuple[Alert, ...], tuple[Alert, ...]]:
    """Add an alert; beyond the bound, the one that ends soonest makes room and is the second value."""
    crowded_out = sorted(in_force, key=lambda one: one.expires)[: max(0, len(in_force) + 1 - MAX_IN_FORCE)]
    kept = (*(one for one in in_force if one not in crowded_out), alert)
    return tuple(sorted(kept, key=lambda one: (one.sent, one.identifier))), tuple(crowded_out)
