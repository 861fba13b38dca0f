"""Which alerts are in force. Immutable: each step returns the next book and what changed.

Rules: an Alert comes into force; an Update does and ends those it names; a Cancel only ends those it names.
A message that was seen, or that was named before it came (the network turned them round), does not come into
force, yet what it names ends: the order of arrival does not matter. A message ends only those of its own
sender and status that nobody of a higher level vouches for: neither a stranger nor an exercise ends an alert meant
in earnest. A message without a block that is meant for this node (`playlists.alert.area`) only ends what it names.
Nothing outlives its `expires`. Where too many are in force, a new one makes room for itself among exercises, if it is
no exercise, and among those of its own status that it stands as high as; where it finds none, it stays out.
`effective` and `onset` do not delay: whoever signs an alert wants it told when it arrives.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime

from playlists.alert.message import Alert, Kind, Reference, Status
from playlists.models.base import Model
from playlists.units import Level

MAX_IN_FORCE = 64
FULL = f"{MAX_IN_FORCE} alerts are in force"
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
        book, taken = book._take(alert, now.astimezone(UTC))
        return book, (*effects, *taken)

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

    def _take(self, alert: Alert, now: datetime) -> tuple[AlertBook, tuple[Effect, ...]]:
        if alert.not_public_because is not None:
            return self, (Ignored(alert, alert.not_public_because),)
        # what a late or repeated message names is over too: the order of arrival must not matter
        named = {reference.key for reference in alert.references if reference.sender == alert.sender}
        ended = tuple(one for one in self.in_force if one.reference.key in named and _may_end(alert, one))
        same = next((one for one in self.in_force if _is_same(one, alert)), None)
        in_force = tuple(one for one in self.in_force if one not in ended)
        reason = self._stays_out(alert, now)
        effects: tuple[Effect, ...] = ()
        is_known = True
        if reason is None and same is not None and same not in ended:
            in_force = tuple(alert if one is same else one for one in in_force)
            if same == alert.model_copy(update={"level": same.level}):
                reason = f"{alert.identifier} is in force already; now one of a higher level vouches for it"
            else:
                ended += (same,)
        elif reason is None and len(in_force) < MAX_IN_FORCE:
            in_force = _with(in_force, alert)
        elif reason is None and (victim := _least(in_force, alert)) is not None:
            in_force = _with((one for one in in_force if one is not victim), alert)
            effects = (Ended((victim,), f"made room for {alert.identifier}: {FULL}"),)
        elif reason is None:
            # not remembered: it may come when there is room
            is_known, reason = False, f"{FULL}, none of which it may end"
        book = AlertBook(in_force=in_force, remembered=self._remembering(alert, now, itself=is_known))
        if reason is None:
            return book, (*effects, Replaced(alert, ended) if ended else Began(alert))
        if not ended:
            return book, (Ignored(alert, self._no_end(alert) or reason),)
        by = alert if alert.kind is Kind.CANCEL or not alert.infos else None
        return book, (Ended(ended, reason, by=by),)

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

    def _remembering(self, alert: Alert, now: datetime, *, itself: bool) -> tuple[Remembered, ...]:
        until = now + REMEMBERED_FOR
        names = [reference for reference in alert.references if reference.sender == alert.sender]
        if itself and (alert.infos or alert.kind is Kind.CANCEL):
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


def _with(in_force: Iterable[Alert], alert: Alert) -> tuple[Alert, ...]:
    return tuple(sorted((*in_force, alert), key=lambda one: (one.sent, one.identifier)))


def _least(in_force: Iterable[Alert], alert: Alert) -> Alert | None:
    """The one that makes room: an exercise first, then of the lowest level, then the one that ends soonest."""
    is_actual = alert.status is Status.ACTUAL
    yielding = (
        one for one in in_force if _may_end(alert, one) or (is_actual and one.status is Status.EXERCISE)
    )
    return min(
        yielding,
        key=lambda one: (one.status is Status.ACTUAL, one.level, one.expires, one.sent),
        default=None,
    )
