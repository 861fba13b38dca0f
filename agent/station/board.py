"""From `board.toml` and the files that it names to bulletins: all is read and looked at before it is signed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from agent.station.boardtexts import BoardTexts, NoticeText, ReadingsText, TableText
from agent.station.printed import NotPrinted, Printed, pages_of
from agent.station.texts import Shown
from playlists.errors import PlaylistsError
from playlists.markup import Table, plain, read_markdown
from playlists.models.base import describe, localise
from playlists.models.content import TableContent
from playlists.models.readings import MAX_READINGS_BYTES, parse_readings

MOST_LETTERS: Final = 20_000
MOST_CSV_BYTES: Final = 500_000
LONG_LETTERS: Final = 1_500
"""A notice with more is shown in several turns: few will read it to its end."""
WIDE_COLUMNS: Final = 6
LONG_DOCUMENT: Final = 8
MANY_PAGES_S: Final = 20.0
"""A page of a printed notice stays so long, where nothing else is said."""
_CSV_SIGNS: Final = ";\t,"


@dataclass
class Read:
    """What the files say, ready for the schedule, and what its author should know."""

    contents: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By bulletin; media are targets already."""
    durations_s: dict[str, float] = field(default_factory=dict)
    media: dict[str, Path] = field(default_factory=dict)
    """By target."""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_files(
    texts: BoardTexts, folder: Path, media: Path, cache: Path, timezone: str, now: datetime | None = None
) -> Read:
    """Read everything that `board.toml` names.

    Args:
        texts: checked.
        folder: `authoring/board/`, with texts, tables, printed notices and readings.
        media: `authoring/media/`, with films.
        cache: where pages of printed notices are kept.
        timezone: of countdowns (IANA).
        now: for what is told of old readings and countdowns that are over.

    Raises:
        Technician: pypdfium2 is missing.
    """
    reader = _Reader(folder, media, cache, now or datetime.now(UTC), Read())
    for notice in texts.notice:
        reader.notice(notice)
    for table in texts.table:
        reader.table(table)
    for document in texts.document:
        reader.document(document.id, document.file, document.caption or document.title)
    for readings in texts.readings:
        reader.readings(readings)
    for countdown in texts.countdown:
        to = localise(countdown.to, ZoneInfo(timezone))
        if to <= reader.now and not countdown.after:
            reader.note(
                countdown.id, f"counts down to {to:%d/%m/%Y %H:%M}, which is over, and says nothing after it"
            )
        reader.found.contents[countdown.id] = {
            "countdown": {
                "to": countdown.to.isoformat(),
                "heading": countdown.title,
                "after": countdown.after,
            }
        }
    for video in texts.video:
        if reader.there(video.id, media / video.file, f"media/{video.file}"):
            target = f"media/{video.file}"
            reader.found.media[target] = media / video.file
            part = {"media": target, "fit": video.fit, "caption": video.caption, "sound": video.sound}
            reader.found.contents[video.id] = {"video": part}
    return reader.found


def bulletins(texts: BoardTexts, read: Read) -> Iterator[dict[str, Any]]:
    """The bulletins of the schedule."""
    for entry in texts.shown:
        content = read.contents.get(entry.id)
        if content is None:
            continue
        kept = entry.model_dump(
            mode="json",
            by_alias=True,
            include={"id", "title", "language", "class_", "zone", "targets", "hours", "weight"},
        )
        valid = {
            "valid_from": moment(entry.valid_from, time.min),
            "valid_until": moment(entry.valid_until, time.max.replace(microsecond=0)),
        }
        lasts_s = entry.duration_s or read.durations_s.get(entry.id)
        yield kept | valid | ({"duration_s": lasts_s} if lasts_s else {}) | {"content": content}


def moment(value: Any, at: time) -> str | None:
    """A date with this time, or a date and time as they are, as the schedule writes them."""
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else datetime.combine(value, at).isoformat()


