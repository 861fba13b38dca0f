"""`board.toml`: what is only shown. Notices in Markdown, tables, printed notices, readings, countdowns, films."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from agent.station.texts import FileName, Shown, Table
from playlists.models.base import Identifier, Text, Title
from playlists.models.content import Code


class NoticeText(Shown):
    """A notice in Markdown, written here or in a file of its own."""

    text: Text = ""
    file: FileName | None = None
    qr: Code | None = None

    @model_validator(mode="after")
    def _one_text(self) -> Self:
        if self.file is not None and self.text.strip():
            raise ValueError("has both text and file; it needs one of them")
        if self.file is None and not (self.text.strip() or self.title):
            raise ValueError("has no text, no file and no title")
        return self


class TableText(Shown):
    """A table from a CSV file; its first row is the head."""

    file: FileName
    note: Title = ""
    qr: Code | None = None


class DocumentText(Shown):
    """A printed notice: a PDF."""

    file: FileName
    caption: Title = ""


class ReadingsText(Shown):
    """Readings from a JSON file (`loa.readings/1`) that some program of the commune's writes."""

    file: FileName
    show: tuple[Identifier, ...] = ()
    stale_after_min: Annotated[float, Field(ge=1, le=43_200)] = 180.0


class CountdownText(Shown):
    """How long it is to a moment, in the timetable's time zone."""

    to: datetime
    after: Title = ""


class VideoText(Shown):
    """A film."""

    file: Annotated[FileName, StringConstraints(pattern=r"(?i)\.(mp4|m4v|mov|mkv|webm)$")]
    fit: Literal["contain", "cover"] = "contain"
    caption: Title = ""
    sound: bool = False


class BoardTexts(Table):
    """`board.toml`."""

    notice: tuple[NoticeText, ...] = ()
    table: tuple[TableText, ...] = ()
    document: tuple[DocumentText, ...] = ()
    readings: tuple[ReadingsText, ...] = ()
    countdown: tuple[CountdownText, ...] = ()
    video: tuple[VideoText, ...] = ()

    @property
    def shown(self) -> list[Shown]:
        """All of them, in the order of the board."""
        return [
            *self.notice,
            *self.table,
            *self.document,
            *self.readings,
            *self.countdown,
            *self.video,
        ]
