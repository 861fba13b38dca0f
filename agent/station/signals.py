"""Ctrl+C and SIGTERM, asked for instead of thrown."""

from __future__ import annotations

import signal
from collections.abc import Callable


def asked_to_end() -> Callable[[], bool]:
    """From now on these signals interrupt nothing; returns whether one has come. On the main thread only."""
    # no lock is taken here: a signal may come while another one is handled, and would wait for that lock
    asked: list[int] = []
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, _frame: asked.append(number))
    return lambda: bool(asked)
