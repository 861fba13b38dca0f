"""The memory that a film's process and the screen share, and the size of what lies in it. Pure.

A header, then three frames: one is looked at, one was looked at a moment ago, one is drawn on. Pixels are
four bytes, BGRX; rows follow each other without a gap.
"""

from __future__ import annotations

import mmap
import struct
from typing import Final, NamedTuple

HEADER: Final = 64
FRAMES: Final = 3
_FIELDS: Final = struct.Struct("<II")
ALIGNED_PX: Final = 8
"""Rows of so many pixels begin where libVLC wants them to, at multiples of 32 bytes."""


class FilmSize(NamedTuple):
    """Of a frame, in pixels."""

    width: int
    height: int


def scaled(shape: tuple[int, int], wanted: tuple[int, int], fit: str) -> FilmSize:
    """The size of the frames of a film of this shape: inside `wanted`, or covering it.

    Its rows are a little shorter (contain) or longer (cover) than they should be, by 7 pixels at most. A
    film so much out of shape that covering would take more than four times the room is contained.
    """
    width, height = shape
    by = [wanted[0] / width, wanted[1] / height]
    if fit == "cover":
        across = max(ALIGNED_PX, round(width * max(by)))
        size = FilmSize(-(-across // ALIGNED_PX) * ALIGNED_PX, max(1, round(height * max(by))))
        if frame_bytes(size) <= _most_frame(wanted):
            return size
    across, down = round(width * min(by)), max(1, round(height * min(by)))
    return FilmSize(max(ALIGNED_PX, across // ALIGNED_PX * ALIGNED_PX), min(down, max(1, wanted[1])))


def frame_bytes(size: FilmSize) -> int:
    """Bytes of one frame."""
    return size.width * size.height * 4


def most_bytes(wanted: tuple[int, int]) -> int:
    """Bytes of the memory for frames that are to be fitted into `wanted`: unused ones cost nothing."""
    return HEADER + FRAMES * _most_frame(wanted)


def write_header(memory: mmap.mmap, front: int, count: int) -> None:
    """Say which frame is to be looked at, and how many there were."""
    _FIELDS.pack_into(memory, 0, front, count)


def read_header(memory: mmap.mmap) -> tuple[int, int]:
    """Which frame is to be looked at, and how many there were."""
    front, count = _FIELDS.unpack_from(memory, 0)
    return front % FRAMES, count


def _most_frame(wanted: tuple[int, int]) -> int:
    return 4 * (wanted[0] + ALIGNED_PX) * (wanted[1] + 1) * 4
