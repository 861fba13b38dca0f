"""When something starts: a moment of wall time, or an RFC 5545 recurrence of it, in an IANA time zone.

A rule repeats wall time ("half past five"), and each wall time becomes one instant:

- in a spring gap (the wall time does not exist) the offset before the gap is used, as RFC 5545 §3.3.5 reads
  such a time: 02:30 sounds when clocks show 03:30. Two starts that meet at one instant in this way are one;
- in an autumn overlap (the wall time exists twice) it is the first of the two;
- a start with an offset is that very instant, and its wall time in the schedule's zone is what repeats.

An exception leaves out the start at its instant, whichever way it is written. COUNT counts before exceptions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from playlists.errors import Rejected
from playlists.models.base import localise
from playlists.models.schedule import Schedule
from playlists.rules import Rule, read_rule

YEARS = (1970, 2199)
"""First and last year of a start or an exception."""

MAX_COUNT_YEARS = 30
"""A rule with COUNT must come to its end within so many years of its start."""

MAX_COUNTED_MONTHS = 30_000
"""Months that all COUNT rules of a document together may span: this bounds the work of an activation."""

MAX_PATTERNS = 1_000
"""Different sets of days in a document; any number of programmes may share one."""

MAX_STARTS = 50_000
"""Starts that all programmes of a document together may have on one day."""

MAX_BAD = 20
"""Bad programmes that are named; the check ends with the last of them, since finding one may cost work."""

MAX_PARTS = 20_000
"""Items times loops of a programme."""

_DAY = timedelta(days=1)
_NONE: frozenset[datetime] = frozenset()
_LONGEST_GAP = timedelta(hours=26)  # Samoa left out the whole 30 December 2011


class Recurrence:
    """All starts of one thing, in ascending order, each once.

    Args:
        start: the first one, wall time in `zone` or with an offset.
        rule: an RRULE without its name, or None for a single start.
        exceptions: starts that are left out, wall time or with an offset.
        zone: the time zone of all wall times.

    Raises:
        Rejected: the rule breaks RFC 5545 or the bounds of `playlists.rules`, or a date those of `YEARS`.
    """

    __slots__ = ("_excluded", "_first", "_first_utc", "_last", "_last_utc", "counted_months", "rule", "zone")

    def __init__(
        self, start: datetime, rule: str | None, exceptions: Collection[datetime], zone: ZoneInfo
    ) -> None:
        self.zone = zone
        self.rule: Rule | None = None
        self.counted_months = 0
        """How many months it took to find the end of a rule with COUNT: a measure of work."""
        self._first_utc = _instant(start, zone, "start")
        self._excluded = (
            frozenset(_instant(moment, zone, "exceptions") for moment in exceptions) if exceptions else _NONE
        )
        self._first = start
        self._last: datetime | None = None
        self._last_utc: datetime | None = None
        if rule is None:
            return
        # a wall time in a gap is what repeats, not where its first start is moved to
        wall = (
            start if start.tzinfo is None else self._first_utc.astimezone(zone).replace(tzinfo=None, fold=0)
        )
        self._first = wall.replace(microsecond=0)
        try:
            self.rule = read_rule(rule, self._first)
            if self.rule.most is not None:
                self._last = self._end_of_count(self.rule, self.rule.most)
        except ValueError as error:
            raise Rejected("recurrence", [str(error)]) from error
        if self.rule.until is not None:
            if self.rule.until.tzinfo is None:
                self._last = self.rule.until
            else:
                self._last_utc = self.rule.until

    def at(self, wall: datetime) -> datetime | None:
        """The start in UTC at wall time `wall`, of which day and time of day are known to fit the rule.

        Asks what is left: first and last start, hours of an hourly rule, exceptions.
        """
        if wall < self._first or (self._last is not None and wall > self._last):
            return None
        rule = self.rule
        if rule is not None and rule.hour_interval > 1 and not rule.hour_counts(wall):
            return None
        if wall == self._first and self._first_utc.microsecond == 0:
            moment = self._first_utc  # with the offset it was given
        else:
            moment = wall.replace(tzinfo=self.zone).astimezone(UTC)
        if moment in self._excluded or (self._last_utc is not None and moment > self._last_utc):
            return None
        return moment

    def once(self) -> datetime | None:
        """The single start in UTC of something without a rule, if no exception leaves it out."""
        return None if self._first_utc in self._excluded else self._first_utc

    def days(self) -> tuple[date, date]:
        """First and last day of wall time on which it may start."""
        if self._last_utc is not None:
            return self._first.date(), min(self._last_utc.date(), date.max - _DAY) + _DAY
        return self._first.date(), date.max if self._last is None else self._last.date()

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """Starts in `(after, until]`, in UTC, ascending. The work grows with the span, not the distance."""
        if self.rule is None:
            moment = self.once()
            return [moment] if moment is not None and after < moment <= until else []
        low, high = wall_span(after, until, self.zone)
        low = max(low, self._first)
        high = high if self._last is None else min(high, self._last)
        found = set()
        for day in days_between(low, high):
            if self.rule.days.include(day):
                midnight = datetime.combine(day, time())
                for seconds in self.rule.times:
                    moment = self.at(midnight + timedelta(seconds=seconds))
                    if moment is not None and after < moment <= until:
                        found.add(moment)
        return sorted(found)

    def _end_of_count(self, rule: Rule, count: int) -> datetime:
        """Wall time of the last start that COUNT allows."""
        day = self._first.date()
        year, month = day.year, day.month
        left = count
        for _ in range(MAX_COUNT_YEARS * 12):
            self.counted_months += 1
            mask = rule.days.mask(year, month)
            if (
                mask
                and rule.days.interval == 1
                and rule.hour_interval == 1
                and (year, month) != (day.year, day.month)
            ):
                whole = mask.bit_count() * len(rule.times)
                if whole < left:
                    left -= whole
                    mask = 0
            for number in range(1, 32) if mask else ():
                if not mask >> number & 1 or not rule.days.counts(date(year, month, number)):
                    continue
                midnight = datetime.combine(date(year, month, number), time())
                for seconds in rule.times:
                    wall = midnight + timedelta(seconds=seconds)
                    if wall >= self._first and rule.hour_counts(wall):
                        left -= 1
                        if left == 0:
                            return wall
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        raise ValueError(
            f"COUNT={count} is not reached within {MAX_COUNT_YEARS} years of the start; use UNTIL"
        )


def wall_span(after: datetime, until: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Bounds of the wall times that may mean an instant in `(after, until]`, also those in a spring gap."""
    lows = [_offset(after + step, zone) for step in (-_LONGEST_GAP, timedelta(), _LONGEST_GAP)]
    highs = [_offset(until + step, zone) for step in (-_LONGEST_GAP, timedelta())]
    low = after.astimezone(UTC).replace(tzinfo=None) + min(lows)
    return low, until.astimezone(UTC).replace(tzinfo=None) + max(highs)


