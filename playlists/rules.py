"""RRULE texts (RFC 5545 §3.3.10), taken apart into the days they mean and the times of those days.

python-dateutil says which days a rule means. It is asked for one month (or, for yearly rules, one year)
at a time, so that

- a rule that began years ago costs no more than one that begins today,
- a rule that never comes true ends with its month, where dateutil alone would search until the year 9999,
- programmes that share a pattern of days share the answer.

`INTERVAL` and the times of day are arithmetic here; tests hold the whole equal to plain dateutil.

What a rule may not do: FREQ of a minute or a second; more than `MAX_STARTS_A_DAY` starts on one day; COUNT
above `MAX_COUNT`, or together with UNTIL (the RFC forbids it); numbered BYDAY except with MONTHLY and YEARLY
(likewise), or beside plain ones (dateutil would intersect them); INTERVAL above 24 with HOURLY; BYSETPOS
except with MONTHLY and YEARLY and one start a day. A date without a time as UNTIL includes that whole day.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from functools import lru_cache
from itertools import product
from math import gcd
from typing import NamedTuple

from dateutil.rrule import rrule, rrulestr

MAX_STARTS_A_DAY = 96
"""One start each quarter of an hour, around the clock."""

MAX_COUNT = 10_000

_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BOUNDS = {  # smallest and largest magnitude, whether it may count from the end
    "BYMONTH": (1, 12, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYSETPOS": (1, 366, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSECOND": (0, 59, False),
}
_DAY_PARTS = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY")
_PARTS = {*_BOUNDS, "BYDAY", "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
_BYDAY = re.compile(r"([+-]?[1-9]\d?)?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")
_ONLY_ONE = "INTERVAL=100000"  # the second period lies beyond the year 9999: dateutil stops after the first


class Days(NamedTuple):
    """The days that a rule means. Programmes with equal `Days` start on the same days."""

    pattern: str
    """What dateutil answers for one month or year."""
    frequency: str
    interval: int
    phase: int
    """Number of the period that counts, modulo `interval`."""
    week_start: int

    def include(self, day: date) -> bool:
        """Whether the rule means this day; start, end and exceptions are not asked."""
        return bool(self.mask(day.year, day.month) >> day.day & 1) and self.counts(day)

    def mask(self, year: int, month: int) -> int:
        """Days of a month that the pattern means, as bits (day 1 is bit 1), before INTERVAL."""
        if self.frequency == "YEARLY":
            return _year(self.pattern, year)[month - 1]
        return _month(self.pattern, year, month)

    def counts(self, day: date) -> bool:
        """Whether the day's period is one of each `interval`."""
        return self.interval == 1 or self.number(day) % self.interval == self.phase

    def number(self, day: date) -> int:
        """Number of the period that the day lies in, counted from long ago."""
        match self.frequency:
            case "YEARLY":
                return day.year
            case "MONTHLY":
                return day.year * 12 + day.month
            case "WEEKLY":
                return (day.toordinal() - 1 - self.week_start) // 7
            case _:
                return day.toordinal()


class Rule(NamedTuple):
    """A rule that is fit to be followed."""

    days: Days
    times: tuple[int, ...]
    """Starts of a day, in seconds of its wall time, ascending."""
    hour_interval: int
    hour_phase: int
    """With FREQ=HOURLY: which hours count, as in `Days`."""
    most: int | None
    """COUNT."""
    until: datetime | None
    """Last moment that may be a start: wall time, or with an offset where the text says UTC."""

    def hour_counts(self, wall: datetime) -> bool:
        """Whether the hour is one of each INTERVAL of an hourly rule."""
        number = wall.toordinal() * 24 + wall.hour
        return self.hour_interval == 1 or number % self.hour_interval == self.hour_phase


