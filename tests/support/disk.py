"""Real file systems in files: what a stick is, with a size that can be filled and a plug that can be pulled."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.wait import wait_until


def image(path: Path, mb: int, *make: str) -> Path:
    """A file with a file system in it; `make` is the command that makes it, without the file."""
    with path.open("wb") as file:
        file.truncate(mb * 1_000_000)
    subprocess.run([*make, str(path)], check=True, capture_output=True)
    return path


def ext4(path: Path, mb: int = 8) -> Path:
    """An ext4 image: what every kernel has."""
    return image(path, mb, "mkfs.ext4", "-q", "-O", "^has_journal")


@contextlib.contextmanager
def loop_device(of: Path) -> Iterator[Path]:
    """The image as a block device."""
    done = subprocess.run(
        ["losetup", "--find", "--show", str(of)], check=True, capture_output=True, text=True
    )
    device = done.stdout.strip()
    try:
        yield Path(device)
    finally:
        subprocess.run(["losetup", "--detach", device], check=False, capture_output=True)


@contextlib.contextmanager
def mounted(of: Path, at: Path, *options: str) -> Iterator[Path]:
    """An image, mounted; needs root."""
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", ",".join(("loop", *options)), str(of), str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=False)


@dataclass
class Plugged:
    """An exFAT stick, as it is sold."""

    at: Path
    process: subprocess.Popen[bytes]

    def pull(self) -> None:
        """Pull it out: from now on everything on it fails."""
        self.process.kill()
        self.process.wait(5)


@contextlib.contextmanager
def exfat(folder: Path, mb: int = 20) -> Iterator[Plugged]:
    """A new exFAT stick, mounted in user space: not every kernel has it. Needs root."""
    at = folder / "exfat"
    at.mkdir()
    with loop_device(image(folder / "exfat.image", mb, "mkfs.exfat")) as device:
        command = ["mount.exfat-fuse", "-d", "-o", "nosuid,nodev,noexec", str(device), str(at)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: os.path.ismount(at), 10, "the stick is mounted")
            yield Plugged(at, process)
        finally:
            subprocess.run(["umount", "--lazy", str(at)], check=False)
            process.kill()
            process.wait(5)


@contextlib.contextmanager
def small_disk(path: Path, size_kb: int) -> Iterator[None]:
    """A file system of its own at `path`, of that size."""
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def read_only(path: Path) -> None:
    """From now on nothing can be written there, as on a worn card. No file may be open for writing."""
    subprocess.run(["mount", "-o", "remount,ro", str(path)], check=True)


def fill(path: Path) -> Path:
    """Leave no room on the file system at `path`; the file to remove when there is to be room again."""
    filler = path / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4_096)
    return filler
