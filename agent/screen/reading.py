"""The worker's reading of the conductor's messages: every field is checked, every complaint names its place.

Hand-written, because pydantic would cost the worker more memory than its pictures do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from zoneinfo import ZoneInfo

from agent.screen.content import (
    CLASSES,
    DEFAULT_TURN_S,
    FITS,
    MARKUPS,
    STALE_AFTER_S,
    THEMES,
    Board,
    Bulletin,
    CountdownPart,
    DocumentPart,
    ImagePart,
    ReadingsPart,
    Sheet,
    TablePart,
    TextPart,
    Value,
    VideoPart,
    Zone,
)
from agent.screen.errors import Rejected
from agent.screen.protocol import (
    ACTIONS,
    MAX_CAPTION,
    MAX_ZONES,
    STATUSES,
    Act,
    Break,
    Caption,
    Clear,
    Message,
    Ping,
    Quit,
    Rest,
    RunFilm,
    SetBoard,
    SetCaption,
    TakeOver,
    Takeover,
    TakePicture,
    Words,
)
from playlists.units import Seconds


def read_message(message: Mapping[str, Any]) -> Message:
    """Understand one message of the conductor.

    Raises:
        Rejected: an unknown `op`, or a field that is missing or out of bounds; it is named.
    """
    op = message.get("op")
    if op == "board":
        return SetBoard(_board(_Fields(message, "").inner("board")))
    if op == "takeover":
        return TakeOver(_takeover(_Fields(message, "").inner("takeover")))
    fields = _Fields(message, "")
    if op == "picture":
        width = fields.number("width", 16, 16_384) if message.get("width") is not None else None
        path = Path(fields.text("path"))
        if path.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
            raise Rejected(f"path: ends in .png or .jpg, found {path.name!r}")
        return TakePicture(fields.text("request"), path, None if width is None else int(width))
    if op == "ping":
        return Ping(int(fields.number("n", -(2**53), 2**53)))
    return _rarer(op, message, fields)


def _rarer(op: object, message: Mapping[str, Any], fields: _Fields) -> Message:
    if op in {"clear", "quit"}:
        return Clear() if op == "clear" else Quit()
    if op == "caption":
        return SetCaption(None if message.get("caption") is None else _caption(fields.inner("caption")))
    if op == "rest":
        return Rest(message.get("resting") is True)
    if op == "act":
        return Act(fields.choice("action", ACTIONS))
    if op == "film":
        at = fields.number("at", 0, 2**53) if message.get("at") is not None else None
        return RunFilm(fields.text("bulletin"), at)
    if op == "break":
        return Break(fields.choice("as", BREAKAGES) if message.get("as") is not None else None)
    raise Rejected(f"op: one of {', '.join(OPS)}, found {op!r}")


C = TypeVar("C", bound=str)
P = TypeVar("P")
OPS: Final = (
    "board",
    "takeover",
    "clear",
    "caption",
    "picture",
    "ping",
    "quit",
    "rest",
    "act",
    "film",
    "break",
)
BREAKAGES: Final[tuple[Literal["black", "frozen"], ...]] = ("black", "frozen")
MAX_LANGUAGES: Final = 16
MAX_ROWS: Final = 500
MAX_COLUMNS: Final = 12
MAX_SHEETS: Final = 100
MAX_VALUES: Final = 48


@dataclass(frozen=True)
class _Fields:
    """An object of a message, and where it stands: every complaint names the place."""

    values: Any
    where: str

    def __post_init__(self) -> None:
        if not isinstance(self.values, Mapping):
            raise Rejected(f"{self.where.rstrip('.') or 'message'}: an object, found {self.values!r:.60}")

    def text(self, name: str, default: str | None = None) -> str:
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise Rejected(f"{self.where}{name}: a text, found {value!r:.60}")
        return value

    def number(self, name: str, least: float, most: float, default: float | None = None) -> float:
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise Rejected(f"{self.where}{name}: a number from {least} to {most}, found {value!r:.60}")
        return value

    def choice(self, name: str, choices: tuple[C, ...], default: C | None = None) -> C:
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        for one in choices:
            if value == one:
                return one
        raise Rejected(f"{self.where}{name}: one of {', '.join(choices)}, found {value!r:.60}")

    def integers(self, name: str, count: int) -> tuple[int, ...]:
        value = self.values.get(name)
        if (
            not isinstance(value, Sequence)
            or len(value) != count
            or not all(isinstance(v, int) and not isinstance(v, bool) for v in value)
        ):
            raise Rejected(f"{self.where}{name}: {count} whole numbers, found {value!r:.60}")
        return tuple(value)

    def inner(self, name: str) -> _Fields:
        return _Fields(self.values.get(name), f"{self.where}{name}.")

    def instant(self, name: str) -> datetime:
        value = self.text(name)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise Rejected(f"{self.where}{name}: a date and time, found {value!r:.60}") from error
        if moment.tzinfo is None:
            raise Rejected(f"{self.where}{name}: a time with its offset, found {value!r:.60}")
        return moment

    def row(self, value: object, name: str) -> tuple[str, ...]:
        if (
            not isinstance(value, list)
            or len(value) > MAX_COLUMNS
            or not all(isinstance(cell, str) for cell in value)
        ):
            raise Rejected(f"{self.where}{name}: at most {MAX_COLUMNS} texts, found {value!r:.60}")
        return tuple(value)

    def each(self, name: str) -> list[_Fields]:
        value = self.values.get(name, [])
        if not isinstance(value, list | tuple):
            raise Rejected(f"{self.where}{name}: a list, found {value!r:.60}")
        return [_Fields(part, f"{self.where}{name}[{n}].") for n, part in enumerate(value)]


def _board(fields: _Fields) -> Board:
    columns, rows = fields.integers("grid", 2)
    if not (1 <= columns <= 64 and 1 <= rows <= 64):
        raise Rejected(f"{fields.where}grid: 1 to 64 columns and rows, found {[columns, rows]}")
    timezone = fields.text("timezone", "Asia/Ho_Chi_Minh")
    try:
        ZoneInfo(timezone)
    except (ValueError, OSError, LookupError) as error:
        raise Rejected(f"{fields.where}timezone: an IANA time zone, found {timezone!r:.60}") from error
    zones = fields.each("zones")
    if len(zones) > MAX_ZONES:
        raise Rejected(f"{fields.where}zones: at most {MAX_ZONES}, found {len(zones)}")
    return Board(
        layout=fields.text("layout"),
        grid=(columns, rows),
        zones=tuple(_zone(zone, columns, rows) for zone in zones),
        timezone=timezone,
        theme=fields.choice("theme", THEMES) if fields.values.get("theme") else None,
        clock_known=fields.text("clock", "synchronised") != "unset",
    )


def _zone(fields: _Fields, columns: int, rows: int) -> Zone:
    x, y, width, height = fields.integers("at", 4)
    if x < 0 or y < 0 or width < 1 or height < 1 or x + width > columns or y + height > rows:
        raise Rejected(f"{fields.where}at: {[x, y, width, height]} lies outside the grid {[columns, rows]}")
    bulletins = tuple(_bulletin(part) for part in fields.each("bulletins"))
    return Zone(fields.text("id"), fields.text("kind", "bulletins"), (x, y, width, height), bulletins)


def _bulletin(fields: _Fields) -> Bulletin:
    def of(kind: str, read: Callable[[_Fields], P]) -> P | None:
        return read(fields.inner(kind)) if fields.values.get(kind) is not None else None

    return Bulletin(
        id=fields.text("id"),
        class_=fields.choice("class", CLASSES, "routine"),
        language=fields.text("language", "vi"),
        duration_s=Seconds(fields.number("duration_s", 1, 3_600, DEFAULT_TURN_S)),
        weight=int(fields.number("weight", 1, 100, 1)),
        text=of("text", _text),
        image=of("image", _image),
        video=of("video", _video),
        table=of("table", _table),
        document=of("document", _document),
        readings=of("readings", _readings),
        countdown=of("countdown", _countdown),
    )


def _text(part: _Fields) -> TextPart:
    return TextPart(
        part.text("heading", ""),
        part.text("body", ""),
        part.text("qr", "") or None,
        part.choice("markup", MARKUPS, "plain"),
    )


def _image(part: _Fields) -> ImagePart:
    return ImagePart(part.text("path"), part.choice("fit", FITS, "contain"), part.text("caption", ""))


def _video(part: _Fields) -> VideoPart:
    fit = part.choice("fit", FITS, "contain")
    return VideoPart(part.text("path"), fit, part.text("caption", ""), part.values.get("sound") is True)


def _table(part: _Fields) -> TablePart:
    rows = part.values.get("rows")
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise Rejected(f"{part.where}rows: a list of at most {MAX_ROWS} rows, found {rows!r:.60}")
    return TablePart(
        tuple(part.row(row, f"rows[{number}]") for number, row in enumerate(rows)),
        part.row(part.values.get("head", []), "head"),
        part.text("heading", ""),
        part.text("note", ""),
        part.text("qr", "") or None,
    )


def _document(part: _Fields) -> DocumentPart:
    sheets = part.each("pages")
    if not 0 < len(sheets) <= MAX_SHEETS:
        raise Rejected(f"{part.where}pages: 1 to {MAX_SHEETS} pages, found {len(sheets)}")
    return DocumentPart(tuple(map(_sheet, sheets)), part.text("caption", ""))


def _sheet(part: _Fields) -> Sheet:
    size = part.integers("size", 2) if part.values.get("size") is not None else (0, 0)
    if min(size) < 0:
        raise Rejected(f"{part.where}size: no less than nothing, found {list(size)}")
    gaps = part.values.get("gaps", [])
    if not isinstance(gaps, list) or not all(isinstance(gap, int | float) and 0 <= gap <= 1 for gap in gaps):
        raise Rejected(f"{part.where}gaps: numbers from 0 to 1, found {gaps!r:.60}")
    return Sheet(part.text("path"), (size[0], size[1]), tuple(sorted(map(float, gaps))))


def _readings(part: _Fields) -> ReadingsPart:
    return ReadingsPart(
        tuple(map(_value, part.each("values")[:MAX_VALUES])),
        part.text("heading", ""),
        part.text("source", ""),
        Seconds(part.number("stale_after_s", 1, 30 * 86_400, STALE_AFTER_S)),
    )


def _value(part: _Fields) -> Value:
    return Value(
        part.text("name"),
        part.text("value", "") or None,
        part.text("unit", ""),
        part.instant("at") if part.values.get("at") is not None else None,
        part.text("note", ""),
    )


def _countdown(part: _Fields) -> CountdownPart:
    return CountdownPart(part.instant("to"), part.text("heading", ""), part.text("after", ""))


def _takeover(fields: _Fields) -> Takeover:
    return Takeover(
        id=fields.text("id"),
        class_=fields.choice("class", CLASSES, "emergency"),
        event=fields.text("event", ""),
        headline=fields.text("headline", ""),
        text=fields.text("text", ""),
        status=fields.choice("status", STATUSES, "Actual"),
        language=fields.text("language", "vi"),
        more=tuple(
            Words(
                part.text("language"),
                part.text("event", ""),
                part.text("headline", ""),
                part.text("text", ""),
            )
            for part in fields.each("more")[: MAX_LANGUAGES - 1]
        ),
    )


def _caption(fields: _Fields) -> Caption:
    text = fields.text("text")
    if not 0 < len(text) <= MAX_CAPTION:
        raise Rejected(f"{fields.where}text: 1 to {MAX_CAPTION} characters, found {len(text)}")
    return Caption(text, Seconds(fields.number("lasts_s", 0, 3_600)))
