"""The plain slow model: dateutil from the first start on, one list of everything, no cleverness."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from playlists.timetable import FeedSchedule, Occurrence

BEYOND = timedelta(days=3)


def plain_starts(
    start: datetime, rule: str | None, exceptions: Iterable[datetime], zone: ZoneInfo, horizon: datetime
) -> list[datetime]:
    """All starts up to `horizon`, in UTC."""

    def instant(moment: datetime) -> datetime:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)

    left_out = {instant(moment) for moment in exceptions}
    if rule is None:
        return [instant(start)] if instant(start) <= horizon and instant(start) not in left_out else []
    wall = start.astimezone(zone).replace(tzinfo=None, fold=0) if start.tzinfo else start
    last_utc = None
    until = re.search(r";UNTIL=(\w+)", rule)
    if until and until[1].endswith("Z"):
        last_utc = datetime.strptime(until[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        rule = rule.replace(until[0], "")
    elif until and len(until[1]) == 8:
        rule = rule.replace(until[0], f"{until[0]}T235959")
    found = set()
    for moment in rrulestr(rule, dtstart=wall):
        if moment.replace(tzinfo=UTC) > horizon + BEYOND:
            break
        as_given = moment == wall and start.tzinfo is not None
        found.add(instant(start.replace(microsecond=0) if as_given else moment))
    return sorted(m for m in found - left_out if m <= horizon and (last_utc is None or m <= last_utc))


class PlainTimetable:
    """Every start up to a horizon, in one list."""

    def __init__(
        self, feeds: Mapping[str, FeedSchedule], node: str, groups: frozenset[str], horizon: datetime
    ) -> None:
        self.all: list[Occurrence] = []
        for feed, source in feeds.items():
            for programme in source.schedule.programmes:
                meant = any(name in ("*", node) or name in groups for name in programme.targets)
                if not meant or programme.class_.rank > source.ceiling.rank:
                    continue
                starts = plain_starts(
                    programme.start,
                    programme.recurrence,
                    programme.exceptions,
                    source.schedule.zone,
                    horizon,
                )
                self.all += [Occurrence(feed, source.level, programme, start) for start in starts]
        self.all.sort(
            key=lambda o: (
                o.planned,
                -o.programme.class_.rank,
                -o.programme.priority,
                -o.level,
                o.feed,
                o.programme.id,
            )
        )

    def due(self, after: datetime, until: datetime) -> list[str]:
        return [o.id for o in self.all if after < o.planned <= until]

    def current(self, now: datetime) -> list[str]:
        return [
            o.id
            for o in self.all
            if o.planned <= now
            and (
                (o.ends is not None and now < o.ends)
                or now <= o.planned + timedelta(seconds=o.programme.grace_s)
            )
        ]

    def upcoming(self, now: datetime, count: int) -> list[str]:
        return [o.id for o in self.all if o.planned > now][:count]
