"""Relays. One contract, the real thing on a GPIO pin, and a fake that ships for nodes without pins."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from drivers.errors import Closed, DriverError, Retry

EDGES_KEPT = 10_000
"""How many edges a fake relay remembers: it may run for weeks."""


@dataclass(frozen=True, slots=True)
class RelayPin:
    """Where a relay is wired."""

    name: str
    pin: int
    """BCM number of the GPIO."""
    active_high: bool
    """Whether a high level closes it; most boards with optocouplers close at a low level."""


class Relay(ABC):
    """A relay, open ("off") from the start. Used by one thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._closed = False

    def on(self) -> None:
        """Close the contact.

        Raises:
            Retry: it did not switch this time.
            Technician: it will not switch before somebody repairs it.
            Closed: `close` was called before.
        """
        self._switch(True)

    def off(self) -> None:
        """Open the contact. Raises as `on` does."""
        self._switch(False)

    def close(self) -> None:
        """Switch off and give the device back. A second call does nothing.

        Raises:
            Retry, Technician: it could not be switched off; it counts as closed nevertheless.
        """
        if self._closed:
            return
        try:
            self._write(False)
        finally:
            self._closed = True
            self._release()

    @property
    def is_on(self) -> bool:
        """What the device says, not what it was told. Raises as `on` does."""
        self._check_open()
        return self._read()

    def _switch(self, on: bool) -> None:
        self._check_open()
        self._write(on)

    def _check_open(self) -> None:
        if self._closed:
            raise Closed(f"relay {self.name!r} is used after it was closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def _write(self, on: bool) -> None: ...

    @abstractmethod
    def _read(self) -> bool: ...

    @abstractmethod
    def _release(self) -> None: ...


class GpioRelay(Relay):
    """A relay on a GPIO pin. gpiozero is loaded when the first one is made.

    After `close`, and after the end of the process however it ended, the pin is at its off level, driven or
    pulled there: see `drivers.gpio`.

    Start child processes before, or through `subprocess`: a fork that inherits the open chip keeps it busy.
    """

    def __init__(self, plan: RelayPin) -> None:
        """Claim the pin, at its off level from the first moment.

        Raises:
            Technician: no such pin, no access to it, or another program holds it.
            Retry: the kernel refused this time.
        """
        super().__init__(plan.name)
        # loaded late: a node without pins does not pay for gpiozero
        from gpiozero import DigitalOutputDevice  # noqa: PLC0415

        from drivers.gpio import pin_factory, translated  # noqa: PLC0415

        self._translated = translated
        self._what = f"relay {plan.name!r} on GPIO{plan.pin}"
        factory = pin_factory()
        with translated(self._what):
            self._device: Any = DigitalOutputDevice(
                plan.pin, active_high=plan.active_high, initial_value=False, pin_factory=factory
            )

    def _write(self, on: bool) -> None:
        with self._translated(self._what):
            self._device.value = on
            took = bool(self._device.value) == on
        if not took:
            raise Retry(f"{self._what}: the pin did not take the level, is it shorted?")

    def _read(self) -> bool:
        with self._translated(self._what):
            return bool(self._device.value)

    def _release(self) -> None:
        with self._translated(self._what):
            self._device.close()


@dataclass(frozen=True, slots=True)
class Edge:
    """A contact that moved."""

    on: bool
    monotonic_s: float
    wall: datetime


class FakeRelay(Relay):
    """A relay that only remembers, and that can be told to fail. Refuses what a real one refuses."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.edges: deque[Edge] = deque(maxlen=EDGES_KEPT)
        """Its last movements, oldest first."""
        self._contact = False
        self._stuck = False
        self._error: DriverError | None = None

    def stick(self) -> None:
        """From now on the contact stays where it is, and nobody is told: welded, or without coil voltage."""
        self._stuck = True

    def fail(self, error: DriverError) -> None:
        """From now on every order raises `error`."""
        self._error = error

    def heal(self) -> None:
        """Works again; the contact moves at the next order."""
        self._stuck = False
        self._error = None

    def _write(self, on: bool) -> None:
        if self._error is not None:
            raise self._error
        if not self._stuck and on != self._contact:
            self._contact = on
            self.edges.append(Edge(on, time.monotonic(), datetime.now(UTC)))

    def _read(self) -> bool:
        return self._contact

    def _release(self) -> None:
        """A fake holds nothing."""


def open_relays(plans: Iterable[RelayPin], *, fake: bool = False) -> dict[str, Relay]:
    """Open all relays, off, by name: all of them or none.

    Raises:
        Technician, Retry: one could not be opened; those opened before are closed again, and off.
    """
    relays: dict[str, Relay] = {}
    try:
        for plan in plans:
            relays[plan.name] = FakeRelay(plan.name) if fake else GpioRelay(plan)
    except DriverError:
        for relay in relays.values():
            relay.close()
        raise
    return relays
