"""Checks of the computer itself: model, memory, heat, load, and the power that feeds it.

Sources: /proc/loadavg, /proc/meminfo (proc(5)); get_throttled of the Raspberry Pi's firmware (bits 0-3 now, 16-19
since the last start: under-voltage, frequency capped, throttled, soft temperature limit), told by sysfs and by
`vcgencmd get_throttled`.
"""

from __future__ import annotations

import os
import platform
import re
import struct
from dataclasses import dataclass
from typing import Any, Final

from agent.doctor.finding import Check, Finding, absent, fault, ok, warning
from agent.doctor.machine import Machine
from agent.words import N_, _
from drivers.sensors import read_board

HOT_C: Final = 70.0
TOO_HOT_C: Final = 80.0
"""Where the firmware begins to slow the CPU down, and the daemon raises a fault."""

LEAST_MEMORY_MB: Final = 400.0
LEAST_AVAILABLE_MB: Final = 60.0
MOST_LOAD: Final = 1.5
"""Processes that want a core, for each core, over five minutes."""


@dataclass(frozen=True, slots=True)
class Model:
    """What it is."""

    name: str | None
    architecture: str
    bits: int
    """Of the programs: a 64-bit kernel often runs a 32-bit Raspberry Pi OS."""


def probe_model(machine: Machine) -> Model:
    """The device tree's name, the kernel's architecture, and our own size."""
    return Model(machine.text("/proc/device-tree/model"), platform.machine(), struct.calcsize("P") * 8)


def judge_model(found: Model) -> Finding:
    """Only 64-bit systems have packages of all that is needed."""
    if found.bits != 64:
        return fault(
            _("the system is 32-bit"),
            _("write the 64-bit Raspberry Pi OS onto the card"),
        )
    return ok(found.name or _("no Raspberry Pi ({architecture})").format(architecture=found.architecture))


@dataclass(frozen=True, slots=True)
class Memory:
    """In MB of 1,000,000 bytes; None where the kernel does not say."""

    total_mb: float | None
    available_mb: float | None


def probe_memory(machine: Machine) -> Memory:
    """From /proc/meminfo."""
    text = machine.text("/proc/meminfo") or ""
    found = {name: int(kib) * 1_024 / 1e6 for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
    return Memory(found.get("MemTotal"), found.get("MemAvailable"))


def judge_memory(found: Memory) -> Finding:
    """A pole needs about 80 MB, a board 130 MB."""
    if found.total_mb is None or found.available_mb is None:
        return absent(_("the kernel does not say"))
    if found.total_mb < LEAST_MEMORY_MB:
        return warning(
            _("{total:.0f} MB of memory are too few").format(total=found.total_mb),
            _("use a board with 512 MB or more"),
        )
    if found.available_mb < LEAST_AVAILABLE_MB:
        return warning(
            _("only {available:.0f} MB of memory are left").format(available=found.available_mb),
            _("see what takes it: ps aux --sort=-rss | head"),
        )
    return ok(
        _("{available:.0f} of {total:.0f} MB are free").format(
            available=found.available_mb, total=found.total_mb
        )
    )


def probe_temperature(machine: Machine) -> float | None:
    """Of the CPU, in °C."""
    return read_board(machine.root, machine.root).cpu_temperature_c


def judge_temperature(found: float | None) -> Finding:
    """A cabinet in the sun reaches 60 °C without any load."""
    if found is None:
        return absent(_("no sensor"))
    text = _("the CPU is at {celsius:.0f} °C").format(celsius=found)
    if found > TOO_HOT_C:
        return fault(text, _("shade and air the cabinet, clean its vents, add a heat sink"))
    if found > HOT_C:
        return warning(text, _("shade the cabinet, and clean its vents"))
    return ok(text)


@dataclass(frozen=True, slots=True)
class Load:
    """Over five minutes."""

    load: float | None
    cores: int


def probe_load(machine: Machine) -> Load:
    """From /proc/loadavg, and /sys for the number of cores."""
    fields = (machine.text("/proc/loadavg") or "").split()
    cores = len(machine.glob("/sys/devices/system/cpu/cpu[0-9]*")) or os.cpu_count() or 1
    return Load(float(fields[1]) if len(fields) > 1 else None, cores)


def judge_load(found: Load) -> Finding:
    """A node at rest takes nearly nothing."""
    if found.load is None:
        return absent(_("the kernel does not say"))
    text = _("load {load:.2f} on {cores} cores").format(load=found.load, cores=found.cores)
    if found.load > MOST_LOAD * found.cores:
        return warning(text, _("see which program takes the CPU: top"))
    return ok(text)


@dataclass(frozen=True, slots=True)
class Supply:
    """What the firmware says of the supply and the speed."""

    throttled: int | None
    """The firmware's bits."""
    under_voltage: bool | None
    """The hardware monitor's alarm."""


def probe_supply(machine: Machine) -> Supply:
    """From sysfs, else by `vcgencmd`."""
    return machine.once("supply", lambda: _probe_supply(machine))


def _probe_supply(machine: Machine) -> Supply:
    text = machine.text("/sys/devices/platform/soc/soc:firmware/get_throttled")
    if text is None and (answer := machine.run("vcgencmd", "get_throttled")) is not None and not answer.code:
        text = answer.out.strip().partition("=")[2]
    try:
        bits = int(text, 16) if text else None
    except ValueError:
        bits = None
    return Supply(bits, read_board(machine.root, machine.root).under_voltage)


def judge_supply(found: Supply) -> Finding:
    """A voltage that sags resets cards, and kills them."""
    if found.throttled is None and found.under_voltage is None:
        return absent(_("this board does not measure its supply"))
    remedy = _("a better 5 V supply (3 A, Pi 5: 5 A) and a short, thick cable")
    bits = found.throttled or 0
    if bits & 1 or found.under_voltage:
        return fault(_("the supply voltage is too low now"), remedy)
    if bits & 1 << 16:
        return warning(_("the supply voltage was too low since the start"), remedy)
    return ok(_("the supply voltage holds"))


def judge_throttling(found: Supply) -> Finding:
    """Slowed down by heat. A low voltage slows down as well, and is another check's word."""
    if found.throttled is None:
        return absent(_("this board does not say"))
    bits = found.throttled
    if bits & (1 | 1 << 16):
        return ok(_("slowed down by the supply, not by heat"))
    remedy = _("shade and air the cabinet, add a heat sink")
    if bits & 0b1110:
        return warning(_("the CPU is slowed down now, it is too hot"), remedy)
    if bits >> 16 & 0b1110:
        return warning(_("the CPU was slowed down since the start, it was too hot"), remedy)
    return ok(_("runs at full speed"))


CHECKS: Final[tuple[Check[Any], ...]] = (
    Check("model", "machine", N_("64-bit board"), probe_model, judge_model),
    Check("memory", "machine", N_("memory"), probe_memory, judge_memory),
    Check("temperature", "machine", N_("heat of the CPU"), probe_temperature, judge_temperature),
    Check("load", "machine", N_("load of the CPU"), probe_load, judge_load),
    Check("supply", "power", N_("supply voltage"), probe_supply, judge_supply),
    Check("throttling", "power", N_("slowed down by heat"), probe_supply, judge_throttling),
)
