"""Checks of the relays: chip, library, rights, who holds the pins, where they rest before the daemon starts.

Sources: Linux uapi/linux/gpio.h (line flags), lgpio's gpio_get_line_info; config.txt of the Raspberry Pi's firmware
(`gpio=17=op,dh`; https://www.raspberrypi.com/documentation/computers/config_txt.html).
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.config.model import Relay
from agent.control.client import ControlError
from agent.doctor.account import own_account
from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import Machine
from agent.words import N_, _

OURS: Final = ("lg", "loa")
"""Names that lgpio gives to lines; the daemon's own."""
FIRMWARE: Final = ("/boot/firmware/config.txt", "/boot/config.txt")


@dataclass(frozen=True, slots=True)
class Chip:
    """The way to the pins."""

    devices: Sequence[str]
    may_use: bool
    """Whether the daemon's account may, as far as modes say."""
    library: str | None
    """Why lgpio cannot be loaded."""
    refused: str | None = None
    """Why it did not open the chip for us."""
    held: Mapping[str, str | None] | None = None
    """Who holds each pin that the configuration names."""
    running: bool = False


def probe_chip(machine: Machine) -> Chip | None:
    """Look at /dev and ask lgpio; None where the node has no pins."""
    config = machine.config
    pins = [relay.pin for relay in config.relays] + [button.pin for button in config.buttons]
    if config.hardware.gpio == "fake" or not pins:
        return None
    account = machine.account or own_account()
    paths = machine.glob("/dev/gpiochip[0-9]*")
    may_use = any(account.uid == 0 or _opens(account, path.stat()) for path in paths)
    found = machine.look("pins", "0", *map(str, sorted(pins)))
    try:
        machine.status()
        running = True
    except ControlError:
        running = False
    return Chip(
        [path.name for path in paths],
        may_use,
        found.get("missing") or found.get("crashed"),
        found.get("refused"),
        found.get("held"),
        running,
    )


def _opens(account: Any, device: Any) -> bool:
    wanted = stat.S_IRUSR | stat.S_IWUSR
    shift = 0 if device.st_uid == account.uid else 3 if device.st_gid in account.gids else 6
    return bool(device.st_mode << shift & wanted == wanted)


def judge_chip(found: Chip | None) -> Finding:
    """No chip, no library, or no right."""
    if found is None:
        return absent(_("no pins are configured"))
    if not found.devices:
        return fault(
            _("this machine has no GPIO pins"), _('use a Raspberry Pi, or set [hardware] gpio = "fake"')
        )
    if found.library is not None:
        return fault(_("lgpio cannot be loaded"), _("sudo apt install python3-lgpio"))
    if not found.may_use:
        return fault(
            _("the agent may not use /dev/{device}").format(device=found.devices[0]),
            _("sudo ./systemd/install.sh (udev rule, group gpio), then reboot"),
        )
    return ok(_("/dev/{device} can be used").format(device=found.devices[0]))


def judge_pins(found: Chip | None) -> Finding:
    """A pin that another program holds does not switch."""
    if found is None or found.held is None:
        return absent(_("no pins are configured") if found is None else _("who holds the pins is not known"))
    for pin, user in found.held.items():
        if user is not None and not (found.running and user.startswith(OURS)):
            return fault(
                _("GPIO{pin} is held by {user}").format(pin=pin, user=user or "?"),
                _("end that program, or take its overlay out of config.txt; see: gpioinfo"),
            )
    return ok(_("no other program holds a pin"))


@dataclass(frozen=True, slots=True)
class Boot:
    """Relays, and the lines `gpio=` of the firmware's configuration."""

    relays: Sequence[Relay]
    levels: Mapping[int, str]
    """By pin: `dh`, `dl`, or what else is set there."""


def probe_boot(machine: Machine) -> Boot | None:
    """Read config.txt; None where there is none."""
    config = machine.config
    if config.hardware.gpio == "fake" or not config.relays:
        return None
    text = next((text for path in FIRMWARE if (text := machine.text(path)) is not None), None)
    if text is None:
        return None
    levels: dict[int, str] = {}
    for pins, words in re.findall(r"^\s*gpio=([\d,-]+)=([a-z,]+)", text, re.M):
        for part in pins.split(","):
            first, _dash, last = part.partition("-")
            if first.isdigit() and (not last or last.isdigit()):
                for pin in range(int(first), int(last or first) + 1):
                    levels[pin] = words
    return Boot(config.relays, levels)


def judge_boot(found: Boot | None) -> Finding:
    """Between power-on and the daemon's start nobody else keeps the amplifier off."""
    if found is None:
        return absent(_("no relays, or no Raspberry Pi firmware"))
    for relay in found.relays:
        right = "dh" if relay.active == "low" else "dl"
        words = found.levels.get(relay.pin, "").split(",")
        line = f"gpio={relay.pin}=op,{right}"
        if ("dl" if right == "dh" else "dh") in words:
            return fault(
                _("config.txt closes the relay {name} at power-on").format(name=relay.name),
                _("make it {line} in /boot/firmware/config.txt").format(line=line),
            )
        if right not in words or "op" not in words:
            return warning(
                _("at power-on nobody keeps the relay {name} open").format(name=relay.name),
                _("add {line} to /boot/firmware/config.txt").format(line=line),
            )
    return ok(_("relays are kept open at power-on"))


def probe_switching(machine: Machine) -> list[str] | None:
    """Faults of relays that the daemon has met; None where there are no relays."""
    if not machine.config.relays:
        return None
    return [
        str(one["text"])
        for one in machine.status()["health"]["faults"]
        if one["code"].startswith(("relay-", "amplifier-"))
    ]


def judge_switching(found: Sequence[str] | None) -> Finding:
    """What happened when they were switched last."""
    if found is None:
        return absent(_("no relays are configured"))
    if found:
        return fault(found[0], _("check wiring and supply of the board, then: loa test relay"))
    return ok(_("none has failed"))


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("gpio", "relays", N_("GPIO chip, library and rights"), probe_chip, judge_chip),
    Check("pins", "relays", N_("pins are free for us"), probe_chip, judge_pins),
    Check("relay-boot", "relays", N_("relays open at power-on"), probe_boot, judge_boot),
    Check("relay-faults", "relays", N_("relays switch"), probe_switching, judge_switching),
)
