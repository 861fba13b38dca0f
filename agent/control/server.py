"""Accepts technicians at the Unix socket and hands their requests to the conductor."""

from __future__ import annotations

import grp
import json
import logging
import os
import pwd
import queue
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from agent.control.protocol import MAX_LINE_BYTES, ControlRequest, encode

log = logging.getLogger("loa.control")

GROUP = "loa"
REPLY_WITHIN_S = 10.0


class ControlServer:
    """Listens at `path` for the group `loa` (mode 0660), and for nobody else."""

    def __init__(self, path: Path, post: Callable[[object], None]) -> None:
        self._path = path
        self._post = post
        self._server: socketserver.ThreadingUnixStreamServer | None = None

    def start(self) -> None:
        """Open the socket; an old one of a dead daemon is replaced.

        Raises:
            OSError: the folder cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        post = self._post

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                serve(cast(BinaryIO, self.rfile), cast(BinaryIO, self.wfile), user_of(self.connection), post)

        mask = os.umask(0o117)  # between bind and chmod nobody else may connect either
        try:
            server = socketserver.ThreadingUnixStreamServer(str(self._path), Handler)
        finally:
            os.umask(mask)
        server.daemon_threads = True
        try:
            os.chown(self._path, -1, grp.getgrnam(GROUP).gr_gid)
        except (KeyError, PermissionError) as error:
            log.debug("socket keeps its group, %s: %s", GROUP, error)
        self._server = server
        threading.Thread(target=server.serve_forever, args=(3600,), name="control", daemon=True).start()

    def stop(self) -> None:
        """Close and remove the socket."""
        if self._server is not None:
            self._server.server_close()
            self._path.unlink(missing_ok=True)


def user_of(connection: socket.socket) -> str:
    """Name of the account at the other end (SO_PEERCRED)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def serve(reader: BinaryIO, writer: BinaryIO, user: str, post: Callable[[object], None]) -> None:
    """Answer requests until the other end hangs up; a bad line gets one clear error."""
    try:
        while line := reader.readline(MAX_LINE_BYTES + 1):
            writer.write(encode(_answer(line, user, post)))
            writer.flush()
    except OSError as error:
        log.debug("a technician hung up: %s", error)


def _answer(line: bytes, user: str, post: Callable[[object], None]) -> dict[str, object]:
    if len(line) > MAX_LINE_BYTES:
        return {"ok": False, "error": f"a request is at most {MAX_LINE_BYTES} bytes"}
    try:
        arguments = json.loads(line)
        op = arguments.pop("op")
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        return {"ok": False, "error": f'a request is one line {{"op": …}}: {error!r}'}
    request = ControlRequest(str(op), arguments, user)
    post(request)
    try:
        return request.wait(REPLY_WITHIN_S)
    except queue.Empty:
        return {"ok": False, "error": f"the daemon did not answer within {REPLY_WITHIN_S:.0f} s"}
