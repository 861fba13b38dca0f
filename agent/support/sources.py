"""Where the parts of a support bundle come from: the agent, its files, systemd, the machine."""

from __future__ import annotations

import contextlib
import json
import platform
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from agent import __version__
from agent.control.client import ControlError, ask
from agent.support.bundle import Missing, Source, Sources

UNIT = "loa-agent"
PATIENCE_S = 20.0
DOCTOR_PATIENCE_S = 90.0
MAX_SECRET_BYTES = 16_384

COMMANDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("journal.txt", ("journalctl", "-u", UNIT, "-n", "5000", "-o", "short-iso-precise", "--no-pager")),
    ("journal-summary.txt", ("journalctl", "-p", "warning", "-n", "500", "-o", "short-iso", "--no-pager")),
    ("dmesg.txt", ("dmesg", "--time-format", "iso")),
    ("unit.txt", ("systemctl", "status", "--no-pager", "-l", "-n", "0", UNIT)),
    ("unit-properties.txt", ("systemctl", "show", UNIT)),
    ("clock.txt", ("timedatectl", "show")),
    ("throttled.txt", ("vcgencmd", "get_throttled")),
    ("temperature.txt", ("vcgencmd", "measure_temp")),
    ("disks.txt", ("df", "-h")),
    ("blocks.txt", ("lsblk", "-o", "NAME,SIZE,TYPE,FSTYPE,MOUNTPOINTS,MODEL")),
    ("memory.txt", ("free", "-m")),
    ("network.txt", ("ip", "-brief", "address")),
    ("routes.txt", ("ip", "route")),
    ("modem.txt", ("mmcli", "-m", "any")),
    ("sound-out.txt", ("aplay", "-l")),
    ("sound-in.txt", ("arecord", "-l")),
    ("usb.txt", ("lsusb",)),
    ("processes.txt", ("ps", "-eo", "pid,ppid,user,%cpu,rss,etime,args", "--sort=-%cpu")),
)


def sources(config: Path, socket: Path) -> Sources:
    """All parts, for the node with this configuration and this socket."""
    parts = (
        Source("versions.json", _versions),
        Source("status.json", lambda: _asked(socket, "status")),
        Source("faults.json", lambda: _faults(socket)),
        Source("link.json", lambda: _asked(socket, "link")),
        Source("next.json", lambda: _asked(socket, "next", count=50)),
        Source("log.json", lambda: _asked(socket, "log", count=1_000)),
        Source("audit.json", lambda: _asked(socket, "audit", count=1_000)),
        Source("agent.log", lambda: "\n".join(ask(socket, "lines", count=2_000)["lines"])),
        Source("config.toml", lambda: config.read_text(encoding="utf-8")),
        Source("check-config.txt", lambda: _output(_loa("check-config", "-c", str(config)), any_code=True)),
        Source(
            "doctor.json",
            lambda: _output(_loa("doctor", "--json", "-c", str(config)), DOCTOR_PATIENCE_S, any_code=True),
        ),
        Source("files.txt", lambda: "\n".join(_files(config))),
        *(Source(name, _command(argv)) for name, argv in COMMANDS),
    )
    return Sources(parts, tuple(secrets(config)))


def secrets(config: Path) -> Iterator[str]:
    """The values of this node's secrets, as far as who asks may read them: no part may have one of them."""
    for path in _secret_files(config):
        try:
            data = path.read_bytes()[:MAX_SECRET_BYTES]
        except OSError:
            continue  # who cannot read it cannot bring it into the bundle either
        text = data.decode("utf-8", errors="ignore").strip()
        if text and "\0" not in text and "BEGIN CERTIFICATE" not in text:
            yield text
            # a key in PEM may be quoted by its lines
            yield from (
                line for line in text.splitlines() if len(line) >= 24 and not line.startswith("-----")
            )


def _secret_files(config: Path) -> Iterator[Path]:
    document: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        document = tomllib.loads(config.read_text(encoding="utf-8"))
    broker = document.get("broker")
    if isinstance(broker, dict):
        for key in ("password_file", "key"):
            if isinstance(broker.get(key), str):
                yield config.parent / broker[key]
    for pattern in ("*password*", "*secret*", "*token*", "*.key"):
        with contextlib.suppress(OSError):
            yield from (path for path in config.parent.rglob(pattern) if path.is_file())


def _loa(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "agent.cli", *words)


def _asked(socket: Path, op: str, **arguments: Any) -> str:
    try:
        return json.dumps(ask(socket, op, **arguments), ensure_ascii=False, indent=1)
    except ControlError as error:
        raise Missing(str(error)) from error


def _faults(socket: Path) -> str:
    faults = json.loads(_asked(socket, "status"))["health"]["faults"]
    return json.dumps(faults, ensure_ascii=False, indent=1)


def _versions() -> str:
    release = {}
    with contextlib.suppress(OSError):
        release = platform.freedesktop_os_release()
    model = ""
    with contextlib.suppress(OSError):
        model = Path("/proc/device-tree/model").read_text(encoding="utf-8", errors="replace").strip("\0")
    packages = {found.metadata["Name"]: found.version for found in metadata.distributions()}
    return json.dumps(
        {
            "agent": __version__,
            "python": sys.version,
            "system": release.get("PRETTY_NAME"),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "board": model or None,
            "packages": dict(sorted(packages.items())),
        },
        ensure_ascii=False,
        indent=1,
    )


def _files(config: Path) -> Iterator[str]:
    """Names, sizes and rights of the node's files; never what is in them."""
    state = Path("/var/lib/loa")
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        state = Path(tomllib.loads(config.read_text(encoding="utf-8"))["paths"]["state"])
    for folder in (config.parent, state):
        for path in sorted(folder.rglob("*"))[:2_000]:
            with contextlib.suppress(OSError):
                found = path.lstat()
                yield f"{found.st_mode:06o} {found.st_uid:>5} {found.st_gid:>5} {found.st_size:>12} {path}"


def _command(argv: tuple[str, ...]) -> Callable[[], str]:
    return lambda: _output(argv)


def _output(argv: tuple[str, ...], patience_s: float = PATIENCE_S, *, any_code: bool = False) -> str:
    try:
        done = subprocess.run(
            argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=patience_s, check=False
        )
    except FileNotFoundError as error:
        raise Missing(f"{argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{argv[0]} did not end within {patience_s:.0f} s") from error
    said = (done.stdout + done.stderr).decode("utf-8", errors="replace")
    if done.returncode and not any_code and not done.stdout.strip():
        raise Missing(" ".join(said.split())[:200] or f"{argv[0]} ended with code {done.returncode}")
    return said
