"""Readings: true where there is a sensor, None where there is none."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import pytest

from drivers.sensors import BoardReadings, read_board
from playlists.models.health import Readings


def write(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="ascii")


def pi(root: Path) -> Path:
    write(root, "sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    write(root, "sys/class/thermal/thermal_zone0/temp", "51234\n")
    write(root, "sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
    write(root, "sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    write(root, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n")
    write(root, "proc/meminfo", "MemTotal: 500000 kB\nMemAvailable:   250000 kB\n")
    write(root, "proc/uptime", "86211.27 300000.00\n")
    return root


def test_a_raspberry_pi_is_read(tmp_path: Path) -> None:
    readings = read_board(tmp_path, pi(tmp_path))
    assert readings.cpu_temperature_c == pytest.approx(51.234)
    assert readings.under_voltage is False
    assert readings.memory_available_mb == pytest.approx(256.0)
    assert readings.uptime_s == pytest.approx(86211.27)
    assert readings.disk_free_mb is not None


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_board(tmp_path / "no such folder", tmp_path) == BoardReadings()


def test_under_voltage_is_seen_in_the_hardware_monitor(tmp_path: Path) -> None:
    write(pi(tmp_path), "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    assert read_board(tmp_path, tmp_path).under_voltage is True


@pytest.mark.parametrize(
    ("flags", "expected"), [("50005", True), ("50000", False), ("0", False), ("?", None)]
)
def test_without_it_the_firmware_is_asked_for_the_present_only(
    tmp_path: Path, flags: str, expected: bool | None
) -> None:
    write(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", flags + "\n")
    assert read_board(tmp_path, tmp_path).under_voltage is expected


def test_the_temperature_is_that_of_the_processor_not_of_whatever_comes_first(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/thermal/thermal_zone0/type", "acpitz\n")
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "20000\n")
    write(tmp_path, "sys/class/thermal/thermal_zone1/type", "x86_pkg_temp\n")
    write(tmp_path, "sys/class/thermal/thermal_zone1/temp", "-5000\n")
    assert read_board(tmp_path, tmp_path).cpu_temperature_c == -5.0


@pytest.mark.parametrize("text", ["", "nonsense", "\x00\x01"])
def test_a_sensor_that_talks_nonsense_has_no_reading(tmp_path: Path, text: str) -> None:
    pi(tmp_path)
    for name in (
        "sys/class/thermal/thermal_zone0/temp",
        "sys/class/hwmon/hwmon1/in0_lcrit_alarm",
        "proc/uptime",
    ):
        write(tmp_path, name, text)
    write(tmp_path, "proc/meminfo", "MemAvailable: " + text)
    readings = read_board(tmp_path, tmp_path)
    assert dataclasses.replace(readings, disk_free_mb=None) == BoardReadings()


def test_this_very_machine_can_be_read(tmp_path: Path) -> None:
    readings = read_board(tmp_path)
    statvfs = os.statvfs(tmp_path)
    assert readings.disk_free_mb == pytest.approx(statvfs.f_bavail * statvfs.f_frsize / 1e6, rel=0.05)
    assert readings.memory_available_mb is not None
    assert readings.memory_available_mb > 1
    assert readings.uptime_s == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=60)


def test_the_names_are_those_of_the_health_report() -> None:
    assert [field.name for field in dataclasses.fields(BoardReadings)] == list(Readings.model_fields)
