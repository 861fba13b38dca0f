"""The amplifier's relays: asks the pure sequencer what should be switched, and switches it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from agent.faults import Faults
from drivers.amplifier import Amplifier
from drivers.errors import DriverError
from drivers.relays import Relay
from playlists.units import MonotonicS

log = logging.getLogger("loa.relays")


class Amplification:
    """Sequencer and relays together. Runs on the conductor's thread only."""

    def __init__(
        self,
        amplifier: Amplifier,
        relays: Mapping[str, Relay],
        faults: Faults,
        edge: Callable[[str, bool, MonotonicS], None],
    ) -> None:
        """`edge(relay, on, at)` hears of each switching."""
        self._amplifier = amplifier
        self._relays = relays
        self._faults = faults
        self._edge = edge
        self.next_at: MonotonicS | None = None

    @property
    def busy(self) -> bool:
        """Whether any relay is on or about to be."""
        return self.next_at is not None or any(relay.is_on for relay in self._relays.values())

    @property
    def on(self) -> bool | None:
        """Whether a relay is on; None on a node without relays: nobody knows."""
        return any(relay.is_on for relay in self._relays.values()) if self._relays else None

    @property
    def overrun(self) -> bool:
        """Whether the amplifier was brought down because it had been on for too long."""
        return bool(self._amplifier.overrun)

    def states(self) -> dict[str, bool]:
        """Each relay by name."""
        return {name: relay.is_on for name, relay in self._relays.items()}

    def lead_s(self, zones: frozenset[str]) -> float:
        """How long before a start the first relay must close."""
        return self._amplifier.lead_s(zones)

    def want(self, zones: frozenset[str], now: MonotonicS) -> None:
        """These zones are to hear what sounds."""
        self._amplifier.want(zones, now)

    def ready_at(self, now: MonotonicS) -> MonotonicS:
        """When sound may begin."""
        return MonotonicS(self._amplifier.ready_at(now))

    def release(self, now: MonotonicS) -> None:
        """Nothing sounds any more: the tail begins, then the relays open in reverse."""
        self._amplifier.release(now)

    def tick(self, now: MonotonicS) -> None:
        """Switch what is due."""
        actions, next_at = self._amplifier.tick(now)
        self.next_at = None if next_at is None else MonotonicS(next_at)
        for name, on in actions:
            self._switch(name, on, now)
        overrun = self._amplifier.overrun
        text = f"longest on-time reached, switched off: {', '.join(sorted(overrun))}" if overrun else None
        self._faults.set("amplifier-overrun", text)

    def by_hand(self, name: str, on: bool, now: MonotonicS) -> bool:
        """Switch one relay for a technician; False when it is not known."""
        if name not in self._relays:
            return False
        self._switch(name, on, now)
        return True

    def close(self) -> None:
        """Open all relays, in reverse order, and let go of them."""
        for relay in reversed(list(self._relays.values())):
            try:
                relay.close()
            except DriverError as error:
                log.error("relay %s: %s", relay.name, error)

    def _switch(self, name: str, on: bool, now: MonotonicS) -> None:
        relay = self._relays[name]
        try:
            if on:
                relay.on()
            else:
                relay.off()
        except DriverError as error:
            self._faults.raise_(f"relay-{name}", f"relay {name} cannot be switched: {error}")
            log.error("relay %s: %s", name, error)
            return
        self._faults.clear(f"relay-{name}")
        log.info("relay %s %s", name, "on" if on else "off")
        self._edge(name, on, now)
