"""Checks of the board's screen: plugged in, a driver for it, fonts, what lets it sleep."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import Machine
from agent.words import N_, _
from drivers.outputs import connected_outputs

UNSEEN: Final = ("offscreen", "dummy")
TOOLS: Final = {
    "cec": ("cec-ctl", "v4l-utils"),
    "xset": ("xset", "x11-xserver-utils"),
    "wlr-randr": ("wlr-randr", "wlr-randr"),
}


@dataclass(frozen=True, slots=True)
class Plug:
    """What is plugged in, as the graphics driver says; None where none says."""

    outputs: frozenset[str] | None
    driver: str


def probe_plug(machine: Machine) -> Plug | None:
    """From sysfs; None where no board is configured."""
    screen = machine.config.screen
    return Plug(connected_outputs(machine.root), screen.driver) if screen.enabled else None


def judge_plug(found: Plug | None) -> Finding:
    """A television that sleeps says that it is there; one that is unplugged does not."""
    if found is None:
        return absent(_("no board is configured"))
    if found.driver in UNSEEN:
        return ok(_("the board is drawn for nobody ({driver})").format(driver=found.driver))
    if found.outputs is None:
        return absent(_("the graphics driver does not say"))
    if not found.outputs:
        return fault(
            _("no screen is plugged in"), _("check cable and power of the screen; then: loa test screen")
        )
    return ok(_("plugged in at {outputs}").format(outputs=", ".join(sorted(found.outputs))))


@dataclass(frozen=True, slots=True)
class Drawing:
    """What pygame and its SDL can do."""

    wanted: str
    drivers: Sequence[str]
    font_fault: str | None
    missing: str | None


def probe_drawing(machine: Machine) -> Drawing | None:
    """Load pygame; None where no board is configured."""
    screen = machine.config.screen
    if not screen.enabled:
        return None
    found = machine.look("screen")
    missing = found.get("missing") or found.get("crashed")
    return Drawing(screen.driver, found.get("drivers", ()), found.get("font_fault"), missing)


def judge_drawing(found: Drawing | None) -> Finding:
    """pip's pygame has no KMSDRM, Debian's has."""
    if found is None:
        return absent(_("no board is configured"))
    if found.missing is not None:
        return fault(_("pygame cannot be loaded"), _("sudo apt install python3-pygame"))
    if found.wanted != "auto" and found.drivers and found.wanted.lower() not in map(str.lower, found.drivers):
        remedy = (
            _("use Debian's: sudo apt install python3-pygame (docs/commune.md)")
            if found.wanted == "kmsdrm"
            else _("set [screen] driver to one of: {drivers}").format(drivers=", ".join(found.drivers))
        )
        return fault(_("this pygame has no {driver}").format(driver=found.wanted), remedy)
    return ok(_("pygame with {drivers}").format(drivers=", ".join(found.drivers)))


def judge_fonts(found: Drawing | None) -> Finding:
    """A board that cannot write ễ is none."""
    if found is None or found.missing is not None:
        return absent(_("no board is configured") if found is None else _("pygame cannot be loaded"))
    if found.font_fault is not None:
        return fault(_("no font has all letters of Vietnamese"), _("sudo apt install fonts-noto-core"))
    return ok(_("a font has all letters of Vietnamese"))


@dataclass(frozen=True, slots=True)
class Sleep:
    """How the display is put to sleep."""

    how: str
    installed: bool
    device: bool
    """Whether /dev/cec0 is there; true for other ways."""


def probe_sleep(machine: Machine) -> Sleep | None:
    """Look for the program; None where the display never sleeps."""
    screen = machine.config.screen
    if not screen.enabled or screen.power not in TOOLS:
        return None
    tool = shutil.which(TOOLS[screen.power][0], path=machine.path)
    return Sleep(screen.power, tool is not None, screen.power != "cec" or machine.at("/dev/cec0").exists())


def judge_sleep(found: Sleep | None) -> Finding:
    """A display that does not sleep costs its backlight; one that does not wake costs an emergency."""
    if found is None:
        return absent(_("the display is not put to sleep"))
    if not found.installed:
        tool, package = TOOLS[found.how]
        return fault(
            _("{tool} is not installed").format(tool=tool),
            _("sudo apt install {package}").format(package=package),
        )
    if not found.device:
        return warning(
            _("/dev/cec0 is not there"),
            _("on the Pi use the HDMI port next to the power, and its KMS driver"),
        )
    return ok(_("can be put to sleep by {how}").format(how=found.how))


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("screen", "screen", N_("screen is plugged in"), probe_plug, judge_plug),
    Check("display-driver", "screen", N_("driver for the screen"), probe_drawing, judge_drawing),
    Check("fonts", "screen", N_("font for Vietnamese"), probe_drawing, judge_fonts),
    Check("display-power", "screen", N_("what lets the display sleep"), probe_sleep, judge_sleep),
)
