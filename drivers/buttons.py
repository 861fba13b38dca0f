"""Push buttons. A press is told to a function, which must only pass it on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from drivers.errors import Closed


@dataclass(frozen=True, slots=True)
class ButtonPin:
    """Where a button is wired: to ground with a pull-up (the usual), or to 3.3 V with a pull-down."""

    name: str
    pin: int
    """BCM number of the GPIO."""
    pull: Literal["up", "down"] = "up"
    debounce_s: float = 0.05
    """Seconds that its level must be steady; long cables need more."""


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """Event: somebody pressed a button."""

    button: str


class Button(ABC):
    """A button; `pressed(name)` is called once a press, in a thread of the driver's."""

    def __init__(self, name: str, pressed: Callable[[str], None]) -> None:
        self.name = name
        self._pressed = pressed

    @property
    @abstractmethod
    def is_down(self) -> bool:
        """Whether somebody holds it down now."""

    @abstractmethod
    def close(self) -> None:
        """Listen no longer. A second call does nothing."""


class GpioButton(Button):
    """A button on a GPIO pin; the kernel takes out the bouncing."""

    def __init__(self, plan: ButtonPin, pressed: Callable[[str], None]) -> None:
        """Claim the pin.

        Raises:
            Technician: no such pin, no access to it, or another program holds it.
            Retry: the kernel refused this time.
        """
        super().__init__(plan.name, pressed)
        # loaded late: a node without pins does not pay for gpiozero
        from gpiozero import Button as PinButton  # noqa: PLC0415

        from drivers.gpio import pin_factory, translated  # noqa: PLC0415

        factory = pin_factory()
        with translated(f"button {plan.name!r} on GPIO{plan.pin}"):
            self._device: Any = PinButton(
                plan.pin, pull_up=plan.pull == "up", bounce_time=plan.debounce_s, pin_factory=factory
            )
            self._device.when_pressed = self._tell

    def _tell(self) -> None:
        self._pressed(self.name)

    @property
    def is_down(self) -> bool:
        return bool(self._device.is_pressed)

    def close(self) -> None:
        self._device.close()


class FakeButton(Button):
    """A button that a program presses."""

    def __init__(self, name: str, pressed: Callable[[str], None]) -> None:
        super().__init__(name, pressed)
        self._down = False
        self._closed = False

    def press(self) -> None:
        """Push it down; a button that is down already tells nothing.

        Raises:
            Closed: `close` was called before.
        """
        if self._closed:
            raise Closed(f"button {self.name!r} is used after it was closed")
        if not self._down:
            self._down = True
            self._pressed(self.name)

    def release(self) -> None:
        """Let it go."""
        self._down = False

    @property
    def is_down(self) -> bool:
        return self._down

    def close(self) -> None:
        self._closed = True


def open_buttons(
    pins: Iterable[ButtonPin], pressed: Callable[[str], None], *, fake: bool
) -> dict[str, Button]:
    """All buttons by name; where one cannot be opened, those before it are closed again.

    Raises:
        Technician: no such pin, no access to it, or another program holds it.
        Retry: the kernel refused this time.
    """
    opened: dict[str, Button] = {}
    try:
        for pin in pins:
            opened[pin.name] = FakeButton(pin.name, pressed) if fake else GpioButton(pin, pressed)
    except BaseException:
        for button in opened.values():
            button.close()
        raise
    return opened
