"""Alerts in force, told through the loudspeakers: first, again, and that they are over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import ValidationError

from agent.clock import Clock
from agent.conductor.leaps import LEAP_S
from agent.conductor.memory import Memory
from agent.conductor.performance import OwnItem, Performance, RecordedItem, SpokenItem, ToneItem
from agent.conductor.rules import Rules
from agent.conductor.sounds import Sounds
from agent.conductor.voice import OVERRUN, Told, Voice
from agent.tones import ALARM, CHIME
from playlists.alert import Alert, Status, Telling, Utterance, next_telling
from playlists.alert.repetition import UNTOLD
from playlists.arbiter import Rank, Source
from playlists.models.base import BulletinClass
from playlists.models.items import Item, Speech, SpeechItem
from playlists.models.schedule import OnConflict
from playlists.units import Level, MonotonicS, Seconds

log = logging.getLogger("loa.alarms")

KEY = "alerts-told"

RECORDING_WITHIN_S = Seconds(5.0)
"""A recording that is not there so long after its telling began is left out of it; the alarm tone takes 4 s."""

LONGEST_RECORDING_S = Seconds(600.0)

ALL_CLEAR_AFTER_S = Seconds(0.5)
"""Silence between what was ended and the words that say so."""

MOST_ALL_CLEARS = 3
"""So many of the alerts that one message ends are named."""


class Origin(NamedTuple):
    """Who sent a message: a `feed`, or `source:NAME`; by which `command`, if by one; and its level here."""

    command: str | None
    feed: str | None
    level: Level


class Tellings:
    """Keeps alerts in force told. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        voice: Voice,
        sounds: Sounds,
        rules: Rules,
        memory: Memory,
        languages: tuple[str, ...],
        repeat_s: Seconds,
        remark: Callable[[Alert, str], None],
    ) -> None:
        """`remark(alert, text)` writes down what is to be known of an alert."""
        self._clock = clock
        self._voice = voice
        self._sounds = sounds
        self._rules = rules
        self._memory = memory
        self._languages = languages
        self._repeat_s = repeat_s
        self._remark = remark
        self._tellings = self._load()
        self._stored = dict(self._tellings)
        self._awaited: dict[str, tuple[MonotonicS, Alert]] = {}
        """Recordings by key, and until when they are waited for."""
        self._seen = clock.judged, clock.monotonic()
        self._overrun: set[str] = set()
        """Alerts whose last telling the amplifier cut."""
        self.refused: dict[str, str] = {}
        """The rule that kept an exercise silent, by `id_of`, of those that were lately to be told."""
        self._missed: dict[str, str] = {}
        """Recordings of alerts in force that were not to be had, with the reason that was written down."""

    def turn(self, in_force: Mapping[str, tuple[Alert, Origin]]) -> MonotonicS | None:
        """Tell what is due, of the alerts in force by `id_of`; returns when to ask again at the latest."""
        now, mono = self._look()
        wakes = []
        for name, (alert, origin) in in_force.items():
            if name in self._voice.performances:
                continue
            telling = self._tellings.get(name, UNTOLD)
            due = next_telling(alert, telling, self._repeat_s, now)
            if due is not None and due <= now:
                self._tell(alert, origin, again=telling.ended is not None)
            elif due is not None:
                wakes.append(MonotonicS(mono + (due - now).total_seconds()))
        self._look_after_recordings(mono)
        wakes += [until for until, _ in self._awaited.values()]
        return min(wakes, default=None)

    def over(self, p: Performance, told: Told) -> None:
        """A telling has ended, whole or not."""
        before = self._tellings.get(p.id, UNTOLD)
        cut = told.reason == OVERRUN
        if cut and p.id not in self._overrun:
            self._overrun.add(p.id)
            return  # nobody wished it: it is told anew at once
        self._overrun.discard(p.id)
        now, _ = self._look()
        # a tone alone tells nobody anything
        whole = told.state != "failed" and p.wordless is None and not cut
        self._put(p.id, before.model_copy(update={"ended": now, "told": before.told or whole}))

    def hush(self, name: str) -> None:
        """Somebody who may asked for it: an alert is not told again."""
        self._put(name, self._tellings.get(name, UNTOLD).model_copy(update={"hushed": True, "told": True}))

    def silence(self, alert: Alert, reason: str) -> None:
        """End what sounds of an alert that is no longer in force."""
        p = self._voice.performances.get(id_of(alert))
        if p is not None:
            self._voice.withdraw(p, reason)
        self._tellings.pop(id_of(alert), None)

    def all_clear(self, ended: Iterable[Alert], by: Alert, origin: Origin) -> None:
        """Say that alerts are over: in the words of what ended them, else in the node's own."""
        said = by.at(self._clock.judged).utterances(self._languages)
        if not said:
            for alert in list(ended)[:MOST_ALL_CLEARS]:
                said += alert.all_clear(by.kind, self._languages)
        self._add(by, said, CHIME, origin, after_s=ALL_CLEAR_AFTER_S)

    def keep(self, in_force: Mapping[str, tuple[Alert, Origin]]) -> None:
        """Forget what was known of alerts that are no longer in force."""
        self._tellings = {name: telling for name, telling in self._tellings.items() if name in in_force}
        keys = {
            resource.key
            for alert, _ in in_force.values()
            for info in alert.infos
            for resource in info.resources
        }
        self._overrun &= in_force.keys()
        self._missed = {key: reason for key, reason in self._missed.items() if key in keys}
        self._sounds.keep_recordings(keys)
        self._store()

    def _look(self) -> tuple[datetime, MonotonicS]:
        """What time it is; where the clock was set, the next telling comes no sooner and no later for that."""
        before, then = self._seen
        self._seen = now, mono = self._clock.judged, self._clock.monotonic()
        by = (now - before) - timedelta(seconds=mono - then)
        if abs(by) > timedelta(seconds=LEAP_S):
            for name, telling in self._tellings.items():
                if telling.ended is not None:
                    self._tellings[name] = telling.model_copy(update={"ended": telling.ended + by})
            self._store()
        return now, mono

    # ---- one telling

    def _tell(self, alert: Alert, origin: Origin, *, again: bool) -> None:
        said = alert.at(self._clock.judged).utterances(self._languages)
        if again:
            # its command has had its last receipt; and an officer who speaks in an emergency is not cut short
            self._add(alert, said, ALARM, origin._replace(command=None), on_conflict="queue")
        else:
            self._add(alert, said, ALARM, origin)
        name = id_of(alert)
        if name in self.refused:
            # like an announcement: it is not kept for the hour at which it might sound
            now = self._clock.judged
            self._put(name, Telling(ended=now, told=True))

    def _add(
        self,
        alert: Alert,
        said: list[Utterance],
        tone: str,
        origin: Origin,
        *,
        on_conflict: OnConflict = "preempt",
        after_s: Seconds = Seconds(0.0),
    ) -> None:
        if not said:
            return
        now = self._clock.now()
        name, class_, place = id_of(alert), class_of(alert), self._rules.place_of(origin.feed)
        p = Performance(
            id=name,
            origin="alert",
            class_=class_,
            rank=Rank(class_, Source.LIVE, urgency(alert), origin.level, now, name, place),
            planned=now + timedelta(seconds=after_s),
            items=[ToneItem(tone), *map(_item, said)],
            title=alert.headline(self._languages),
            language=said[0].language,
            on_conflict=on_conflict,
            feed=origin.feed,
            command=origin.command,
            alert=alert.identifier,
        )
        refused = self._rules.may_not_sound(p, now)
        if refused is not None:
            self.refused[name] = f"policy: {refused}"
            self._remark(alert, f"not told: policy: {refused}")
            return
        self._await(alert, said)
        self._voice.add(p)

    # ---- recordings

    def _await(self, alert: Alert, said: Iterable[Utterance]) -> None:
        until = MonotonicS(self._clock.monotonic() + RECORDING_WITHIN_S)
        for one in said:
            if one.recording is not None:
                self._awaited[one.recording.key] = until, alert

    def _look_after_recordings(self, mono: MonotonicS) -> None:
        for key, (until, alert) in list(self._awaited.items()):
            trouble, length_s = self._sounds.trouble(key), self._sounds.length_s(key)
            if trouble is None and length_s is not None and length_s > LONGEST_RECORDING_S:
                trouble = f"it is {length_s:.0f} s long, at most {LONGEST_RECORDING_S:.0f} s are sounded"
                self._sounds.give_up(key, trouble)
            elif trouble is None and length_s is None and mono >= until:
                trouble = f"it was not there within {RECORDING_WITHIN_S:.0f} s"
                self._sounds.give_up(key, trouble)
            if trouble is None and length_s is None:
                continue
            del self._awaited[key]
            if trouble is not None and self._missed.get(key) != trouble:
                self._missed[key] = trouble
                self._remark(alert, f"spoken, for want of its recording: {trouble}")

    # ---- kept over a restart

    def _put(self, name: str, telling: Telling) -> None:
        self._tellings[name] = telling
        self._store()

    def _store(self) -> None:
        if self._tellings != self._stored:
            # an alarm that has just come does not wait for a disk that has nothing new to keep
            self._memory.put(KEY, {name: one.model_dump(mode="json") for name, one in self._tellings.items()})
            self._stored = dict(self._tellings)

    def _load(self) -> dict[str, Telling]:
        try:
            stored = self._memory.get(KEY) or {}
            return {name: Telling.model_validate(telling) for name, telling in stored.items()}
        except (AttributeError, ValidationError) as error:
            log.warning("how far alerts were told is unreadable, they are told anew: %s", error)
            return {}


def id_of(alert: Alert) -> str:
    """The performance's id: an identifier of CAP may hold anything but spaces.

    Senders number anew each day, and hold an exercise under the name of what is exercised.
    """
    sent = alert.sent.astimezone(UTC).isoformat(timespec="seconds")
    return f"alert/{alert.sender}/{alert.identifier}/{sent}/{alert.status}"


def class_of(alert: Alert) -> BulletinClass:
    """An exercise keeps the node's rules, and takes the output from no emergency."""
    return BulletinClass.EMERGENCY if alert.status is Status.ACTUAL else BulletinClass.PRIORITY


def urgency(alert: Alert) -> int:
    """What is meant in earnest comes before an exercise, heard and seen."""
    return 1 if alert.status is Status.ACTUAL else 0


def _item(said: Utterance) -> Item | OwnItem:
    words: SpeechItem | SpokenItem = _words(said)
    if said.instead:
        words = SpokenItem(_words(said), tuple(map(_words, said.instead)))
    return words if said.recording is None else RecordedItem(said.recording, words)


def _words(said: Utterance) -> SpeechItem:
    return SpeechItem(speech=Speech(text=said.text, language=said.language))
