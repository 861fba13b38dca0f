"""Files that survive a power cut: written aside, fsynced, renamed, and the directory fsynced.

This is the one place that knows how. A reader sees the old content or the new, never half of it,
and what was written is on the medium when the call returns.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

ASIDE_PREFIX = ".aside-"
"""Files with this prefix are unfinished writes; `sweep` removes those that a power cut left."""
LEAST_FREE_BYTES = 16_384
"""A disk with less is full: what another program has written on it may be cut short."""


def write_atomically(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Replace `path` by `data`, or leave it as it was.

    Raises:
        OSError: it cannot be written (disk full, no permission …); nothing is left behind.
    """
    with atomic_file(path, mode) as file:
        file.write(data)


@contextlib.contextmanager
def atomic_file(path: Path, mode: int = 0o640) -> Iterator[BinaryIO]:
    """Open a file that replaces `path` when the block ends well, and vanishes when it does not.

    Args:
        path: what is to be replaced; its directory must exist.
        mode: permission bits of the new file, whatever the umask.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    descriptor, name = tempfile.mkstemp(prefix=ASIDE_PREFIX, dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def put_in_place(source: Path, path: Path) -> None:
    """Make a finished file durable and give it its name; both must lie on the same file system.

    Raises:
        OSError: it cannot be synced or renamed; `source` stays where it is.
    """
    sync_file(source)
    source.replace(path)
    sync_directory(path.parent)
    if source.parent != path.parent:
        sync_directory(source.parent)


def sync_file(path: Path) -> None:
    """Bring a file's content to the medium.

    Raises:
        OSError: the medium refuses.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Bring a directory's entries to the medium: without it a rename may be lost with the power.

    Raises:
        OSError: the medium refuses.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Let one process at a time change what lies in `directory`; others that ask for this wait.

    Raises:
        OSError: the directory cannot be opened.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def must_have_room(path: Path) -> None:
    """Ask when another program has written `path`, and before it is removed: they say nothing of a full disk.

    Raises:
        OSError: the disk that it is on is full.
    """
    seen = os.statvfs(path.parent)
    if seen.f_bavail * seen.f_frsize < LEAST_FREE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def sweep(directory: Path) -> int:
    """Remove unfinished writes that a power cut left in `directory`; return how many.

    Call it before anything writes there.

    Raises:
        OSError: the directory cannot be read or changed.
    """
    count = 0
    for aside in directory.glob(ASIDE_PREFIX + "*"):
        aside.unlink(missing_ok=True)
        count += 1
    return count
