"""When the amplifier's relays close and open. Pure: it is told the time and says what to switch.

The order never changes: relays close in the order in which they are given, each `delay_s` after the switching
before it; the sound may begin `settle_s` after the last of a zone has closed; they open in reverse, `tail_s`
after the last sound. Neighbouring performances do not make them chatter: what is wanted again within its tail
stays closed. A zone that the next performance does not want is opened at once, so that it hears nothing that
is not meant for it. A relay that was closed for `longest_on_s` brings the whole amplifier down, whatever
plays, and keeps it down until `release`: a schedule gone wild, or a command nobody ended, must not wake a
village.

Relays that two zones share come first in the order (the mains, the preamplifier); a relay that closes while a
later one of its zone is closed already cannot spare the zone its noise.

All instants are `time.monotonic()` in seconds, all lengths are seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """One relay of the sequence."""

    name: str
    delay_s: float = 0.0
    """Seconds that it waits after the switching before it; the same after it has opened."""


@dataclass(frozen=True, slots=True)
class ZonePlan:
    """Loudspeakers that sound together, and the relays they need closed; without relays it is always on."""

    name: str
    relays: tuple[str, ...] = ()
    settle_s: float = 0.0
    tail_s: float = 0.0


class Action(NamedTuple):
    """A relay to be switched now."""

    relay: str
    on: bool


class _Edge(NamedTuple):
    due_s: float
    relay: str
    on: bool


class Amplifier:
    """The sequencer. Call `tick` after every `want` and `release`, and at each instant that it names."""

    def __init__(self, relays: Sequence[RelayPlan], zones: Iterable[ZonePlan], longest_on_s: float) -> None:
        """`relays` stand in the order in which they close.

        Raises:
            ValueError: a zone needs a relay that is not there, a name is used twice, or a length is negative.
        """
        self._delay_s = {relay.name: relay.delay_s for relay in relays}
        self._zones = {zone.name: zone for zone in zones}
        self._longest_on_s = longest_on_s
        self._check(relays)
        self._wanted: frozenset[str] = frozenset()
        self._closed_at: dict[str, float] = {}
        """Relays that are closed, and since when."""
        self._tail_until: dict[str, float] = {}
        """Relays that nobody wants any more, and until when they stay closed nevertheless."""
        self._last: _Edge | None = None
        self._overrun: frozenset[str] = frozenset()
        self._coming_down = False
        """An overrun has begun and not all relays are open yet: nothing closes before."""

    def _check(self, relays: Sequence[RelayPlan]) -> None:
        if len(self._delay_s) != len(relays):
            raise ValueError("two relays have the same name")
        lengths = [*self._delay_s.values(), self._longest_on_s]
        for zone in self._zones.values():
            lengths += [zone.settle_s, zone.tail_s]
            for name in zone.relays:
                if name not in self._delay_s:
                    raise ValueError(f"zone {zone.name!r} needs relay {name!r}, which is not there")
        if min(lengths) < 0 or not all(map(math.isfinite, lengths)):
            raise ValueError("a length of time is negative or without end")

    @property
    def zones(self) -> frozenset[str]:
        """Names of all zones."""
        return frozenset(self._zones)

    @property
    def wanted(self) -> frozenset[str]:
        """Zones wanted now."""
        return self._wanted

    @property
    def closed(self) -> frozenset[str]:
        """Relays that are closed as far as this sequencer knows."""
        return frozenset(self._closed_at)

    @property
    def overrun(self) -> frozenset[str]:
        """Relays that were closed for too long: all are opened and none closes until `release`.

        Whoever plays ends the performance and calls `release`; what follows, an emergency above all, would
        wait for ever otherwise.
        """
        return self._overrun

    def want(self, zones: Iterable[str], now_s: float) -> None:
        """From now on exactly these zones shall hear what plays; no zone at all is the same as `release`.

        Raises:
            ValueError: a zone is not there; nothing has changed then.
        """
        zones = frozenset(zones)
        if unknown := zones - self.zones:
            raise ValueError(f"no zone is named {sorted(unknown)[0]!r}; there are: {sorted(self.zones)}")
        if not zones:
            self.release(now_s)
            return
        self._wanted = zones
        self._tail_until.clear()

    def release(self, now_s: float) -> None:
        """The last sound has left: the tail begins. Lifts an overrun."""
        self._overrun = frozenset()
        for name in self._wanted:
            zone = self._zones[name]
            for relay in zone.relays:
                until = now_s + zone.tail_s
                self._tail_until[relay] = max(self._tail_until.get(relay, until), until)
        self._wanted = frozenset()

    def tick(self, now_s: float) -> tuple[list[Action], float | None]:
        """What to switch now, in this order, and the instant of the next `tick`; None: nothing to await."""
        self._watch(now_s)
        actions: list[Action] = []
        while (edge := self._next_edge(now_s)) is not None and edge.due_s <= now_s:
            self._apply(edge._replace(due_s=now_s))
            actions.append(Action(edge.relay, edge.on))
        return actions, self._next_instant(now_s, edge)

    def ready_at(self, now_s: float) -> float:
        """The earliest instant at which sound may begin in all wanted zones; infinite during an overrun."""
        ahead = copy(self)
        ahead._closed_at = dict(self._closed_at)
        ahead._tail_until = dict(self._tail_until)
        at_s: float | None = now_s
        while at_s is not None and not ahead._overrun:
            _, next_s = ahead.tick(at_s)
            if not ahead._overrun and ahead._sequence_is_closed():
                settled_s = max(now_s, ahead._settled_at())
                if next_s is None or next_s > settled_s:  # nothing comes between
                    return settled_s
            at_s = next_s
        return math.inf

    def lead_s(self, zones: Iterable[str]) -> float:
        """The longest time from `want` to `ready_at`, unless an overrun is still being switched off.

        What shall sound at a planned second is wanted so much earlier.
        """
        plans = [self._zones[name] for name in zones]
        relays = {relay for plan in plans for relay in plan.relays}
        settle_s = max((plan.settle_s for plan in plans if plan.relays), default=0.0)
        return sum(self._delay_s[relay] for relay in relays) + settle_s

    def _sequence_is_closed(self) -> bool:
        return all(relay in self._closed_at for name in self._wanted for relay in self._zones[name].relays)

    def _settled_at(self) -> float:
        zones = [self._zones[name] for name in self._wanted if self._zones[name].relays]
        return max(
            (max(self._closed_at[relay] for relay in zone.relays) + zone.settle_s for zone in zones),
            default=-math.inf,
        )

    def _watch(self, now_s: float) -> None:
        if self._overrun or self._coming_down:
            return
        over = [name for name, at in self._closed_at.items() if now_s >= at + self._longest_on_s]
        if over:
            self._overrun = frozenset(over)
            self._coming_down = True
            self._tail_until.clear()

    def _needed(self, now_s: float) -> set[str]:
        """Relays that shall be closed."""
        if self._overrun or self._coming_down:
            return set()
        needed = {relay for name in self._wanted for relay in self._zones[name].relays}
        held = {name for name, until in self._tail_until.items() if until > now_s and name in self._closed_at}
        return needed | held

    def _to_close(self, now_s: float) -> list[str]:
        needed = self._needed(now_s)
        return [name for name in self._delay_s if name in needed and name not in self._closed_at]

    def _next_edge(self, now_s: float) -> _Edge | None:
        last = self._last
        if to_close := self._to_close(now_s):
            # closing goes first: an emergency does not wait until another zone has been switched off
            name = to_close[0]
            return _Edge(last.due_s + self._delay_s[name] if last is not None else now_s, name, on=True)
        needed = self._needed(now_s)
        for name in reversed(self._delay_s):
            if name in self._closed_at and name not in needed:
                pause_s = self._delay_s[last.relay] if last is not None and not last.on else 0.0
                return _Edge(last.due_s + pause_s if last is not None else now_s, name, on=False)
        return None

    def _apply(self, edge: _Edge) -> None:
        self._last = edge
        if edge.on:
            self._closed_at[edge.relay] = edge.due_s
        else:
            del self._closed_at[edge.relay]
            self._tail_until.pop(edge.relay, None)
            self._coming_down = self._coming_down and bool(self._closed_at)

    def _next_instant(self, now_s: float, edge: _Edge | None) -> float | None:
        instants = [edge.due_s] if edge is not None else []
        instants += [
            until for name, until in self._tail_until.items() if name in self._closed_at and until > now_s
        ]
        if not self._overrun and not self._coming_down:
            instants += [at + self._longest_on_s for at in self._closed_at.values()]
        return min(instants, default=None)
