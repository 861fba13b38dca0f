"""docs/doctor.md has every check, in the order in which they are shown, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from agent.cli.try_out import PARTS
from agent.doctor.checks import CHECKS
from agent.tryout.table import TRIALS

TEXT = (Path(__file__).parents[3] / "docs/doctor.md").read_text(encoding="utf-8")


def test_every_check_stands_in_the_table() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([a-z]+) \|", TEXT, re.M)
    assert rows == [(check.id, check.group) for check in CHECKS]


def test_every_part_that_can_be_tried_is_explained() -> None:
    assert set(PARTS) == set(TRIALS)
    for part in (*PARTS, "all"):
        assert f"loa test {part} " in TEXT
