"""Which bulletins are on the board, slowly: look at the wall clock of the schedule and ask each of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from playlists.models.base import ClockState
from playlists.models.schedule import Bulletin
from playlists.timetable import FeedSchedule
from tests.playlists.plain_policy import is_open, open_minutes


def shows(bulletin: Bulletin, feed: FeedSchedule, now: datetime, clock: ClockState, names: set[str]) -> bool:
    """Whether this bulletin is on a board that has its zone."""
    if not any(target == "*" or target in names for target in bulletin.targets):
        return False
    order = ["routine", "priority", "emergency"]
    if order.index(bulletin.class_) > order.index(feed.ceiling):
        return False
    if clock == "unset":
        return bulletin.valid_from is None and bulletin.valid_until is None and not bulletin.hours
    zone = feed.schedule.zone
    if bulletin.valid_from and now.timestamp() < bulletin.valid_from.replace(tzinfo=zone).timestamp():
        return False
    if bulletin.valid_until and now.timestamp() >= bulletin.valid_until.replace(tzinfo=zone).timestamp():
        return False
    return is_open(open_minutes(bulletin.hours), (), zone, now)


def showing(
    feeds: Mapping[str, FeedSchedule], now: datetime, clock: ClockState, names: set[str]
) -> list[str]:
    """Ids of what is shown in the one zone `main`, in order."""
    found = []
    for class_ in ("emergency", "priority", "routine"):
        for level in sorted({feed.level for feed in feeds.values()}, reverse=True):
            for name in sorted(feeds):
                if feeds[name].level == level:
                    found += [
                        f"{name}/{one.id}"
                        for one in feeds[name].schedule.bulletins
                        if one.class_ == class_ and shows(one, feeds[name], now, clock, names)
                    ]
    return found
