"""`schedule.json`: programmes, bulletins and layouts of one feed (contract §2)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, FailFast, Field, StringConstraints, field_validator, model_validator

from playlists.errors import Rejected
from playlists.models.base import (
    MAX_BULLETINS,
    MAX_PROGRAMMES,
    MAX_UNKNOWN,
    BulletinClass,
    GainDb,
    Identifier,
    Language,
    LengthS,
    Model,
    Title,
    read_json,
    unknown_fields,
    validate,
)
from playlists.models.content import Content
from playlists.models.items import Item, MediaItem, RelayItem

FORMAT = "loa.schedule/1"

OnConflict = Literal["preempt", "queue", "skip"]
IfLate = Literal["join", "full", "skip"]
Names = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._:-]{0,127})$")], ...],
    FailFast(),  # here and below: one problem tells as much as the same one for each of a million parts
]
_HOUR = r"(([01]\d|2[0-3]):[0-5]\d|24:00)"
HourRange = Annotated[str, StringConstraints(pattern=f"^{_HOUR}-{_HOUR}$")]


class Programme(Model):
    """Something that sounds at planned times. Its times are wall times in the schedule's zone."""

    id: Identifier
    title: Title = ""
    language: Language = "vi"
    class_: Annotated[BulletinClass, Field(alias="class")] = BulletinClass.ROUTINE
    priority: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = 0
    zones: Names = ("*",)
    targets: Names = ("*",)
    start: datetime
    recurrence: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    exceptions: Annotated[tuple[datetime, ...], Field(max_length=10_000), FailFast()] = ()
    loops: Annotated[int, Field(ge=1, le=10_000)] = 1
    gap_s: LengthS = 0.0
    length_s: Annotated[LengthS, Field(gt=0)] | None = None
    on_conflict: OnConflict = "queue"
    if_late: IfLate = "join"
    grace_s: LengthS = 120.0
    volume_db: GainDb = 0.0
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=1_000), FailFast()]

    def media(self) -> set[str]:
        """Targets of the feed that it needs, fallbacks included."""
        needed = {item.media for item in self.items if isinstance(item, MediaItem)}
        return needed | {
            i.relay.fallback for i in self.items if isinstance(i, RelayItem) and i.relay.fallback
        }


class Bulletin(Model):
    """Something that the board shows while it is valid, in turn with its zone's other bulletins."""

    id: Identifier
    title: Title = ""
    language: Language = "vi"
    class_: Annotated[BulletinClass, Field(alias="class")] = BulletinClass.ROUTINE
    zone: Identifier = "main"
    targets: Names = ("*",)
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    hours: Annotated[tuple[HourRange, ...], Field(max_length=48), FailFast()] = ()
    duration_s: Annotated[float, Field(ge=1, le=3_600)] = 15.0
    weight: Annotated[int, Field(ge=1, le=100)] = 1
    content: Content

    def media(self) -> set[str]:
        """Targets of the feed that it needs."""
        return self.content.media()


class LayoutZone(Model):
    """A rectangle of a layout: column, row, width, height, in cells of the grid."""

    id: Identifier
    at: tuple[int, int, int, int]
    kind: Annotated[str, StringConstraints(max_length=32)] = "bulletins"
    """`bulletins`, `banner`, `ticker` or `clock`; an unknown kind shows its bulletins."""


class Layout(Model):
    """How a screen is divided, at some hours, on screens that hang so."""

    id: Identifier
    hours: Annotated[tuple[HourRange, ...], Field(max_length=48), FailFast()] = ()
    orientation: Literal["landscape", "portrait"] | None = None
    """The screens that it is for; null: all."""
    grid: tuple[Annotated[int, Field(ge=1, le=64)], Annotated[int, Field(ge=1, le=64)]] = (16, 9)
    zones: Annotated[tuple[LayoutZone, ...], Field(min_length=1, max_length=32), FailFast()]

    @model_validator(mode="after")
    def _zones_on_grid(self) -> Self:
        columns, rows = self.grid
        for zone in self.zones:
            x, y, width, height = zone.at
            if x < 0 or y < 0 or width < 1 or height < 1 or x + width > columns or y + height > rows:
                raise ValueError(
                    f"zone {zone.id!r} at {list(zone.at)} lies outside the grid {list(self.grid)}"
                )
        return self


class Schedule(Model):
    """The one document that says what a feed wants heard and seen."""

    format: Literal["loa.schedule/1"]
    version: Annotated[int, Field(ge=1, le=2**53)]
    published: AwareDatetime
    timezone: str = "Asia/Ho_Chi_Minh"
    programmes: Annotated[tuple[Programme, ...], Field(max_length=MAX_PROGRAMMES)] = ()
    bulletins: Annotated[tuple[Bulletin, ...], Field(max_length=MAX_BULLETINS)] = ()
    layouts: Annotated[tuple[Layout, ...], Field(max_length=64), FailFast()] = ()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is not an IANA time zone") from error
        return name

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        for what, things in (
            ("programme", self.programmes),
            ("bulletin", self.bulletins),
            ("layout", self.layouts),
        ):
            seen: set[str] = set()
            for thing in things:
                if thing.id in seen:
                    raise ValueError(f"{what} id {thing.id!r} is used twice")
                seen.add(thing.id)
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of all wall times in this document."""
        return ZoneInfo(self.timezone)

    def media(self) -> set[str]:
        """All targets of the feed that this schedule needs."""
        needed: set[str] = set()
        for programme in self.programmes:
            needed |= programme.media()
        for bulletin in self.bulletins:
            needed |= bulletin.media()
        return needed


def parse_schedule(raw: bytes, where: str = "schedule.json") -> tuple[Schedule, list[str]]:
    """Read and check a schedule; the second value names the fields that are unknown here and were ignored.

    Raises:
        Rejected: too big, too many parts, not JSON, an unknown `format`, or any field out of bounds.
            The document is refused whole.
    """
    document = read_json(where, raw)
    found = document.get("format")
    if found != FORMAT:
        raise Rejected(where, [f"format: {FORMAT!r} is understood here, found {found!r}"])
    for name, limit in (("programmes", MAX_PROGRAMMES), ("bulletins", MAX_BULLETINS)):
        parts = document.get(name)
        if isinstance(parts, list) and len(parts) > limit:
            raise Rejected(where, [f"{name}: at most {limit} are accepted, found {len(parts)}"])
    schedule = validate(Schedule, where, document)
    return schedule, sorted(set(unknown_fields(Schedule, document)))[:MAX_UNKNOWN]
