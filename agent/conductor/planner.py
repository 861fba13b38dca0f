"""From the feeds' schedules to performances: each start once, also across restarts and clock jumps."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from agent.clock import Clock
from agent.conductor.ledger import Ledger
from agent.conductor.memory import Memory
from agent.conductor.performance import Performance
from agent.conductor.thinker import Think
from agent.conductor.voice import Voice
from playlists.arbiter import Rank, Source
from playlists.models.base import ClockState
from playlists.timetable import FeedSchedule, Occurrence, Timetable
from playlists.units import MonotonicS

log = logging.getLogger("loa.planner")

LEAD_S = 30.0
"""Performances are made this long before their start: longer than any relay sequence takes."""

GONE = "no longer in the schedule"

BEGUN_KEY = "begun-occurrences"
MOST_BEGUN = 500
"""Starts that are remembered, the newest: a clock that is set back must not make them a second time."""

LONGEST_CUT = timedelta(days=1)
"""What should have begun longer ago is not taken up again."""

FAR_AHEAD = timedelta(hours=12)
"""What began under a clock that was wrong by more than this is to begin again at its true time."""

SHORT_LEAP = timedelta(hours=1)
"""Starts that a clock put forward by no more than this has passed over are written down as missed."""

MADE_AHEAD_COUNT = 500
"""Starts that are worked out together with a new timetable: what is soon asked of it."""


class Planner:
    """Turns what the timetable says into performances of the voice. Runs on the conductor's thread only."""

    def __init__(
        self,
        node: str,
        groups: frozenset[str],
        clock: Clock,
        voice: Voice,
        ledger: Ledger,
        memory: Memory,
        think: Think,
        refused: Callable[[str, str], None],
        place_of: Callable[[str], int],
    ) -> None:
        """`refused(programme, reason)` hears of programmes that the timetable leaves out.

        `place_of(feed)` is where the node's own order puts a feed.

        A timetable is built by `think`: ten thousand programmes take a Raspberry Pi seconds.
        """
        self._node = node
        self._groups = groups
        self._clock = clock
        self._voice = voice
        self._ledger = ledger
        self._memory = memory
        self._think = think
        self._refused = refused
        self._place_of = place_of
        self._told_refused: list[tuple[str, str]] = []
        self._cursor: datetime | None = None
        self._begun = self._load_begun()
        self._cut_off: dict[str, tuple[float, MonotonicS | None]] = {}
        self.timetable = Timetable.build({}, node, groups)

    def replace(self, feeds: Mapping[str, FeedSchedule], adopted: Callable[[], None]) -> None:
        """New schedules are in force, as soon as their timetable is built; `adopted` is called then."""
        feeds = dict(feeds)
        now = self._clock.now()

        def take(timetable: Timetable) -> None:
            self._adopt(timetable)
            adopted()

        self._think("timetable", lambda: self._build(feeds, now), take)

    def _build(self, feeds: Mapping[str, FeedSchedule], now: datetime) -> Timetable:
        timetable = Timetable.build(feeds, self._node, self._groups)
        # the first answers are the slow ones
        timetable.current(now, ClockState.SYNCHRONISED)
        timetable.upcoming(now, MADE_AHEAD_COUNT)
        return timetable

    def _adopt(self, timetable: Timetable) -> None:
        """What the new timetable no longer holds stops, what has not sounded is planned anew."""
        self.timetable = timetable
        for programme, reason in timetable.refused:
            if (programme, reason) not in self._told_refused:
                self._refused(programme, reason)
        self._told_refused = list(timetable.refused)
        now = self._clock.now()
        for p in list(self._programmes()):
            if p.sounded or p is self._voice.playing:
                if not timetable.follows(p.feed or "", p.programme or ""):
                    self._voice.withdraw(p, GONE)
            elif (occurrence := timetable.find(p.id)) is not None:
                new = self._performance(occurrence)
                new.position_s, new.in_step_from = p.position_s, p.in_step_from
                self._voice.replace(new)
            elif p.planned > now:
                self._voice.forget(p)
            else:
                self._voice.withdraw(p, GONE)
        self._replan(now)

    def jumped(self, by_s: float) -> None:
        """The wall clock was set by so much: what was only planned is planned anew."""
        now = self._clock.now()
        before = now - timedelta(seconds=by_s)
        for p in list(self._programmes()):
            if not p.sounded and p.planned > before:
                self._voice.forget(p)
        self._begun = {key: at for key, at in self._begun.items() if at <= now + FAR_AHEAD}
        self._replan(now)
        if timedelta() < now - before <= SHORT_LEAP:
            for occurrence in self.timetable.due(before, now):
                if occurrence.id not in self._begun and occurrence.id not in self._voice.performances:
                    p = self._performance(occurrence)
                    self._ledger.unsounded(p, "skipped", "the clock was put forward over its start")
                    self.begun(p)

    def _replan(self, now: datetime) -> None:
        """Start over from now."""
        self._cursor = now
        self._take_up()
        for occurrence in self.timetable.current(now, self._clock.state):
            if occurrence.id in self._begun or occurrence.id in self._voice.performances:
                continue
            p = self._performance(occurrence)
            position_s = occurrence.enter_at(now)
            if position_s is None:
                late_s = (now - occurrence.planned).total_seconds()
                self._ledger.unsounded(p, "skipped", f"late by {late_s:.0f} s")
                self.begun(p)
            else:
                if position_s > 0:
                    p.in_step_from = p.planned
                self._voice.add(p)

    def _programmes(self) -> Iterable[Performance]:
        return (p for p in self._voice.performances.values() if p.origin == "programme")

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

    def resume_later(self, occurrence_id: str, position_s: float, *, in_step: bool) -> None:
        """Take up again what a crash of the agent cut off, as soon as its schedule is in force.

        `in_step`: it goes on where it would be by then, as neighbouring poles do; else where it was.
        """
        self._cut_off[occurrence_id] = (position_s, self._clock.monotonic() if in_step else None)

    @property
    def awaits_cut_off(self) -> bool:
        """Whether something that was cut off has not found its schedule yet."""
        return bool(self._cut_off)

    def not_begun(self, occurrence_id: str) -> None:
        """A power cut ended it: it may begin again, late, by its own rules."""
        self._begun.pop(occurrence_id, None)

    def _take_up(self) -> None:
        for occurrence_id in list(self._cut_off):
            occurrence = self.timetable.find(occurrence_id)
            if occurrence is None:
                continue  # its feed may still be read
            position_s, since = self._cut_off.pop(occurrence_id)
            if self._clock.now() - occurrence.planned > LONGEST_CUT:
                continue
            p = self._performance(occurrence)
            if p.on_conflict == "skip":
                p.on_conflict = "queue"  # it had its turn: it waits for the rest of it
            p.position_s = position_s
            if since is not None:
                away = timedelta(seconds=position_s + self._clock.monotonic() - since)
                p.in_step_from = self._clock.now() - away
            log.info("%s goes on at about %.1f s", p.id, position_s)
            self._voice.add(p)

    def begun(self, p: Performance) -> None:
        """Remember that this start has been made, or was given up, so that it is never made twice."""
        if p.origin != "programme" or p.id in self._begun:
            return
        self._begun[p.id] = p.planned
        while len(self._begun) > MOST_BEGUN:
            del self._begun[next(iter(self._begun))]
        self._memory.put(BEGUN_KEY, {key: planned.isoformat() for key, planned in self._begun.items()})

    def _add(self, occurrence: Occurrence) -> None:
        if occurrence.id not in self._begun and occurrence.id not in self._voice.performances:
            self._voice.add(self._performance(occurrence))

    def _performance(self, occurrence: Occurrence) -> Performance:
        return _performance(occurrence, self._place_of(occurrence.feed))

    def _load_begun(self) -> dict[str, datetime]:
        stored = self._memory.get(BEGUN_KEY) or {}
        try:
            return {key: datetime.fromisoformat(planned) for key, planned in stored.items()}
        except (AttributeError, TypeError, ValueError) as error:
            log.warning("which starts were made cannot be read: %s", error)
            return {}


def _performance(occurrence: Occurrence, place: int) -> Performance:
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
            place,
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
