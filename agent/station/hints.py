"""Tells nodes that the feed has a new version, as soon as it is published (contract §3, `…/feed/{feed}`).

`loa station publish` is a command of its own, so the service looks at the feed on disk.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from agent.station.errors import StationError
from agent.station.folder import Folder
from agent.station.publish import published_version
from agent.uplink.errors import UplinkError

log = logging.getLogger("loa.station")

LOOK_EVERY_S = 1.0


class Hints:
    """A thread that looks at the feed's timestamp and tells when the schedule's version has changed.

    Args:
        folder: the station.
        send: takes the version; raises UplinkError when it cannot go out now: it is tried again.
    """

    def __init__(self, folder: Folder, send: Callable[[int], None]) -> None:
        self._folder = folder
        self._timestamp: Path = folder.feed / "metadata" / "timestamp.json"
        self._send = send
        self._seen: tuple[int, int] | None = None
        self._told: int | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hints", daemon=True)

    def start(self) -> None:
        """Begin; the version that is published already is told first."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            try:
                self._look()
            except (StationError, OSError, UplinkError) as error:
                log.debug("no hint yet: %s", error)

    def _look(self) -> None:
        state = self._timestamp.stat()
        now = (state.st_mtime_ns, state.st_ino)
        if now == self._seen:
            return
        version = published_version(self._folder)
        if version is not None and version != self._told:
            self._send(version)
            self._told = version
        self._seen = now
