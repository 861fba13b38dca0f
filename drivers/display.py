"""Power of a display: through HDMI-CEC, through X, or through a Wayland compositor.

What works where:

- `cec`: any television on HDMI that obeys it, whatever draws the picture. `cec-ctl` of Debian's v4l-utils.
- `xset`: a screen under X; the server switches the signal off and the screen sleeps (DPMS). x11-xserver-utils.
- `wlr-randr`: a screen under a Wayland compositor of the wlroots family, such as cage.

On a bare console (KMSDRM) the signal belongs to whoever draws: there is only CEC, or a black picture.

Sources: HDMI 1.3a supplement 1 (CEC), cec-ctl(1), xset(1), wlr-randr(1).
"""

from __future__ import annotations

import re
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from drivers.errors import Closed, DriverError, Retry, Technician

COMMAND_S: Final = 8.0
"""A television takes its time to answer; one that says nothing has not heard."""
TV: Final = "0"
"""Logical address of the television on each CEC bus."""


class DisplayPower(ABC):
    """Switches one display. Each call may take seconds."""

    _closed = False

    def switch(self, on: bool) -> None:
        """Wake it, or let it sleep.

        Raises:
            Retry: it did not do it this time.
            Technician: it will not before somebody changes wiring, rights or packages.
            Closed: `close` was called before.
        """
        self._check_open()
        self._switch(on)

    def is_on(self) -> bool | None:
        """What the display says; None when it does not say. Raises as `switch` does."""
        self._check_open()
        return self._is_on()

    def close(self) -> None:
        """Leave it as it is. A second call does nothing."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("a display is switched after it was closed")

    @abstractmethod
    def _switch(self, on: bool) -> None: ...

    @abstractmethod
    def _is_on(self) -> bool | None: ...


def _run(argv: Sequence[str], package: str) -> str:
    """What a command says.

    Raises:
        Technician: it is not installed, or may not.
        Retry: it failed, or took too long.
    """
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=COMMAND_S, check=False
        )
    except FileNotFoundError as error:
        raise Technician(f"{argv[0]} is not installed: apt install {package}") from error
    except PermissionError as error:
        raise Technician(f"{argv[0]} may not be run: {error}") from error
    except subprocess.TimeoutExpired as error:
        raise Retry(f"{argv[0]} did not answer within {COMMAND_S:g} s") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Retry(f"{' '.join(argv)}: {said[-1] if said else f'exit {done.returncode}'}")
    return done.stdout


class CecPower(DisplayPower):
    """A television that obeys HDMI-CEC."""

    def __init__(self, device: str = "/dev/cec0") -> None:
        self._device = device
        self._registered = False

    def _switch(self, on: bool) -> None:
        if on:
            self._ask("--image-view-on")
            # it also turns to us, where somebody has looked at another source
            self._ask("--active-source", f"phys-addr={self._address()}")
        else:
            self._ask("--standby")

    def _is_on(self) -> bool | None:
        said = self._ask("--give-device-power-status")
        found = re.search(r"pwr-state:\s*(on|standby|to-on|to-standby)", said)
        return None if found is None else found[1] in {"on", "to-on"}

    def _address(self) -> str:
        said = _run(["cec-ctl", "-d", self._device], "v4l-utils")
        found = re.search(r"Physical Address\s*:\s*([0-9a-f.]+)", said)
        if found is None or found[1] == "f.f.f.f":
            raise Retry(f"{self._device}: no television is plugged in")
        return found[1]

    def _ask(self, *words: str) -> str:
        if not Path(self._device).exists():
            raise Technician(f"{self._device} is not there: no CEC on this board, or no kernel driver for it")
        if not self._registered:
            # without a logical address of our own a television does not answer
            _run(["cec-ctl", "-d", self._device, "--playback", "-o", "loa"], "v4l-utils")
            self._registered = True
        try:
            said = _run(["cec-ctl", "-d", self._device, "--to", TV, *words], "v4l-utils")
        except Retry:
            self._registered = False  # the cable was out: the address is gone, too
            raise
        if "Tx, Not Acknowledged" in said:
            self._registered = False
            raise Retry("the television does not answer over CEC: is it switched off in its menu?")
        return said


class XsetPower(DisplayPower):
    """A screen under X, put to sleep by DPMS."""

    def _switch(self, on: bool) -> None:
        _run(["xset", "dpms", "force", "on" if on else "off"], "x11-xserver-utils")
        if on:
            # X would let it sleep again by itself after some minutes without a key
            _run(["xset", "s", "off", "-dpms"], "x11-xserver-utils")

    def _is_on(self) -> bool | None:
        found = re.search(r"Monitor is (\w+)", _run(["xset", "q"], "x11-xserver-utils"))
        return None if found is None else found[1] == "On"


class WlrRandrPower(DisplayPower):
    """Screens under a Wayland compositor that speaks wlr-output-management."""

    def _switch(self, on: bool) -> None:
        for output in self._outputs():
            _run(["wlr-randr", "--output", output, "--on" if on else "--off"], "wlr-randr")

    def _is_on(self) -> bool | None:
        states = list(self._outputs().values())
        return any(states) if states else None

    def _outputs(self) -> dict[str, bool]:
        found: dict[str, bool] = {}
        name = None
        for line in _run(["wlr-randr"], "wlr-randr").splitlines():
            if line[:1].strip():
                name = line.split()[0]
            elif name is not None and line.strip().startswith("Enabled:"):
                found[name] = line.split()[-1] == "yes"
        if not found:
            raise Retry("the compositor has no output")
        return found


class FakeDisplayPower(DisplayPower):
    """A display that only remembers, and that can be told to fail."""

    def __init__(self) -> None:
        self.on = True
        self.orders: list[bool] = []
        self._stuck = False
        self._mute = False
        self._error: DriverError | None = None

    def stick(self) -> None:
        """From now on it stays as it is and nobody is told: a television that ignores CEC."""
        self._stuck = True

    def silence(self) -> None:
        """From now on it does not say how it is."""
        self._mute = True

    def fail(self, error: DriverError) -> None:
        """From now on every order raises `error`."""
        self._error = error

    def heal(self) -> None:
        """Works again."""
        self._stuck = self._mute = False
        self._error = None

    def _switch(self, on: bool) -> None:
        if self._error is not None:
            raise self._error
        self.orders.append(on)
        if not self._stuck:
            self.on = on

    def _is_on(self) -> bool | None:
        if self._error is not None:
            raise self._error
        return None if self._mute else self.on


def open_display(how: str) -> DisplayPower | None:
    """What `[screen] power` names; None for `none`."""
    kinds: dict[str, type[DisplayPower]] = {
        "cec": CecPower,
        "xset": XsetPower,
        "wlr-randr": WlrRandrPower,
        "fake": FakeDisplayPower,
    }
    return None if how == "none" else kinds[how]()
