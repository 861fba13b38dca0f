"""The screen side: which board should be shown now, what takes it over, what was presented."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from agent.clock import Clock
from agent.conductor.ledger import Ledger
from agent.faults import Faults
from playlists.board import BoardNow, board_at
from playlists.models.health import ScreenNow
from playlists.models.record import Record
from playlists.models.schedule import Schedule
from playlists.units import MonotonicS

log = logging.getLogger("loa.stage")


class Screen(Protocol):
    """The parent's end of the screen process."""

    def send(self, message: dict[str, Any]) -> bool:
        """Hand it one message; False when no child runs."""


class Stage:
    """Keeps the screen true to the schedules. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        screen: Screen,
        ledger: Ledger,
        faults: Faults,
        find_media: Callable[[str, str], Path | None],
        *,
        node: str,
        groups: frozenset[str],
        timezone: str,
        theme: str,
    ) -> None:
        """`find_media(feed, target)` is the file of a picture, None while it is not here."""
        self._clock = clock
        self._screen = screen
        self._ledger = ledger
        self._faults = faults
        self._find_media = find_media
        self._node = node
        self._groups = groups
        self._timezone = timezone
        self._theme = theme
        self._schedules: Mapping[str, Schedule] = {}
        self._sent: str | None = None
        self._taken: dict[str, Any] | None = None
        self._stale = True
        self._next_change: datetime | None = None
        self._sums: dict[tuple[str, datetime], tuple[int, float]] = {}
        self._pictures: dict[str, Callable[[dict[str, Any]], None]] = {}
        self._ready = False
        self.now = ScreenNow()

    def replace(self, schedules: Mapping[str, Schedule]) -> None:
        """New schedules are in force, or media has arrived."""
        self._schedules = schedules
        self._stale = True

    def take_over(self, takeover: dict[str, Any] | None) -> None:
        """Cover everything with an emergency, or (None) go back to the board."""
        if takeover != self._taken:
            self._taken = takeover
            self._screen.send({"op": "takeover", "takeover": takeover} if takeover else {"op": "clear"})

    def picture(self, path: Path, width: int | None, then: Callable[[dict[str, Any]], None]) -> bool:
        """Ask for a PNG of what is shown; `then` gets the screen's answer. False when no screen runs."""
        request = f"picture-{len(self._pictures)}-{self._clock.monotonic():.6f}"
        self._pictures[request] = then
        sent = self._ready and self._screen.send(
            {"op": "picture", "request": request, "path": str(path), "width": width}
        )
        if not sent:
            self._pictures.pop(request)
        return sent

    def turn(self) -> MonotonicS | None:
        """Send the board if it changed; returns when to ask again at the latest."""
        now = self._clock.now()
        if self._stale or self._next_change is None or now >= self._next_change:
            self._stale = False
            board, self._next_change = board_at(
                self._schedules, now, self._clock.state, self._node, self._groups, self._timezone
            )
            self._send(board)
        if self._next_change is None:
            return None
        return MonotonicS(self._clock.monotonic() + max(0.0, (self._next_change - now).total_seconds()))

    def refresh(self) -> None:
        """Ask the core again at the next turn, as the clock has jumped."""
        self._stale = True

    def absorb(self, message: dict[str, Any]) -> None:
        """Take one message of the screen."""
        event = message.get("event")
        if event == "ready":
            self._tell_again(message)
        elif event == "showing":
            self.now = self.now.model_copy(
                update={
                    "layout": message.get("layout"),
                    "showing": tuple(message.get("showing") or ()),
                    "takeover": message.get("takeover"),
                }
            )
        elif event == "shown":
            self._count(message)
        elif event == "picture" and (then := self._pictures.pop(str(message.get("request")), None)):
            then(message)
        elif event == "failed":
            self._failed(message)

    def died(self, reason: str) -> None:
        """The screen process is gone; what it should show is told again to the next one."""
        self._ready = False
        self.now = ScreenNow()
        for then in self._pictures.values():
            then({"error": f"the screen process ended: {reason}"})
        self._pictures.clear()
        self._faults.raise_("screen", f"the screen process ended ({reason}); it is being started again")

    def write_sums(self, *, all_of_them: bool = False) -> None:
        """Write the showings of hours that are over (or all) into the log, one record a bulletin and hour."""
        hour = _hour_of(self._clock.now())
        for (bulletin, began), (shown, seconds) in sorted(self._sums.items()):
            if began == hour and not all_of_them:
                continue
            del self._sums[bulletin, began]
            self._ledger.write(
                Record(
                    kind="show",
                    bulletin=bulletin,
                    feed=self._feed_of(bulletin),
                    started=began,
                    ended=min(began + timedelta(hours=1), self._clock.now()),
                    shown=shown,
                    shown_s=round(seconds, 1),
                    outcome="finished",
                    clock=self._clock.reading(),
                )
            )

    def _tell_again(self, message: dict[str, Any]) -> None:
        self._ready = True
        size = message.get("size")
        self.now = ScreenNow(driver=message.get("driver"), size=tuple(size) if size else None)
        self._faults.clear("screen")
        self._sent = None
        self._stale = True
        if self._taken is not None:
            self._screen.send({"op": "takeover", "takeover": self._taken})

    def _send(self, board: BoardNow) -> None:
        document = board.to_json(self._find_media)
        document |= {"timezone": self._timezone, "theme": self._theme}
        text = json.dumps(document, sort_keys=True)
        if text != self._sent and self._ready and self._screen.send({"op": "board", "board": document}):
            self._sent = text

    def _count(self, message: dict[str, Any]) -> None:
        began = _hour_of(datetime.fromisoformat(str(message["from"])))
        key = (str(message["bulletin"]), began)
        shown, seconds = self._sums.get(key, (0, 0.0))
        self._sums[key] = (shown + int(message["count"]), seconds + float(message["seconds"]))

    def _failed(self, message: dict[str, Any]) -> None:
        bulletin, reason = message.get("bulletin"), str(message.get("reason"))
        if bulletin is None:
            self._faults.raise_("screen", reason)
            return
        log.warning("bulletin %s is not shown: %s", bulletin, reason)
        self._ledger.write(
            Record(
                kind="show",
                bulletin=str(bulletin),
                feed=self._feed_of(str(bulletin)),
                started=self._clock.now(),
                shown=0,
                shown_s=0.0,
                outcome="failed",
                reason=reason,
                clock=self._clock.reading(),
            )
        )

    def _feed_of(self, bulletin: str) -> str | None:
        for feed, schedule in self._schedules.items():
            if any(b.id == bulletin for b in schedule.bulletins):
                return feed
        return None


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
