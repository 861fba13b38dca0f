"""Whether a write-ahead log has lost transactions that were on the medium.

SQLite reads a log up to the first frame whose checksum is wrong and quietly forgets the rest. After a power
cut that is right: the last transaction was not finished. But we sync every commit, so if a *finished*
transaction is followed by another one of the same log, it was on the medium, and losing it is damage.

Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log (sections 4.1 and 4.2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEADER: Final = struct.Struct(">8I")
FRAME_HEADER: Final = struct.Struct(">6I")
MAGIC: Final = frozenset({0x377F0682, 0x377F0683})


@dataclass(frozen=True)
class WalScan:
    """What the frames' own headers claim: `commits` numbers (from 1) the frames that end a transaction."""

    commits: tuple[int, ...] = ()
    last: int = 0
    problem: str | None = None


def scan(path: Path) -> WalScan:
    """Read the frame headers of the current generation; frames left from an older one are passed over.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return WalScan()
    if size < HEADER.size:
        return WalScan()  # its first write was cut short: nothing was ever committed in it
    with path.open("rb") as file:
        magic, _, page_size, _, salt1, salt2, _, _ = HEADER.unpack(file.read(HEADER.size))
        if magic not in MAGIC or page_size < 512 or page_size > 65_536 or page_size & (page_size - 1):
            return WalScan(problem="its write-ahead log begins with garbage")
        step = FRAME_HEADER.size + page_size
        commits, last = [], 0
        for number in range(1, (size - HEADER.size) // step + 1):
            file.seek(HEADER.size + (number - 1) * step)
            _, pages_after, frame1, frame2, _, _ = FRAME_HEADER.unpack(file.read(FRAME_HEADER.size))
            if (frame1, frame2) == (salt1, salt2):
                last = number
                if pages_after:
                    commits.append(number)
    return WalScan(tuple(commits), last)


def lost(before: WalScan, recovered: int) -> str | None:
    """What SQLite has lost, in words, when it accepted the first `recovered` frames; None if nothing."""
    gone = [number for number in before.commits if recovered < number < before.last]
    if not gone:
        return None
    return (
        f"its write-ahead log is damaged after frame {recovered}: at least {len(gone)} transactions are gone"
    )
