"""Switches a display on a thread of its own: televisions take seconds to answer, and the conductor does not wait."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from drivers.display import DisplayPower
from drivers.errors import DriverError

AGAIN_S: Final = 60.0
"""A display that did not obey is told again after this time."""
SETTLES_S: Final = 3.0
"""A display says how it is only when it has come up, or gone to sleep."""

log = logging.getLogger("loa.screenpower")


@dataclass(frozen=True)
class DisplaySwitched:
    """Event: a display was told to wake (or to sleep); with a `reason`, it did not obey."""

    on: bool
    reason: str | None


class ScreenPower:
    """The thread that owns a display's power."""

    def __init__(
        self,
        display: DisplayPower,
        post: Callable[[Any], None],
        *,
        settles_s: float = SETTLES_S,
        again_s: float = AGAIN_S,
    ) -> None:
        self.display = display
        self._post = post
        self._settles_s = settles_s
        self._again_s = again_s
        self._orders: queue.SimpleQueue[bool | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def want(self, on: bool) -> None:
        """Have it on, or off; the last word counts. Answered by `DisplaySwitched`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="screen-power", daemon=True)
            self._thread.start()
        self._orders.put(on)

    def stop(self, deadline_s: float = 2.0) -> None:
        """End, and leave the display as it is."""
        self._orders.put(None)
        if self._thread is not None:
            self._thread.join(deadline_s)

    def _work(self) -> None:
        wanted: bool | None = True
        failed = False
        while True:
            try:
                wanted = self._orders.get(timeout=self._again_s if failed else None)
                while not self._orders.empty():
                    wanted = self._orders.get_nowait()
            except queue.Empty:
                pass  # it is told again
            if wanted is None:
                self.display.close()
                return
            reason = self._switch(wanted)
            failed = reason is not None
            self._post(DisplaySwitched(wanted, reason))

    def _switch(self, on: bool) -> str | None:
        try:
            self.display.switch(on)
            threading.Event().wait(self._settles_s)
            state = self.display.is_on()
        except DriverError as error:
            return str(error)
        if state is None or state is on:
            return None
        return f"it was told to {'wake' if on else 'sleep'} and did not"
