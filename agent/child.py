"""A worker's own end of its pipes.

`take_over_pipes` is the first thing a worker calls, before any library is loaded: libraries of sound and
graphics print where they like, and stdout belongs to the protocol alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

MAX_LINE_BYTES: Final = 4_000_000
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


class Voice:
    """Writes messages for the parent, one JSON object a line; any thread may speak.

    When the parent is gone, there is nobody left to tell, and the process ends.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()

    def say(self, message: Mapping[str, Any]) -> None:
        """Write one message, whole."""
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            with self._lock:
                while line:
                    line = line[os.write(self._fd, line) :]
        except BrokenPipeError:
            os._exit(0)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it ends (prctl(2)).

    The end of stdin says the same; this is for a process that is stuck and reads nothing.
    """
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(0)


def take_over_pipes() -> Voice:
    """Keep the real stdout for messages; whatever else is printed in this process goes to stderr."""
    fd = os.dup(1)
    os.set_inheritable(fd, False)
    os.dup2(2, 1)
    return Voice(fd)


def read_messages(handle: Callable[[dict[str, Any]], None], refuse: Callable[[str, str], None]) -> None:
    """Read JSON lines from stdin until it ends, blocked between them.

    Args:
        handle: gets every message.
        refuse: gets the reason and the beginning of every line that is not a JSON object; the line is
            ignored.
    """
    stdin = sys.stdin.buffer
    while line := stdin.readline(MAX_LINE_BYTES):
        if not line.strip():
            continue
        try:
            message = json.loads(line)
        except ValueError as error:
            refuse(f"not JSON: {error}", repr(line[:80]))
            continue
        if not isinstance(message, dict):
            refuse("not a JSON object", repr(line[:80]))
            continue
        handle(message)
