"""From a board's bulletins as the schedule says them to what a screen can show: targets become files on disk.

The screen process is small and reads no documents: readings are read here, and go to it as words.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playlists.errors import PlaylistsError
from playlists.models.readings import MAX_READINGS_BYTES, Reading, Readings, parse_readings

FindFile = Callable[[str, str], Path | None]
"""The file of a feed's target; None while it is not here."""


class Missing(Exception):  # noqa: N818 - it is no error: what is not here yet may come
    """Raised when a file is not here (yet); `target` is its name in the feed."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


def with_files(bulletin: dict[str, Any], find: FindFile) -> dict[str, Any]:
    """A bulletin (`Shown.to_json`) with files in place of targets, and readings in place of their file.

    Raises:
        Missing: a file is not here.
        ValueError: its readings cannot be read; the message says why.
    """

    def path(target: str) -> Path:
        found = find(bulletin["feed"], target)
        if found is None:
            raise Missing(target)
        return found

    for kind in ("image", "video"):
        if kind in bulletin:
            part = bulletin[kind]
            return bulletin | {kind: part | {"path": str(path(part["path"]))}}
    if "document" in bulletin:
        part = bulletin["document"]
        pages = [page | {"path": str(path(page["path"]))} for page in part["pages"]]
        return bulletin | {"document": part | {"pages": pages}}
    if "readings" in bulletin:
        part = bulletin["readings"]
        return bulletin | {"readings": _values(part, path(part["path"]))}
    return bulletin


def with_feedback(bulletin: dict[str, Any], url: str | None, node: str) -> dict[str, Any]:
    """A notice without a code of its own gets one that leads to the officer, if there is a `url` for it."""
    text = bulletin.get("text")
    if text is None or text.get("qr") or url is None:
        return bulletin
    filled = url.replace("{node}", quote(node, safe=""))
    return bulletin | {"text": text | {"qr": filled.replace("{bulletin}", quote(bulletin["id"], safe=""))}}


def _values(part: dict[str, Any], path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            readings = parse_readings(file.read(MAX_READINGS_BYTES + 1), part["path"])
    except (OSError, PlaylistsError) as error:
        raise ValueError(str(error)) from error
    by_id = {reading.id: reading for reading in readings.readings}
    wanted = part["show"] or list(by_id)
    return {
        "heading": part["heading"],
        "source": readings.source,
        "stale_after_s": part["stale_after_s"],
        "values": [_value(by_id[name], readings) if name in by_id else {"name": name} for name in wanted],
    }


def _value(reading: Reading, readings: Readings) -> dict[str, Any]:
    at = reading.at or readings.at
    return {
        "name": reading.name,
        "value": reading.written,
        "unit": reading.unit,
        "at": None if at is None else at.isoformat(),
        "note": reading.note,
    }
