"""What a day was like: minutes by class and language, how much was completed, what failed, who was silent.

Everything is read from the centre's database, that is from what the nodes reported; a day is a calendar day
of the given time zone.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from agent.station.archive import Archive
from playlists.models.base import ClockState

SILENT_AFTER_HOURS: Final = 1
"""A node of which nothing was heard in any hour of the day is silent; the report also gives the hours."""

ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
MAX_FAILURES: Final = 1_000


@dataclass(frozen=True)
class Minutes:
    """What was sounded of one class in one language."""

    class_: str
    language: str
    minutes: float
    plays: int


@dataclass(frozen=True)
class Failure:
    """A play that did not come to its end, and why."""

    node: str
    at: str | None
    what: str
    item: int | None
    outcome: str
    reason: str | None


@dataclass(frozen=True)
class NodeDay:
    """One node's day."""

    node: str
    plays: int
    finished: int
    minutes: float
    heard_hours: int
    """Hours of the day in which anything came from it."""
    state: str | None
    """Its last known `status`."""
    doubtful_plays: int
    """Plays whose times come from a clock that was not synchronised."""


@dataclass(frozen=True)
class Report:
    """See the module. `completed_percent` is null when nothing was to play."""

    day: str
    timezone: str
    minutes: list[Minutes]
    completed_percent: float | None
    outcomes: dict[str, int]
    failures: list[Failure]
    nodes: list[NodeDay]
    silent: list[str]
    shown: dict[str, int]
    """Showings of each bulletin."""
    refused_commands: int = 0
    alerts: list[str] = field(default_factory=list)

    def as_json(self) -> str:
        """The report for a script."""
        document = asdict(self)
        for entry in document["minutes"]:
            entry["class"] = entry.pop("class_")
        return json.dumps(document, ensure_ascii=False, indent=2)


def report(archive: Archive, day: date, zone: ZoneInfo = ZONE) -> Report:
    """Read the day from the database."""
    since = datetime.combine(day, time(), zone).timestamp()
    until = datetime.combine(day + timedelta(days=1), time(), zone).timestamp()
    records = archive.records(since, until)
    plays = [record for record in records if record.get("kind") == "play"]
    outcomes = Counter(str(play.get("outcome")) for play in plays)
    hours = dict(
        archive.rows(
            "SELECT node, count(*) FROM heard WHERE hour >= ? AND hour < ? GROUP BY node",
            (since // 3_600, until // 3_600),
        )
    )
    known = {node for (node,) in archive.rows("SELECT DISTINCT node FROM heard")}
    status = archive.latest("status")
    shown: Counter[str] = Counter()
    for record in records:
        if record.get("kind") == "show":
            shown[str(record.get("bulletin"))] += _number(record.get("shown"))
    return Report(
        day=day.isoformat(),
        timezone=zone.key,
        minutes=_minutes(plays),
        completed_percent=round(100 * outcomes["finished"] / len(plays), 1) if plays else None,
        outcomes=dict(sorted(outcomes.items())),
        failures=[_failure(play) for play in plays if play.get("outcome") != "finished"][:MAX_FAILURES],
        nodes=[_node(node, plays, hours, status) for node in sorted(known)],
        silent=sorted(node for node in known if hours.get(node, 0) < SILENT_AFTER_HOURS),
        shown=dict(shown.most_common()),
        refused_commands=sum(
            record.get("kind") == "command" and str(record.get("reason", "")).startswith("refused")
            for record in records
        ),
        alerts=[
            str(record.get("alert") or record.get("title"))
            for record in records
            if record.get("kind") == "alert"
        ],
    )


def _minutes(plays: Iterable[Mapping[str, Any]]) -> list[Minutes]:
    seconds: dict[tuple[str, str], float] = defaultdict(float)
    count: Counter[tuple[str, str]] = Counter()
    for play in plays:
        key = str(play.get("class") or "unknown"), str(play.get("language") or "unknown")
        played_s = _number(play.get("played_s"))
        if played_s > 0:
            seconds[key] += played_s
            count[key] += 1
    return [
        Minutes(class_, language, round(seconds[class_, language] / 60, 2), count[class_, language])
        for class_, language in sorted(seconds)
    ]


def _failure(play: Mapping[str, Any]) -> Failure:
    return Failure(
        node=str(play["node"]),
        at=play.get("started") or play.get("planned"),
        what=str(play.get("programme") or play.get("command") or play.get("alert") or play.get("title")),
        item=play.get("item"),
        outcome=str(play.get("outcome")),
        reason=play.get("reason"),
    )


def _node(
    node: str,
    plays: Iterable[Mapping[str, Any]],
    hours: Mapping[str, int],
    status: Mapping[str, Mapping[str, Any]],
) -> NodeDay:
    mine = [play for play in plays if play["node"] == node]
    clocks = [play["clock"].get("state") if isinstance(play.get("clock"), dict) else None for play in mine]
    return NodeDay(
        node=node,
        plays=len(mine),
        finished=sum(play.get("outcome") == "finished" for play in mine),
        minutes=round(sum(_number(play.get("played_s")) for play in mine) / 60, 2),
        heard_hours=hours.get(node, 0),
        state=status.get(node, {}).get("state"),
        doubtful_plays=sum(state != ClockState.SYNCHRONISED for state in clocks),
    )


def _number(value: object) -> Any:
    """A reading, or 0 where there is none: only for sums."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
