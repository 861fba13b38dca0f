"""What this machine has: sound cards, pins, serial ports, modems, screens. Looks, and touches nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from drivers.outputs import connected_outputs

LIST_WITHIN_S: Final = 15.0
"""A sound server that does not answer is not waited for any longer."""

MODEMS: Final = {
    (0x1E0E, 0x9001): "SIMCom SIM7600",
    (0x1E0E, 0x9011): "SIMCom SIM7600",
    (0x1E0E, 0x9018): "SIMCom A7600",
    (0x2C7C, 0x0125): "Quectel EC25",
    (0x2C7C, 0x0121): "Quectel EC21",
    (0x2C7C, 0x6026): "Quectel EC200",
    (0x12D1, 0x1506): "Huawei E3372",
    (0x12D1, 0x14DC): "Huawei E3372",
}
"""4G modems by USB vendor and product, as their makers list them; several serial ports each."""


@dataclass(frozen=True)
class SoundDevice:
    """A device as PortAudio lists it."""

    name: str
    outputs: int
    """Channels that go out."""
    inputs: int
    """Channels that come in."""


@dataclass(frozen=True)
class Chip:
    """A GPIO chip of the kernel."""

    name: str
    label: str
    """What its driver calls it; empty where nobody says."""


@dataclass(frozen=True)
class Port:
    """A serial port."""

    device: str
    what: str
    modem: str | None = None
    """Make of the modem behind it, if it is one."""


@dataclass(frozen=True)
class Machine:
    """All that was found. `notes` say what could not be looked at, and why."""

    model: str = ""
    sound: tuple[SoundDevice, ...] = ()
    chips: tuple[Chip, ...] = ()
    ports: tuple[Port, ...] = ()
    screens: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def modems(self) -> tuple[str, ...]:
        """Makes of the modems, each once."""
        return tuple(dict.fromkeys(port.modem for port in self.ports if port.modem))


def look(
    root: Path = Path("/"),
    sound: Callable[[], list[SoundDevice]] | None = None,
    comports: Callable[[], Iterable[Any]] | None = None,
) -> Machine:
    """Look around.

    Args:
        root: below it lie /sys, /dev and /proc.
        sound: lists sound devices; PortAudio in a process of its own, if not given.
        comports: lists serial ports; pyserial, if not given.
    """
    notes = []
    try:
        devices = tuple((sound or sound_devices)())
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        devices = ()
        notes.append(f"PortAudio: {error}")
    return Machine(
        model=_model(root),
        sound=devices,
        chips=tuple(_chips(root)),
        ports=tuple(
            sorted((_port(info) for info in (comports or _comports)()), key=lambda port: port.device)
        ),
        screens=tuple(sorted(connected_outputs(root) or ())),
        notes=tuple(notes),
    )


def _comports() -> Iterable[Any]:
    from serial.tools.list_ports import comports  # noqa: PLC0415 - loaded by who looks

    return comports()  # type: ignore[no-any-return]  # pyserial has no types


def sound_devices() -> list[SoundDevice]:
    """PortAudio's list. ALSA writes on the terminal while it looks, and may hang: a process of its own.

    Raises:
        subprocess.SubprocessError: it crashed, or did not answer in time.
        ValueError: its answer cannot be read.
    """
    code = "import json, sounddevice; print(json.dumps([dict(d) for d in sounddevice.query_devices()]))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=LIST_WITHIN_S, check=False
    )
    if answer.returncode != 0:
        last = answer.stderr.decode(errors="replace").strip().splitlines()
        raise ValueError(last[-1] if last else f"ended with {answer.returncode}")
    return [
        SoundDevice(str(each["name"]), int(each["max_output_channels"]), int(each["max_input_channels"]))
        for each in json.loads(answer.stdout.splitlines()[-1])
    ]


def _model(root: Path) -> str:
    try:
        return (root / "proc/device-tree/model").read_text(encoding="utf-8", errors="replace").strip("\0 \n")
    except OSError:
        return ""


def _chips(root: Path) -> Iterable[Chip]:
    """Chips by their devices; on a Pi 4 the pins are those of the first, on a Pi 5 those of `pinctrl-rp1`."""
    names = (path.name for path in (root / "dev").glob("gpiochip*"))
    for name in sorted(
        (name for name in names if re.fullmatch(r"gpiochip\d+", name)),
        key=lambda n: int(n[len("gpiochip") :]),
    ):
        label = ""
        for place in (
            f"sys/bus/gpio/devices/{name}/label",
            f"sys/bus/gpio/devices/{name}/device/of_node/name",
        ):
            try:
                label = (root / place).read_text(encoding="utf-8", errors="replace").strip("\0 \n")
                break
            except OSError:
                continue
        yield Chip(name, label)


def _port(info: Any) -> Port:
    modem = MODEMS.get((info.vid, info.pid)) if info.vid is not None else None
    what = info.description if info.description and info.description != "n/a" else ""
    return Port(str(info.device), modem or str(what), modem)
