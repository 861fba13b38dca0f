"""A process that makes itself small goes on working."""

import gc
import json
from pathlib import Path

from agent import footprint

MAPPINGS = (
    ("00400000-00401000 r--p 00000000 fe:00 12 /usr/bin/python3.11", 0, True),
    ("00401000-00700000 r-xp 00001000 fe:00 12 /usr/bin/python3.11", 0, True),
    ("00700000-00710000 rw-p 00300000 fe:00 12 /usr/bin/python3.11", 64, False),
    ("00710000-00711000 rw-p 00310000 fe:00 12 /usr/bin/python3.11", 0, False),
    ("00711000-00712000 r--p 00311000 fe:00 12 /usr/bin/python3.11", 4, False),
    ("01000000-02000000 rw-p 00000000 00:00 0 [heap]", 900, False),
    ("7f0000000000-7f0000001000 r--p 00000000 00:00 0 ", 0, False),
    ("7f0000001000-7f0000002000 r-xp 00000000 00:00 0 [vdso]", 0, False),
    ("7f0000002000-7f0000003000 rwxp 00000000 fe:00 13 /usr/lib/patched.so", 0, False),
    ("7f0000003000-7f0000004000 r--s 00000000 fe:00 14 /var/lib/loa/cache/sounds/pcm/a b", 0, False),
    ("7f0000004000-7f0000006000 r-xp 00000000 fe:00 15 /opt/two words/lib.so", 0, True),
)
"""Mappings as the kernel shows them, KiB that were written, and whether they may be let go of."""


def resident_code_kib() -> int:
    total, is_code = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if first.endswith(":"):
            total += int(rest[0]) if is_code and first == "Rss:" else 0
        else:
            is_code = rest[0] == "r-xp" and rest[-1].startswith("/")
    return total


def test_only_true_copies_of_files_are_let_go_of() -> None:
    smaps = "".join(
        f"{line}\nSize: 4 kB\nRss: 4 kB\nAnonymous: {written:8} kB\nVmFlags: rd mr mw me\n"
        for line, written, _ in MAPPINGS
    )
    found = [
        f"{begin:08x}-{end:08x}" for begin, end in footprint.copies_of_files(smaps.splitlines(keepends=True))
    ]
    assert found == [line.split()[0] for line, _, copy in MAPPINGS if copy]


def test_code_that_only_the_start_needed_no_longer_counts_and_all_still_works() -> None:
    before = resident_code_kib()
    footprint.rest()
    after = resident_code_kib()
    assert after < before / 2, f"{before} KiB before, {after} KiB after"
    assert json.loads(json.dumps({"still": "works"})) == {"still": "works"}


def test_what_is_there_after_the_start_is_passed_by_in_collections() -> None:
    try:
        footprint.settle()
        assert gc.get_freeze_count() > 1_000
    finally:
        gc.unfreeze()
