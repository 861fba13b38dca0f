"""Instants at which a wall clock shows given times, also on the days when it is put forward or back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MINUTES_A_DAY = 24 * 60


def minutes_of(ranges: Iterable[str]) -> frozenset[int]:
    """Minutes of the day at which `HH:MM-HH:MM` ranges begin or end; 24:00 is the next day's 0."""
    return frozenset(_minute(part) % MINUTES_A_DAY for text in ranges for part in text.split("-"))


def wall_instants(minutes: Iterable[int], zone: ZoneInfo, after: datetime, days: int) -> list[datetime]:
    """Return, in order and in UTC, the instants later than `after` at which something may change
    that depends on whether the wall clock has passed one of `minutes` of its day.

    These are the minutes themselves, twice where the clock is put back over them, and the instants at which
    the clock is put forward or back. The last day is that of `after` plus `days`.
    """
    first, after = after.astimezone(zone).date(), after.astimezone(UTC)
    wanted = set(minutes)
    found: set[datetime] = set()
    for day in (first + number * DAY for number in range(days + 1)):
        found.update(_clock_changes(day, zone))
        for minute in wanted:
            for fold in (0, 1):
                wall = datetime.combine(day, time(minute // 60, minute % 60, fold=fold), zone)
                found.add(wall.astimezone(UTC))
    return sorted(instant for instant in found if instant > after)


def _clock_changes(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """The instant of this day at which the offset to UTC changes, if there is one."""
    low = datetime.combine(day, time(), zone).astimezone(UTC)
    high = datetime.combine(day + DAY, time(), zone).astimezone(UTC)
    before = low.astimezone(zone).utcoffset()
    if before == high.astimezone(zone).utcoffset():
        return
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    yield high.replace(microsecond=0)


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
