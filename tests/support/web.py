"""A static web host with faults, for what a feed may meet between the node and the centre."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

Fault = Callable[["Handler", bytes | None], None]
"""Answers a request in its own bad way; is given the content that should have been sent."""


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    path: str
    range: str | None


class Host(ThreadingHTTPServer):
    """Serves a folder (or a mapping) on a free port of loopback; keeps what was asked; injects faults.

    `faults` maps a regular expression on the path to a `Fault`; `times` says how often it strikes. With `etags`
    it tells and honours them, and counts in `unchanged` how often it had nothing to send.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, content: Path | dict[str, bytes], *, etags: bool = False) -> None:
        self.content = content
        self.etags = etags
        self.unchanged = 0
        self.connections = 0
        self.closed = 0
        """Connections of which the host has closed its end."""
        self.sent_at: dict[str, float] = {}
        """The monotonic instant at which the last whole answer of each path was about to be sent."""
        self.requests: list[Request] = []
        self.sent_bytes = 0
        self.stopping = threading.Event()
        self._faults: list[tuple[re.Pattern[str], Fault, Counter[str]]] = []
        super().__init__(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Base address, with a slash at the end."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self._thread.join(5)

    def shutdown_request(self, request: Any) -> None:
        """A connection ends."""
        super().shutdown_request(request)
        self.closed += 1

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what these tests are about."""

    def break_path(self, pattern: str, fault: Fault, times: int = 1_000_000) -> None:
        """Let `fault` answer the next `times` requests whose path matches."""
        self._faults.insert(0, (re.compile(pattern), fault, Counter(left=times)))

    def mend(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def fault_for(self, path: str) -> Fault | None:
        """The fault that strikes now, if any."""
        for pattern, fault, count in self._faults:
            if pattern.search(path) and count["left"] > 0:
                count["left"] -= 1
                return fault
        return None

    def read(self, path: str) -> bytes | None:
        """The content at `path`, or None."""
        name = unquote(urlsplit(path).path).lstrip("/")
        if isinstance(self.content, dict):
            return self.content.get(name)
        file = self.content / name
        return file.read_bytes() if file.is_file() else None


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Host
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """A client has connected."""
        self.server.connections += 1
        super().setup()

    def do_GET(self) -> None:
        """Answer, or misbehave."""
        self.server.requests.append(Request(self.path, self.headers.get("Range")))
        content = self.server.read(self.path)
        fault = self.server.fault_for(self.path)
        if fault is not None:
            self.close_connection = True
            fault(self, content)
            return
        if content is None:
            self.answer(404, b"not here")
            return
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        if self.server.etags and self.headers.get("If-None-Match") == etag:
            self.server.unchanged += 1
            self.send_response(304)
            self.end_headers()
            return
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked is None:
            self.server.sent_at[self.path] = time.monotonic()
            self.answer(200, content, {"ETag": etag} if self.server.etags else None)
        elif int(asked[1]) >= len(content):
            self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        else:
            start = int(asked[1])
            span = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.answer(206, content[start:], {"Content-Range": span})

    def answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, length: int | None = None
    ) -> None:
        """Send a whole answer; `length` makes the header lie."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.server.sent_bytes += len(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Quiet."""


def hanging_up_unasked(handler: Handler, content: bytes | None) -> None:
    """Answer as if the connection would be kept, and close it."""
    handler.close_connection = False
    handler.answer(200, content or b"", {"ETag": '"x"'})
    handler.close_connection = True


def status(code: int) -> Fault:
    """Answer with a bare status."""
    return lambda handler, _content: handler.answer(code, b"")


def instead(body: bytes, headers: dict[str, str] | None = None) -> Fault:
    """Answer with something else."""
    return lambda handler, _content: handler.answer(200, body, headers)


def redirect(to: str) -> Fault:
    """Send the client elsewhere."""
    return lambda handler, _content: handler.answer(302, b"", {"Location": to})


def cut(after_bytes: int) -> Fault:
    """Hang up in the middle of the body."""

    def fault(handler: Handler, content: bytes | None) -> None:
        assert content is not None
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        span = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if asked else {}
        rest = content[start:]
        handler.answer(206 if asked else 200, rest[:after_bytes], span, length=len(rest))

    return fault


def wrong_range(shift: int) -> Fault:
    """Go on at another byte than was asked."""

    def fault(handler: Handler, content: bytes | None) -> None:
        assert content is not None
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = max(0, (int(asked[1]) if asked else 0) + shift)
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        handler.answer(206, content[start:], {"Content-Range": span})

    return fault


def ignoring_range(handler: Handler, content: bytes | None) -> None:
    """Send everything from the start, as hosts without Range do."""
    assert content is not None
    handler.answer(200, content)


def stall(handler: Handler, _content: bytes | None) -> None:
    """Never answer."""
    handler.server.stopping.wait(60)


def drip_headers(handler: Handler, _content: bytes | None) -> None:
    """Slow loris: a byte of the headers now and then."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.stopping.wait(0.05):
        handler.wfile.write(b"a")
        handler.wfile.flush()


def drip_body(handler: Handler, content: bytes | None) -> None:
    """A byte of the body now and then."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content or b"x" * 1_000)))
    handler.end_headers()
    while not handler.server.stopping.wait(0.05):
        handler.wfile.write(b"{")
        handler.wfile.flush()


def endless(handler: Handler, _content: bytes | None) -> None:
    """A body without end, chunked, so that no length warns."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    block = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    deadline = time.monotonic() + 30
    while not handler.server.stopping.is_set() and time.monotonic() < deadline:
        handler.wfile.write(block)
        handler.server.sent_bytes += len(block)
