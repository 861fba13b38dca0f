"""A stick that somebody has plugged in: read and written below its own folder, whatever lies on it.

Every name is opened relative to the folder before it, without following links (openat(2), O_NOFOLLOW), and only plain
files are read, with a bound. A stick that is pulled out, full or damaged is one clear `StickError`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from agent.words import _

MOST_ENTRIES: Final = 20_000
"""A folder with more names than this is not searched."""


class StickError(Exception):
    """Error raised when a stick cannot be used; what the node has was kept."""


class Missing(StickError):  # noqa: N818 - says what is the matter
    """Error raised when something is not on the stick."""


class Stick:
    """The folder `path`, opened once: another stick that is mounted there meanwhile is another stick."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            StickError: it is no folder, or cannot be opened.
        """
        self.path = path
        with self._told(str(path)):
            self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the stick, so that it can be unmounted."""
        os.close(self._root)

    def names(self, *folder: str) -> list[str]:
        """Names in a folder, in order.

        Raises:
            Missing: there is no such folder.
            StickError: it has too many entries, or cannot be read.
        """
        found = []
        with (
            self._folder(folder) as descriptor,
            self._told("/".join(folder)),
            os.scandir(descriptor) as entries,
        ):
            for entry in entries:
                found.append(entry.name)
                if len(found) > MOST_ENTRIES:
                    text = _("{path}: has more than {count} entries")
                    raise StickError(text.format(path=self._shown(folder), count=MOST_ENTRIES))
        return sorted(found)

    def has(self, *parts: str) -> bool:
        """Whether there is a plain file of that name."""
        try:
            with self.open(*parts):
                return True
        except StickError:
            return False

    @contextlib.contextmanager
    def open(self, *parts: str) -> Iterator[BinaryIO]:
        """Open a plain file for reading. Errors while it is read in the block become StickError, too.

        Raises:
            Missing: it is not there.
            StickError: it is a link, a device or another thing that is no file, or cannot be read.
        """
        name = "/".join(parts)
        with self._folder(parts[:-1]) as folder, self._told(name):
            # a FIFO would wait for a writer
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(parts[-1], flags, dir_fd=folder)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise StickError(_("{path}: is not a plain file").format(path=self._shown(parts)))
            with os.fdopen(descriptor, "rb") as file:
                yield file

    def chunks(self, *parts: str, size: int = 262_144) -> Iterator[bytes]:
        """The content of a plain file, piece by piece; what the caller does in between raises what it raises.

        Raises:
            StickError: as `open`, or the stick is pulled out in the middle.
        """
        with self.open(*parts) as file:
            while True:
                chunk = file.read(size)
                if not chunk:
                    return
                yield chunk

    def read(self, *parts: str, max_bytes: int) -> bytes:
        """The content of a plain file.

        Raises:
            StickError: as `open`, or it is bigger than `max_bytes`.
        """
        with self.open(*parts) as file:
            data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            text = _("{path}: is bigger than the {count} bytes that it may have")
            raise StickError(text.format(path=self._shown(parts), count=max_bytes))
        return data

    def write(self, *parts: str, data: bytes) -> None:
        """Write a file whole, or not at all, and bring it to the stick. The folder is made where it is missing.

        Raises:
            StickError: the stick is full, write-protected or gone; a file of that name is as it was.
        """
        self._put(parts, iter([data]))

    def _put(self, parts: Sequence[str], chunks: Iterator[bytes]) -> None:
        self._make(parts[:-1])
        aside = f".aside-{os.getpid()}"
        with self._folder(parts[:-1]) as folder, self._told("/".join(parts)):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with contextlib.suppress(FileNotFoundError):
                os.unlink(aside, dir_fd=folder)
            descriptor = os.open(aside, flags, 0o644, dir_fd=folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                    file.flush()
                    os.fsync(descriptor)
                os.replace(aside, parts[-1], src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(aside, dir_fd=folder)
                raise

    def copy(self, source: Path, *parts: str) -> None:
        """Copy a file of this machine onto the stick, whole or not at all.

        Raises:
            StickError: as `write`.
            OSError: `source` cannot be read.
        """
        with source.open("rb") as file:
            self._put(parts, iter(lambda: file.read(262_144), b""))

    def size(self, *parts: str) -> int | None:
        """Bytes of a plain file; None where there is none that can be read."""
        try:
            with self.open(*parts) as file:
                return os.fstat(file.fileno()).st_size
        except StickError:
            return None

    def remove(self, *parts: str) -> None:
        """Remove a file, if it is there.

        Raises:
            StickError: the stick refuses.
        """
        with contextlib.suppress(Missing), self._folder(parts[:-1]) as folder, self._told("/".join(parts)):
            os.unlink(parts[-1], dir_fd=folder)

    def _make(self, folder: Sequence[str]) -> None:
        for count in range(1, len(folder) + 1):
            here = self._told("/".join(folder[:count]))
            with self._folder(folder[: count - 1]) as parent, here, contextlib.suppress(FileExistsError):
                os.mkdir(folder[count - 1], 0o755, dir_fd=parent)

    @contextlib.contextmanager
    def _folder(self, parts: Sequence[str]) -> Iterator[int]:
        """A descriptor of a folder, reached without following a link."""
        descriptor = os.dup(self._root)
        try:
            for count, part in enumerate(parts, 1):
                if part in ("", ".", "..") or "/" in part or "\0" in part:
                    raise StickError(_("{path}: is no name").format(path=self._shown(parts)))
                with self._told("/".join(parts[:count])):
                    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
                    inner = os.open(part, flags, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _shown(self, parts: Sequence[str]) -> str:
        """A path for people: what would move the cursor of a terminal does not."""
        return printable("/".join([str(self.path), *parts]))

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Turn what the kernel says into one line."""
        try:
            yield
        except OSError as error:
            raise self._error(printable(name), error) from error

    def _error(self, name: str, error: OSError) -> StickError:
        if error.errno == errno.ENOENT:
            return Missing(_("{name}: is not on the stick").format(name=name))
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            return StickError(_("{name}: is a link, or no folder; links are not followed").format(name=name))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StickError(_("{name}: the stick is full").format(name=name))
        if error.errno == errno.EROFS:
            return StickError(
                _("{name}: the stick is write-protected, or its file system is damaged").format(name=name)
            )
        if error.errno in (
            errno.EIO,
            errno.ENODEV,
            errno.ENXIO,
            errno.ESTALE,
            errno.EUCLEAN,
            errno.EBADMSG,
            errno.ENOTCONN,
            errno.ECONNABORTED,
        ):
            text = _("{name}: the stick was pulled out, or is damaged ({why})")
            return StickError(text.format(name=name, why=error.strerror))
        return StickError(_("{name}: {why}").format(name=name, why=error.strerror or error))


def printable(name: str) -> str:
    """A name from a stick, fit for a terminal and a log: 120 letters at most, and none that does things."""
    text = "".join(
        letter if letter.isprintable() else "�" for letter in os.fsencode(name).decode(errors="replace")
    )
    return text if len(text) <= 120 else text[:119] + "…"
