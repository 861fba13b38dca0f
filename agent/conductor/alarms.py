"""Alerts in force: what they say through the loudspeakers, what they put on the screen, and when they end."""

from __future__ import annotations

import logging
from typing import NamedTuple

from pydantic import ValidationError

from agent.clock import Clock
from agent.conductor.ledger import Ledger
from agent.conductor.memory import Memory
from agent.conductor.performance import Performance, ToneItem
from agent.conductor.stage import Stage
from agent.conductor.voice import Voice
from agent.screen.protocol import Status as ScreenStatus
from agent.screen.protocol import Takeover, Words
from playlists.alert import Alert, AlertBook, Began, Effect, Ended, Ignored, Replaced, Status, read_alert
from playlists.arbiter import Rank, Source
from playlists.models.base import BulletinClass
from playlists.models.items import Speech, SpeechItem
from playlists.units import Level, MonotonicS

log = logging.getLogger("loa.alarms")

KEY = "alerts"
SPOKEN_KEY = "alerts-spoken"
SOURCES_KEY = "alerts-sources"


EXPIRED = "expired"


class Origin(NamedTuple):
    """Where an alert came from."""

    command: str | None
    feed: str | None
    level: Level


NOBODY = Origin(None, None, Level(0))


class Alarms:
    """Keeps the book of alerts. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        voice: Voice,
        stage: Stage,
        ledger: Ledger,
        memory: Memory,
        languages: tuple[str, ...],
    ) -> None:
        self._clock = clock
        self._voice = voice
        self._stage = stage
        self._ledger = ledger
        self._memory = memory
        self._languages = languages
        self.book = self._load()
        self._sources: dict[str, Origin] = self._load_sources()

    def receive(self, cap: str, command: str | None, feed: str | None, level: Level) -> str | None:
        """Take in a CAP document; returns why it changes nothing, None if it does.

        Raises:
            Rejected: it is no CAP 1.2 alert.
        """
        alert = read_alert(cap.encode())
        origin = Origin(command, feed, level)
        self.book, effects = self.book.apply(alert, self._clock.now())
        silent = None
        for effect in effects:
            silent = self._carry_out(effect, origin) or silent
        self._keep()
        self._show()
        return silent

    def turn(self) -> MonotonicS | None:
        """End what has expired; returns when the next one does."""
        now = self._clock.now()
        expiry = self.book.next_expiry()
        if expiry is not None and expiry <= now:
            self.book, effects = self.book.expire(now)
            self._keep()
            for effect in effects:
                self._carry_out(effect, NOBODY)
            self._show()
            expiry = self.book.next_expiry()
        if expiry is None:
            return None
        return MonotonicS(self._clock.monotonic() + (expiry - now).total_seconds())

    def restore(self) -> None:
        """After a start: the screen shows what is in force; what was not spoken to its end is repeated."""
        spoken = self._spoken()
        for alert in self.book.in_force:
            if _id(alert) not in spoken:
                self._speak(alert, self._sources.get(_id(alert), NOBODY), tone=True)
        self._show()

    def spoken(self, p: Performance) -> None:
        """An alert has been spoken, or was ended by somebody: a restart does not repeat it."""
        self._memory.put(SPOKEN_KEY, [*self._spoken(), p.id][-100:])

    def _carry_out(self, effect: Effect, origin: Origin) -> str | None:
        match effect:
            case Began(alert):
                self._sources[_id(alert)] = origin
                self._speak(alert, origin, tone=True)
                self._remark(alert, "in force", origin)
            case Replaced(alert, ended):
                self._sources[_id(alert)] = origin
                self._silence(ended, f"updated by {alert.identifier}")
                self._speak(alert, origin, tone=True)
                self._remark(alert, "in force, as an update", origin)
            case Ended(ended, reason, by):
                self._silence(ended, reason)
                for alert in ended:
                    self._remark(alert, reason, origin if reason != EXPIRED else NOBODY)
                if by is not None and ended and by.infos:
                    self._speak(by, origin, tone=False)
            case Ignored(alert, reason):
                self._remark(alert, f"not told: {reason}", origin)
                return reason
        return None

    def _speak(self, alert: Alert, origin: Origin, *, tone: bool) -> None:
        now = self._clock.now()
        words = [
            SpeechItem(speech=Speech(text=text, language=language))
            for text, language in alert.spoken(self._languages)
        ]
        if not words:
            return
        self._voice.add(
            Performance(
                id=_id(alert),
                origin="alert",
                class_=BulletinClass.EMERGENCY,
                rank=Rank(
                    BulletinClass.EMERGENCY, Source.LIVE, _urgency(alert), origin.level, now, _id(alert)
                ),
                planned=now,
                items=[*([ToneItem("alarm")] if tone else []), *words],
                title=alert.headline(self._languages),
                language=words[0].speech.language,
                on_conflict="preempt",
                feed=origin.feed,
                command=origin.command,
                alert=alert.identifier,
            )
        )

    def _silence(self, ended: tuple[Alert, ...], reason: str) -> None:
        for alert in ended:
            p = self._voice.performances.get(_id(alert))
            if p is not None:
                self._voice.withdraw(p, reason)

    def _show(self) -> None:
        # an exercise must never hide what is meant in earnest
        shown = sorted((a for a in self.book.in_force if a.infos), key=lambda a: (_urgency(a), a.sent))
        self._stage.take_over(self._takeover(shown[-1]) if shown else None)

    def _takeover(self, alert: Alert) -> Takeover:
        status: ScreenStatus = "Exercise" if alert.status is Status.EXERCISE else "Actual"
        first, *more = (
            Words(
                language,
                info.event,
                info.headline,
                "\n".join(part for part in (info.description, info.instruction) if part),
            )
            for info, language in alert.blocks(self._languages)
        )
        return Takeover(
            alert.identifier,
            "emergency",
            first.event,
            first.headline,
            first.text,
            status,
            first.language,
            tuple(more),
        )

    def _remark(self, alert: Alert, text: str, origin: Origin) -> None:
        log.info("alert %s: %s", alert.identifier, text)
        exercise = " (exercise)" if alert.status is Status.EXERCISE else ""
        title = alert.headline(self._languages) if alert.infos else None
        self._ledger.remark(
            text + exercise,
            kind="alert",
            alert=alert.identifier,
            command=origin.command,
            feed=origin.feed,
            title=title,
            **{"class": "emergency"},
        )

    # ---- kept over a restart

    def _keep(self) -> None:
        self._memory.put(KEY, self.book.model_dump(mode="json"))
        in_force = {_id(alert) for alert in self.book.in_force}
        self._sources = {name: origin for name, origin in self._sources.items() if name in in_force}
        self._memory.put(SOURCES_KEY, {name: list(origin) for name, origin in self._sources.items()})

    def _spoken(self) -> list[str]:
        return self._memory.get(SPOKEN_KEY) or []

    def _load(self) -> AlertBook:
        stored = self._memory.get(KEY)
        try:
            return AlertBook.model_validate(stored) if stored else AlertBook()
        except ValidationError as error:
            log.warning("kept alerts are unreadable and are dropped: %s", error)
            return AlertBook()

    def _load_sources(self) -> dict[str, Origin]:
        stored = self._memory.get(SOURCES_KEY) or {}
        try:
            return {name: Origin(*origin) for name, origin in stored.items()}
        except (AttributeError, TypeError) as error:
            log.warning("who sent the alerts in force is unreadable: %s", error)
            return {}


def _id(alert: Alert) -> str:
    """The performance's id: an identifier of CAP may hold anything but spaces."""
    return f"alert/{alert.sender}/{alert.identifier}"


def _urgency(alert: Alert) -> int:
    """What is meant in earnest comes before an exercise, heard and seen."""
    return 1 if alert.status is Status.ACTUAL else 0
