"""Gathers the parts of a support bundle and writes them as a tar.gz, each bounded and without secrets."""

from __future__ import annotations

import io
import os
import tarfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.support.redact import redact

MAX_PART_BYTES: Final = 1_000_000
"""Of a longer part its end is kept: the newest of a log."""

MAX_ALL_BYTES: Final = 8_000_000

CUT: Final = "[the beginning is left out]\n"


class Missing(Exception):  # noqa: N818 - says what is the matter
    """Error raised by a source that has nothing here; the text says why."""


@dataclass(frozen=True)
class Source:
    """A part of the bundle: its file name, and what fetches its text."""

    name: str
    fetch: Callable[[], str]


@dataclass(frozen=True)
class Sources:
    """All parts, and the values of the secrets that may be in none of them."""

    parts: tuple[Source, ...]
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taken:
    """A part as it goes in; `missing` says why there is none."""

    name: str
    data: bytes = b""
    missing: str | None = None


def gather(sources: Sources) -> list[Taken]:
    """Fetch every part. One that fails costs only itself, and says why."""
    found: list[Taken] = []
    left = MAX_ALL_BYTES
    for source in sources.parts:
        try:
            text = source.fetch()
        except Missing as error:
            found.append(Taken(source.name, missing=redact(str(error), sources.secrets)))
            continue
        except Exception as error:  # noqa: BLE001 - a machine in trouble must still get a bundle
            found.append(
                Taken(source.name, missing=redact(f"{type(error).__name__}: {error}", sources.secrets))
            )
            continue
        # first taken out, then cut: half a secret would not be known again
        data = _end_of(redact(text, sources.secrets), min(MAX_PART_BYTES, left))
        left -= len(data)
        found.append(Taken(source.name, data) if data else Taken(source.name, missing="empty"))
    return found


def write(path: Path, parts: Iterable[Taken]) -> int:
    """Write the bundle for its owner alone; returns its size in bytes.

    Raises:
        FileExistsError: something has that name.
        OSError: it cannot be written; nothing is left behind.
    """
    folder = path.name.removesuffix(".gz").removesuffix(".tar")
    parts = list(parts)
    listing = "".join(
        f"{part.name}: {part.missing if part.missing is not None else f'{len(part.data)} bytes'}\n"
        for part in parts
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz") as archive:
                for name, data in (
                    ("CONTENTS.txt", listing.encode()),
                    *((part.name, part.data) for part in parts if part.missing is None),
                ):
                    entry = tarfile.TarInfo(f"{folder}/{name}")
                    entry.size, entry.mtime, entry.mode = len(data), int(time.time()), 0o600
                    archive.addfile(entry, io.BytesIO(data))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path.stat().st_size


def _end_of(text: str, most: int) -> bytes:
    data = text.encode("utf-8", errors="replace")
    if len(data) <= most:
        return data
    if most <= len(CUT):
        return b""
    kept = data[len(data) - most + len(CUT) :]
    # from the beginning of a line, and so of a character
    return CUT.encode() + kept[kept.find(b"\n") + 1 :]
