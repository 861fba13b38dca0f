"""The policy's hours again, slowly: walk from minute to minute and look at the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def open_minutes(ranges: tuple[str, ...]) -> set[tuple[int, int]]:
    """Every (hour, minute) that lies in one of the ranges, found by walking from begin to end."""
    if not ranges:
        return {(hour, minute) for hour in range(24) for minute in range(60)}
    found = set()
    for text in ranges:
        at, end = ((int(part[:2]), int(part[3:])) for part in text.split("-"))
        at, end = (at[0] % 24, at[1]), (end[0] % 24, end[1])
        if text[:5] == text[6:]:
            continue
        while True:
            found.add(at)
            at = (at[0], at[1] + 1) if at[1] < 59 else ((at[0] + 1) % 24, 0)
            if at == end:
                break
    return found


def is_open(
    minutes: set[tuple[int, int]], quiet_days: tuple[str, ...], zone: ZoneInfo, moment: datetime
) -> bool:
    """Whether sound is allowed at this instant."""
    wall = moment.astimezone(zone)
    for day in quiet_days:
        year, month, date = day.split("-") if len(day) == 10 else ("", *day.split("-"))
        if (wall.month, wall.day) == (int(month), int(date)) and year in ("", str(wall.year)):
            return False
    return (wall.hour, wall.minute) in minutes


def first_closed(
    ranges: tuple[str, ...], quiet_days: tuple[str, ...], zone: ZoneInfo, began: datetime, days: int
) -> datetime | None:
    """The first instant from `began` on at which sound is not allowed, on that day or `days` later."""
    minutes, last = open_minutes(ranges), began.astimezone(zone).date() + timedelta(days=days)
    moment = began.astimezone(UTC)
    while moment.astimezone(zone).date() <= last:
        if not is_open(minutes, quiet_days, zone, moment):
            return moment
        moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return None
