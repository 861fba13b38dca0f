"""The daemon's own log: to journald, elsewhere to standard error; the newest lines stay in memory for who asks."""

from __future__ import annotations

import gzip
import logging
from collections import deque

from agent.journald import JournaldHandler, priority, stderr_is_journald

LINES = 2_000
MAX_SENT_BYTES = 250_000


class RecentLines(logging.Handler):
    """Keeps the newest lines."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque(maxlen=LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        try:
            self._lines.append(self.format(record))
        except Exception:  # noqa: BLE001
            # as logging's own handlers do: a badly made line must not break what it tells of
            self.handleError(record)

    def newest(self, count: int) -> list[str]:
        """The newest `count` lines, oldest first."""
        return list(self._lines)[-count:]

    def compressed(self) -> bytes:
        """gzip of as many of the newest lines as fit into a message."""
        lines = list(self._lines)
        while True:
            packed = gzip.compress("\n".join(lines).encode(), mtime=0)
            if len(packed) <= MAX_SENT_BYTES or not lines:
                return packed
            lines = lines[len(lines) // 2 :]


def set_up(level: str) -> RecentLines:
    """Log to journald with fields, or to standard error with its priorities; returns the lines kept in memory."""
    recent = RecentLines()
    recent.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.handlers[:] = [_out(), recent]
    # chatter of the libraries that says nothing about this node
    for name in ("apscheduler", "urllib3", "tuf", "securesystemslib"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return recent


def _out() -> logging.Handler:
    if stderr_is_journald():
        try:
            handler: logging.Handler = JournaldHandler()
        except OSError:
            pass  # its socket is not there: standard error is
        else:
            handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
            return handler
    handler = logging.StreamHandler()
    handler.setFormatter(_Prioritised("%(name)s: %(message)s"))
    return handler


class _Prioritised(logging.Formatter):
    """Puts sd-daemon(3) priorities in front, `<3>` for an error: journalctl -p then works."""

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).splitlines() or [""]
        return "\n".join(f"<{priority(record.levelno)}>{line}" for line in lines)
