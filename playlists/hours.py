"""Hours of the day as the documents and the configuration write them: `HH:MM-HH:MM`, wall time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime


def hours_contain(ranges: Iterable[str], wall: datetime) -> bool:
    """Whether wall time lies in one of the ranges `HH:MM-HH:MM`; no range at all means always.

    The end is excluded, so that `05:00-22:00` and `22:00-05:00` share no minute. A range whose end is
    before its beginning crosses midnight; one that ends where it begins contains nothing.
    """
    minute = wall.hour * 60 + wall.minute
    given = False
    for text in ranges:
        given = True
        begin, end = (_minute(part) for part in text.split("-"))
        if begin <= minute < end if begin <= end else minute >= begin or minute < end:
            return True
    return not given


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
