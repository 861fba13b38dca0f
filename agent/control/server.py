"""Accepts technicians at the Unix socket and hands their requests to the conductor."""

from __future__ import annotations

import errno
import grp
import json
import logging
import os
import pwd
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from agent.control.protocol import MAX_LINE_BYTES, ControlRequest, encode

log = logging.getLogger("loa.control")

GROUP = "loa"
REPLY_WITHIN_S = 10.0
QUIET_S = 300.0
"""A technician who neither asks nor reads for so long is hung up on."""

PAUSE_S = 1.0
"""Where nobody can be let in (too many files are open), it is tried again after this."""

TECHNICIAN = "technician-"
"""Names of the threads that serve technicians begin so."""


class ControlServer:
    """Listens at `path` for the group `loa` (mode 0660), and for nobody else."""

    def __init__(self, path: Path, post: Callable[[object], None]) -> None:
        self._path = path
        self._post = post
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Open the socket; an old one of a dead daemon is replaced.

        Raises:
            OSError: the folder cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o117)  # between bind and chmod nobody else may connect either
        try:
            listener.bind(str(self._path))
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(mask)
        try:
            os.chown(self._path, -1, grp.getgrnam(GROUP).gr_gid)
        except (KeyError, PermissionError) as error:
            log.debug("socket keeps its group, %s: %s", GROUP, error)
        listener.listen()
        self._listener = listener
        self._thread = threading.Thread(target=self._accept, args=(listener,), name="control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close and remove the socket."""
        if self._listener is not None and self._thread is not None:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
            self._thread.join(2.0)
            self._listener.close()
            self._listener = None
            self._path.unlink(missing_ok=True)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.EBADF):
                    return  # stopped
                log.error("a technician could not be let in: %s", error)
                time.sleep(PAUSE_S)
                continue
            threading.Thread(
                target=self._converse,
                args=(connection,),
                name=f"{TECHNICIAN}{connection.fileno()}",
                daemon=True,
            ).start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as reader:
                connection.settimeout(QUIET_S)
                serve(reader, connection.sendall, user_of(connection), self._post)
        except OSError as error:
            log.debug("a technician hung up: %s", error)


def user_of(connection: socket.socket) -> str:
    """Name of the account at the other end (SO_PEERCRED)."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def serve(reader: BinaryIO, send: Callable[[bytes], None], user: str, post: Callable[[object], None]) -> None:
    """Answer requests until the other end hangs up; a bad line gets one clear error.

    Raises:
        OSError: it hung up before it had its answer.
    """
    while line := reader.readline(MAX_LINE_BYTES + 1):
        send(encode(_answer(line, user, post)))
        if len(line) > MAX_LINE_BYTES:
            return  # the rest of it is no request


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
