"""`python -m tests.support.shifted CONFIG`: the agent with a clock that can be set, without setting the machine's.

On SIGUSR1 it reads by how many seconds the clock is wrong from now on from `shift` beside CONFIG, and posts the
jump as the kernel would have it noticed.
"""

from __future__ import annotations

import signal
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

from agent import daemon
from agent.clock import ClockJumped, Post, SystemClock
from playlists.units import Seconds


class ShiftedClock(SystemClock):
    """The machine's clock, wrong by `shift`."""

    shift = timedelta()
    _told: Post | None = None

    def now(self) -> datetime:
        return super().now() + self.shift

    def watch_jumps(self, post: Post) -> None:
        ShiftedClock._told = post

    @classmethod
    def jump(cls, by_s: float) -> None:
        """Set the clock."""
        cls.shift += timedelta(seconds=by_s)
        if cls._told is not None:
            cls._told(ClockJumped(Seconds(by_s)))


def main() -> int:
    """Run the agent."""
    path = Path(sys.argv[1])
    wanted = threading.Event()

    def follow() -> None:
        while True:
            wanted.wait()
            wanted.clear()
            ShiftedClock.jump(float((path.parent / "shift").read_text()))

    threading.Thread(target=follow, daemon=True).start()
    signal.signal(signal.SIGUSR1, lambda *_: wanted.set())
    daemon.SystemClock = ShiftedClock  # type: ignore[misc]  # the seam: the agent is put together there
    return daemon.main(path)


if __name__ == "__main__":
    sys.exit(main())
