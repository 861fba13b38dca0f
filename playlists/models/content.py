"""What a bulletin shows: one of the kinds below."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import FailFast, Field, StringConstraints, model_validator

from playlists.models.base import Identifier, MediaPath, Model, Text, Title

Code = Annotated[str, StringConstraints(max_length=1_000)]
"""What a QR code says."""
Cell = Annotated[str, StringConstraints(max_length=500)]
Row = Annotated[tuple[Cell, ...], Field(max_length=12), FailFast()]
Share = Annotated[float, Field(ge=0, le=1)]
Pixels = Annotated[int, Field(ge=1, le=32_768)]

KINDS = ("text", "image", "video", "table", "document", "readings", "countdown")
LONGEST_STALE_S = 30 * 86_400


class TextContent(Model):
    """A notice that the board sets in type."""

    heading: Title = ""
    body: Text = ""
    markup: Annotated[str, StringConstraints(max_length=32)] = "plain"
    """How the body is written: `plain` or `markdown` (headings, lists, tables, strong and emphasised words); an
    unknown one is shown as it is written."""
    qr: Code | None = None


class TableContent(Model):
    """Rows and columns: a timetable. The head stands on every page."""

    heading: Title = ""
    head: Row = ()
    rows: Annotated[tuple[Row, ...], Field(max_length=500), FailFast()]
    note: Title = ""
    """Below the table."""
    qr: Code | None = None


class PictureContent(Model):
    """A picture that fills its zone."""

    media: MediaPath
    fit: Literal["contain", "cover"] = "contain"
    caption: Title = ""


class VideoContent(PictureContent):
    """A film that fills its zone. It is shown to its end, or for `duration_s` where the bulletin says that."""

    sound: bool = False
    """Whether it is heard: like a routine announcement, where and when one may sound."""


class DocumentPage(Model):
    """A page of a printed notice, as a picture."""

    media: MediaPath
    size: tuple[Pixels, Pixels] | None = None
    """Width and height of the picture."""
    gaps: Annotated[tuple[Share, ...], Field(max_length=500), FailFast()] = ()
    """Heights, as shares of the page's, at which nothing is printed: a board may cut it there."""


class DocumentContent(Model):
    """A printed notice, page by page: what was a PDF before it was published."""

    pages: Annotated[tuple[DocumentPage, ...], Field(min_length=1, max_length=100), FailFast()]
    caption: Title = ""


class ReadingsContent(Model):
    """Readings from a target of the feed (`loa.readings/1`): weather, air, a water level."""

    media: MediaPath
    heading: Title = ""
    show: Annotated[tuple[Identifier, ...], Field(max_length=48), FailFast()] = ()
    """Ids of the readings that are shown, in this order; without any, all of them."""
    stale_after_s: Annotated[float, Field(ge=60, le=LONGEST_STALE_S)] = 10_800.0
    """A reading that is older is shown as old."""


class CountdownContent(Model):
    """How long it is to an instant."""

    to: datetime
    heading: Title = ""
    after: Title = ""
    """What is shown from that instant on."""


class Content(Model):
    """One of the kinds. A kind that is not known here leaves out its bulletin, and no other."""

    text: TextContent | None = None
    image: PictureContent | None = None
    video: VideoContent | None = None
    table: TableContent | None = None
    document: DocumentContent | None = None
    readings: ReadingsContent | None = None
    countdown: CountdownContent | None = None

    @model_validator(mode="before")
    @classmethod
    def _something(cls, found: Any) -> Any:
        if isinstance(found, dict) and not any(value is not None for value in found.values()):
            raise ValueError(f"content has exactly one of {', '.join(KINDS)}; found none")
        return found

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) > 1:
            raise ValueError(f"content has exactly one of {', '.join(KINDS)}; found {', '.join(given)}")
        return self

    @property
    def kind(self) -> str | None:
        """Which one it is; None: one that is not known here."""
        return next((kind for kind in KINDS if getattr(self, kind) is not None), None)

    def media(self) -> set[str]:
        """Targets of the feed that it needs."""
        if self.document is not None:
            return {page.media for page in self.document.pages}
        part = self.image or self.video or self.readings
        return {part.media} if part is not None else set()
