"""Mounts a stick that was plugged in: read-only at first, and never with devices or programs."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.usb.stick import StickError
from agent.words import _

BELOW: Final = Path("/run/loa-usb")
TYPES: Final = {"vfat": "utf8", "exfat": "iocharset=utf8"}
"""File systems of sticks, and how their names are read. Others are left alone: their code in the kernel was not made
for strangers."""
OPTIONS: Final = "nosuid,nodev,noexec,noatime"
WITHIN_S: Final = 60.0


@contextlib.contextmanager
def mounted(device: Path) -> Iterator[Path]:
    """Mount a device while the block runs.

    Raises:
        StickError: it is none, or has no file system that can be mounted.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", device.name):
        raise StickError(_("{device}: is no device of a stick").format(device=device))
    place = BELOW / device.name
    try:
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        raise StickError(f"{place}: {error.strerror}") from error
    _mount(device, place)
    try:
        yield place
    finally:
        _unmount(place)


def _mount(device: Path, place: Path) -> None:
    """As the first of the types that it is.

    Raises:
        StickError: it is none of them. The text is about the type that it has, not about one that was only tried.
    """
    failures: dict[str, StickError] = {}
    for type_, names in TYPES.items():
        options = ",".join(filter(None, ("ro", OPTIONS, names)))
        try:
            _run("mount", "-t", type_, "-o", options, "--", str(device), str(place), device=device)
            return
        except StickError as error:
            failures[type_] = error
    raise failures.get(_type_of(device)) or next(iter(failures.values()))


def _type_of(device: Path) -> str:
    """The file system as its own marks say; empty where there are none."""
    command = ["blkid", "--probe", "-o", "value", "-s", "TYPE", "--", str(device)]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(command, capture_output=True, timeout=WITHIN_S, check=False)
        return done.stdout.decode(errors="replace").strip()
    return ""


def make_writable(place: Path) -> None:
    """From now on it may be written to.

    Raises:
        StickError: it is write-protected, or damaged.
    """
    _run("mount", "-o", f"remount,rw,{OPTIONS}", "--", str(place), device=place)


def _unmount(place: Path) -> None:
    """What cannot be unmounted now goes when nobody uses it any more."""
    for options in ((), ("-l",)):
        done = subprocess.run(
            ["umount", *options, "--", str(place)], capture_output=True, timeout=WITHIN_S, check=False
        )
        if done.returncode == 0:
            break
    with contextlib.suppress(OSError):
        place.rmdir()


def _run(*command: str, device: Path) -> None:
    try:
        done = subprocess.run([*command], capture_output=True, timeout=WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StickError(_("{device}: cannot be mounted: {why}").format(device=device, why=error)) from error
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [str(done.returncode)]
        why = lines[0].removeprefix("mount: ").strip()
        raise StickError(_("{device}: cannot be mounted: {why}").format(device=device, why=why))
