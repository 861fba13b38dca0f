"""What is said of a stick that cannot be mounted."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from agent.usb.mounting import _mount
from agent.usb.stick import StickError

MOUNT = """\
#!/bin/sh
# as a kernel without exFAT that finds a damaged FAT
case "$2" in
  exfat) echo "mount: /mnt: unknown filesystem type 'exfat'." >&2 ;;
  *) echo "mount: /mnt: can't read superblock on $6." >&2 ;;
esac
exit 32
"""


@pytest.mark.parametrize(
    ("mkfs", "said"),
    [
        ("mkfs.vfat", "can't read superblock"),
        ("mkfs.exfat", "unknown filesystem type 'exfat'"),
        ("true", "can't read superblock"),  # nothing tells what it was
    ],
)
def test_the_failure_is_that_of_the_file_system_which_the_stick_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mkfs: str, said: str
) -> None:
    image = tmp_path / "sda1"
    with image.open("wb") as file:
        file.truncate(8_000_000)
    subprocess.run([mkfs, str(image)], check=True, capture_output=True, timeout=30)
    mount = tmp_path / "mount"
    mount.write_text(MOUNT, encoding="ascii")
    mount.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(StickError) as error:
        _mount(image, tmp_path)
    assert said in str(error.value)
