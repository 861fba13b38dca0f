"""Accepts technicians at the Unix socket and hands their requests to the conductor."""

from __future__ import annotations

import errno
import json
import logging
import os
import queue
import shutil
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from agent.control.protocol import MAX_FILE_BYTES, MAX_LINE_BYTES, ControlRequest, encode
from agent.control.rights import READERS, Caller, Rights, account, peer_uid

log = logging.getLogger("loa.control")

REPLY_WITHIN_S = 10.0
QUIET_S = 300.0
"""A technician who neither asks nor reads for so long is hung up on."""

FIRST_WITHIN_S = 10.0
"""Who has said nothing for so long since it connected is hung up on."""

MOST = 32
"""So many connections are served at once: each costs a descriptor and a thread, and the node needs some to speak."""

MOST_OF_ONE = 8
"""So many of one account that is not root; and so many of `MOST` are kept free for root."""

PAUSE_S = 1.0
"""Where nobody can be let in (too many files are open), it is tried again after this."""

CHUNK_BYTES = 65_536

TECHNICIAN = "technician-"
"""Names of the threads that serve technicians begin so."""


class CutOff(Exception):  # noqa: N818 - says what is the matter
    """Error raised when a recording does not come whole: what follows on this connection is no request."""


class Seats:
    """Counts who is served, so that nobody takes every descriptor of the node. For several threads."""

    def __init__(self) -> None:
        self._taken: Counter[int] = Counter()
        self._lock = threading.Lock()

    def enter(self, uid: int) -> str | None:
        """Take a seat for this account; returns why there is none."""
        with self._lock:
            if uid != 0 and self._taken[uid] >= MOST_OF_ONE:
                return (
                    f"{account(uid)} has {MOST_OF_ONE} connections to the agent already;"
                    " end some of them, and try again"
                )
            total = self._taken.total()
            if total >= MOST or (uid != 0 and total - self._taken[0] >= MOST - MOST_OF_ONE):
                return "too many connect to the agent; try again in a minute"
            self._taken[uid] += 1
            return None

    def leave(self, uid: int) -> None:
        """Give a seat back."""
        with self._lock:
            self._taken[uid] -= 1
            if not self._taken[uid]:
                del self._taken[uid]


class ControlServer:
    """Listens at `path` for the group `loa` (mode 0660), and for nobody else."""

    def __init__(
        self,
        path: Path,
        recordings: Path,
        post: Callable[[object], None],
        rights: Callable[[], Rights] = Rights.of_system,
    ) -> None:
        """Recordings to be played by hand are put into the folder `recordings`; who plays one removes it.

        `rights()` is asked at each connection: a group that was made meanwhile counts.
        """
        self._path = path
        self._recordings = recordings
        self._post = post
        self._rights = rights
        self._seats = Seats()
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Open the socket; an old one of a dead daemon is replaced, and its recordings are removed.

        Raises:
            OSError: the folder cannot be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        shutil.rmtree(self._recordings, ignore_errors=True)
        self._recordings.mkdir(parents=True, exist_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o117)  # between bind and chmod nobody else may connect either
        try:
            listener.bind(str(self._path))
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(mask)
        readers = self._rights().readers
        try:
            if readers is not None:
                os.chown(self._path, -1, readers)
        except PermissionError as error:
            log.debug("socket keeps its group, %s: %s", READERS, error)
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
            self._seat(connection)

    def _seat(self, connection: socket.socket) -> None:
        """Serve it in a thread of its own, or refuse it in one line; never waits for the other end."""
        try:
            uid = peer_uid(connection)
            full = self._seats.enter(uid)
            if full is not None:
                with connection:
                    connection.setblocking(False)
                    connection.sendall(encode({"ok": False, "error": full}))
                return
        except OSError as error:
            log.debug("a technician hung up: %s", error)
            connection.close()
            return
        try:
            threading.Thread(
                target=self._converse,
                args=(connection, uid),
                name=f"{TECHNICIAN}{connection.fileno()}",
                daemon=True,
            ).start()
        except RuntimeError as error:  # the system gives no more threads
            log.error("a technician could not be let in: %s", error)
            connection.close()
            self._seats.leave(uid)

    def _converse(self, connection: socket.socket, uid: int) -> None:
        try:
            with connection, connection.makefile("rb") as reader:
                connection.settimeout(FIRST_WITHIN_S)
                reader.peek(1)
                connection.settimeout(QUIET_S)
                caller = self._rights().caller(connection)
                serve(reader, connection.sendall, caller, self._recordings, self._post)
        except OSError as error:
            log.debug("a technician hung up: %s", error)
        finally:
            self._seats.leave(uid)


def serve(
    reader: BinaryIO,
    send: Callable[[bytes], None],
    caller: Caller,
    recordings: Path,
    post: Callable[[object], None],
) -> None:
    """Answer requests until the other end hangs up; a bad line gets one clear error.

    Raises:
        OSError: it hung up before it had its answer.
    """
    while line := reader.readline(MAX_LINE_BYTES + 1):
        try:
            reply = _answer(line, caller, reader, recordings, post)
        except CutOff as error:
            send(encode({"ok": False, "error": str(error)}))
            return
        send(encode(reply))
        if len(line) > MAX_LINE_BYTES or reply.get("denied"):
            return  # the rest of it is no request


def _answer(
    line: bytes, caller: Caller, reader: BinaryIO, recordings: Path, post: Callable[[object], None]
) -> dict[str, object]:
    if len(line) > MAX_LINE_BYTES:
        return {"ok": False, "error": f"a request is at most {MAX_LINE_BYTES} bytes"}
    try:
        arguments = json.loads(line)
        op = str(arguments.pop("op"))
        user = caller.on_behalf_of(arguments.pop("behind", None))
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        return {"ok": False, "error": f'a request is one line {{"op": …}}: {error!r}'}
    if op == "play" and caller.may_act:
        arguments["path"] = str(_recording(reader, arguments.pop("bytes", None), recordings))
    request = ControlRequest(op, arguments, user, caller.may_act)
    post(request)
    try:
        return request.wait(REPLY_WITHIN_S)
    except queue.Empty:
        return {"ok": False, "error": f"the daemon did not answer within {REPLY_WITHIN_S:.0f} s"}


def _recording(reader: BinaryIO, size: object, folder: Path) -> Path:
    """Put the bytes that follow into a file of their own.

    Raises:
        CutOff: too many, none, fewer than were announced, or there is no room for them.
    """
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= MAX_FILE_BYTES:
        raise CutOff(f"play: a recording has 1 to {MAX_FILE_BYTES} bytes, this one {size!r:.40}")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            path = Path(file.name)
            try:
                left = size
                while left and (data := reader.read(min(left, CHUNK_BYTES))):
                    file.write(data)
                    left -= len(data)
                file.flush()
                if left:
                    raise CutOff(f"play: the recording was cut off, {left} of {size} bytes are missing")
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise CutOff(f"play: the recording cannot be kept: {error.strerror or error}") from error
    return path
