"""Keeps the feed's signatures fresh for as long as the station runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from agent.station.errors import StationError
from agent.station.publish import renew
from playlists.units import Seconds

log = logging.getLogger("loa.station")

LOOK_EVERY_S = Seconds(600)


class Renewer:
    """A thread that looks every few minutes; what fails is told once and tried again.

    Args:
        station: its folder.
        say: takes one line for whoever watches.
        every_s: between looks.
    """

    def __init__(self, station: Path, say: Callable[[str], None], every_s: Seconds = LOOK_EVERY_S) -> None:
        self._station = station
        self._say = say
        self._every_s = every_s
        self._trouble: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="renewer", daemon=True)

    def start(self) -> None:
        """Begin, with a look at once."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(10)

    def look(self) -> list[str]:
        """Renew what is due now; return those roles."""
        try:
            renewed = renew(self._station)
        except (StationError, OSError) as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.warning("signatures cannot be renewed: %s", error)
                self._say(f"signatures cannot be renewed: {error}")
            return []
        self._trouble = None
        if renewed:
            self._say(f"signed anew: {', '.join(renewed)}")
        return renewed

    def _run(self) -> None:
        while True:
            self.look()
            if self._stop.wait(self._every_s):
                return