@dataclass
class _Reader:
    """Reads one file after the other, and collects."""

    folder: Path
    media: Path
    cache: Path
    now: datetime
    found: Read

    def problem(self, name: str, reason: str) -> None:
        self.found.problems.append(f"board.toml: '{name}' {reason}")

    def note(self, name: str, reason: str) -> None:
        self.found.notes.append(f"board.toml: '{name}' {reason}")

    def there(self, name: str, path: Path, called: str) -> bool:
        if not path.is_file():
            self.problem(name, f"file: no file {called}")
        return path.is_file()

    def notice(self, notice: NoticeText) -> None:
        text: str | None = notice.text
        if notice.file is not None:
            text = self._text(notice, notice.file, MOST_LETTERS * 4)
        if text is None:
            return
        if len(text) > MOST_LETTERS:
            self.problem(notice.id, f"text: {len(text)} letters, a board takes at most {MOST_LETTERS}")
            return
        marked = read_markdown(text)
        for lost in marked.lost:
            self.note(notice.id, f"text: a board leaves out {lost}")
        for typed in marked.as_typed:
            self.note(notice.id, f"text: a board shows {typed} as typed, marks and all")
        letters = len(plain(text))
        if letters > LONG_LETTERS:
            self.note(
                notice.id, f"text: {letters} letters; few stand before a board for more than {LONG_LETTERS}"
            )
        for block in marked.blocks:
            if isinstance(block, Table):
                self._wide(notice.id, len(block.align))
        body = {"heading": notice.title, "body": text.strip(), "markup": "markdown", "qr": notice.qr}
        self.found.contents[notice.id] = {"text": body}
        self.found.durations_s[notice.id] = reading_s(text)

    def table(self, table: TableText) -> None:
        text = self._text(table, table.file, MOST_CSV_BYTES)
        if text is None:
            return
        try:
            rows = [
                tuple(cell.strip() for cell in row) for row in csv.reader(io.StringIO(text), _dialect(text))
            ]
        except csv.Error as error:
            self.problem(table.id, f"file: board/{table.file} is no CSV: {error}")
            return
        rows = [row for row in rows if any(row)]
        if len(rows) < 2:
            self.problem(table.id, f"file: board/{table.file} has no rows below its head")
            return
        head, *body = rows
        part = {"heading": table.title, "head": head, "rows": body, "note": table.note, "qr": table.qr}
        try:
            checked = TableContent.model_validate(part)
        except ValidationError as error:
            self.found.problems += [
                f"board.toml: '{table.id}' board/{table.file}: {line}" for line in describe(error)
            ]
            return
        self._wide(table.id, max(map(len, rows)))
        for number, row in enumerate(body, 2):
            if len(row) > len(head):
                self.note(table.id, f"board/{table.file}: row {number} has more cells than the head")
        self.found.contents[table.id] = {"table": checked.model_dump(mode="json")}
        self.found.durations_s[table.id] = reading_s(text)

    def document(self, name: str, file: str, caption: str) -> None:
        path = self.folder / file
        if not self.there(name, path, f"board/{file}"):
            return
        try:
            pages = pages_of(path, self.cache)
        except NotPrinted as error:
            self.problem(name, f"file: board/{file} {error}")
            return
        if len(pages) > LONG_DOCUMENT:
            self.note(name, f"board/{file}: {len(pages)} pages; few stand before a board for so long")
        if not any(page.gaps for page in pages):
            self.note(
                name,
                f"board/{file} looks like a scan: boards cannot tell its lines apart, and show parts that overlap",
            )
        told = [self._page(name, page) for page in pages]
        self.found.contents[name] = {"document": {"pages": told, "caption": caption}}
        self.found.durations_s[name] = MANY_PAGES_S

    def _page(self, name: str, page: Printed) -> dict[str, Any]:
        target = f"media/{name}/{page.path.name}"
        self.found.media[target] = page.path
        return {"media": target, "size": list(page.size), "gaps": list(page.gaps)}

    def readings(self, readings: ReadingsText) -> None:
        path = self.folder / readings.file
        if not self.there(readings.id, path, f"board/{readings.file}"):
            return
        try:
            with path.open("rb") as file:
                said = parse_readings(file.read(MAX_READINGS_BYTES + 1), f"board/{readings.file}")
        except PlaylistsError as error:
            self.problem(readings.id, f"file: {error}")
            return
        except OSError as error:
            self.problem(readings.id, f"file: board/{readings.file}: {error.strerror or error}")
            return
        there = {reading.id for reading in said.readings}
        strange = [name for name in readings.show if name not in there]
        for name in strange:
            self.problem(readings.id, f"show: no reading {name!r} in board/{readings.file}")
        if strange:
            return
        stale_after = timedelta(minutes=readings.stale_after_min)
        for reading in said.readings:
            at = reading.at or said.at
            if readings.show and reading.id not in readings.show:
                continue
            if at is None and reading.value is not None:
                self.note(readings.id, f"board/{readings.file}: nobody knows when {reading.name!r} was read")
            elif at is not None and self.now - at > stale_after:
                self.note(readings.id, f"board/{readings.file}: {reading.name!r} is old, and is shown as old")
        target = f"media/readings/{readings.id}.json"
        self.found.media[target] = path
        part = {"media": target, "heading": readings.title, "show": list(readings.show)}
        stale_after_s = readings.stale_after_min * 60
        self.found.contents[readings.id] = {"readings": part | {"stale_after_s": stale_after_s}}

    def _text(self, entry: Shown, file: str, most: int) -> str | None:
        path = self.folder / file
        if not self.there(entry.id, path, f"board/{file}"):
            return None
        try:
            raw = path.read_bytes()
            if len(raw) > most:
                self.problem(entry.id, f"file: board/{file} is {len(raw)} bytes, at most {most} are read")
                return None
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.problem(
                entry.id,
                f"file: board/{file} is not UTF-8 (byte {error.start}): save it as “CSV UTF-8” or as UTF-8 text",
            )
        except OSError as error:
            self.problem(entry.id, f"file: board/{file}: {error.strerror or error}")
        return None

    def _wide(self, name: str, columns: int) -> None:
        if columns > WIDE_COLUMNS:
            self.note(
                name, f"has a table of {columns} columns: on a narrow board its words are small or broken"
            )


def _dialect(text: str) -> type[csv.Dialect]:
    """How its cells are parted: Excel writes semicolons where the comma is the decimal sign."""
    first = text.lstrip().partition("\n")[0]
    sign = max(_CSV_SIGNS, key=first.count)

    class Found(csv.excel):
        delimiter = sign

    return Found


def reading_s(text: str) -> float:
    """Time to read a notice from the road: about 14 characters a second."""
    return float(min(max(round(len(text) / 14), 10), 60))
