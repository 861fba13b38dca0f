"""What the feeds say: schedules in force, operators trusted, media that arrived, feeds that trouble."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta

from agent.clock import Clock
from agent.conductor.ledger import Ledger
from agent.conductor.planner import MADE_AHEAD_COUNT, Planner
from agent.conductor.sounds import Sounds, targets_of
from agent.conductor.stage import Stage
from agent.config import Feed
from agent.faults import Faults
from agent.feeds.events import (
    FeedChanged,
    FeedEnded,
    FeedExpired,
    FeedRecovered,
    FeedRefused,
    FeedRestored,
    FeedUnreachable,
    MediaArrived,
    MediaUnavailable,
)
from agent.library import Library
from agent.uplink.gate import Gate
from playlists.models.base import BulletinClass
from playlists.timetable import FeedSchedule, Occurrence
from playlists.units import Level, MonotonicS

log = logging.getLogger("loa.feeds")

MADE_AHEAD = timedelta(hours=26)
"""What starts within this time is made soundable ahead: a day, and an hour for each end of DST."""

MADE_READY_A_TURN = 20
"""Starts that are looked after in one turn: nothing that is to sound waits for more."""


class Following:
    """Keeps planner, stage, gate and library true to the feeds. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        feeds: Mapping[str, Feed],
        planner: Planner,
        stage: Stage,
        gate: Gate,
        sounds: Sounds,
        library: Library,
        ledger: Ledger,
        faults: Faults,
    ) -> None:
        self._clock = clock
        self._feeds = feeds
        self._planner = planner
        self._stage = stage
        self._gate = gate
        self._sounds = sounds
        self._library = library
        self._ledger = ledger
        self._faults = faults
        self._in_force: dict[str, FeedSchedule] = {}
        self._restored: set[str] = set()
        self._unknown_told: dict[str, tuple[str, ...]] = {}
        self._to_make: deque[Occurrence] = deque()
        self._needed: set[str] = set()
        self._soon: set[tuple[str, str]] = set()

    def handlers(self) -> dict[type, Callable[..., None]]:
        """Which event goes where."""
        return {
            FeedRestored: lambda e: self._restored.add(e.feed),
            FeedChanged: self._changed,
            FeedEnded: self._ended,
            FeedRefused: lambda e: self._trouble(e.feed, "refused", e.reason),
            FeedUnreachable: lambda e: self._trouble(e.feed, "unreachable", e.reason),
            FeedExpired: self._expired,
            FeedRecovered: self._recovered,
            MediaArrived: self._arrived,
            MediaUnavailable: self._unavailable,
        }

    @property
    def restored(self) -> bool:
        """Whether every feed has put in force what the disk has kept of it."""
        return self._restored >= self._feeds.keys()

    def rights(self, feed: str) -> tuple[Level, BulletinClass]:
        """Level and ceiling of a feed in this node's configuration."""
        known = self._feeds.get(feed)
        return (Level(known.level), known.ceiling) if known else (Level(0), BulletinClass.ROUTINE)

    def make_ready(self) -> None:
        """Have made what starts soon, a few starts a turn; then let go of what nothing needs."""
        until = self._clock.now() + MADE_AHEAD
        upcoming = self._planner.timetable.upcoming(self._clock.now(), MADE_AHEAD_COUNT)
        self._to_make = deque(occurrence for occurrence in upcoming if occurrence.planned <= until)
        self._needed.clear()
        self._soon = {
            (occurrence.feed, target)
            for occurrence in self._to_make
            for target in targets_of(occurrence.programme.items)
        }

    def turn(self) -> MonotonicS | None:
        """Do the next part of `make_ready`."""
        if not self._to_make:
            return None
        for _ in range(min(MADE_READY_A_TURN, len(self._to_make))):
            occurrence = self._to_make.popleft()
            self._needed |= self._sounds.make_ready(occurrence.feed, occurrence.programme.items)
        if self._to_make:
            return self._clock.monotonic()
        for p in self._planner.performances():
            self._needed |= {sound.key for sound in p.sounds if sound.key is not None}
        self._library.keep(self._needed)
        return None

    def _changed(self, event: FeedChanged) -> None:
        configured = self._feeds[event.feed]
        log.info(
            "feed %s: version %d is in force",
            event.feed,
            event.schedule.version,
            extra={"loa_feed": event.feed},
        )
        self._in_force[event.feed] = FeedSchedule(event.schedule, Level(configured.level), configured.ceiling)
        self._gate.trust(event.feed, event.operators, configured.ceiling)
        self._clear_media_faults(event.feed)
        unknown = event.unknown_fields
        if unknown and unknown != self._unknown_told.get(event.feed):
            self._unknown_told[event.feed] = unknown
            self._ledger.remark(f"unknown fields ignored: {', '.join(unknown)[:1_000]}", feed=event.feed)
        self._spread()

    def _ended(self, event: FeedEnded) -> None:
        log.warning("feed %s: nothing of it is in force any more: %s", event.feed, event.reason)
        self._in_force.pop(event.feed, None)
        self._gate.trust(event.feed, None, self._feeds[event.feed].ceiling)
        self._trouble(event.feed, "ended", event.reason)
        self._spread()

    def _clear_media_faults(self, feed: str) -> None:
        for fault in self._faults.standing():
            if fault.code.startswith(f"media:{feed}/"):
                self._faults.clear(fault.code)

    def _spread(self) -> None:
        self._sounds.forget_failures()
        self._planner.replace(self._in_force, self.make_ready)
        self._stage.replace(self._in_force)

    def _expired(self, event: FeedExpired) -> None:
        until = event.in_force_until
        kept = f"; the last good schedule stays in force until {until:%Y-%m-%d}" if until else ""
        self._trouble(event.feed, "expired", event.reason + kept)

    def _trouble(self, feed: str, what: str, reason: str) -> None:
        self._faults.raise_(f"feed-{what}:{feed}", f"feed {feed}: {reason}")

    def _recovered(self, event: FeedRecovered) -> None:
        for what in ("refused", "unreachable", "expired", "ended"):
            self._faults.clear(f"feed-{what}:{event.feed}")

    def _arrived(self, event: MediaArrived) -> None:
        self._faults.clear(f"media:{event.feed}/{event.path}")
        self._stage.arrived(event.feed, event.path)
        key = self._sounds.arrived(event.feed, event.path, make=(event.feed, event.path) in self._soon)
        if key is not None:
            self._needed.add(key)

    def _unavailable(self, event: MediaUnavailable) -> None:
        self._faults.raise_(f"media:{event.feed}/{event.path}", f"{event.path} cannot be had: {event.reason}")
