"""Releases of the agent that a station publishes to its nodes, in the feed beside the schedule."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from agent.files import ASIDE_PREFIX, put_in_place, sweep
from agent.station.errors import StationError
from agent.station.folder import Folder
from agent.station.repository import Content
from agent.update.archive import MOST_BYTES, NEWEST, Info, Newest, read_info
from agent.update.errors import UpdateError

KEPT_VERSIONS = 3
"""So many of the newest are offered; a node that wants to go back keeps its own last one anyway."""


@dataclass(frozen=True)
class Offered:
    """What the feed offers."""

    newest: str
    infos: tuple[Info, ...]


def add(folder: Folder, archives: Sequence[Path]) -> Offered:
    """Take release archives up; they are published with the next `publish`.

    Raises:
        StationError: a file is no release, or too large; none is taken up.
        OSError: the folder cannot be written.
    """
    infos = []
    for archive in archives:
        try:
            infos.append(read_info(archive))
        except UpdateError as error:
            raise StationError(str(error)) from error
        if archive.stat().st_size > MOST_BYTES:
            raise StationError(f"{archive}: has more than {MOST_BYTES} bytes; no node takes it")
    folder.releases.mkdir(parents=True, exist_ok=True)
    sweep(folder.releases)
    for archive, info in zip(archives, infos, strict=True):
        aside = folder.releases / f"{ASIDE_PREFIX}{archive.name}"
        shutil.copyfile(archive, aside)
        put_in_place(aside, folder.releases / Path(info.target).name)
    _drop_old(folder)
    return offered(folder)


def offered(folder: Folder) -> Offered:
    """What is taken up now.

    Raises:
        StationError: there is none, or a file of it is damaged.
    """
    infos = _infos(folder)
    if not infos:
        raise StationError(f"{folder.releases}: holds no release")
    return Offered(max((info.version for info in infos.values()), key=Version), tuple(infos.values()))


def contents(folder: Folder) -> dict[str, Content]:
    """The targets of all releases; none where there are none.

    Raises:
        StationError: a file is damaged.
    """
    infos = _infos(folder)
    if not infos:
        return {}
    newest = Newest(newest=max((info.version for info in infos.values()), key=Version))
    files = {info.target: Content(path, {}) for path, info in infos.items()}
    return {**files, NEWEST: Content(newest.model_dump_json().encode(), {})}


def _infos(folder: Folder) -> dict[Path, Info]:
    try:
        return {path: read_info(path) for path in sorted(folder.releases.glob("loa-agent-*.tar"))}
    except UpdateError as error:
        raise StationError(f"{folder.releases}: {error}; remove it") from error


def _drop_old(folder: Folder) -> None:
    infos = _infos(folder)
    versions = sorted({info.version for info in infos.values()}, key=Version)[-KEPT_VERSIONS:]
    for path, info in infos.items():
        if info.version not in versions:
            path.unlink()
