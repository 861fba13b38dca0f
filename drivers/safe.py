"""Opens all relays and goes: `python -m drivers.safe --config /etc/loa/config.toml`, or `… 17:low 27:high`.

Runs after the daemon has ended, however it ended (SIGKILL, watchdog, out of memory: nothing in the process
itself runs then). It imports neither the daemon nor its models, and reads of the configuration only pin and
polarity, so that a mistake elsewhere in the file leaves no loudspeaker on.

Exit code: 0 all off; 1 a relay may still be on, with the reason on stderr; 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drivers.errors import DriverError
from drivers.relays import GpioRelay, RelayPin


def main(arguments: Sequence[str] | None = None) -> int:
    """Switch off what the arguments name. Every relay is tried, whatever happens to the others."""
    parser = argparse.ArgumentParser(prog="drivers.safe", description="Open all relays.")
    parser.add_argument("--config", type=Path, help="configuration whose [[relays]] are opened")
    parser.add_argument("pins", nargs="*", type=_pin, metavar="PIN:low|high", help="GPIO and active level")
    given = parser.parse_args(arguments)
    pins: list[RelayPin] = list(given.pins)
    failed = False
    if given.config is not None:
        configured, problems = read_pins(given.config)
        pins += configured
        for problem in problems:
            print(f"{given.config}: {problem}", file=sys.stderr)
            failed = True
    elif not pins:
        parser.error("name a configuration or pins")
    for pin in pins:
        try:
            GpioRelay(pin).close()
        except DriverError as error:
            print(f"relay may still be on: {error}", file=sys.stderr)
            failed = True
        else:
            print(f"relay {pin.name!r} on GPIO{pin.pin} is off ({'low' if pin.active_high else 'high'})")
    return 1 if failed else 0


def read_pins(path: Path) -> tuple[list[RelayPin], list[str]]:
    """The relays that a configuration names, and what of it could not be understood."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [], [f"cannot be read, no relay is known: {error}"]
    hardware = document.get("hardware")
    if isinstance(hardware, dict) and hardware.get("gpio") == "fake":
        return [], []
    pins: list[RelayPin] = []
    problems: list[str] = []
    relays: Any = document.get("relays", [])
    for number, relay in enumerate(relays if isinstance(relays, list) else [relays], start=1):
        pin = relay.get("pin") if isinstance(relay, dict) else None
        active = relay.get("active") if isinstance(relay, dict) else None
        if type(pin) is int and active in ("high", "low"):
            pins.append(RelayPin(str(relay.get("name", number)), pin, active == "high"))
        else:
            problems.append(f"[[relays]] number {number} has no usable pin and active level")
    return pins, problems


def _pin(text: str) -> RelayPin:
    number, _, active = text.partition(":")
    if not number.isdecimal() or active not in ("high", "low"):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 17:low")
    return RelayPin(number, int(number), active == "high")


if __name__ == "__main__":
    sys.exit(main())
