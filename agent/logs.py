"""The daemon's own log: to standard error, which systemd keeps; the newest lines stay in memory for `send-logs`."""

from __future__ import annotations

import gzip
import logging
from collections import deque

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

    def compressed(self) -> bytes:
        """gzip of as many of the newest lines as fit into a message."""
        lines = list(self._lines)
        while True:
            packed = gzip.compress("\n".join(lines).encode(), mtime=0)
            if len(packed) <= MAX_SENT_BYTES or not lines:
                return packed
            lines = lines[len(lines) // 2 :]


def set_up(level: str) -> RecentLines:
    """Log to standard error, with the priorities that journald reads; returns the lines kept in memory."""
    recent = RecentLines()
    recent.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    stderr = logging.StreamHandler()
    stderr.setFormatter(_Prioritised("%(name)s: %(message)s"))
    root = logging.getLogger()
    root.setLevel(level.upper())
    root.handlers[:] = [stderr, recent]
    # chatter of the libraries that says nothing about this node
    for name in ("apscheduler", "urllib3", "tuf", "securesystemslib"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return recent


class _Prioritised(logging.Formatter):
    """Puts sd-daemon(3) priorities in front, `<3>` for an error: journalctl -p then works."""

    _priorities = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))

    def format(self, record: logging.LogRecord) -> str:
        priority = next((p for level, p in self._priorities if record.levelno >= level), 7)
        lines = super().format(record).splitlines() or [""]
        return "\n".join(f"<{priority}>{line}" for line in lines)
