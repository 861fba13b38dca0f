"""Alerts in force: what they say through the loudspeakers, what they put on the screen, and when they end."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import ValidationError

from agent.clock import Clock
from agent.conductor.ledger import Ledger
from agent.conductor.memory import Memory
from agent.conductor.performance import Performance
from agent.conductor.rules import Rules
from agent.conductor.sounds import Sounds
from agent.conductor.stage import Stage
from agent.conductor.tellings import Origin, Tellings, class_of, id_of, urgency
from agent.conductor.voice import Told, Voice
from agent.screen.alertwords import takeover_of
from playlists.alert import (
    Alert,
    AlertBook,
    Began,
    Effect,
    Ended,
    Ignored,
    Place,
    Replaced,
    Status,
    meant_for,
    read_alert,
)
from playlists.units import Level, MonotonicS, Seconds

log = logging.getLogger("loa.alarms")

KEY = "alerts"
ORIGINS_KEY = "alerts-sources"

EXPIRED = "expired"
NEVER = datetime.max.replace(tzinfo=UTC)
NOBODY = Origin(None, None, Level(0))


class Alarms:
    """Keeps the book of alerts. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        voice: Voice,
        sounds: Sounds,
        stage: Stage,
        ledger: Ledger,
        rules: Rules,
        memory: Memory,
        *,
        languages: tuple[str, ...],
        place: Place,
        repeat_s: Seconds,
    ) -> None:
        """`place` is where the node stands; an alert is told each `repeat_s`, 0 for once."""
        self._clock = clock
        self._stage = stage
        self._ledger = ledger
        self._memory = memory
        self._languages = languages
        self._place = place
        self._origins = self._load_origins()
        self._tellings = Tellings(clock, voice, sounds, rules, memory, languages, repeat_s, self._remark)
        self.book = self._load()
        self._keep()
        self._next_change: datetime | None = None
        """When a block of those in force ends by itself; None before it was looked at."""

    def receive(self, cap: str | bytes, origin: Origin) -> str | None:
        """Take in a verified CAP document; returns why nothing of it is told, None if something is.

        Raises:
            Rejected: it is no CAP 1.2 alert.
        """
        alert = read_alert(cap).model_copy(update={"level": origin.level})
        if alert.remarks:
            self._remark(alert, f"left out: {'; '.join(alert.remarks)[:1_000]}", origin)
        self.book, effects = self.book.apply(meant_for(alert, self._place), self._clock.judged)
        silent = None
        self._tellings.refused.clear()
        for effect in effects:
            silent = self._carry_out(effect, origin) or silent
        self._keep()
        self._tellings.turn(self._in_force())
        self._show()
        return silent or self._tellings.refused.get(id_of(alert))

    def turn(self) -> MonotonicS | None:
        """End what has expired, tell what is to be told again; returns when to ask again at the latest."""
        if self._next_change is None or self._next_change <= self._clock.judged:
            self.book, effects = self.book.expire(self._clock.judged)
            for effect in effects:
                self._carry_out(effect, NOBODY)
            if effects:
                self._keep()
            self._show()
        wakes = [self._tellings.turn(self._in_force())]
        if self._next_change not in (None, NEVER):
            in_s = (self._next_change - self._clock.judged).total_seconds()
            wakes.append(MonotonicS(self._clock.monotonic() + in_s))
        return min((wake for wake in wakes if wake is not None), default=None)

    def over(self, p: Performance, told: Told) -> None:
        """A telling has ended."""
        if p.id in self._in_force():
            self._tellings.over(p, told)

    @property
    def in_force(self) -> frozenset[str]:
        """Ids of the alerts that hold now."""
        return frozenset(self._in_force())

    def named(self, name: str) -> dict[str, Level]:
        """Alerts in force of this identifier, or that this command brought: their ids here, and levels."""
        return {
            id_: alert.level
            for id_, (alert, origin) in self._in_force().items()
            if name in (id_, alert.identifier, origin.command)
        }

    def hush(self, id_: str, by: str) -> None:
        """An alert in force is not told again; the screen goes on showing it."""
        self._tellings.hush(id_)
        self._remark(self._in_force()[id_][0], f"silenced by {by}: shown until it ends, not told again")

    def _carry_out(self, effect: Effect, origin: Origin) -> str | None:
        match effect:
            case Began(alert):
                self._origins[id_of(alert)] = origin
                self._remark(alert, "in force", origin)
            case Replaced(alert, ended):
                self._end(ended, f"updated by {alert.identifier}")
                self._origins[id_of(alert)] = origin
                self._remark(alert, "in force, as an update", origin)
            case Ended(ended, reason, by):
                self._end(ended, reason)
                for alert in ended:
                    self._remark(alert, reason, origin if reason != EXPIRED else NOBODY)
                if by is not None:
                    self._tellings.all_clear(ended, by, origin)
            case Ignored(alert, reason):
                self._remark(alert, f"not told: {reason}", origin)
                return reason
        return None

    def _end(self, ended: Iterable[Alert], reason: str) -> None:
        for alert in ended:
            self._tellings.silence(alert, reason)
            self._origins.pop(id_of(alert), None)

    def _in_force(self) -> dict[str, tuple[Alert, Origin]]:
        return {id_of(a): (a, self._origins.get(id_of(a), NOBODY)) for a in self.book.in_force}

    def _show(self) -> None:
        # an exercise must never hide what is meant in earnest
        now = self._clock.judged
        left = [alert.at(now) for alert in self.book.in_force]
        told = (alert for alert in left if alert.infos)
        # of one second, the one that its sender numbered last
        shown = max(told, key=lambda a: (urgency(a), a.sent, a.identifier), default=None)
        self._stage.take_over(takeover_of(shown, self._languages) if shown is not None else None)
        self._next_change = self.book.next_expiry(now) or NEVER

    def _remark(self, alert: Alert, text: str, origin: Origin | None = None) -> None:
        log.info("alert %s: %s", alert.identifier, text)
        if origin is None:
            origin = self._origins.get(id_of(alert), NOBODY)
        exercise = " (exercise)" if alert.status is Status.EXERCISE else ""
        self._ledger.remark(
            text + exercise,
            kind="alert",
            alert=alert.identifier,
            command=origin.command,
            feed=origin.feed,
            title=alert.headline(self._languages) or None,
            **{"class": class_of(alert).value},
        )

    # ---- kept over a restart

    def _keep(self) -> None:
        self._memory.put(KEY, self.book.model_dump(mode="json"))
        in_force = self._in_force()
        self._origins = {name: origin for name, origin in self._origins.items() if name in in_force}
        self._memory.put(ORIGINS_KEY, {name: list(origin) for name, origin in self._origins.items()})
        self._tellings.keep(in_force)

    def _load(self) -> AlertBook:
        stored = self._memory.get(KEY)
        try:
            return AlertBook.model_validate(stored) if stored else AlertBook()
        except ValidationError as error:
            log.warning("kept alerts are unreadable and are dropped: %s", error)
            return AlertBook()

    def _load_origins(self) -> dict[str, Origin]:
        stored = self._memory.get(ORIGINS_KEY) or {}
        try:
            return {name: Origin(*origin) for name, origin in stored.items()}
        except (AttributeError, TypeError) as error:
            log.warning("who sent the alerts in force is unreadable: %s", error)
            return {}
