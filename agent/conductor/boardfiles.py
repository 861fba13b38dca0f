"""Gives the bulletins of a board their files: what is not here yet is waited for, what is unreadable is told once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from agent.boardfiles import FindFile, Missing, with_feedback, with_files

log = logging.getLogger("loa.stage")


class BoardFiles:
    """Of the board that is shown. Runs on the conductor's thread only."""

    def __init__(
        self,
        find: FindFile,
        node: str,
        feedback_url: str | None,
        fail: Callable[[str, str], None],
    ) -> None:
        """`fail(bulletin, reason)` hears what cannot be read, once for each reason."""
        self._find = find
        self._node = node
        self._feedback_url = feedback_url
        self._fail = fail
        self._missed: set[tuple[str, str]] = set()
        """Targets that are not here yet."""
        self._followed: set[tuple[str, str]] = set()
        """Targets of readings: what comes anew under these names is shown."""
        self._last: dict[str, dict[str, Any]] = {}
        """Readings as they were last shown, by bulletin: they stay until newer ones are here."""
        self._told: dict[str, str] = {}
        """Why a bulletin cannot be shown, as it was told."""
        self._names: set[str] = set()
        """Of the bulletins on the board."""

    def begin(self) -> None:
        """A board begins."""
        self._names.clear()
        self._missed.clear()
        self._followed.clear()

    def fill(self, bulletin: dict[str, Any]) -> dict[str, Any] | None:
        """A bulletin with its files; None while one is not here, or if what is in it cannot be read."""
        readings = bulletin.get("readings")
        name: str = bulletin["id"]
        self._names.add(name)
        if readings is not None:
            self._followed.add((bulletin["feed"], readings["path"]))
        try:
            found = with_files(with_feedback(bulletin, self._feedback_url, self._node), self._find)
        except Missing as missing:
            self._missed.add((bulletin["feed"], missing.target))
            return self._before(bulletin)
        except ValueError as error:
            if self._told.get(name) != str(error):
                self._told[name] = str(error)
                self._fail(name, str(error))
            return None
        self._told.pop(name, None)
        if readings is not None:
            self._last[name] = found["readings"]
        return found

    def forget_others(self) -> None:
        """The board is whole: of what is not on it, nothing is kept."""
        self._last = {name: last for name, last in self._last.items() if name in self._names}
        self._told = {name: reason for name, reason in self._told.items() if name in self._names}

    def awaits(self, feed: str, target: str) -> bool:
        """Whether the board would look otherwise with this target."""
        return (feed, target) in self._missed | self._followed

    def _before(self, bulletin: dict[str, Any]) -> dict[str, Any] | None:
        last = self._last.get(bulletin["id"])
        return None if last is None or "readings" not in bulletin else bulletin | {"readings": last}
