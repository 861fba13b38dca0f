"""HTTP for feeds: over requests, with a deadline for the whole exchange, a byte cap and resumed downloads.

requests' own time-out is for each wait on the socket, so a host that sends a byte now and then, be it in
the headers, holds a caller for ever. Here a timer shuts the socket when the deadline passes, whatever the
exchange is at. (A name look-up cannot be shut; the system's resolver bounds it.)

Nothing is decoded on the way: a feed's files are asked for as they are, and an answer with a
Content-Encoding is refused, so that no small answer can unfold into a big one. Redirects are followed on
the same host only, never from https to http: a captive portal must not pass for the feed.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import requests
import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from agent import __version__
from agent.feeds.errors import Rejected, Retry
from playlists.units import Seconds

CONNECT_S = 10.0
STALL_S = 20.0
"""Longest wait for one byte."""
SLOWEST_BYTES_PER_S = 1_000
"""A download slower than this on average is given up; what came is kept for the next try."""
SLOWEST_DOCUMENT_BYTES_PER_S = 4_000
"""Small files cannot be resumed, so they ask for more: a poor EDGE link still has twice that."""
MAX_REDIRECTS = 3
_CHUNK_BYTES = 65_536
_MAX_VALIDATOR = 500
_REDIRECTS = {301, 302, 303, 307, 308}


def patience(max_bytes: int) -> Seconds:
    """The deadline for a file that cannot be resumed and may have so many bytes."""
    return Seconds(30 + max_bytes / SLOWEST_DOCUMENT_BYTES_PER_S)


class StatusError(Retry):
    """Error raised when the host answers with an HTTP status that is not a success."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{url}: the host answers {status}")
        self.status = status


class TooBig(Rejected):
    """Error raised when an answer has more bytes than it may have."""


@dataclass(frozen=True)
class Validators:
    """What a host said of the state of a file, to be given back when asking whether it changed (RFC 9110 §8.8)."""

    etag: str | None = None
    modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Of a request that wants an answer only if the file has changed."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in named.items() if value}