def read_rule(text: str, start: datetime) -> Rule:
    """Take apart the rule of something that starts at wall time `start` (without offset).

    Raises:
        ValueError: the rule breaks the RFC or this node's bounds; the message says how.
    """
    text = text.upper()
    match _takes(text):
        case "YEARLY":
            shape = _shape(text, start.month, start.day, 0)
        case "MONTHLY":
            shape = _shape(text, 0, start.day, 0)
        case "WEEKLY":
            shape = _shape(text, 0, 0, start.weekday())
        case _:
            shape = _shape(text, 0, 0, 0)
    times: tuple[int, ...] = (start.hour * 3_600 + start.minute * 60 + start.second,)
    if shape.timed:
        times = _times(shape, start)
    if shape.hour_interval > 1:
        common = gcd(shape.hour_interval, 24)
        times = tuple(t for t in times if (t // 3_600 - start.hour) % common == 0)
        if not times:
            raise ValueError("INTERVAL never meets BYHOUR")
    days = shape.days
    if days.interval > 1:
        days = days._replace(phase=days.number(start) % days.interval)
    phase = 0
    if shape.hour_interval > 1:
        phase = (start.toordinal() * 24 + start.hour) % shape.hour_interval
    return Rule(days, times, shape.hour_interval, phase, shape.most, shape.until)


class _Shape(NamedTuple):
    """What a rule's text says once the day of the start is known; thousands of programmes share one."""

    days: Days
    """With phase 0."""
    timed: bool
    """Whether the text has its own times of day, in whole or in part."""
    hours: list[int]
    """Empty: that of the start; so for minutes and seconds."""
    minutes: list[int]
    seconds: list[int]
    one_start: bool
    hour_interval: int
    most: int | None
    """COUNT."""
    until: datetime | None


@lru_cache(maxsize=4_096)
def _takes(text: str) -> str:
    """The frequency of a rule that takes its day from the start; empty for one that names its days."""
    parts = dict(_parts(text))
    return "" if any(name in parts for name in _DAY_PARTS) else parts["FREQ"]


@lru_cache(maxsize=4_096)
def _shape(text: str, month: int, day: int, weekday: int) -> _Shape:
    parts = dict(_parts(text))
    frequency = parts["FREQ"]
    hourly = frequency == "HOURLY"
    interval = _number("INTERVAL", parts.get("INTERVAL", "1"), 1, 24 if hourly else 100_000)
    hours = _numbers(parts, "BYHOUR") or (list(range(24)) if hourly else [])
    minutes, seconds = _numbers(parts, "BYMINUTE"), _numbers(parts, "BYSECOND")
    pattern = _pattern(text, parts, month, day, weekday)
    week_start = _WEEKDAYS.index(parts.get("WKST", "MO")) if frequency == "WEEKLY" and interval > 1 else 0
    return _Shape(
        days=Days(pattern, frequency, 1 if hourly else interval, 0, week_start),
        timed=bool(hours or minutes or seconds),
        hours=hours,
        minutes=minutes,
        seconds=seconds,
        one_start="BYSETPOS" in parts,
        hour_interval=interval if hourly else 1,
        most=_number("COUNT", parts["COUNT"], 1, MAX_COUNT) if "COUNT" in parts else None,
        until=_moment(parts["UNTIL"]) if "UNTIL" in parts else None,
    )


def _times(shape: _Shape, start: datetime) -> tuple[int, ...]:
    hours, minutes = shape.hours or [start.hour], shape.minutes or [start.minute]
    seconds = shape.seconds or [start.second]
    number = len(hours) * len(minutes) * len(seconds)
    if number > MAX_STARTS_A_DAY:
        raise ValueError(f"means {number} starts a day, at most {MAX_STARTS_A_DAY} are accepted")
    if shape.one_start and number > 1:
        raise ValueError("BYSETPOS is accepted with one start a day only")
    return tuple(h * 3_600 + m * 60 + s for h, m, s in product(hours, minutes, seconds))


@lru_cache(maxsize=1_024)
def _parts(text: str) -> tuple[tuple[str, str], ...]:
    parts: dict[str, str] = {}
    for piece in text.split(";"):
        name, equals, value = piece.partition("=")
        if name not in _PARTS or not equals:
            raise ValueError(f"{piece[:40]!r} is no part of a recurrence rule")
        if name in parts:
            raise ValueError(f"{name} is given twice")
        parts[name] = value
    frequency = parts.get("FREQ")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"FREQ must be one of {', '.join(_FREQUENCIES)}; found {frequency}")
    if parts.get("WKST", "MO") not in _WEEKDAYS:
        raise ValueError(f"WKST must be one of {', '.join(_WEEKDAYS)}; found {parts['WKST'][:20]!r}")
    for name, (low, high, negative) in _BOUNDS.items():
        for value in parts[name].split(",") if name in parts else ():
            _number(name, value.removeprefix("-") if negative else value, low, high)
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("COUNT and UNTIL must not be given together")
    whole = frequency in ("YEARLY", "MONTHLY")
    if "BYSETPOS" in parts and not whole:
        raise ValueError(f"BYSETPOS is accepted with FREQ=MONTHLY or YEARLY; found FREQ={frequency}")
    if "BYDAY" in parts:
        in_year = frequency == "YEARLY" and "BYMONTH" not in parts
        _check_weekdays(parts["BYDAY"], 53 if in_year else 5 if whole else 0)
    return tuple(parts.items())


def _check_weekdays(text: str, highest: int) -> None:
    numbered = set()
    for value in text.split(","):
        found = _BYDAY.fullmatch(value)
        if not found:
            raise ValueError(f"BYDAY: {value[:20]!r} is no weekday")
        numbered.add(found[1] is not None)
        if found[1] and not highest:
            raise ValueError("BYDAY: numbered weekdays are accepted with FREQ=MONTHLY or YEARLY only")
        if found[1] and abs(int(found[1])) > highest:  # dateutil runs off its calendar there
            raise ValueError(f"BYDAY: weekdays are numbered 1 to {highest} here; found {value!r}")
    if len(numbered) > 1:
        raise ValueError("BYDAY: numbered and plain weekdays are not accepted side by side")


def _number(name: str, text: str, low: int, high: int) -> int:
    # the length first: turning a long string of digits into a number costs time
    if len(text) > 6 or not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
        raise ValueError(f"{name} must be {low} to {high}; found {text[:20]!r}")
    return int(text)


def _numbers(parts: dict[str, str], name: str) -> list[int]:
    return sorted({int(value) for value in parts[name].split(",")}) if name in parts else []


@lru_cache(maxsize=1_024)
def _moment(text: str) -> datetime:
    """UNTIL: a day (all of it), wall time, or UTC."""
    try:
        moment = datetime.fromisoformat(text) if _UNTIL.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError(
            f"UNTIL must look like 20271231, 20271231T235959 or 20271231T165959Z; found {text[:20]!r}"
        )
    return datetime.combine(moment, time.max) if len(text) == 8 else moment


def _pattern(text: str, parts: dict[str, str], month: int, day: int, weekday: int) -> str:
    """The rule's days as a monthly or yearly rule, with what it would take from its start written out."""
    kept = {name: parts[name] for name in ("BYMONTH", *_DAY_PARTS, "BYSETPOS") if name in parts}
    if "BYWEEKNO" in kept:
        kept["WKST"] = parts.get("WKST", "MO")
    frequency = parts["FREQ"]
    match _takes(text):
        case "YEARLY":
            kept.setdefault("BYMONTH", str(month))
            kept["BYMONTHDAY"] = str(day)
        case "MONTHLY":
            kept["BYMONTHDAY"] = str(day)
        case "WEEKLY":
            kept["BYDAY"] = _WEEKDAYS[weekday]
        case "DAILY" | "HOURLY":
            kept["BYMONTHDAY"] = ",".join(map(str, range(1, 32)))
    period = "YEARLY" if frequency == "YEARLY" else "MONTHLY"
    return ";".join((f"FREQ={period}", _ONLY_ONE, *(f"{name}={value}" for name, value in kept.items())))


@lru_cache(maxsize=1_024)
def _dateutil(pattern: str) -> rrule:
    rule = rrulestr(pattern, dtstart=datetime.combine(date(2000, 1, 1), time()))
    assert isinstance(rule, rrule)  # noqa: S101 - a single RRULE never makes a set; tells the type checker
    return rule


@lru_cache(maxsize=8_192)
def _month(pattern: str, year: int, month: int) -> int:
    begin = datetime.combine(date(year, month, 1), time())
    return sum(1 << moment.day for moment in _dateutil(pattern).replace(dtstart=begin))


@lru_cache(maxsize=2_048)
def _year(pattern: str, year: int) -> tuple[int, ...]:
    months = [0] * 12
    for moment in _dateutil(pattern).replace(dtstart=datetime.combine(date(year, 1, 1), time())):
        months[moment.month - 1] |= 1 << moment.day
    return tuple(months)