def days_between(low: datetime, high: datetime) -> Iterable[date]:
    """Days of the wall times from `low` to `high`, both included."""
    return (date.fromordinal(number) for number in range(low.toordinal(), high.toordinal() + 1))


def check_schedule(schedule: Schedule, where: str = "schedule.json") -> None:
    """Check what the models cannot: recurrences, dates, and the work that the document would cause.

    Raises:
        Rejected: every bad programme is named; the document is refused whole.
    """
    problems: list[str] = []
    months = starts = 0
    patterns = set()
    zone = schedule.zone
    for number, programme in enumerate(schedule.programmes):
        if len(problems) >= MAX_BAD:
            break
        name = f"programmes.{number} ({programme.id})"
        parts = len(programme.items) * programme.loops
        if parts > MAX_PARTS:
            problems.append(f"{name}: items times loops is {parts}, at most {MAX_PARTS} are accepted")
        try:
            recurrence = Recurrence(programme.start, programme.recurrence, programme.exceptions, zone)
        except Rejected as error:
            rule = programme.recurrence or ""
            found = (
                f" (found {rule if len(rule) <= 60 else rule[:59] + '…'})"
                if error.where == "recurrence"
                else ""
            )
            problems += [f"{name}: {error.where}: {problem}{found}" for problem in error.problems]
            continue
        if recurrence.rule is not None:
            patterns.add(recurrence.rule.days)
            starts += len(recurrence.rule.times)
        months += recurrence.counted_months
        for found_here, bound, what in (
            (len(patterns), MAX_PATTERNS, "different sets of days"),
            (starts, MAX_STARTS, "starts on one day"),
            (months, MAX_COUNTED_MONTHS, "months of rules with COUNT"),
        ):
            if found_here > bound:
                problems.append(
                    f"{name}: with it there are {found_here} {what}, at most {bound} are accepted"
                )
                raise Rejected(where, problems)
    if problems:
        raise Rejected(where, problems)


def _instant(moment: datetime, zone: ZoneInfo, field: str) -> datetime:
    if not YEARS[0] <= moment.year <= YEARS[1]:
        raise Rejected(field, [f"must lie in the years {YEARS[0]} to {YEARS[1]}; found {moment.isoformat()}"])
    return localise(moment, zone).astimezone(UTC)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101 - a ZoneInfo always knows; tells the type checker
    return offset
