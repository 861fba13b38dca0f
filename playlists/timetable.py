"""What plays when, and when that next changes: pure functions of the schedules and of an instant.

Nothing is planned ahead and nothing is kept of the past, so that after a clock jump the same questions with
another `now` are the whole re-planning. Programmes that start on the same days share one list ordered by time
of day, thus an answer costs about what it contains, however many programmes there are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from playlists.errors import Rejected
from playlists.models.base import BulletinClass, ClockState
from playlists.models.schedule import Programme, Schedule
from playlists.recurrence import Recurrence, days_between, wall_span
from playlists.rules import Days
from playlists.units import Level, Seconds

LOOK_AHEAD = timedelta(days=400)
"""How far `upcoming` and `next_change` look: far enough for a yearly programme."""

LONGEST_WINDOW = timedelta(days=31)
"""Longest span that `due` answers. A longer one is a clock jump: ask `current`."""

ON_TIME_S = Seconds(1.0)
"""A start no later than this is not a late one."""

MAX_REMEMBERED = 100_000
"""Starts that are remembered of what was lately asked, for each of a few shelves."""

_HORIZONS = (timedelta(hours=1), timedelta(days=1), LOOK_AHEAD)
_QUIET = timedelta(hours=1)  # how long "nothing within LOOK_AHEAD" is believed
_MICROSECOND = timedelta(microseconds=1)
_REACHES = tuple(timedelta(seconds=s) for s in (150, 900, 3_600, 6 * 3_600, 86_400, 7 * 86_400))


@dataclass(frozen=True, slots=True)
class FeedSchedule:
    """The schedule in force of one feed, and what this node lets the feed be."""

    schedule: Schedule
    level: Level
    ceiling: BulletinClass


class Occurrence(NamedTuple):
    """One planned start of a programme."""

    feed: str
    level: Level
    programme: Programme
    planned: datetime
    """In UTC."""

    @property
    def id(self) -> str:
        """`feed/programme@20261123T223000Z`: the same on every node, and after every restart."""
        return f"{self.feed}/{self.programme.id}@{self.planned:%Y%m%dT%H%M%SZ}"

    @property
    def ends(self) -> datetime | None:
        """When it ends if it began in time; None where only its items know."""
        length = self.programme.length_s
        return None if length is None else self.planned + timedelta(seconds=length)

    def enter_at(self, now: datetime) -> Seconds | None:
        """Position at which to begin if it begins at `now`; None if it is too early or too late for that.

        Late means more than `ON_TIME_S` behind plan. `if_late` rules until `grace_s` has passed, after that
        nothing begins; nor does `join` begin what is over by its own length.
        """
        late_s = (now - self.planned).total_seconds()
        if 0 <= late_s <= ON_TIME_S:
            return Seconds(0.0)
        programme = self.programme
        if late_s < 0 or late_s > programme.grace_s or programme.if_late == "skip":
            return None
        if programme.if_late == "full":
            return Seconds(0.0)
        over = programme.length_s is not None and late_s >= programme.length_s
        return None if over else Seconds(late_s)


class _Member(NamedTuple):
    feed: str
    level: Level
    programme: Programme
    recurrence: Recurrence


@dataclass(slots=True)
class _Group:
    """Programmes that start on the same days: times of day, ascending, and whose they are."""

    days: Days
    first: date
    last: date
    times: list[int] = field(default_factory=list)
    members: list[_Member] = field(default_factory=list)


_Day = tuple[list[int], list[_Member]]


@dataclass(slots=True)
class _Shelf:
    """Programmes that reach about equally far past their start, so that looking back costs little."""

    single_at: list[datetime] = field(default_factory=list)
    """Starts without a rule, ascending; `single` says whose they are."""
    single: list[_Member] = field(default_factory=list)
    groups: dict[ZoneInfo, list[_Group]] = field(default_factory=dict)
    days: dict[tuple[ZoneInfo, date], _Day] = field(default_factory=dict)
    """What was lately asked: the starts of a day, in order of their time. A whole day is put in order at
    once: hour by hour, each hour would have to look through all groups again."""
    remembered: int = 0

    def between(self, after: datetime, until: datetime) -> Iterator[Occurrence]:
        """Starts in `(after, until]`; two of one programme may be one instant."""
        yield from self.singles(after, until)
        for zone in self.groups:
            yield from self.repeated(zone, after, until)

    def singles(self, after: datetime, until: datetime) -> Iterator[Occurrence]:
        """Starts without a rule in `(after, until]`, ascending."""
        for place in range(bisect_right(self.single_at, after), bisect_right(self.single_at, until)):
            member = self.single[place]
            yield Occurrence(member.feed, member.level, member.programme, self.single_at[place])

    def repeated(self, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[Occurrence]:
        """Starts by rule in `(after, until]`, in order of wall time."""
        first, last = wall_span(after, until, zone)
        for day in days_between(first, last):
            times, members = self._starts_on(zone, day)
            midnight = datetime.combine(day, time())
            from_s, to_s = (first - midnight).total_seconds(), (last - midnight).total_seconds()
            for place in range(bisect_left(times, from_s), bisect_right(times, to_s)):
                member = members[place]
                planned = member.recurrence.at(midnight + timedelta(seconds=times[place]))
                if planned is not None and after < planned <= until:
                    yield Occurrence(member.feed, member.level, member.programme, planned)

    def _starts_on(self, zone: ZoneInfo, day: date) -> _Day:
        found = self.days.get((zone, day))
        if found is None:
            starts: list[tuple[int, _Member]] = []
            for group in self.groups[zone]:
                if group.first <= day <= group.last and group.days.include(day):
                    starts += zip(group.times, group.members, strict=True)
            starts.sort(key=_time_of_day)
            found = [seconds for seconds, _ in starts], [member for _, member in starts]
            self._make_room(len(starts) + 10)
            self.days[zone, day] = found
        return found

    def _make_room(self, wanted: int) -> None:
        """Forget what was asked before it grows: an entry costs about 16 bytes, one more or less 160."""
        self.remembered += wanted
        if self.remembered > MAX_REMEMBERED:
            self.days.clear()
            self.remembered = wanted


class Timetable:
    """All programmes that this node follows. Built by `build`; then only asked."""

    def __init__(self, members: list[_Member], refused: list[tuple[str, str]]) -> None:
        self.refused = refused
        """Programmes left out, as `feed/programme`, each with the reason."""
        self._members = {(m.feed, m.programme.id): m for m in members}
        self._shelves = _arrange(members)
        self._ahead: tuple[datetime, int, list[Occurrence]] | None = None

    @classmethod
    def build(cls, feeds: Mapping[str, FeedSchedule], node: str, groups: frozenset[str]) -> Timetable:
        """Take from each feed what is meant for this node and what the feed may say.

        Raises:
            Rejected: a programme breaks what `check_schedule` checks; a checked schedule never does.
        """
        mine = {"*", node, *groups}
        members: list[_Member] = []
        refused: list[tuple[str, str]] = []
        for feed, source in feeds.items():
            zone = source.schedule.zone
            for programme in source.schedule.programmes:
                if mine.isdisjoint(programme.targets):
                    continue
                name = f"{feed}/{programme.id}"
                if programme.class_.rank > source.ceiling.rank:
                    refused.append(
                        (name, f"class {programme.class_} is above the feed's ceiling {source.ceiling}")
                    )
                    continue
                try:
                    recurrence = Recurrence(programme.start, programme.recurrence, programme.exceptions, zone)
                except Rejected as error:
                    raise Rejected(
                        name, [f"{error.where}: {problem}" for problem in error.problems]
                    ) from error
                members.append(_Member(feed, source.level, programme, recurrence))
        return cls(members, refused)

    def due(self, after: datetime, until: datetime) -> list[Occurrence]:
        """Starts planned in `(after, until]`, in order of start, then of rank.

        Windows that tile time give each start exactly once.

        Raises:
            ValueError: the window is longer than `LONGEST_WINDOW`.
        """
        if until - after > LONGEST_WINDOW:
            raise ValueError(f"a window of {until - after} is a clock jump: ask what is current instead")
        return self._between(after, until, self._shelves.values())

    def current(self, now: datetime, clock: ClockState) -> list[Occurrence]:
        """Starts planned at or before `now` that are still inside their length or their grace.

        For a start-up, a new schedule, a clock jump: `Occurrence.enter_at` says which may begin, and where.
        While the clock is unset, nothing that has a date is current.
        """
        if clock is ClockState.UNSET:
            return []
        found: list[Occurrence] = []
        for reach, shelf in self._shelves.items():
            found += (o for o in shelf.between(now - reach - _MICROSECOND, now) if _gone(o) > now)
        return _in_order(found)

    def upcoming(self, now: datetime, count: int) -> list[Occurrence]:
        """The next `count` starts after `now`, or as many as lie within `LOOK_AHEAD`."""
        if self._ahead is not None:
            asked, wanted, found = self._ahead
            if wanted >= count and asked <= now < (found[0].planned if found else asked + _QUIET):
                return found[:count]
        if count < 1:
            return []
        for horizon in _HORIZONS:
            found = self._first(now, now + horizon, count)
            if len(found) == count:
                break
        self._ahead = (now, count, found)
        return found

    def _first(self, after: datetime, until: datetime, count: int) -> list[Occurrence]:
        """The first `count` starts in `(after, until]`."""
        found: list[Occurrence] = []
        # each shelf names its next ones; nothing later than the last of the best `count` can be an answer
        for shelf in self._shelves.values():
            found += islice(shelf.singles(after, until), count)
            for zone in shelf.groups:
                found += islice(shelf.repeated(zone, after, until), 2 * count)  # in a gap two may be one
            found = _in_order(found)
            if len(found) >= count:
                until = found[count - 1].planned
        return self._between(after, until, self._shelves.values())[:count]

    def next_change(self, now: datetime) -> datetime | None:
        """When the answer of `current` next changes: a start, or one that is over; None: it stays."""
        moments = [_gone(o) for o in self.current(now, ClockState.SYNCHRONISED)]
        moments += [o.planned for o in self.upcoming(now, 1)]
        return min(moments, default=None)

    def follows(self, feed: str, programme: str) -> bool:
        """Whether this node follows a programme, whenever it starts."""
        return (feed, programme) in self._members

    def find(self, occurrence_id: str) -> Occurrence | None:
        """The start of that id if it still stands: for what a crash or a new schedule interrupted."""
        name, _, when = occurrence_id.rpartition("@")
        feed, _, programme = name.partition("/")
        member = self._members.get((feed, programme))
        try:
            second = datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return None
        if member is None:
            return None
        starts = member.recurrence.between(
            second - _MICROSECOND, second + timedelta(seconds=1) - _MICROSECOND
        )
        return next((Occurrence(feed, member.level, member.programme, start) for start in starts), None)

    def _between(self, after: datetime, until: datetime, shelves: Iterable[_Shelf]) -> list[Occurrence]:
        return _in_order([o for shelf in shelves for o in shelf.between(after, until)])


def _arrange(members: Iterable[_Member]) -> dict[timedelta, _Shelf]:
    shelves: dict[timedelta, _Shelf] = {}
    singles: dict[timedelta, list[tuple[datetime, _Member]]] = {}
    groups: dict[tuple[timedelta, ZoneInfo, Days], list[tuple[int, _Member]]] = {}
    for member in members:
        wanted_s = max(member.programme.grace_s, member.programme.length_s or 0)
        reach = next(r for r in _REACHES if wanted_s <= r.total_seconds() or r is _REACHES[-1])
        shelves.setdefault(reach, _Shelf())
        rule = member.recurrence.rule
        if rule is None:
            if (moment := member.recurrence.once()) is not None:
                singles.setdefault(reach, []).append((moment, member))
            continue
        starts = groups.setdefault((reach, member.recurrence.zone, rule.days), [])
        starts += ((seconds, member) for seconds in rule.times)
    for reach, pairs in singles.items():
        pairs.sort(key=lambda pair: pair[0])
        shelves[reach].single_at = [moment for moment, _ in pairs]
        shelves[reach].single = [member for _, member in pairs]
    for (reach, zone, days), starts in groups.items():
        starts.sort(key=_time_of_day)
        spans = [member.recurrence.days() for _, member in starts]
        first, last = min(span[0] for span in spans), max(span[1] for span in spans)
        group = _Group(
            days, first, last, [seconds for seconds, _ in starts], [member for _, member in starts]
        )
        shelves[reach].groups.setdefault(zone, []).append(group)
    return shelves


def _gone(occurrence: Occurrence) -> datetime:
    """First instant at which an occurrence is neither inside its length nor inside its grace."""
    length = timedelta(seconds=occurrence.programme.length_s or 0)
    grace = timedelta(seconds=occurrence.programme.grace_s) + _MICROSECOND  # its last instant included
    return occurrence.planned + max(length, grace)


def _in_order(found: Iterable[Occurrence]) -> list[Occurrence]:
    keyed = {
        _order(o): o for o in found
    }  # in a spring gap two wall times of one programme may be one instant
    return [keyed[key] for key in sorted(keyed)]


def _time_of_day(start: tuple[int, _Member]) -> int:
    return start[0]


def _order(o: Occurrence) -> tuple[datetime, int, int, int, str, str]:
    return o.planned, -o.programme.class_.rank, -o.programme.priority, -o.level, o.feed, o.programme.id
