"""What the board shows now, and when that next changes.

- The layout is that of the highest feed that has one for this screen and hour: the first that names hours,
  which are now; or else the first for screens that hang so, or else `default`, or else the first. Without any, a
  notice area over a ticker and a clock.
- A screen hangs in `landscape` or `portrait`. A layout for the other kind of screen is passed over; before the
  screen has said how it hangs, only layouts for any screen are asked.
- A bulletin is shown in the zone that it names while it is valid, within its hours, if it is for this node.
  All its times are wall times in the zone of its schedule.
- Emergencies stand first in their zone, then priority, then routine; within a class the feed of the higher
  level, then the order of the document.
- With an unset clock nobody knows what is valid: bulletins with dates or hours stay off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from playlists.hours import hours_contain
from playlists.models.base import ClockState, localise
from playlists.models.content import Content
from playlists.models.schedule import Bulletin, Layout, LayoutZone
from playlists.policy import above_ceiling
from playlists.timetable import FeedSchedule
from playlists.wallclock import minutes_of, wall_instants

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

BUILT_IN_LAYOUT = Layout(
    id="built-in",
    grid=(16, 9),
    zones=(
        LayoutZone(id="main", at=(0, 0, 16, 8)),
        LayoutZone(id="ticker", at=(0, 8, 13, 1), kind="ticker"),
        LayoutZone(id="clock", at=(13, 8, 3, 1), kind="clock"),
    ),
)

BUILT_IN_PORTRAIT = Layout(
    id="built-in",
    orientation="portrait",
    grid=(9, 32),
    zones=(
        LayoutZone(id="main", at=(0, 0, 9, 28)),
        LayoutZone(id="clock", at=(0, 28, 9, 2), kind="clock"),
        LayoutZone(id="ticker", at=(0, 30, 9, 2), kind="ticker"),
    ),
)

BUILT_IN = (BUILT_IN_LAYOUT, BUILT_IN_PORTRAIT)
"""What stands where a schedule has no layouts."""

Orientation = Literal["landscape", "portrait"]

LONGEST_FILM_S = 600.0
"""A film whose bulletin names no duration is shown to its end, but no longer than this."""

NextEdge = Callable[[tuple[str, ...], ZoneInfo], datetime | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """A bulletin on the board, and the feed that it comes from."""

    feed: str
    bulletin: Bulletin
    timezone: ZoneInfo = VIETNAM
    """Of the schedule: what its wall times are in."""

    @property
    def id(self) -> str:
        """`feed/bulletin`: unique on the board."""
        return f"{self.feed}/{self.bulletin.id}"

    def to_json(self) -> dict[str, Any]:
        """As the screen is told of it; `path` is still the target of `feed` that it names."""
        bulletin = self.bulletin
        told: dict[str, Any] = {
            "id": self.id,
            "feed": self.feed,
            "class": bulletin.class_.value,
            "language": bulletin.language,
            "duration_s": bulletin.duration_s,
            "weight": bulletin.weight,
        }
        if bulletin.content.video is not None and "duration_s" not in bulletin.model_fields_set:
            told["duration_s"] = LONGEST_FILM_S
        return told | told_content(bulletin.content, self.timezone)


@dataclass(frozen=True, slots=True)
class ZoneNow:
    """A zone of the layout and what it shows in turn."""

    zone: LayoutZone
    bulletins: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class BoardNow:
    """All that the board shows. Equal boards look alike."""

    layout: str
    grid: tuple[int, int]
    zones: tuple[ZoneNow, ...]
    timezone: str
    """The node's own: what its clock shows."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Valid bulletins that are not shown, with the reason."""

    @property
    def showing(self) -> tuple[str, ...]:
        """Ids (`feed/bulletin`) of all that is shown."""
        return tuple(shown.id for zone in self.zones for shown in zone.bulletins)

    def to_json(self) -> dict[str, Any]:
        """As the screen is told of it."""
        return {
            "layout": self.layout,
            "grid": list(self.grid),
            "timezone": self.timezone,
            "zones": [
                {
                    "id": part.zone.id,
                    "kind": part.zone.kind,
                    "at": list(part.zone.at),
                    "bulletins": [shown.to_json() for shown in part.bulletins],
                }
                for part in self.zones
            ],
        }


def board_at(
    feeds: Mapping[str, FeedSchedule],
    now: datetime,
    clock_state: ClockState,
    node: str,
    groups: frozenset[str],
    timezone: str,
    orientation: Orientation | None = None,
) -> tuple[BoardNow, datetime | None]:
    """Return what the board shows at `now`, and when (UTC) that may next change; None: not by itself.

    The order of `feeds` does not matter. `timezone` is the node's own, for its clock. `orientation` is how
    the screen hangs; None while that is not known.
    """
    by_level = sorted(feeds.items(), key=lambda feed: (-feed[1].level, feed[0]))
    next_edge = _edges(now)
    known = clock_state is not ClockState.UNSET
    layout, changes = _layout(by_level, orientation, now if known else None, next_edge)
    places = {zone.id for zone in layout.zones}
    valid: list[Shown] = []
    left_out: list[tuple[str, str]] = []
    for name, feed in by_level:
        zone = feed.schedule.zone
        for bulletin in feed.schedule.bulletins:
            if not _is_for(bulletin, node, groups):
                continue
            dated = (
                bulletin.valid_from or bulletin.valid_until or bulletin.hours or bulletin.content.countdown
            )
            if dated and clock_state is ClockState.UNSET:
                continue
            changes += _changes(bulletin, zone, now, next_edge)
            if not _is_valid(bulletin, zone, now):
                continue
            shown = Shown(name, bulletin, zone)
            reason = _why_not(bulletin, feed, places)
            if reason is None:
                valid.append(shown)
            else:
                left_out.append((shown.id, reason))
    valid.sort(key=lambda shown: -shown.bulletin.class_.rank)  # stable: level and document order stay
    zones = tuple(
        ZoneNow(zone, tuple(shown for shown in valid if shown.bulletin.zone == zone.id))
        for zone in layout.zones
    )
    board = BoardNow(layout.id, layout.grid, zones, timezone, tuple(left_out))
    return board, min(changes, default=None)


