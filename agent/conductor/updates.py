"""Updates of the agent as the node sees them: it passes on who wishes for one, says when it may be restarted, and
tells the centre what became of it. It has no rights over its own program: root's `loa-update` does the rest.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import timedelta

from pydantic import ValidationError

from agent.clock import Clock
from agent.conductor.alarms import Alarms
from agent.conductor.events import StopAsked
from agent.conductor.ledger import Ledger
from agent.conductor.planner import Planner
from agent.conductor.voice import Voice
from agent.control.protocol import ControlRequest
from agent.files import write_atomically
from agent.update.places import Places
from agent.update.progress import Outcome, Request, Seen, look, waits, wish
from playlists.models.command import Receipt, ReceiptState
from playlists.units import MonotonicS, Seconds

log = logging.getLogger("loa.updates")

LOOK_EACH_S = Seconds(2.0)
NEXT_START = timedelta(seconds=90)
"""Nothing may be due for so long: a restart takes seconds, on the smallest machine half a minute."""

_STATES: dict[Outcome, ReceiptState] = {
    "updated": "finished",
    "unchanged": "finished",
    "refused": "refused",
    "failed": "failed",
}


class Updates:
    """Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        voice: Voice,
        alarms: Alarms,
        planner: Planner,
        ledger: Ledger,
        *,
        feed: str | None,
        places: Places,
        answer: Callable[[Receipt], None],
        post: Callable[[object], None],
    ) -> None:
        """`feed` is where releases come from; None: from nowhere."""
        self._clock = clock
        self._voice = voice
        self._alarms = alarms
        self._planner = planner
        self._ledger = ledger
        self._feed = feed
        self._places = places
        self._answer = answer
        self._post = post
        self._awaited = True
        """Something may be to be told: also what the agent before this one has begun."""
        self._started: str | None = None
        self._told = self._read_told()
        self.looks = {"quiet": lambda request: request.answer(why=self.why_not_now())}
        self.acts = {"update": self._update, "update-restart": self._restart}

    # ---- wishes

    def wish(self, release: str | None, by: str, feed: str | None = None, command: str | None = None) -> str:
        """Pass on who wishes for a release, the newest if none is named; returns the wish's id.

        Raises:
            ValueError: it is not to be passed on; the text says why.
            OSError: it cannot be written.
        """
        if self._feed is None or feed not in (None, self._feed):
            named = "no feed" if self._feed is None else f"the feed {self._feed}, not {feed},"
            raise ValueError(f"{named} of this node carries releases ([update] feed in the configuration)")
        if not (self._places.opt / "current").exists():
            raise ValueError("this node was not installed by install.sh, and is not updated by itself")
        seen = look(self._places)
        if waits(self._places) or (seen is not None and seen.outcome is None):
            raise ValueError("an update is under way already; see: loa update --show")
        try:
            request = Request(id=str(uuid.uuid4()), feed=self._feed, release=release, by=by, command=command)
        except ValidationError as error:
            raise ValueError(f"release: {error.errors()[0]['msg']}") from error
        wish(self._places, request)
        self._awaited = True
        log.info("update to %s asked for by %s", release or "the newest release", by)
        return request.id

    def _update(self, request: ControlRequest) -> str:
        release = request.arguments.get("release")
        if release is not None and not isinstance(release, str):
            raise ValueError(f"release: expected a version, got {release!r:.40}")
        request.answer(id=self.wish(release, request.user))
        return release or "the newest release"

    # ---- the restart

    def why_not_now(self) -> str | None:
        """Why the node must not be restarted now; None when nobody would notice."""
        in_force = self._alarms.in_force
        if in_force:
            return f"an alert is in force: {next(iter(in_force))}"
        performance = next(iter(self._voice.performances.values()), None)
        if performance is not None:
            return f"{performance.id} sounds, or is about to"
        now = self._clock.now()
        coming = next(iter(self._planner.timetable.upcoming(now, 1)), None)
        if coming is not None and coming.planned - now < NEXT_START:
            return f"{coming.id} begins at {coming.planned.isoformat(timespec='seconds')}"
        return None

    def _restart(self, request: ControlRequest) -> str:
        """End, so that systemd starts the version that is in force now; unless somebody is being spoken to."""
        version = str(request.arguments.get("version", "?"))[:64]
        why = self.why_not_now()
        if why is None:
            self._post(StopAsked(f"update to {version}", "restart"))
        request.answer(why=why)
        return f"{version}: {why or 'restarts'}"

    # ---- what became of it

    def turn(self) -> MonotonicS | None:
        """Tell what is new of an update; returns when to ask again at the latest."""
        if not self._awaited:
            return None
        seen = look(self._places)
        coming = waits(self._places)
        if seen is not None and seen.state.request.id != self._told:
            if seen.outcome is None:
                coming = True
                self._begun(seen)
            else:
                self._over(seen, seen.outcome)
        self._awaited = coming
        return MonotonicS(self._clock.monotonic() + LOOK_EACH_S) if coming else None

    def _begun(self, seen: Seen) -> None:
        request = seen.state.request
        if self._started == request.id:
            return
        self._started = request.id
        if request.command is not None:
            self._receipt(request.command, "started", None)

    def _over(self, seen: Seen, outcome: Outcome) -> None:
        request = seen.state.request
        text = f"update to {seen.state.release or 'the newest release'}: {outcome}: {seen.text}"
        log.log(logging.INFO if outcome in ("updated", "unchanged") else logging.WARNING, "%s", text)
        if request.command is not None:
            reason = f"policy: {seen.text}" if outcome == "refused" else seen.text
            self._receipt(request.command, _STATES[outcome], reason)
            self._ledger.remark(text[:1_000], kind="command", command=request.command, feed=request.feed)
        else:
            self._ledger.remark(text[:1_000])
        self._told = request.id
        try:
            write_atomically(self._places.told, request.id.encode())
        except OSError as error:
            log.warning("what became of the update will be told again: %s", error)

    def _read_told(self) -> str | None:
        try:
            return self._places.told.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None

    def _receipt(self, command: str, state: ReceiptState, reason: str | None) -> None:
        self._answer(Receipt(command=command, state=state, reason=reason, at=self._clock.now().astimezone()))
