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
        self._held: dict[str, MonotonicS] = {}
        """Relays that a technician switched on, and until when."""
        self.next_at: MonotonicS | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether any relay is on or about to be."""
        return self.next_at is not None or any(self.states().values())

    @property
    def on(self) -> bool | None:
        """Whether a relay is on; None on a node without relays: nobody knows."""
        return any(self.states().values()) if self._relays else None

    @property
    def overrun(self) -> bool:
        """Whether the amplifier was brought down because it had been on for too long."""
        return bool(self._amplifier.overrun)

    def states(self) -> dict[str, bool]:
        """Each relay by name."""
        return {name: self._is_on(relay) for name, relay in self._relays.items()}

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
            if on or name not in self._held:
                self._switch(name, on, now)
        for name in [name for name, until in self._held.items() if now >= until]:
            self.release_by_hand(name, now)
        instants = [*self._held.values(), *([] if self.next_at is None else [self.next_at])]
        self.next_at = min(instants, default=None)
        overrun = self._amplifier.overrun
        text = f"longest on-time reached, switched off: {', '.join(sorted(overrun))}" if overrun else None
        self._faults.set("amplifier-overrun", text)

    def hold_by_hand(self, name: str, now: MonotonicS, for_s: float) -> str | None:
        """Switch a relay on for a technician, for so long; returns why it cannot be done."""
        self._held[name] = MonotonicS(now + for_s)
        self.next_at = min(self._held[name], self.next_at or self._held[name])
        return self._switch(name, True, now)

    def release_by_hand(self, name: str, now: MonotonicS) -> str | None:
        """Let go of a relay, unless what sounds needs it; returns why it stays on."""
        self._held.pop(name, None)
        if name in self._amplifier.closed:
            return f"relay {name} is needed by what sounds; end that first: loa stop"
        return self._switch(name, False, now)

    def close(self) -> None:
        """Open all relays, in reverse order, and let go of them."""
        self._closed = True
        for relay in reversed(list(self._relays.values())):
            try:
                relay.close()
            except DriverError as error:
                log.error("relay %s: %s", relay.name, error)

    def _is_on(self, relay: Relay) -> bool:
        if self._closed:
            return False
        try:
            return relay.is_on
        except DriverError as error:
            log.debug("relay %s: %s", relay.name, error)
            return relay.name in self._amplifier.closed

    def _switch(self, name: str, on: bool, now: MonotonicS) -> str | None:
        relay = self._relays[name]
        was = self._is_on(relay)
        try:
            if on:
                relay.on()
            else:
                relay.off()
        except DriverError as error:
            text = f"relay {name} cannot be switched: {error}"
            self._faults.raise_(f"relay-{name}", text)
            log.error("relay %s: %s", name, error, extra={"loa_relay": name})
            return text
        self._faults.clear(f"relay-{name}")
        if was != on:
            log.info("relay %s %s", name, "on" if on else "off", extra={"loa_relay": name})
            self._edge(name, on, now)
        return None