def told_content(content: Content, timezone: ZoneInfo) -> dict[str, Any]:
    """A bulletin's content as the screen is told of it; media are still the targets that it names."""
    told: dict[str, Any] = {}
    if content.text is not None:
        told = content.text.model_dump(mode="json")
        told["markup"] = "markdown" if content.text.markup == "markdown" else "plain"
    elif content.table is not None:
        told = content.table.model_dump(mode="json")
    elif content.image is not None or content.video is not None:
        part = content.video or content.image
        told = part.model_dump(mode="json") if part is not None else {}
        told["path"] = told.pop("media")
    elif content.document is not None:
        told = content.document.model_dump(mode="json")
        for page in told["pages"]:
            page["path"] = page.pop("media")
    elif content.readings is not None:
        told = content.readings.model_dump(mode="json")
        told["path"] = told.pop("media")
    elif content.countdown is not None:
        to = _instant(content.countdown.to, timezone).isoformat()
        told = {"to": to, "heading": content.countdown.heading, "after": content.countdown.after}
    if content.kind is None:
        raise ValueError("its content is of a kind that this version does not know")
    return {content.kind: told}


def _layout(
    by_level: list[tuple[str, FeedSchedule]],
    orientation: Orientation | None,
    now: datetime | None,
    next_edge: NextEdge,
) -> tuple[Layout, list[datetime]]:
    """The layout, and when another one may take its place; `now` is None while nobody knows the time."""
    built_in = BUILT_IN_PORTRAIT if orientation == "portrait" else BUILT_IN_LAYOUT
    for _, feed in by_level:
        zone = feed.schedule.zone
        fitting = [one for one in feed.schedule.layouts if one.orientation in {None, orientation}]
        fitting.sort(
            key=lambda one: one.orientation is None
        )  # stable: what is made for this screen goes first
        timed = [one for one in fitting if one.hours and now is not None]
        changes = [edge for one in timed if (edge := next_edge(one.hours, zone)) is not None]
        at_all_hours = [one for one in fitting if not one.hours]
        now_on = [one for one in timed if now is not None and hours_contain(one.hours, now.astimezone(zone))]
        made_for_it = [one for one in at_all_hours if one.orientation is not None]
        standard = [one for one in at_all_hours if one.id == "default"]
        for one in (*now_on, *made_for_it, *standard, *at_all_hours):
            return one, changes
        if changes:  # it has layouts, for other hours
            return built_in, changes
    return built_in, []


def _is_for(bulletin: Bulletin, node: str, groups: frozenset[str]) -> bool:
    return not {"*", node, *groups}.isdisjoint(bulletin.targets)


def _is_valid(bulletin: Bulletin, zone: ZoneInfo, now: datetime) -> bool:
    if bulletin.valid_from is not None and now < _instant(bulletin.valid_from, zone):
        return False
    if bulletin.valid_until is not None and now >= _instant(bulletin.valid_until, zone):
        return False
    return hours_contain(bulletin.hours, now.astimezone(zone))


def _why_not(bulletin: Bulletin, feed: FeedSchedule, places: set[str]) -> str | None:
    if above_ceiling(bulletin.class_, feed.ceiling):
        return f"above ceiling: class {bulletin.class_} from a feed that may claim {feed.ceiling}"
    if bulletin.content.kind is None:
        return "its content is of a kind that this version does not know"
    if bulletin.zone not in places:
        return f"the layout has no zone {bulletin.zone!r}"
    return None


def _changes(bulletin: Bulletin, zone: ZoneInfo, now: datetime, next_edge: NextEdge) -> Iterator[datetime]:
    begins = None if bulletin.valid_from is None else _instant(bulletin.valid_from, zone)
    ends = None if bulletin.valid_until is None else _instant(bulletin.valid_until, zone)
    if ends is not None and ends <= now:
        return
    if begins is not None and begins > now:
        yield begins
        return
    if ends is not None:
        yield ends
    if bulletin.hours and (edge := next_edge(bulletin.hours, zone)):
        yield edge


def _edges(now: datetime) -> NextEdge:
    @cache
    def next_edge(hours: tuple[str, ...], zone: ZoneInfo) -> datetime | None:
        return next(iter(wall_instants(minutes_of(hours), zone, now, days=2)), None)

    return next_edge


def _instant(moment: datetime, zone: ZoneInfo) -> datetime:
    return localise(moment, zone).astimezone(UTC)
