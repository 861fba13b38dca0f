"""Serves a feed over HTTP, as any static web host would: whole files, ranges, and whether a file has changed.

A host of a province will put a real web server or a CDN in front; a single commune needs none.
"""

from __future__ import annotations

import logging
import os
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

log = logging.getLogger("loa.station")

Post = Callable[[bytes], tuple[int, bytes]]
"""Takes a body; gives status and body of the answer."""

MAX_POST_BYTES = 20_000
_IDLE_S = 30
_CHUNK_BYTES = 65_536


class FeedServer(ThreadingHTTPServer):
    """Serves `directory` at `host:port` (port 0: a free one) until `close`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        directory: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        posts: Mapping[str, Post] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`posts` answer what is sent to their paths; with `tls` it is all https."""
        self.directory = directory.resolve()
        self.posts = dict(posts or {})
        super().__init__((host, port), _Handler)
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            # the handshake is made on the thread of its client: one that is slow keeps nobody waiting
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True)

    @property
    def url(self) -> str:
        """What a node's `[[feeds]] url` names, if it reaches this address."""
        host, port = self.server_address[:2]
        return f"{self._scheme}://{host!s}:{port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """A node that hangs up in the middle is the network's business; it will ask again."""
        log.debug("%s hung up", client_address, exc_info=True)

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()
        self._thread.join(_IDLE_S)


class _Handler(BaseHTTPRequestHandler):
    server: FeedServer
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    server_version = "loa-station"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_POST(self) -> None:
        self.close_connection = True  # what of the body is not read is not taken for a request
        post = self.server.posts.get(urlsplit(self.path).path.strip("/"))
        length = self.headers.get("Content-Length", "")
        if post is None or not (length.isascii() and length.isdigit()) or int(length[:9]) > MAX_POST_BYTES:
            status = HTTPStatus.NOT_FOUND if post is None else HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            self._reply(status, b"")
            return
        body = self.rfile.read(int(length))
        if len(body) == int(length):
            self._reply(*post(body))

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, body: bool) -> None:
        file = self._open()
        if file is None:
            self._head(HTTPStatus.NOT_FOUND, 0)
            return
        with file:
            state = os.fstat(file.fileno())
            size = state.st_size
            etag = f'"{state.st_mtime_ns:x}-{state.st_ino:x}-{size:x}"'
            if self.headers.get("If-None-Match") == etag:
                self._head(HTTPStatus.NOT_MODIFIED, None, etag=etag)
                return
            asked = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", self.headers.get("Range", ""))
            if asked is None:
                self._head(HTTPStatus.OK, size, etag=etag)
                self._send(file, 0, size, body)
                return
            first = int(asked[1])
            last = min(int(asked[2]) if asked[2] else size - 1, size - 1)
            if first > last:
                self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0, f"bytes */{size}")
                return
            self._head(HTTPStatus.PARTIAL_CONTENT, last + 1 - first, f"bytes {first}-{last}/{size}")
            self._send(file, first, last + 1 - first, body)

    def _open(self) -> BinaryIO | None:
        """The file below the folder that is meant; hidden ones and whatever lies outside are not there."""
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if any(part.startswith(".") or "\0" in part or not part for part in parts):
            return None
        path = self.server.directory.joinpath(*parts)
        try:
            if not path.is_file() or not path.resolve().is_relative_to(self.server.directory):
                return None
            return path.open("rb")
        except OSError:  # a name too long, or removed a moment ago
            return None

    def _head(
        self,
        status: HTTPStatus,
        length: int | None,
        content_range: str | None = None,
        etag: str | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Accept-Ranges", "bytes")
        if etag is not None:
            self.send_header("ETag", etag)
        # these must never be stale; all else has its version or hash in its name
        fresh = self.path.endswith(("/timestamp.json", ".atom")) or status != HTTPStatus.OK
        self.send_header("Cache-Control", "no-cache" if fresh else "max-age=86400")
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()

    def _send(self, file: BinaryIO, start: int, length: int, body: bool) -> None:
        if not body:
            return
        file.seek(start)
        while length > 0:
            chunk = file.read(min(_CHUNK_BYTES, length))
            if not chunk:
                self.close_connection = True
                return
            self.wfile.write(chunk)
            length -= len(chunk)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Quiet: a node asks every few minutes."""
