"""Network links of the machine: which interfaces are up, how strong Wi-Fi and modems hear their other side.

Sources: sysfs-class-net (Linux ABI), /proc/net/route, /proc/net/wireless (wireless extensions), and ModemManager's
`mmcli --output-json` for mobile modems, where it is installed.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

MMCLI = ("mmcli", "-m", "any", "--output-json")
PATIENCE_S = 3.0

Kind = Literal["ethernet", "wifi", "mobile", "other"]


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface. What the kernel does not say is None."""

    name: str
    kind: Kind
    up: bool
    default: bool
    """Whether the way out of this network leads through it."""
    signal_dbm: float | None = None
    speed_mbit: int | None = None


@dataclass(frozen=True, slots=True)
class Modem:
    """One mobile modem, as ModemManager sees it."""

    state: str
    operator: str | None = None
    technology: str | None = None
    signal_percent: int | None = None
    trouble: str | None = None
    """Why it does not work: no SIM, for instance."""


def read_interfaces(root: Path = Path("/")) -> list[Interface]:
    """All interfaces but the loopback and virtual ones that are down, the way out first.

    `root` is where /sys and /proc hang.
    """
    ways_out, signals = _ways_out(root), _signals(root)
    found = []
    for folder in sorted((root / "sys/class/net").glob("*")):
        name = folder.name
        if name == "lo" or not (folder / "operstate").exists():
            continue
        if not (folder / "device").exists() and _text(folder / "operstate") == "down":
            continue
        speed = _number(folder / "speed")
        found.append(
            Interface(
                name,
                _kind(folder),
                # a modem's interface may say "unknown" while it works
                _text(folder / "operstate") == "up" or name in ways_out,
                name in ways_out,
                signals.get(name),
                speed if speed is not None and speed > 0 else None,
            )
        )
    return sorted(found, key=lambda link: (not link.default, not link.up, link.name))


def read_modem(argv: Sequence[str] = MMCLI, patience_s: float = PATIENCE_S) -> Modem | None:
    """The first modem; None where there is none, or nobody to ask."""
    try:
        done = subprocess.run(argv, capture_output=True, timeout=patience_s, check=False)
        return _modem(json.loads(done.stdout)) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _modem(document: Any) -> Modem | None:
    modem = _part(document, "modem")
    generic, network = _part(modem, "generic"), _part(modem, "3gpp")
    state = _said(generic.get("state"))
    if state is None:
        return None
    percent = _said(_part(generic, "signal-quality").get("value"))
    technologies = generic.get("access-technologies")
    return Modem(
        state,
        _said(network.get("operator-name")),
        ", ".join(map(str, technologies)) if isinstance(technologies, list) and technologies else None,
        int(percent) if percent is not None and percent.isdigit() else None,
        _said(generic.get("state-failed-reason")),
    )


def _part(document: Any, name: str) -> dict[str, Any]:
    part = document.get(name) if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}


def _said(value: Any) -> str | None:
    """mmcli writes `--` for what is not known."""
    return value if isinstance(value, str) and value not in ("--", "", "none") else None


def _kind(folder: Path) -> Kind:
    if (folder / "wireless").is_dir() or (folder / "phy80211").exists():
        return "wifi"
    if folder.name.startswith(("wwan", "ppp", "cdc-wdm")) or "DEVTYPE=wwan" in (
        _text(folder / "uevent") or ""
    ):
        return "mobile"
    return "ethernet" if _number(folder / "type") == 1 else "other"


def _ways_out(root: Path) -> set[str]:
    lines = (_text(root / "proc/net/route") or "").splitlines()[1:]
    columns = [line.split() for line in lines]
    return {column[0] for column in columns if len(column) > 7 and column[1] == column[7] == "00000000"}


def _signals(root: Path) -> dict[str, float]:
    signals = {}
    for line in (_text(root / "proc/net/wireless") or "").splitlines()[2:]:
        name, _, figures = line.partition(":")
        columns = figures.split()
        try:
            signals[name.strip()] = float(columns[2])
        except (IndexError, ValueError):
            continue
    return signals


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None  # some attributes of a link that is down cannot be read


def _number(path: Path) -> int | None:
    try:
        return int(_text(path) or "")
    except ValueError:
        return None
