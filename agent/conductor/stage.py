"""The screen side: which board should be shown now, what takes it over, what was presented."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.conductor.boardfiles import BoardFiles
from agent.conductor.ledger import Ledger
from agent.conductor.thinker import Think
from agent.faults import Faults
from agent.screen.protocol import (
    Action,
    Caption,
    Failed,
    FilmWaits,
    PictureTaken,
    Ready,
    Seen,
    Showing,
    Shown,
    Takeover,
    Touched,
    act_message,
    board_message,
    caption_message,
    clear_message,
    film_message,
    picture_message,
    read_event,
    rest_message,
    takeover_message,
)
from agent.worker import WorkerLink
from playlists.board import BoardNow, Orientation, board_at
from playlists.models.base import ClockState
from playlists.models.health import ScreenNow
from playlists.models.record import Outcome, Record
from playlists.models.schedule import Bulletin
from playlists.timetable import FeedSchedule
from playlists.units import MonotonicS, Seconds

log = logging.getLogger("loa.stage")

UNSEEN = ("black", "frozen", "unplugged")
"""What a screen does instead of showing the board; each is a fault `screen-…`."""
MOST_LEFT_OUT = 20
"""Bulletins that a new board leaves out and that get a record each."""


class Stage:
    """Keeps the screen true to the schedules. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        screen: WorkerLink | None,
        ledger: Ledger,
        faults: Faults,
        find_media: Callable[[str, str], Path | None],
        think: Think,
        *,
        node: str,
        groups: frozenset[str],
        timezone: str,
        theme: str,
        shown: Callable[[str, str], None],
        feedback_url: str | None = None,
    ) -> None:
        """`find_media(feed, target)` is the file of a picture, None while it is not here.

        A board is worked out by `think`: ten thousand bulletins take a Raspberry Pi seconds.

        `shown(what, state)` hears when a takeover is really on the screen, and when it has gone.
        """
        self._shown = shown
        self._clock = clock
        self._screen = screen
        self._ledger = ledger
        self._faults = faults
        self._think = think
        self._node = node
        self._groups = groups
        self._timezone = timezone
        self._theme = theme
        self._feeds: Mapping[str, FeedSchedule] = {}
        self._sent: str | None = None
        self._taken: Takeover | None = None
        self._notice: Takeover | None = None
        self._notice_until: MonotonicS | None = None
        self._captioned: object = None
        """What the screen's caption was sent for."""
        self._stale = True
        self._state: ClockState | None = None
        self._next_change: datetime | None = None
        self._sums: dict[tuple[str, datetime], tuple[int, float]] = {}
        self._pictures: dict[str, Callable[[PictureTaken], None]] = {}
        self._files = BoardFiles(find_media, node, feedback_url, self._failed)
        self._told_left_out: tuple[tuple[str, str], ...] = ()
        self._ready = False
        self._orientation: Orientation | None = None
        self._resting = False
        self._board: BoardNow | None = None
        self._votes: dict[tuple[str, datetime], tuple[int, int]] = {}
        self.touched: Callable[[Action, str | None], None] = lambda _action, _bulletin: None
        """Hears what a resident did at the board, and what was on show then."""
        self.film_waits: Callable[[str, bool], None] = lambda _bulletin, _waits: None
        """Hears that a film with sound has come up and waits, or that it has left."""
        self.now = ScreenNow()

    def replace(self, feeds: Mapping[str, FeedSchedule]) -> None:
        """New schedules are in force."""
        self._feeds = feeds
        self._stale = True

    def take_over(self, takeover: Takeover | None) -> None:
        """Cover everything with an emergency, or (None) go back to the board."""
        if takeover != self._taken:
            self._taken = takeover
            self._send_takeover()

    def notice(self, takeover: Takeover, for_s: Seconds) -> None:
        """Cover everything for a while with what is no emergency; an emergency covers that."""
        self._notice = takeover
        self._notice_until = MonotonicS(self._clock.monotonic() + for_s)
        self._send_takeover()

    def caption(self, what: object, caption: Caption | None) -> None:
        """Show words that are being spoken; `what` names them, so that the same ones are sent once."""
        if what != self._captioned and self._ready and self._tell(caption_message(caption)):
            self._captioned = what

    def picture(self, path: Path, width: int | None, then: Callable[[PictureTaken], None]) -> bool:
        """Ask for a PNG of what is shown; `then` gets the screen's answer. False when no screen runs."""
        request = f"picture-{len(self._pictures)}-{self._clock.monotonic():.6f}"
        self._pictures[request] = then
        sent = self._ready and self._tell(picture_message(request, path, width))
        if not sent:
            self._pictures.pop(request)
        return sent

    def turn(self) -> MonotonicS | None:
        """Send the board if it changed; returns when to ask again at the latest."""
        now, state = self._clock.now(), self._clock.state
        if self._stale or state is not self._state or (self._next_change and now >= self._next_change):
            self._stale, self._state, self._next_change = False, state, None
            feeds = dict(self._feeds)
            self._think(
                "board",
                lambda: board_at(
                    feeds, now, state, self._node, self._groups, self._timezone, self._orientation
                ),
                self._adopt,
            )
        mono = self._clock.monotonic()
        if self._notice_until is not None and mono >= self._notice_until:
            self._notice = self._notice_until = None
            self._send_takeover()
        if self._next_change is None:
            return self._notice_until
        change_at = MonotonicS(mono + max(0.0, (self._next_change - now).total_seconds()))
        return change_at if self._notice_until is None else min(change_at, self._notice_until)

    def _adopt(self, found: tuple[BoardNow, datetime | None]) -> None:
        board, self._next_change = found
        self._board = board
        self._tell_left_out(board.left_out if self._screen is not None else ())
        self._send(board)

    def refresh(self) -> None:
        """Ask the core again at the next turn: the clock has jumped."""
        self._stale = True

    def arrived(self, feed: str, target: str) -> None:
        """A target of a feed has come: if the board waits for it, or shows what is in it, that is shown now."""
        if self._files.awaits(feed, target):
            self._stale = True

    # ---- the screen's rest, and what residents ask of it

    def rest(self, *, resting: bool) -> None:
        """Have the screen black, but for an emergency; or have it show the board."""
        if resting != self._resting:
            self._resting = resting
            self._tell(rest_message(resting=resting))

    @property
    def covered(self) -> bool:
        """Whether something covers the board that must be seen."""
        return self._taken is not None or self._notice is not None

    def shown(self, name: str) -> Bulletin | None:
        """A bulletin (`feed/id`) of the board."""
        if self._board is None:
            return None
        every = (shown for zone in self._board.zones for shown in zone.bulletins)
        return next((shown.bulletin for shown in every if shown.id == name), None)

    def act(self, action: Action) -> None:
        """Have the board do what a resident asks for at a button."""
        self._tell(act_message(action))

    def run_film(self, bulletin: str, at: MonotonicS | None) -> None:
        """Let the film that waits run: when its sound comes, or at once and without."""
        self._tell(film_message(bulletin, at))

    def vote(self, bulletin: str, *, useful: bool) -> None:
        """A resident found it useful, or not: counted like its showings, and nothing else is kept."""
        key = (bulletin, _hour_of(self._clock.now()))
        yes, no = self._votes.get(key, (0, 0))
        self._votes[key] = (yes + useful, no + (not useful))
        self._sums.setdefault(key, (0, 0.0))

    def presented(self, frames: int, late: int) -> None:
        """So many frames the screen has presented since it was opened, so many of a ticker's too late."""
        self.now = self.now.model_copy(update={"frames": frames, "frames_late": late})

    def absorb(self, message: dict[str, Any]) -> None:
        """Take one message of the screen.

        Raises:
            Rejected: it is none of the protocol's.
        """
        match read_event(message):
            case Ready() as ready:
                self._opened(ready)
            case Showing(layout, showing, takeover):
                self._faults.clear("screen-failed")
                if takeover != self.now.takeover:
                    name = takeover or self.now.takeover or ""
                    self._shown(name, "takeover" if takeover else "board again")
                told = {"layout": layout, "showing": showing, "takeover": takeover}
                self.now = self.now.model_copy(update=told)
            case Shown() as shown:
                self._count(shown)
            case PictureTaken() as picture:
                then = self._pictures.pop(picture.request, None)
                if then is not None:
                    then(picture)
            case Failed(bulletin, reason):
                self._failed(bulletin, reason)
            case Seen(state, reason):
                for wrong in UNSEEN:
                    self._faults.set(f"screen-{wrong}", reason if state == wrong else None)
            case Touched(action, bulletin):
                self.touched(action, bulletin)
            case FilmWaits(bulletin, waits):
                self.film_waits(bulletin, waits)
            case _:
                pass

    def died(self, reason: str) -> None:
        """The screen process is gone; what it should show is told again to the next one."""
        self._ready = False
        self.now = ScreenNow()
        for then in self._pictures.values():
            then(PictureTaken("", "", None, f"the screen process ended: {reason}"))
        self._pictures.clear()
        self._faults.raise_("screen", f"the screen process ended ({reason}); it is being started again")

    def write_sums(self, *, all_of_them: bool = False) -> None:
        """Write the showings of hours that are over (or all) into the log, one record a bulletin and hour."""
        hour = _hour_of(self._clock.now())
        for (bulletin, began), (shown, seconds) in sorted(self._sums.items()):
            if began == hour and not all_of_them:
                continue
            del self._sums[bulletin, began]
            useful, useless = self._votes.pop((bulletin, began), (None, None))
            self._ledger.write(
                Record(
                    kind="show",
                    **_names(bulletin),
                    started=began,
                    ended=max(began, min(began + timedelta(hours=1), self._clock.now())),
                    shown=shown,
                    shown_s=round(seconds, 1),
                    useful=useful,
                    useless=useless,
                    outcome="finished",
                    clock=self._clock.reading(),
                )
            )

    def _opened(self, ready: Ready) -> None:
        self._ready = ready.driver is not None
        self.now = ScreenNow(driver=ready.driver, size=ready.size)
        self._sent = self._captioned = None
        self._stale = True
        if not self._ready:
            self._faults.raise_("screen", f"no screen can be opened: {ready.reason}; it is tried again")
            return
        for code in ("screen", *(f"screen-{wrong}" for wrong in UNSEEN)):
            self._faults.clear(code)
        width, height = ready.canvas or ready.size or (1, 1)
        self._orientation = "landscape" if width >= height else "portrait"
        if self._resting:
            self._tell(rest_message(resting=True))
        if self._taken or self._notice:
            self._send_takeover()

    def _tell(self, message: dict[str, Any]) -> bool:
        return self._screen is not None and self._screen.send(message)

    def _send_takeover(self) -> None:
        covered_by = self._taken or self._notice
        self._tell(takeover_message(covered_by) if covered_by else clear_message())

    def _send(self, board: BoardNow) -> None:
        self._files.begin()
        document = board.to_json() | {"theme": self._theme, "clock": self._clock.state.value}
        for zone in document["zones"]:
            zone["bulletins"] = [found for found in map(self._files.fill, zone["bulletins"]) if found]
        self._files.forget_others()
        text = json.dumps(document, sort_keys=True)
        if text != self._sent and self._ready and self._tell(board_message(document)):
            self._sent = text

    def _count(self, shown: Shown) -> None:
        key = (shown.bulletin, _hour_of(datetime.fromisoformat(shown.since)))
        count, seconds = self._sums.get(key, (0, 0.0))
        self._sums[key] = (count + shown.count, seconds + shown.seconds)

    def _tell_left_out(self, left_out: tuple[tuple[str, str], ...]) -> None:
        new = [found for found in left_out if found not in self._told_left_out]
        self._told_left_out = left_out
        for bulletin, reason in new[:MOST_LEFT_OUT]:
            self._not_shown(bulletin, "skipped", reason)
        if len(new) > MOST_LEFT_OUT:
            self._ledger.remark(f"{len(new) - MOST_LEFT_OUT} more bulletins are left out, like those before")

    def _failed(self, bulletin: str | None, reason: str) -> None:
        if bulletin is None:
            self._faults.raise_("screen-failed", reason)
        else:
            self._not_shown(bulletin, "failed", reason)

    def _not_shown(self, bulletin: str, outcome: Outcome, reason: str) -> None:
        log.warning("bulletin %s is not shown: %s", bulletin, reason)
        self._ledger.write(
            Record(
                kind="show",
                **_names(bulletin),
                started=self._clock.now(),
                shown=0,
                shown_s=0.0,
                outcome=outcome,
                reason=reason,
                clock=self._clock.reading(),
            )
        )


def _names(shown: str) -> dict[str, str | None]:
    """Feed and bulletin of what the board calls `feed/bulletin`."""
    feed, _, bulletin = shown.partition("/")
    return {"feed": feed or None, "bulletin": bulletin or shown}


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
