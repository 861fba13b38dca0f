"""A feed in a folder, on a stick say: read as over HTTP, and trusted no more than that.

It takes the place of `agent.feeds.http.Client` for one round; signatures, versions and hashes are checked by the same
code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from agent.feeds.errors import Rejected, Retry
from agent.feeds.http import StatusError
from agent.usb.stick import Missing, Stick, StickError
from playlists.units import Seconds

_NOT_FOUND = 404


@dataclass(frozen=True)
class Folder:
    """Where a copy of a published feed lies: `metadata/` and `targets/` below `parts`, below the stick."""

    stick: Path
    parts: tuple[str, ...] = ()


class NotThere(StatusError):  # noqa: N818 - says what is the matter
    """Error raised when the folder does not have a file: as a host's 404."""

    def __init__(self, error: StickError) -> None:
        Retry.__init__(self, str(error))
        self.status = _NOT_FOUND


class FolderClient:
    """Reads from a folder what `Client` reads from a host. Use it in a `with` block: the stick is open as long."""

    quickest_s: Seconds | None = None
    """A folder has no latency."""

    def __init__(self, folder: Folder, url: str) -> None:
        """`url` is the address for which the folder stands.

        Raises:
            Retry: the stick cannot be read.
        """
        self._base = url if url.endswith("/") else url + "/"
        self._parts = folder.parts
        self._broken = False
        try:
            self._stick = Stick(folder.stick)
        except StickError as error:
            raise Retry(str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stick.close()

    def abort(self) -> None:
        """End what is under way, from another thread."""
        self._broken = True

    def read(self, url: str, max_bytes: int, _deadline_s: Seconds) -> bytes:
        """A small file.

        Raises:
            NotThere: the folder does not have it.
            Retry: it cannot be read, or is bigger than `max_bytes`.
        """
        try:
            return self._stick.read(*self._names(url), max_bytes=max_bytes)
        except Missing as error:
            raise NotThere(error) from error
        except StickError as error:
            raise Retry(str(error)) from error

    def download(
        self, url: str, part: Path, length: int, sha256: str, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        """A big file into `part`, which then has exactly `length` bytes with that hash.

        Raises:
            NotThere, Retry: as `read`; what a host sent of it before is lost.
            Rejected: the content is not what was signed; `part` is removed.
            OSError: `part` cannot be written.
        """
        digest, have = hashlib.sha256(), 0
        with part.open("wb") as file:
            try:
                for chunk in self._stick.chunks(*self._names(url)):
                    have += len(chunk)
                    if have > length:
                        break
                    digest.update(chunk)
                    file.write(chunk)
                    if self._broken or stopped():
                        raise Retry(f"{url}: was broken off")
            except Missing as error:
                raise NotThere(error) from error
            except StickError as error:
                raise Retry(str(error)) from error
        if have != length or digest.hexdigest() != sha256:
            part.unlink(missing_ok=True)
            raise Rejected(f"{self.place(url)}: is not what was signed")

    def place(self, url: str) -> str:
        """Where the folder has it, below the stick."""
        return "/".join(self._names(url)).rstrip("/")

    def _names(self, url: str) -> tuple[str, ...]:
        return (*self._parts, *unquote(url.removeprefix(self._base)).split("/"))
