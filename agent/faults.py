"""What a technician should know, since when: raised once, cleared once, reported at both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from playlists.models.health import Fault


class Faults:
    """The faults that stand now. Owned by the conductor's thread."""

    def __init__(self, now: Callable[[], datetime], changed: Callable[[Fault, bool], None]) -> None:
        """`changed(fault, raised)` is called when a fault appears (True) and when it goes (False)."""
        self._now = now
        self._changed = changed
        self._standing: dict[str, Fault] = {}

    def raise_(self, code: str, text: str) -> None:
        """State a fault; stating it again only brings its words up to date."""
        known = self._standing.get(code)
        fault = Fault(code=code, since=known.since if known else self._now(), text=text)
        self._standing[code] = fault
        if known is None:
            self._changed(fault, True)

    def clear(self, code: str) -> None:
        """State that a fault is gone; nothing happens where it did not stand."""
        fault = self._standing.pop(code, None)
        if fault is not None:
            self._changed(fault, False)

    def set(self, code: str, text: str | None) -> None:
        """Raise with `text`, or clear with None."""
        if text is None:
            self.clear(code)
        else:
            self.raise_(code, text)

    def standing(self) -> tuple[Fault, ...]:
        """All faults that stand, oldest first."""
        return tuple(sorted(self._standing.values(), key=lambda fault: (fault.since, fault.code)))
