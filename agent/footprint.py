"""A process at rest, made small: what only its start needed no longer counts as its own.

Loading a library maps its code, and the kernel fills in the pages around each that is touched; most of them
are never used again, yet stay in the process's share of memory. They are copies of files that nobody writes
to, so they can be let go of at any time: one that is wanted again comes from the page cache in microseconds.
The memory itself becomes free when the kernel has a better use for it; nothing here makes the machine read
from its card sooner than it otherwise would have to.
"""

from __future__ import annotations

import ctypes
import gc
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MADV_DONTNEED: Final = 4  # asm-generic/mman-common.h

log = logging.getLogger("loa.footprint")


def settle() -> None:
    """To be called once when the start is over: what is there now stays, and collections pass it by.

    A full collection would look at every object of every library: some 50 ms in which nobody conducts.
    """
    gc.collect()
    gc.freeze()
    rest()


def rest() -> None:
    """To be called when there is nothing to do: let go of the pages of code until they are used again."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    for begin, end in code_of_files(maps):
        if libc.madvise(begin, end - begin, _MADV_DONTNEED) != 0:
            log.debug("code at %x stays: errno %d", begin, ctypes.get_errno())


def code_of_files(maps: str) -> Iterator[tuple[int, int]]:
    """First and last address of each mapping of a file that can be executed and not written (proc(5)).

    Only of such: letting go of a page that was written to would lose what was written.
    """
    for line in maps.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[1] == "r-xp" and fields[5].startswith("/"):
            begin, _, end = fields[0].partition("-")
            yield int(begin, 16), int(end, 16)
