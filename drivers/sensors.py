"""What the board says of itself, read from /sys and /proc. What is not there is None, never 0.

Sources: Linux Documentation/ABI/testing/sysfs-class-thermal, sysfs-class-hwmon (in0_lcrit_alarm of
`rpi_volt`, drivers/hwmon/raspberrypi-hwmon.c), the firmware's get_throttled (bit 0: under-voltage now),
proc_meminfo(5), proc_uptime(5). Two lines each: cheaper at rest than psutil, which would be loaded for this.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000

_CPU_ZONES = ("cpu-thermal", "cpu_thermal", "soc-thermal", "soc_thermal", "x86_pkg_temp")


@dataclass(frozen=True, slots=True)
class BoardReadings:
    """Readings of one moment, with the names of the health report."""

    cpu_temperature_c: float | None = None
    under_voltage: bool | None = None
    disk_free_mb: float | None = None
    memory_available_mb: float | None = None
    uptime_s: float | None = None


def read_board(disk: Path, root: Path = Path("/")) -> BoardReadings:
    """Read everything once. `disk` is a folder on the disk in question, `root` where /sys and /proc hang."""
    return BoardReadings(
        cpu_temperature_c=_cpu_temperature_c(root),
        under_voltage=_under_voltage(root),
        disk_free_mb=_disk_free_mb(disk),
        memory_available_mb=_memory_available_mb(root),
        uptime_s=_first_number(root / "proc/uptime"),
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None  # a sensor that is not there, or does not answer: both are "no reading"


def _first_number(path: Path) -> float | None:
    try:
        return float((_text(path) or "").split()[0])
    except (IndexError, ValueError):
        return None


def _cpu_temperature_c(root: Path) -> float | None:
    kinds = {_text(kind): kind.parent for kind in sorted(root.glob("sys/class/thermal/thermal_zone*/type"))}
    for name in _CPU_ZONES:
        if name in kinds and (milli_c := _first_number(kinds[name] / "temp")) is not None:
            return milli_c / 1_000
    return None


def _under_voltage(root: Path) -> bool | None:
    for name in sorted(root.glob("sys/class/hwmon/hwmon*/name")):
        if (
            _text(name) == "rpi_volt"
            and (alarm := _first_number(name.parent / "in0_lcrit_alarm")) is not None
        ):
            return alarm != 0
    throttled = _text(root / "sys/devices/platform/soc/soc:firmware/get_throttled")
    try:
        return None if throttled is None else bool(int(throttled, 16) & 1)
    except ValueError:
        return None


def _disk_free_mb(folder: Path) -> float | None:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize / MB


def _memory_available_mb(root: Path) -> float | None:
    for line in (_text(root / "proc/meminfo") or "").splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            try:
                return int(amount.split()[0]) * 1_024 / MB
            except (IndexError, ValueError):
                return None
    return None
