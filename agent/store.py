"""Content-addressed files with an upper bound: what is needed stays, the rest goes when room is wanted.

A key is a SHA-256 in hex, with or without the prefix `sha256:`. For downloads it is the hash of the
content; what is derived from something else (decoded sound, say) is stored under the hash of its origin.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent import files

log = logging.getLogger("loa.store")

_KEY = re.compile(r"[0-9a-f]{64}")
_PARTIAL = ".part"
_TOUCH_AFTER_S = 86_400.0
"""Last use is written to the medium once a day at most: an SD card wears, eviction needs no better."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StoreError(Exception):
    """Base of the errors of a store."""


class StoreFull(StoreError):  # noqa: N818 - says what is the matter, as the others do
    """Error raised when there is no room: all that lies here is needed, or the disk itself is full.

    Remedy: make the bound (or the disk) larger, or publish less. Nothing that was stored is lost.
    """


class WrongContent(StoreError, ValueError):  # noqa: N818
    """Error raised when content does not have the hash it is to be stored under."""


class Store:
    """A bounded directory of files named after a SHA-256. Safe to use from several threads.

    Args:
        directory: made if missing; nothing else may write there.
        max_bytes: bound of everything in it, unfinished downloads included.
        spare_bytes: of these, what only the most important content may fill (`vital`).

    Raises:
        OSError: the directory cannot be made or read.
    """

    def __init__(self, directory: Path, max_bytes: int, spare_bytes: int = 0) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self._spare_bytes = spare_bytes
        self._lock = threading.RLock()
        self._needed: frozenset[str] = frozenset()
        self._sizes: dict[str, int] = {}
        self._used: dict[str, float] = {}  # wall time of last use; only ever compared, never trusted
        self._reserved: dict[str, int] = {}  # key → bytes that an unfinished write may grow to
        directory.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # as in `_drop`
            files.sweep(directory)
        for entry in os.scandir(directory):
            if _KEY.fullmatch(entry.name):
                status = entry.stat()
                self._sizes[entry.name] = status.st_size
                self._used[entry.name] = status.st_mtime

    def path(self, key: str) -> Path | None:
        """Where the content lies, or None. Asking counts as use."""
        name = _name(key)
        with self._lock:
            if name not in self._sizes:
                return None
            path = self.directory / name
            if not path.exists():  # removed by hand
                self._forget(name)
                return None
            now = time.time()
            if abs(now - self._used[name]) > _TOUCH_AFTER_S:
                with contextlib.suppress(OSError):  # a read-only card still plays
                    os.utime(path)
            self._used[name] = now
            return path

    def add(self, data: bytes, key: str | None = None) -> str:
        """Store small content; return its key (`sha256:…`).

        Args:
            data: the content.
            key: the hash that `data` must have; None to take whichever it has.

        Raises:
            WrongContent: `data` does not hash to `key`.
            StoreFull: no room.
        """
        found = hashlib.sha256(data).hexdigest()
        if key is not None and _name(key) != found:
            raise WrongContent(f"content hashes to {found}, not to {_name(key)}")
        with self.aside(found, len(data)) as path:
            path.write_bytes(data)
        return f"sha256:{found}"

    @contextlib.contextmanager
    def aside(self, key: str, max_bytes: int, *, vital: bool = False) -> Iterator[Path]:
        """A path to write content to; it becomes the content of `key` when the block ends well.

        For content that is made anew each time; a download that may be resumed uses `partial`.

        Args:
            key: the key to store under; the caller answers for it.
            max_bytes: what the content may grow to; room for that is made first.
            vital: it may also take the spare room.

        Raises:
            StoreFull: no room, or the disk is full; nothing is left behind.
        """
        name = _name(key)
        path = self.directory / f"{files.ASIDE_PREFIX}{name}-{threading.get_ident()}"
        self.reserve(name, max_bytes, vital=vital)
        try:
            yield path
            self.adopt(name, path)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise _full(error, self.directory) from error
            raise
        finally:
            _drop(path)
            self.release(name)

    def partial(self, key: str) -> Path:
        """Where an unfinished download of `key` lies or is to be written; it survives a restart."""
        return self.directory / (_name(key) + _PARTIAL)

    def reserve(self, key: str, max_bytes: int, *, vital: bool = False) -> None:
        """Make room for an unfinished write and hold it until `adopt`, `release` or `discard`.

        Raises:
            StoreFull: even without all that is not needed there is no room.
        """
        name = _name(key)
        with self._lock:
            bound = self.max_bytes if vital else self.max_bytes - self._spare_bytes
            before = self._reserved.pop(name, 0)
            wanted = self._used_bytes(without_part=name) + max_bytes
            for victim in self._unneeded():
                if wanted <= bound:
                    break
                if victim != name:
                    size = self._sizes[victim]
                    wanted -= size if self._remove(victim) else 0
            if wanted > bound:
                if before:
                    self._reserved[name] = before
                raise StoreFull(
                    f"{self.directory}: {max_bytes} bytes more do not fit, {self.used_bytes} of at most "
                    f"{bound} bytes are in use and all of them needed; what is stored was kept"
                )
            self._reserved[name] = max_bytes

    def adopt(self, key: str, source: Path) -> Path:
        """Make a finished file of this directory the content of `key`; durable when it returns.

        Raises:
            StoreFull: the disk is full.
            OSError: it cannot be synced or renamed.
        """
        name = _name(key)
        target = self.directory / name
        with self._lock:
            try:
                size = source.stat().st_size
                files.put_in_place(source, target)
            except OSError as error:
                if error.errno in _NO_ROOM:
                    raise _full(error, self.directory) from error
                raise
            self._sizes[name] = size
            self._used[name] = time.time()
            self._reserved.pop(name, None)
        return target

    def release(self, key: str) -> None:
        """Give back room that was reserved; an unfinished download stays and counts with its size."""
        with self._lock:
            self._reserved.pop(_name(key), None)

    def discard(self, key: str) -> None:
        """Forget content and unfinished download of `key`, needed or not: it turned out to be useless."""
        name = _name(key)
        with self._lock:
            self.release(name)
            _drop(self.partial(name))
            if name in self._sizes:
                self._remove(name)

    def keep(self, needed: Iterable[str]) -> list[str]:
        """Say what is needed from now on; evict the rest, least recently used first, down to the bound.

        What is needed is never evicted, even above the bound. Unfinished downloads that nothing needs go.

        Returns:
            The keys that were evicted.
        """
        with self._lock:
            self._needed = frozenset(_name(key) for key in needed)
            for part in self.directory.glob("*" + _PARTIAL):
                name = part.name.removesuffix(_PARTIAL)
                if name not in self._needed and name not in self._reserved:
                    _drop(part)
            evicted = []
            for victim in self._unneeded():
                if self.used_bytes <= self.max_bytes:
                    break
                if self._remove(victim):
                    evicted.append(f"sha256:{victim}")
            return evicted

    @property
    def used_bytes(self) -> int:
        """Bytes in use, with those that are reserved for unfinished writes."""
        return self._used_bytes()

    def _used_bytes(self, without_part: str | None = None) -> int:
        with self._lock:
            idle_parts = sum(
                part.stat().st_size
                for part in self.directory.glob("*" + _PARTIAL)
                if (name := part.name.removesuffix(_PARTIAL)) not in self._reserved and name != without_part
            )
            return sum(self._sizes.values()) + sum(self._reserved.values()) + idle_parts

    def _unneeded(self) -> list[str]:
        return sorted((n for n in self._sizes if n not in self._needed), key=lambda n: self._used[n])

    def _remove(self, name: str) -> bool:
        log.info("store: evicts %s (%d bytes)", name, self._sizes[name])
        removed = _drop(self.directory / name)
        if removed:
            self._forget(name)
        return removed

    def _forget(self, name: str) -> None:
        del self._sizes[name]
        del self._used[name]


def _drop(path: Path) -> bool:
    """Remove a file; False on a card that is read-only or broken: there it stays, and can still be played."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        if not path.exists():  # a read-only system says so of what is not there, too
            return True
        log.warning("store: %s cannot be removed: %s", path, error.strerror or error)
        return False
    return True


def _name(key: str) -> str:
    name = key.removeprefix("sha256:")
    if not _KEY.fullmatch(name):
        raise ValueError(f"a key is a SHA-256 in lower-case hex, found {key!r}")
    return name


def _full(error: OSError, directory: Path) -> StoreFull:
    return StoreFull(f"{directory}: {error.strerror}; what is stored was kept")
