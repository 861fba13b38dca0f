"""From the feeds' schedules to performances: each start once, also across restarts and clock jumps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from agent.clock import Clock
from agent.conductor.ledger import Ledger
from agent.conductor.performance import Performance
from agent.conductor.voice import Voice
from agent.journal import Journal, JournalError
from playlists.arbiter import Rank, Source
from playlists.models.base import ClockState
from playlists.timetable import FeedSchedule, Occurrence, Timetable
from playlists.units import MonotonicS

log = logging.getLogger("loa.planner")

LEAD_S = 30.0
"""Performances are made this long before their start: longer than any relay sequence takes."""

BEGUN_KEY = "begun-occurrences"
BEGUN_FOR = timedelta(days=2)
LONGEST_CUT = timedelta(days=1)


class Planner:
    """Turns what the timetable says into performances of the voice."""

    def __init__(
        self,
        node: str,
        groups: frozenset[str],
        clock: Clock,
        voice: Voice,
        ledger: Ledger,
        journal: Journal,
        refused: Callable[[str, str], None],
    ) -> None:
        """`refused(programme, reason)` hears of programmes that the timetable leaves out."""
        self._node = node
        self._groups = groups
        self._clock = clock
        self._voice = voice
        self._ledger = ledger
        self._journal = journal
        self._refused = refused
        self._feeds: dict[str, FeedSchedule] = {}
        self._cursor: datetime | None = None
        self._begun = self._load_begun()
        self._cut_off: dict[str, tuple[float, MonotonicS]] = {}
        self.timetable = Timetable.build({}, node, groups)

    def replace(self, feeds: Mapping[str, FeedSchedule]) -> None:
        """New schedules are in force: what they no longer hold stops, the rest is planned anew."""
        self._feeds = dict(feeds)
        self.timetable = Timetable.build(self._feeds, self._node, self._groups)
        for programme, reason in self.timetable.refused:
            self._refused(programme, reason)
        known = {
            (feed, programme.id) for feed, entry in feeds.items() for programme in entry.schedule.programmes
        }
        for p in list(self._voice.performances.values()):
            if p.origin != "programme":
                continue
            if (p.feed, p.programme) not in known:
                self._voice.withdraw(p, "no longer in the schedule")
            elif not p.sounded and p is not self._voice.playing:
                # it may have changed: it is made again from the new schedule
                self._voice.performances.pop(p.id)
                self._begun.pop(p.id, None)
        self.replan()

    def replan(self) -> None:
        """Start over from now: at start-up, with a new schedule, or when the wall clock has jumped."""
        now = self._clock.now()
        self._cursor = now
        self._take_up(now)
        for occurrence in self.timetable.current(now, self._clock.state):
            if occurrence.id in self._begun or occurrence.id in self._voice.performances:
                continue
            p = performance_of(occurrence)
            position_s = occurrence.enter_at(now)
            if position_s is None:
                late_s = (now - occurrence.planned).total_seconds()
                self._ledger.unsounded(p, "skipped", f"late by {late_s:.0f} s")
                self.begun(p)
            else:
                p.position_s = position_s
                self._voice.add(p)

    def performances(self) -> Iterable[Performance]:
        """All that are planned, sound, or wait."""
        return self._voice.performances.values()

    def turn(self) -> MonotonicS | None:
        """Make performances of what starts soon; returns when to ask again at the latest."""
        now = self._clock.now()
        if self._cursor is None or self._clock.state is ClockState.UNSET:
            return None
        horizon = now + timedelta(seconds=LEAD_S)
        if horizon > self._cursor:
            for occurrence in self.timetable.due(self._cursor, horizon):
                self._add(occurrence)
            self._cursor = horizon
        following = self.timetable.upcoming(self._cursor, 1)
        if not following:
            return None
        wait_s = (following[0].planned - now).total_seconds() - LEAD_S
        return MonotonicS(self._clock.monotonic() + max(wait_s, 0.001))

    def resume_later(self, occurrence_id: str, position_s: float) -> None:
        """Take up again what a crash of the agent cut off, as soon as its schedule is in force."""
        self._cut_off[occurrence_id] = (position_s, self._clock.monotonic())

    def _take_up(self, now: datetime) -> None:
        if not self._cut_off or not self._feeds:
            return
        for occurrence in self.timetable.due(now - LONGEST_CUT, now):
            cut = self._cut_off.pop(occurrence.id, None)
            if cut is not None:
                p = performance_of(occurrence)
                p.position_s = cut[0] + self._clock.monotonic() - cut[1]
                log.info("%s goes on at %.1f s", p.id, p.position_s)
                self._voice.add(p)

    def begun(self, p: Performance) -> None:
        """Remember that this start has been made, so that it is never made twice."""
        if p.origin != "programme":
            return
        self._begun[p.id] = p.planned
        oldest = self._clock.now() - BEGUN_FOR
        self._begun = {key: planned for key, planned in self._begun.items() if planned > oldest}
        try:
            begun = {key: planned.isoformat() for key, planned in self._begun.items()}
            self._journal.put(BEGUN_KEY, begun)
        except JournalError as error:
            log.warning("what has begun could not be written down: %s", error)

    def _add(self, occurrence: Occurrence) -> None:
        if occurrence.id not in self._begun and occurrence.id not in self._voice.performances:
            self._voice.add(performance_of(occurrence))

    def _load_begun(self) -> dict[str, datetime]:
        stored = self._journal.get(BEGUN_KEY) or {}
        return {key: datetime.fromisoformat(planned) for key, planned in stored.items()}


def performance_of(occurrence: Occurrence) -> Performance:
    """One start of a programme, as the voice wants it."""
    programme = occurrence.programme
    return Performance(
        id=occurrence.id,
        origin="programme",
        class_=programme.class_,
        rank=Rank(
            programme.class_,
            Source.SCHEDULED,
            programme.priority,
            occurrence.level,
            occurrence.planned,
            occurrence.id,
        ),
        planned=occurrence.planned,
        items=programme.items,
        title=programme.title,
        language=programme.language,
        zones=frozenset(programme.zones),
        on_conflict=programme.on_conflict,
        volume_db=programme.volume_db,
        loops=programme.loops,
        gap_s=programme.gap_s,
        length_s=programme.length_s,
        if_late=programme.if_late,
        grace_s=programme.grace_s,
        feed=occurrence.feed,
        programme=programme.id,
    )