class Client:
    """Fetches for one thread at a time. Close it when the round is over: an idle connection costs memory.

    Args:
        connect_s: longest wait for a connection.
        stall_s: longest wait for one byte.
        ca: the certificates to trust for https, instead of those that come with requests.
    """

    def __init__(
        self, connect_s: float = CONNECT_S, stall_s: float = STALL_S, ca: Path | None = None
    ) -> None:
        self._time_out = (connect_s, stall_s)
        self._guard = _Guard()
        self.quickest_s: Seconds | None = None
        """The shortest time from a request to the first of its answer."""
        self._session = requests.Session()
        if ca is not None:
            self._session.verify = str(ca)
        self._session.trust_env = False  # no proxy, no .netrc: the configuration says where a feed lies
        self._session.headers.update(
            {"Accept-Encoding": "identity", "User-Agent": f"loa-agent/{__version__}", "Accept": "*/*"}
        )
        for prefix in ("http://", "https://"):
            self._session.mount(prefix, _Adapter(self._guard))

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def abort(self) -> None:
        """End what is under way and all that follows, from another thread: the fetching one gets `Retry`."""
        self._guard.fire("was broken off because the agent stops", for_good=True)

    def read(self, url: str, max_bytes: int, deadline_s: Seconds) -> bytes:
        """Fetch a small file.

        Args:
            url: where it lies.
            max_bytes: largest length that is accepted; nothing beyond it is read.
            deadline_s: for the whole exchange.

        Raises:
            StatusError: the host has it not, or does not give it.
            TooBig: it has more than `max_bytes`.
            Retry: network, deadline, redirect to elsewhere.
        """
        with self._answer(url, {}, deadline_s) as answer:
            return self._whole(url, answer, max_bytes)

    def read_if_changed(
        self, url: str, max_bytes: int, deadline_s: Seconds, known: Validators
    ) -> tuple[bytes, Validators] | None:
        """Fetch a small file unless it is still as it was when the host gave `known`; then None.

        Raises:
            StatusError, TooBig, Retry: as `read`.
        """
        with self._answer(url, known.headers(), deadline_s) as answer:
            if answer.status_code == 304 and known.headers():
                answer.raw.release_conn()  # it has no body: the connection is good for the next time
                return None
            data = self._whole(url, answer, max_bytes)
            found = (answer.headers.get(name) for name in ("ETag", "Last-Modified"))
            # what a host makes up must not swell our requests
            etag, modified = (value if value and len(value) <= _MAX_VALIDATOR else None for value in found)
            return data, Validators(etag, modified)

    def _whole(self, url: str, answer: requests.Response, max_bytes: int) -> bytes:
        if answer.status_code != 200:
            raise StatusError(url, answer.status_code)
        data = bytearray()
        for chunk in self._chunks(url, answer):
            data += chunk
            if len(data) > max_bytes:
                raise TooBig(f"{url}: has more than the {max_bytes} bytes it may have")
        return bytes(data)

    def download(
        self, url: str, part: Path, length: int, sha256: str, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        """Fetch a big file into `part`, going on where an earlier try broke off.

        When it returns, `part` has exactly `length` bytes with that hash. When the network fails, what
        came so far stays in `part`. When the content is wrong, `part` is removed.

        Raises:
            Rejected: the content is not what was signed.
            StatusError, Retry: as `read`.
            OSError: `part` cannot be written.
        """
        digest = hashlib.sha256()
        have = _hash_existing(part, digest, length)
        if have < length:
            deadline_s = Seconds(60 + (length - have) / SLOWEST_BYTES_PER_S)
            headers = {"Range": f"bytes={have}-"} if have else {}
            with self._answer(url, headers, deadline_s) as answer:
                if answer.status_code == 206 and have:
                    _check_range(url, answer.headers.get("Content-Range", ""), have, length)
                elif answer.status_code == 200:
                    have, digest = 0, hashlib.sha256()
                else:
                    if answer.status_code == 416:
                        part.unlink(missing_ok=True)
                    raise StatusError(url, answer.status_code)
                with part.open("r+b" if have else "wb") as file:
                    file.seek(have)
                    file.truncate()
                    for chunk in self._chunks(url, answer):
                        have += len(chunk)
                        if have > length:
                            file.close()
                            part.unlink()
                            raise TooBig(f"{url}: has more than the {length} bytes that were signed")
                        file.write(chunk)
                        digest.update(chunk)
                        if stopped():
                            raise Retry(f"{url}: was broken off because nothing needs it any more")
            if have < length:
                raise Retry(f"{url}: broke off after {have} of {length} bytes")
        if digest.hexdigest() != sha256:
            part.unlink()
            raise Rejected(f"{url}: content hashes to {digest.hexdigest()}, {sha256} was signed")

    @contextlib.contextmanager
    def _answer(self, url: str, headers: dict[str, str], deadline_s: Seconds) -> Iterator[requests.Response]:
        with self._guard.watch(deadline_s):
            try:
                with self._follow(url, headers) as answer:
                    coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
                    if coding not in {"", "identity"}:
                        raise Rejected(f"{url}: comes with Content-Encoding {coding!r}, asked for none")
                    yield answer
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise Retry(f"{url}: {self._guard.reason or _cause(error)}") from error

    def _follow(self, url: str, headers: dict[str, str]) -> requests.Response:
        here = url
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._session.get(
                here, headers=headers, timeout=self._time_out, stream=True, allow_redirects=False
            )
            took_s = answer.elapsed.total_seconds()
            self.quickest_s = Seconds(took_s if self.quickest_s is None else min(took_s, self.quickest_s))
            if answer.status_code not in _REDIRECTS:
                return answer
            answer.close()
            there = urljoin(here, answer.headers.get("Location", ""))
            if not _same_place(here, there):
                raise Retry(f"{url}: redirects to another place, {there[:200]}: not followed")
            here = there
        raise Retry(f"{url}: more than {MAX_REDIRECTS} redirects")

    def _chunks(self, url: str, answer: requests.Response) -> Iterator[bytes]:
        received = 0
        for chunk in answer.raw.stream(_CHUNK_BYTES, decode_content=False):
            if self._guard.reason:
                raise Retry(f"{url}: {self._guard.reason}")
            received += len(chunk)
            yield chunk
        if self._guard.reason:
            raise Retry(f"{url}: {self._guard.reason}")
        announced = answer.headers.get("Content-Length", "")
        if announced.isascii() and announced.isdigit() and received < int(announced):
            raise Retry(f"{url}: broke off after {received} of {announced} bytes")


class _Guard:
    """Shuts the socket under way when the deadline passes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._active = False
        self._for_good = False
        self.reason: str | None = None

    @contextlib.contextmanager
    def watch(self, deadline_s: Seconds) -> Iterator[None]:
        timer = threading.Timer(deadline_s, self.fire, (f"took longer than {deadline_s:.0f} s",))
        timer.daemon = True
        with self._lock:
            self._active, self._socket = True, None
            if not self._for_good:
                self.reason = None
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                self._active, self._socket = False, None

    def fire(self, reason: str, for_good: bool = False) -> None:
        with self._lock:
            self._for_good = self._for_good or for_good
            if self._active or for_good:
                self.reason = self.reason or reason
                self._shut()

    def uses(self, connected: socket.socket | None) -> None:
        with self._lock:
            self._socket = connected
            if self.reason:
                self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it is closed already
                self._socket.shutdown(socket.SHUT_RDWR)


class _Adapter(requests.adapters.HTTPAdapter):
    """Lets the guard see the socket of each exchange before the first byte of the answer."""

    def __init__(self, guard: _Guard) -> None:
        self._guard = guard
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        guard = self._guard

        class Plain(HTTPConnection):
            def getresponse(self) -> Any:
                guard.uses(self.sock)
                return super().getresponse()

        class Secure(HTTPSConnection):
            def getresponse(self) -> Any:
                guard.uses(self.sock)
                return super().getresponse()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _same_place(here: str, there: str) -> bool:
    old, new = urlsplit(here), urlsplit(there)
    if old.hostname != new.hostname or new.username or new.password:
        return False
    if old.scheme == new.scheme:
        return old.netloc == new.netloc
    return old.scheme == "http" and new.scheme == "https"


def _check_range(url: str, header: str, start: int, length: int) -> None:
    found = re.fullmatch(r"bytes (\d{1,19})-\d{1,19}/(\d{1,19}|\*)", header)
    if found is None or int(found[1]) != start or (found[2] != "*" and int(found[2]) != length):
        raise Retry(f"{url}: was asked to go on at byte {start} of {length}, gives {header!r}")


def _hash_existing(part: Path, digest: hashlib._Hash, length: int) -> int:
    try:
        size = part.stat().st_size
    except FileNotFoundError:
        return 0
    if size > length:
        part.unlink()
        return 0
    with part.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return size


def _cause(error: BaseException) -> str:
    """The innermost cause: requests and urllib3 wrap it in three layers of names and addresses."""
    while True:
        inner = error.__cause__ or error.__context__
        if inner is None or not str(inner):
            break
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"
