"""Machines that are not here: what their kernel shows below /sys, /dev and /proc, and what PortAudio lists."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from agent.setup.machine import Chip, Machine, Port, SoundDevice

ALSA_PLUGINS = [SoundDevice(name, 2, 0) for name in ("sysdefault", "front", "surround40", "dmix", "iec958")]

PI_SOUND = [
    SoundDevice("bcm2835 Headphones: - (hw:0,0)", 8, 0),
    SoundDevice("USB Audio Device: - (hw:1,0)", 2, 1),
    *ALSA_PLUGINS,
    SoundDevice("default", 128, 128),
]

PI = Machine(
    "Raspberry Pi 4 Model B Rev 1.5",
    tuple(PI_SOUND),
    (Chip("gpiochip0", "pinctrl-bcm2711"),),
    (Port("/dev/ttyUSB2", "SIMCom SIM7600", "SIMCom SIM7600"),),
    ("card1-HDMI-A-1",),
)

BARE = Machine()


def pi_root(root: Path) -> Path:
    """A Raspberry Pi 4 with a television at its second HDMI output."""
    for name, state in (("card1-HDMI-A-1", "disconnected"), ("card1-HDMI-A-2", "connected")):
        place = root / "sys/class/drm" / name
        place.mkdir(parents=True)
        (place / "status").write_text(f"{state}\n")
    (root / "dev").mkdir()
    for number in (0, 1, 10):
        (root / f"dev/gpiochip{number}").touch()
    (root / "dev/gpiochip_other").touch()
    place = root / "sys/bus/gpio/devices/gpiochip0"
    place.mkdir(parents=True)
    (place / "label").write_text("pinctrl-bcm2711\n")
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/device-tree/model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.5\0")
    return root


def comports() -> list[Any]:
    """As pyserial lists them: a modem's three ports, a relay board on RS-485, the board's own."""
    modem = [
        SimpleNamespace(device=f"/dev/ttyUSB{n}", description="SimTech, Incorporated", vid=0x1E0E, pid=0x9001)
        for n in (3, 1, 2)
    ]
    adapter = SimpleNamespace(device="/dev/ttyUSB0", description="USB Serial", vid=0x1A86, pid=0x7523)
    own = SimpleNamespace(device="/dev/ttyAMA0", description="ttyAMA0", vid=None, pid=None)
    nameless = SimpleNamespace(device="/dev/ttyS0", description="n/a", vid=None, pid=None)
    return [*modem, adapter, own, nameless]
