"""The one way to the GPIO pins: gpiozero over lgpio, which speaks to the kernel's character device.

gpiozero's own lgpio pin has two habits that a relay on an amplifier feels, and which are mended here:

- it claims an output low and sets its level afterwards: an active-low relay would click at every start;
- it closes a pin by making it a floating input, at every close and at exit.

Here an output is claimed at its level at once, with a pull-up or pull-down towards that level. A relay is
opened "off", so the pull keeps it off when the kernel takes the line back, whatever ended the process. At
close and at any exit that Python sees, it is driven there as well. Kernels that leave the lines of a dead
process driven keep its last level; the program that runs after the daemon (`safe`) sets that.

Sources: lgpio 0.2 (abyz.me.uk/lg/py_lgpio.html), Linux uapi/linux/gpio.h (bias flags hold for outputs too),
gpiozero 2.0.1 pins/lgpio.py.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gpiozero import Device
from gpiozero.exc import GPIOZeroError, PinUnknownPi

from drivers.errors import Retry, Technician

FACTORY_VARIABLE = "GPIOZERO_PIN_FACTORY"


def pin_factory() -> Any:
    """The factory of all pins, made at the first call.

    gpiozero's own variable GPIOZERO_PIN_FACTORY and `Device.pin_factory` are respected. Left alone, it is
    lgpio and nothing else: gpiozero would fall through to the next best with only a warning.

    Raises:
        Technician: lgpio is not installed, this machine has no such pins, or this user may not use them.
    """
    if Device.pin_factory is None:
        with translated("GPIO"):
            if os.environ.get(FACTORY_VARIABLE, "lgpio") == "lgpio":
                Device.pin_factory = _lgpio_factory()
            else:
                Device.ensure_pin_factory()
    return Device.pin_factory


def _lgpio_factory() -> Any:
    lgpio = importlib.import_module("lgpio")
    pins = importlib.import_module("gpiozero.pins.lgpio")
    pin_class: Any = pins.LGPIOPin

    class HeldPin(pin_class):  # type: ignore[misc]  # gpiozero has no types
        """A pin that, once an output, stays one until the process is gone, in the end at its first level."""

        first_level: int | None = None

        def output_with_state(self, state: bool) -> None:
            handle, number = self.factory._handle, self._number
            pull = lgpio.SET_PULL_UP if state else lgpio.SET_PULL_DOWN
            lgpio.gpio_free(handle, number)  # flags of a claimed line do not change
            self.first_level = int(state)
            lgpio.gpio_claim_output(handle, number, self.first_level, pull)

        def close(self) -> None:
            if self.first_level is None:
                super().close()
            elif self.factory._handle is not None:
                lgpio.gpio_write(self.factory._handle, self._number, self.first_level)

    factory = pins.LGPIOFactory()
    factory.pin_class = HeldPin
    return factory


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn what gpiozero and lgpio raise into this room's errors; `what` names the device in them.

    Raises:
        Technician: rights, wiring or installation.
        Retry: the kernel did not take the order this time.
    """
    lgpio = sys.modules.get("lgpio")
    passing = (OSError, lgpio.error) if lgpio is not None and hasattr(lgpio, "error") else (OSError,)
    try:
        yield
    except ImportError as error:
        raise Technician(
            f'{what}: {error}: install python3-lgpio, or set [hardware] gpio = "fake"'
        ) from error
    except PinUnknownPi as error:
        raise Technician(
            f'{what}: this machine is no Raspberry Pi ({error}); without pins set [hardware] gpio = "fake"'
        ) from error
    except GPIOZeroError as error:
        raise Technician(f"{what}: {error}") from error
    except passing as error:
        text = str(error)
        if "busy" in text:
            raise Technician(f"{what}: another program holds the pin ({text})") from error
        if isinstance(error, PermissionError) or "can not open" in text or "not allowed" in text:
            raise Technician(
                f"{what}: no access to /dev/gpiochip* ({text}): is the user in group gpio?"
            ) from error
        raise Retry(f"{what}: {text}") from error
