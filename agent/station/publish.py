"""Publishes an authoring folder, or any documents, as a signed feed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from agent.files import write_atomically
from agent.station import authoring, centre, glyphs, keys, releases
from agent.station.errors import Author, StationError, Technician
from agent.station.folder import Folder
from agent.station.prepare import Composed, Medium, as_media, prepare
from agent.station.repository import Content, Repository
from agent.station.texts import Commune, OperatorText
from playlists.errors import PlaylistsError
from playlists.models.operators import FORMAT as OPERATORS_FORMAT
from playlists.models.operators import parse_operators
from playlists.models.schedule import parse_schedule
from playlists.recurrence import check_schedule

_SCHEDULE, _OPERATORS = "schedule.json", "operators.json"
SAMPLE_READ_AT = "2026-11-28T13:30:00+07:00"
_HEAD = {"version", "published"}


@dataclass(frozen=True)
class Published:
    """What came of it."""

    version: int | None
    """Of the schedule; None where the document has none."""
    changed: bool
    targets: int
    media_bytes: int
    notes: tuple[str, ...]


def init(station: Path, *, sample: bool = False, now: datetime | None = None) -> Folder:
    """Make a station: keys, trusted root, a `station.toml` to be filled in, and an authoring folder (empty, or
    the sample commune).

    Raises:
        Technician: there is one already.
        OSError: it cannot be written.
    """
    folder = Folder(station)
    station.mkdir(parents=True, exist_ok=True)
    keys.create(folder)
    Repository(folder, now).create()
    centre.write_template(folder)
    (folder.authoring / "media").mkdir(parents=True, exist_ok=True)
    (folder.authoring / "board").mkdir(exist_ok=True)
    source = files("agent.station") / "sample" / ("" if sample else "blank")
    with as_file(source) as directory:
        for file in sorted([*directory.glob("*.toml"), *directory.glob("board/*.*")]):
            target = folder.authoring / file.relative_to(directory)
            if not target.exists():
                target.parent.mkdir(exist_ok=True)
                write_atomically(target, _of_today(file.read_bytes(), now), mode=0o644)
    return folder


def _of_today(sample: bytes, now: datetime | None) -> bytes:
    """The sample's readings were read in the hour in which it is made: others would be shown as old."""
    read_at = (now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    return sample.replace(SAMPLE_READ_AT.encode(), read_at.isoformat().encode())


def compose(station: Path, now: datetime | None = None) -> Composed:
    """Read the authoring folder, render and measure; nothing is published.

    `now` is for what is told of readings that are old.

    Raises:
        Author: mistakes, all at once.
        Technician: a tool is missing.
    """
    folder = Folder(station)
    return prepare(authoring.read(folder.authoring), folder.cache, centre.voices(folder), now)


def publish(
    station: Path,
    *,
    schedule_json: Mapping[str, Any] | bytes | None = None,
    media: Mapping[str, Path | Medium] | None = None,
    now: datetime | None = None,
) -> Published:
    """Publish; the version grows by one only if something changed.

    Args:
        station: its folder.
        schedule_json: publish this instead of what the authoring folder says. A mapping gets `version` and
            `published` where it lacks them; bytes are published as they are, however malformed.
        media: the targets that go with `schedule_json`, by path; plain files are measured.
        now: for `published` and the signatures' expiry.

    Raises:
        Author: mistakes in the authoring folder, all at once; what was published stays.
        Technician: a key or tool is missing.
        OSError: the feed cannot be written.
    """
    folder, now = Folder(station), now or datetime.now(UTC)
    repository = Repository(folder, now)
    notes: tuple[str, ...] = ()
    composed_here = schedule_json is None
    if schedule_json is None:
        composed = compose(station, now)
        schedule_json, sounds, notes = composed.schedule, composed.media, composed.notes
    else:
        sounds = as_media(media or {}, folder.cache)
    contents = {_OPERATORS: Content(_operators(folder), {})}
    contents |= releases.contents(folder)
    contents |= {path: Content(medium.path, medium.custom) for path, medium in sounds.items()}
    if isinstance(schedule_json, bytes):
        document = schedule_json
    else:
        others_changed = repository.differs(contents, but=_SCHEDULE)
        document = _numbered(schedule_json, _former(folder, repository), now, others_changed)
    if composed_here:
        _check(document)
        notes = (*notes, *glyphs.notes(json.loads(document)))
    contents[_SCHEDULE] = Content(document, {})
    changed = repository.publish(contents)
    size = sum(medium.path.stat().st_size for medium in sounds.values())
    return Published(_version(document), changed, len(contents), size, notes)


def renew(station: Path, *, now: datetime | None = None) -> list[str]:
    """Sign anew what has lived half of its time; return those roles.

    Raises:
        Technician: nothing was published yet, or a key is missing.
        OSError: it cannot be written.
    """
    return Repository(Folder(station), now).renew()


def _numbered(
    schedule: Mapping[str, Any], former: bytes | None, now: datetime, others_changed: bool
) -> bytes:
    """The document with version and date: the former one's if nothing at all differs, else the next."""
    old: Any = {}
    if former is not None:
        with contextlib.suppress(ValueError):  # a malformed document may have been published on purpose
            old = json.loads(former)
    if not isinstance(old, dict):
        old = {}
    before = {key: value for key, value in old.items() if key not in _HEAD}
    said = {key: value for key, value in schedule.items() if key not in _HEAD}
    if former is not None and not others_changed and before == said and not _HEAD & set(schedule):
        return former
    version = old.get("version")
    head = {
        "version": version + 1 if isinstance(version, int) else 1,
        "published": now.isoformat(timespec="seconds"),
    }
    return json.dumps({**head, **schedule}, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _check(document: bytes) -> None:
    """What we publish ourselves must be what nodes accept."""
    try:
        schedule, unknown = parse_schedule(document)
        check_schedule(schedule)
    except PlaylistsError as error:
        raise Author(getattr(error, "problems", [str(error)])) from error
    if unknown:
        raise StationError(f"the schedule has fields that nodes do not know: {', '.join(unknown)}")


def _former(folder: Folder, repository: Repository) -> bytes | None:
    targets = repository.current()
    entry = None if targets is None else targets.targets.get(_SCHEDULE)
    if entry is None:
        return None
    path = folder.feed / "targets" / f"{entry.hashes['sha256']}.{_SCHEDULE}"
    try:
        return path.read_bytes()
    except OSError as error:
        raise Technician(f"{path}: {error.strerror or error}; restore it from a backup") from error


def published_version(folder: Folder) -> int | None:
    """The version of the schedule that the feed holds now; None before the first, or where it has none.

    Raises:
        Technician: a file of the feed is missing.
    """
    document = _former(folder, Repository(folder))
    return None if document is None else _version(document)


def _version(document: bytes) -> int | None:
    try:
        version = json.loads(document).get("version")
    except (ValueError, AttributeError):
        return None
    return version if isinstance(version, int) else None


def _operators(folder: Folder) -> bytes:
    problems: list[str] = []
    commune = authoring.read_one(folder.authoring / "commune.toml", Commune, problems)
    if commune is None:
        raise Author(problems)
    listed = [_operator(folder, entry) for entry in commune.operator]
    document = {"format": OPERATORS_FORMAT, "operators": listed}
    raw = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode()
    parse_operators(raw)
    return raw


def _operator(folder: Folder, entry: OperatorText) -> dict[str, Any]:
    if entry.public is None:
        key = keys.load(folder, entry.key or keys.OFFICER).public_key
    else:
        try:
            key = keys.public_from_hex(entry.public)
        except ValueError as error:
            raise Author([f"commune.toml: operator {entry.name!r} public: is no Ed25519 key"]) from error
    expires = datetime.combine(entry.expires, time.max.replace(microsecond=0), tzinfo=UTC)
    return {
        "name": entry.name,
        "actions": list(entry.actions),
        "expires": expires.isoformat(),
        **keys.public_part(key),
    }
