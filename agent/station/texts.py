"""What an officer writes: the tables of the three TOML files, each key with its bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from playlists.markup import BULLET, aloud
from playlists.models.base import BulletinClass, GainDb, Identifier, Language, LengthS, Text, Title
from playlists.models.items import StreamUrl
from playlists.models.schedule import HourRange, IfLate, Layout, Names, OnConflict

FileName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")
]
"""A file below `authoring/media/`: ASCII, so that every web host and every node names it alike."""

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Table(BaseModel):
    """Base of all tables: the officer's own file, so an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


class Shown(Table):
    """What all things on the board share."""

    id: Identifier
    title: Title = ""
    language: Language = "vi"
    class_: Annotated[BulletinClass, Field(alias="class")] = BulletinClass.ROUTINE
    zone: Identifier = "main"
    targets: Names = ("*",)
    valid_from: date | datetime | None = None
    valid_until: date | datetime | None = None
    hours: tuple[HourRange, ...] = ()
    duration_s: Annotated[float, Field(ge=1, le=3_600)] | None = None
    weight: Annotated[int, Field(ge=1, le=100)] = 1


_ITEM_OF_LIST = re.compile(r"(?:[-*+•–]|(\d{1,3})([.)]))\s+(?=\S)", re.ASCII)


def _paragraphs(text: str) -> Iterator[list[str]]:
    """Paragraphs, parted by empty lines: each one line, and one more for each item of a list in it.

    A number that only happens to begin a line begins no item: it is 1, or one more than the item's before it.
    """
    for paragraph in re.split(r"\n[^\S\n]*\n\s*", text.replace("\r\n", "\n").strip()):
        lines: list[str] = []
        due = 1
        for raw in paragraph.split("\n"):
            line = " ".join(raw.split())
            item = _ITEM_OF_LIST.match(line)
            if item is not None and item[1] is None:
                lines.append(f"{BULLET} {line[item.end() :]}")
            elif not lines or (item is not None and int(item[1]) in {1, due}):
                lines.append(line)
                due = int(item[1]) + 1 if item is not None else due
            else:
                lines[-1] += f" {line}"
        yield lines


class Announcement(Shown):
    """A text to be spoken, shown, or both."""

    text: Annotated[Text, Field(min_length=1)]
    show: bool = True
    qr: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    recording: FileName | None = None
    """A recording that is played instead."""

    @field_validator("text")
    @classmethod
    def _tidy(cls, text: str) -> str:
        return "\n\n".join("\n".join(lines) for lines in _paragraphs(text))

    @property
    def spoken(self) -> str:
        """The text as it is read aloud."""
        return aloud(self.text)


class Image(Shown):
    """A picture for the board."""

    file: FileName
    fit: Literal["contain", "cover"] = "contain"
    caption: Title = ""


class Ticker(Table):
    """The line that runs along the board."""

    text: Annotated[Text, Field(min_length=1)]
    language: Language = "vi"

    @field_validator("text")
    @classmethod
    def _tidy(cls, text: str) -> str:
        return " ".join(text.split())


class Announcements(Table):
    """`announcements.toml`."""

    announcement: tuple[Announcement, ...] = ()
    image: tuple[Image, ...] = ()
    ticker: Ticker | None = None


class AuthorPolicy(Table):
    """What the commune's nodes are configured to: a timetable that breaks it is a mistake here already."""

    allowed_hours: tuple[HourRange, ...] = ()
    longest_session_min: Annotated[float, Field(gt=0, le=1_440)] | None = None
    night_volume_db: Annotated[float, Field(ge=-60, le=0)] | None = None
    """For the nodes' own configuration; a feed does not carry it."""


_ITEM = re.compile(
    r"chime|music:\d{1,5}s|relay:[\w.-]+:\d{1,6}s|announcement:[\w.:@+-]+|media:[\w./-]+", re.ASCII
)
ItemText = str


class ProgrammeText(Table):
    """When something sounds, and of what it is made."""

    id: Identifier
    title: Title = ""
    language: Language = "vi"
    class_: Annotated[BulletinClass, Field(alias="class")] = BulletinClass.ROUTINE
    priority: int = 0
    zones: Names = ("*",)
    targets: Names = ("*",)
    days: tuple[Day, ...] = ()
    dates: Annotated[tuple[date, ...], Field(max_length=1_000)] = ()
    start: time
    from_: Annotated[date | None, Field(alias="from")] = None
    until: date | None = None
    except_: Annotated[tuple[date, ...], Field(alias="except", max_length=1_000)] = ()
    loops: Annotated[int, Field(ge=1, le=10_000)] = 1
    gap_s: LengthS = 0.0
    length_s: Annotated[LengthS, Field(gt=0)] | None = None
    on_conflict: OnConflict = "queue"
    if_late: IfLate = "join"
    grace_s: LengthS = 120.0
    volume_db: GainDb = 0.0
    items: Annotated[tuple[ItemText, ...], Field(min_length=1, max_length=1_000)]

    @field_validator("items")
    @classmethod
    def _known_items(cls, items: tuple[str, ...]) -> tuple[str, ...]:
        for item in items:
            if not _ITEM.fullmatch(item):
                kinds = "chime, music:SECONDSs, relay:NAME:SECONDSs, announcement:ID, media:FILE"
                raise ValueError(f"{item!r} is none of {kinds}")
        return items

    @model_validator(mode="after")
    def _days_or_dates(self) -> Self:
        if bool(self.days) == bool(self.dates):
            raise ValueError("needs either days or dates")
        if self.dates and (self.from_ or self.until or self.except_):
            raise ValueError("from, until and except belong to days, not to dates")
        return self


class Timetable(Table):
    """`timetable.toml`."""

    timezone: str = "Asia/Ho_Chi_Minh"
    policy: AuthorPolicy = AuthorPolicy()
    programme: tuple[ProgrammeText, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is not an IANA time zone") from error
        return name


class RelayText(Table):
    """A station that programmes may carry."""

    url: StreamUrl
    fallback: ItemText | None = None
    """What sounds when it is silent: `music:120s` or `media:FILE`."""


class OperatorText(Table):
    """Somebody who may command."""

    name: Title
    actions: Annotated[
        tuple[Literal["announce", "live", "alert", "control", "maintain"], ...], Field(min_length=1)
    ]
    expires: date
    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")] | None = None
    """The name of a key in `keys/`."""
    public: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Or the public half, in hex, of a key that lies elsewhere."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.key is None) == (self.public is None):
            raise ValueError("needs either key or public")
        return self


class Commune(Table):
    """`commune.toml`."""

    name: Title
    relays: dict[str, RelayText] = {}
    operator: tuple[OperatorText, ...] = ()
    layout: tuple[Layout, ...] = ()
    """Without any, a board takes the one that is built in for screens that hang as it does."""
