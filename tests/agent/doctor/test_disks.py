"""Disks that are really full, out of inodes, and read-only. Making them needs root."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from agent.doctor.finding import Verdict
from agent.doctor.storage import Disk, judge_inodes
from tests.agent.doctor.patient import Patient, wrong


@contextlib.contextmanager
def small_disk(path: Path, options: str) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk_is_a_fault(patient: Patient) -> None:
    with small_disk(patient.state / "cache", "size=4m,mode=0777"):
        (patient.state / "cache" / "big").write_bytes(b"x" * 3_900_000)
        seen = wrong(patient.examine())
    assert set(seen) == {"disk-space"}
    assert seen["disk-space"][0] is Verdict.FAULT
    assert "MB are free" in seen["disk-space"][1]
    assert "du -xh" in seen["disk-space"][2]


def test_a_disk_that_is_nearly_full_is_a_warning(patient: Patient) -> None:
    with small_disk(patient.state / "cache", "size=400m,mode=0777"):
        seen = wrong(patient.examine())
    assert {name: found[0] for name, found in seen.items()} == {"disk-space": Verdict.WARNING}


def test_a_disk_without_room_for_more_files_is_a_fault(patient: Patient) -> None:
    with small_disk(patient.state / "cache", "size=600m,nr_inodes=40,mode=0777"):
        for number in range(39):
            (patient.state / "cache" / str(number)).touch()
        seen = wrong(patient.examine())
    assert set(seen) == {"inodes"}
    assert "du --inodes" in seen["inodes"][2]


def test_a_disk_that_went_read_only_is_a_fault(patient: Patient) -> None:
    with small_disk(patient.state / "cache", "size=600m,mode=0777,ro"):
        seen = wrong(patient.examine())
    assert set(seen) == {"read-only"}
    assert "change the card" in seen["read-only"][2]


def test_a_root_that_is_meant_to_be_read_only_is_well(patient: Patient) -> None:
    patient.write("proc/mounts", "/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n")
    patient.write("etc/fstab", "PARTUUID=1234-02 / ext4 ro,noatime 0 1\n")
    assert wrong(patient.examine()) == {}


def test_a_file_system_without_a_bound_on_files_is_not_judged() -> None:
    disk = Disk(Path("/"), 9_000, 10_000, None, read_only=False)
    assert judge_inodes([disk]).verdict is Verdict.ABSENT
