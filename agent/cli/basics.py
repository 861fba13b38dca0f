"""What commands of `loa` share and that needs no parser of command lines: exit codes, where the node is, printing.

Light on purpose: `loa status` is answered with this alone (see `agent.cli.main`).
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Final

DEFAULT_CONFIG = Path("/etc/loa/config.toml")
DEFAULT_SOCKET = Path("/run/loa/control.sock")

EXIT_FAILED = 1
"""It was tried and did not succeed, the node refused, or a fault was found."""
EXIT_USAGE = 2
"""The command line or the configuration is wrong; nothing was done."""
EXIT_NOT_RUNNING = 3
"""The agent is not running."""
EXIT_DENIED = 4
"""Who asked may not: another group or root is needed."""
EXIT_WARNING = 5
"""Nothing is broken, but something wants attention: warnings and no fault."""
EXIT_INTERRUPTED = 130
"""Ended from the keyboard."""

SGR: Final = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36, "bright_black": 90}
"""Colours of ECMA-48, and the grey that terminals add."""


def socket_path() -> Path:
    """Where the daemon listens: $LOA_SOCKET, or the system's place."""
    return Path(os.environ.get("LOA_SOCKET", str(DEFAULT_SOCKET)))


def config_path() -> Path:
    """Which configuration is meant: $LOA_CONFIG, or the system's."""
    return Path(os.environ.get("LOA_CONFIG", str(DEFAULT_CONFIG)))


def colours() -> bool:
    """Is what is printed read on a terminal by somebody who likes colours? (https://no-color.org)"""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, *, bold: bool = False) -> str:
    """`text` in `colour` (`red`, `yellow`, `green`, …) on a terminal, unchanged elsewhere."""
    if not colours():
        return text
    return f"\x1b[{SGR[colour]}{';1' if bold else ''}m{text}\x1b[0m"


def print_json(value: Any) -> None:
    """JSON for scripts: UTF-8, indented."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def local(text: str | None, *, seconds: bool = True) -> str:
    """A moment of the protocol as local wall time; a dash for none."""
    if not text:
        return "–"
    moment = datetime.fromisoformat(text).astimezone()
    today = moment.date() == datetime.now().astimezone().date()
    return moment.strftime(("" if today else "%d/%m ") + ("%H:%M:%S" if seconds else "%H:%M"))
