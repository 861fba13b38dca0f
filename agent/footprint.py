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
from collections.abc import Iterable, Iterator
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
    """To be called when there is nothing to do: let go of untouched copies of files until they are used again."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    # looked at twice: a library that another thread is just loading looks different a moment later
    for begin, end in _mappings() & _mappings():
        if libc.madvise(begin, end - begin, _MADV_DONTNEED) != 0:
            log.debug("mapping at %x stays: errno %d", begin, ctypes.get_errno())


def _mappings() -> set[tuple[int, int]]:
    with Path("/proc/self/smaps").open(encoding="utf-8", errors="replace") as smaps:
        return set(copies_of_files(smaps))


def copies_of_files(smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """First and last address of each private mapping of a file that is a true copy of it (proc(5)).

    Only of such: code and constants that cannot be written, and in which nothing was (the linker writes into
    some before it locks them). To let go of a page that was written to would lose what was written.
    """
    begin = end = 0
    candidate = False
    for line in smaps:
        first, *rest = line.split(maxsplit=5)
        if not first.endswith(":"):
            begin, end = (int(address, 16) for address in first.split("-"))
            candidate = rest[0] in ("r-xp", "r--p") and len(rest) == 5 and rest[4].startswith("/")
        elif first == "Anonymous:" and candidate and rest[0] == "0":
            yield begin, end
