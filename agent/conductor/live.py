"""Live broadcasts: from the command to a performance, and the end of one that brings nothing."""

from __future__ import annotations

from agent.clock import Clock
from agent.conductor.performance import Performance, Phase
from agent.conductor.reception import Reception
from agent.conductor.voice import Voice
from playlists.arbiter import Rank
from playlists.models.command import Command, Live
from playlists.models.items import Relay, RelayItem
from playlists.units import MonotonicS, Seconds

LONGEST_S = Seconds(6 * 3_600.0)

NOTHING_FOR_S = Seconds(30.0)
"""A broadcast of which nothing arrives for so long is over: what it interrupted goes on."""


class Broadcasts:
    """Looks after live broadcasts. Runs on the conductor's thread only."""

    def __init__(self, clock: Clock, voice: Voice, reception: Reception) -> None:
        self._clock = clock
        self._voice = voice
        self._reception = reception

    def performance(self, command: Command, do: Live, rank: Rank) -> Performance:
        """What a `live` command asks for; it begins to sound when its first samples are here."""
        return Performance(
            id=f"command/{command.id}",
            origin="live",
            class_=do.class_,
            rank=rank,
            planned=self._clock.now(),
            items=[RelayItem(relay=Relay(url=do.stream, for_s=LONGEST_S))],
            title=do.title,
            language=do.language,
            zones=frozenset(do.zones),
            on_conflict="preempt",
            feed=command.feed,
            command=command.id,
            lease_until=MonotonicS(self._clock.monotonic() + do.lease_s),
        )

    def turn(self) -> MonotonicS | None:
        """End what brings nothing; returns when to look again."""
        now, wakes = self._clock.monotonic(), []
        for p in list(self._voice.performances.values()):
            away = self._reception.away(p) if p.origin == "live" and p.phase is Phase.PLAYING else None
            if away is None:
                continue
            since, why = away
            if now >= since + NOTHING_FOR_S:
                self._voice.withdraw(p, f"nothing came for {NOTHING_FOR_S:.0f} s: {why}")
            else:
                wakes.append(MonotonicS(since + NOTHING_FOR_S))
        return min(wakes, default=None)
