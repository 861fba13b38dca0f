"""What is to be previewed: the texts of a station's folder, before they are published, or a published feed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from agent.boardfiles import with_feedback, with_files
from agent.preview.errors import Author
from agent.station.folder import Folder
from agent.words import _
from playlists.errors import PlaylistsError
from playlists.models.base import BulletinClass
from playlists.models.schedule import Bulletin, Layout, Schedule, parse_schedule
from playlists.timetable import FeedSchedule
from playlists.units import Level

FEED: Final = "preview"
"""Name of the one feed: ids on the board are `preview/BULLETIN`."""


@dataclass(frozen=True)
class Source:
    """A schedule, and where the files lie that it names."""

    schedule: Schedule
    find: Callable[[str], Path | None]
    """The file of a target; None where there is none."""
    notes: tuple[str, ...] = ()
    """What its author may not know."""

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Its layouts; those that are built in where it has none, each for screens that hang so."""
        from playlists.board import BUILT_IN_LAYOUT, BUILT_IN_PORTRAIT  # noqa: PLC0415 - `loa --help` does not need it

        lying = BUILT_IN_LAYOUT.model_copy(update={"orientation": "landscape"})
        return self.schedule.layouts or (lying, BUILT_IN_PORTRAIT)

    def feeds(self, layout: Layout | None = None) -> dict[str, FeedSchedule]:
        """For `board_at`: the whole schedule, or with this layout alone, at all hours and on all screens."""
        schedule = self.schedule
        if layout is not None:
            only = layout.model_copy(update={"hours": (), "orientation": None})
            schedule = schedule.model_copy(update={"layouts": (only,)})
        return {FEED: FeedSchedule(schedule, Level(0), BulletinClass.EMERGENCY)}

    @property
    def groups(self) -> frozenset[str]:
        """All that its bulletins are addressed to: everything is previewed."""
        return frozenset(name for bulletin in self.schedule.bulletins for name in bulletin.targets)

    def with_files(self, bulletin: dict[str, Any], feedback_url: str | None = None) -> dict[str, Any]:
        """A bulletin's JSON as the screen is told of it, by the node's own code.

        Raises:
            agent.boardfiles.Missing: a file is not there.
            ValueError: its readings cannot be read.
        """
        told = with_feedback(bulletin, feedback_url, FEED)
        return with_files(told, lambda _feed, target: self.find(target))


def read(directory: Path, now: datetime) -> Source:
    """Read a station's folder (its authoring texts, as they stand) or a feed as it was published.

    Raises:
        Author: it is neither, or has mistakes: all at once.
        OSError: it cannot be read.
    """
    if (directory / "authoring").is_dir():
        return _draft(Folder(directory), now)
    for feed in (directory, directory / "feed"):
        if (feed / "metadata").is_dir():
            return _published(feed)
    raise Author(
        [
            _(
                "{directory} is neither a station's folder (with authoring/) nor a feed (with metadata/ and targets/)"
            ).format(directory=directory)
        ]
    )


class _Targets(dict[str, str]):
    """Targets by what the texts call them; sounds need none to be seen."""

    def __missing__(self, name: str) -> str:
        kind, _colon, rest = name.partition(":")
        return f"media/{rest}" if kind == "media" else "media/sound.opus"


def _draft(folder: Folder, now: datetime) -> Source:
    from agent.station import authoring, board  # noqa: PLC0415 - as above
    from agent.station.errors import Author as Mistakes  # noqa: PLC0415
    from agent.station.errors import StationError  # noqa: PLC0415

    try:
        texts = authoring.read(folder.authoring)
        timezone = texts.timetable.timezone
        shown = board.read_files(texts.board, texts.board_dir, texts.media_dir, folder.cache, timezone, now)
    except Mistakes as error:
        raise Author(error.problems) from error
    except StationError as error:
        raise Author([str(error)]) from error
    if shown.problems:
        raise Author(sorted(shown.problems))
    document = authoring.compose(texts, _Targets(), board.bulletins(texts.board, shown))
    head = {"version": 1, "published": now.isoformat(timespec="seconds")}
    media = texts.media_dir

    def find(target: str) -> Path | None:
        path = shown.media.get(target, media / target.removeprefix("media/"))
        return path if path.is_file() else None

    schedule = _schedule(json.dumps({**head, **document}).encode())
    return Source(schedule, find, tuple(sorted(shown.notes)))


def _published(feed: Path) -> Source:
    from tuf.api.metadata import Metadata, Targets  # type: ignore[attr-defined]  # noqa: PLC0415 - as in repository

    numbered = [
        (int(path.name.partition(".")[0]), path) for path in (feed / "metadata").glob("[0-9]*.targets.json")
    ]
    if not numbered:
        raise Author([_("{feed}: nothing was published yet").format(feed=feed)])
    try:
        metadata: Metadata[Targets] = Metadata.from_file(str(max(numbered)[1]))
    except Exception as error:  # the library wraps whatever a damaged file raises
        raise Author([f"{max(numbered)[1]}: {error}"]) from error

    def find(target: str) -> Path | None:
        entry = metadata.signed.targets.get(target)
        if entry is None:
            return None
        place = Path(target)
        path = feed / "targets" / place.parent / f"{entry.hashes['sha256']}.{place.name}"
        return path if path.is_file() else None

    document = find("schedule.json")
    if document is None:
        raise Author([_("{feed}: it has no schedule").format(feed=feed)])
    return Source(_schedule(document.read_bytes()), find)


def _schedule(document: bytes) -> Schedule:
    try:
        return parse_schedule(document)[0]
    except PlaylistsError as error:
        raise Author(getattr(error, "problems", [str(error)])) from error


def bulletins_of(source: Source, zone: str) -> list[Bulletin]:
    """All bulletins of a zone, valid now or not."""
    return [bulletin for bulletin in source.schedule.bulletins if bulletin.zone == zone]
