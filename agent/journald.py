"""Log records as journald's own entries, with fields: `journalctl LOA_FAULT=hot` finds what belongs to a fault.

Speaks systemd's native journal protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram an entry. The
library for it, python3-systemd, is a C extension that a virtual environment cannot have from pip without headers.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

SOCKET: Final = Path("/run/systemd/journal/socket")
IDENTIFIER: Final = "loa-agent"
PREFIX: Final = "loa_"
"""`extra={"loa_fault": "hot"}` becomes LOA_FAULT=hot; several values of one field are given as a tuple."""

MAX_VALUE_BYTES: Final = 60_000
"""A datagram must fit into the socket's buffer (about 200 KB): what is longer is cut."""

PRIORITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Of syslog(3), for `journalctl -p`."""


def priority(level: int) -> int:
    """The priority of a level of `logging`; 7 is debug."""
    return next((found for least, found in PRIORITIES if level >= least), 7)


def stderr_is_journald() -> bool:
    """Whether systemd has connected our standard error to journald (systemd.exec(5), $JOURNAL_STREAM)."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class JournaldHandler(logging.Handler):
    """Sends records to journald, and never waits for it: a journald that hangs must not silence the node."""

    def __init__(self, path: Path = SOCKET) -> None:
        """Raises OSError where there is no socket at `path`."""
        super().__init__()
        self._path = str(path)
        path.lstat()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; what journald does not take at once is lost, and counted in the next that it takes."""
        try:
            fields = list(_fields(record, self.format(record)))
            if self._lost:
                fields.append(("LOA_LOST", str(self._lost)))
            datagram = b"".join(_encoded(name, value) for name, value in fields)
        except Exception:  # noqa: BLE001
            # as logging's own handlers do: a badly made line must not break what it tells of
            self.handleError(record)
            return
        try:
            self._socket.sendto(datagram, socket.MSG_DONTWAIT, self._path)
            self._lost = 0
        except OSError:
            self._lost += 1

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()


def _fields(record: logging.LogRecord, message: str) -> Iterable[tuple[str, str]]:
    yield "MESSAGE", message
    yield "PRIORITY", str(priority(record.levelno))
    yield "SYSLOG_IDENTIFIER", IDENTIFIER
    yield "LOA_ROOM", record.name.removeprefix("loa.")
    yield "LOA_THREAD", record.threadName or ""
    yield "CODE_FILE", record.pathname
    yield "CODE_LINE", str(record.lineno)
    yield "CODE_FUNC", record.funcName or ""
    for name, value in vars(record).items():
        if name.startswith(PREFIX) and value is not None:
            for one in value if isinstance(value, list | tuple) else (value,):
                yield name.upper(), str(one)


def _encoded(name: str, value: str) -> bytes:
    data = value.encode(errors="replace")[:MAX_VALUE_BYTES]
    if b"\n" not in data:
        return b"%s=%s\n" % (name.encode(), data)
    return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(data)), data)
