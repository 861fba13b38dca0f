"""Bytes that went through the machine's network interfaces, and what a process used. Source: proc(5)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Counters:
    """Bytes since the machine started, over all interfaces but the loopback."""

    received: int = 0
    sent: int = 0


def read_counters(root: Path = Path("/")) -> Counters | None:
    """The counters of /proc/net/dev; None where they cannot be read. `root` is where /proc hangs."""
    try:
        lines = (root / "proc/net/dev").read_text(encoding="ascii").splitlines()[2:]
    except (OSError, UnicodeDecodeError):
        return None
    received = sent = 0
    for line in lines:
        name, _, figures = line.partition(":")
        columns = figures.split()
        if name.strip() == "lo" or len(columns) < 9:
            continue
        received += int(columns[0])
        sent += int(columns[8])
    return Counters(received, sent)


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """What one process has used: CPU seconds since it started, memory that is resident now."""

    pid: int
    cpu_s: float
    memory_mb: float


def read_process(pid: int, root: Path = Path("/")) -> ProcessReading | None:
    """Of the process `pid`; None when it has gone."""
    try:
        text = (root / f"proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # the name in brackets may hold blanks and brackets of its own
        fields = text.rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        pages = int(fields[21])
    except (OSError, IndexError, ValueError):
        return None
    return ProcessReading(
        pid, ticks / os.sysconf("SC_CLK_TCK"), round(pages * os.sysconf("SC_PAGE_SIZE") / MB, 1)
    )
