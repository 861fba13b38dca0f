"""When the screen is on: at its hours, and whenever an emergency is to be seen."""

from __future__ import annotations

import logging
from zoneinfo import ZoneInfo

from agent.clock import Clock
from agent.conductor.stage import Stage
from agent.faults import Faults
from agent.screenpower import DisplaySwitched, ScreenPower
from playlists.hours import hours_contain
from playlists.models.base import ClockState
from playlists.units import MonotonicS
from playlists.wallclock import minutes_of, wall_instants

log = logging.getLogger("loa.screenhours")


class ScreenHours:
    """Lets the screen rest outside its hours. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        stage: Stage,
        faults: Faults,
        power: ScreenPower | None,
        *,
        hours: tuple[str, ...],
        zone: ZoneInfo,
    ) -> None:
        """Without `power` a screen that rests is black; with it, it sleeps. Without `hours` it never rests."""
        self._clock = clock
        self._stage = stage
        self._faults = faults
        self._power = power
        self._hours = hours
        self._zone = zone
        self._told_on: bool | None = None

    def turn(self) -> MonotonicS | None:
        """Rest or wake; returns when the hours next turn."""
        now = self._clock.now()
        # who does not know the time cannot know that it is night
        known = self._clock.state is not ClockState.UNSET
        awake = not self._hours or not known or hours_contain(self._hours, now.astimezone(self._zone))
        self._stage.rest(resting=not awake)
        on = awake or self._stage.covered
        if self._power is not None and on is not self._told_on and (self._told_on is not None or self._hours):
            self._told_on = on
            log.info("the screen is told to %s", "wake" if on else "sleep")
            self._power.want(on)
        if not self._hours or not known:
            return None
        edges = wall_instants(minutes_of(self._hours), self._zone, now, days=2)
        if not edges:
            return None
        return MonotonicS(self._clock.monotonic() + (edges[0] - now).total_seconds())

    def switched(self, event: DisplaySwitched) -> None:
        """The display has obeyed, or not."""
        self._faults.set("screen-power", event.reason)
