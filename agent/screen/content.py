"""What a board shows: bulletins of every kind, the zones that they stand in, the board itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from playlists.units import Seconds

DEFAULT_TURN_S: Final = Seconds(15.0)
STALE_AFTER_S: Final = Seconds(3 * 3_600.0)
"""A reading that is older is shown as old, where its bulletin says nothing else."""

ClassName = Literal["routine", "priority", "emergency"]
ThemeName = Literal["dark", "light", "contrast"]
Fit = Literal["contain", "cover"]
Markup = Literal["plain", "markdown"]

CLASSES: Final[tuple[ClassName, ...]] = ("routine", "priority", "emergency")
THEMES: Final[tuple[ThemeName, ...]] = ("dark", "light", "contrast")
FITS: Final[tuple[Fit, ...]] = ("contain", "cover")
MARKUPS: Final[tuple[Markup, ...]] = ("plain", "markdown")


@dataclass(frozen=True)
class TextPart:
    """A notice to be set in type."""

    heading: str = ""
    body: str = ""
    qr: str | None = None
    markup: Markup = "plain"
    """How the body is written."""


@dataclass(frozen=True)
class TablePart:
    """Rows and columns of text, under a heading."""

    rows: tuple[tuple[str, ...], ...]
    head: tuple[str, ...] = ()
    heading: str = ""
    note: str = ""
    """Below the table."""
    qr: str | None = None


@dataclass(frozen=True)
class ImagePart:
    """A picture on disk."""

    path: str
    fit: Fit = "contain"
    caption: str = ""


@dataclass(frozen=True)
class Sheet:
    """One page of a document, as a picture on disk."""

    path: str
    size: tuple[int, int] = (0, 0)
    """Width and height in pixels; nothing by nothing where nobody knows: then the page is shown whole."""
    gaps: tuple[float, ...] = ()
    """Heights, as shares of the page's own, at which nothing is printed: there it may be cut."""


@dataclass(frozen=True)
class DocumentPart:
    """A printed notice, page by page."""

    sheets: tuple[Sheet, ...]
    caption: str = ""


@dataclass(frozen=True)
class VideoPart:
    """A film on disk. It is shown to its end, or for `duration_s` of its bulletin."""

    path: str
    fit: Fit = "contain"
    caption: str = ""
    sound: bool = False
    """Whether the node sounds it: then the film waits for the conductor's word (`film`) for a moment."""


@dataclass(frozen=True)
class Value:
    """One reading."""

    name: str
    value: str | None
    """As it is written, without its unit; None: there is none."""
    unit: str = ""
    at: datetime | None = None
    """When it was read."""
    note: str = ""


@dataclass(frozen=True)
class ReadingsPart:
    """What was measured: weather, air, a water level."""

    values: tuple[Value, ...]
    heading: str = ""
    source: str = ""
    """Who measured it."""
    stale_after_s: Seconds = STALE_AFTER_S


@dataclass(frozen=True)
class CountdownPart:
    """How long it is to an instant."""

    to: datetime
    heading: str = ""
    after: str = ""
    """What is shown from that instant on."""


@dataclass(frozen=True)
class Bulletin:
    """One bulletin of a zone; `duration_s` is the length of its turn, `weight` its share of the turns."""

    id: str
    class_: ClassName = "routine"
    language: str = "vi"
    duration_s: Seconds = DEFAULT_TURN_S
    weight: int = 1
    text: TextPart | None = None
    image: ImagePart | None = None
    video: VideoPart | None = None
    table: TablePart | None = None
    document: DocumentPart | None = None
    readings: ReadingsPart | None = None
    countdown: CountdownPart | None = None


@dataclass(frozen=True)
class Zone:
    """A rectangle of the grid (column, row, width, height in cells) and what is shown in it."""

    id: str
    kind: str
    at: tuple[int, int, int, int]
    bulletins: tuple[Bulletin, ...] = ()


@dataclass(frozen=True)
class Board:
    """All that is to be seen while there is no takeover."""

    layout: str
    grid: tuple[int, int]
    zones: tuple[Zone, ...]
    timezone: str = "Asia/Ho_Chi_Minh"
    theme: ThemeName | None = None
    """None: the theme that the worker was started with."""
    clock_known: bool = True
    """False: the node does not know the time, and the clock says so instead of a wrong one."""
