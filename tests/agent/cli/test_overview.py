"""The page of `loa top` at every size: nothing overlaps, what is wrong is seen, what comes next has its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.overview import meter, overview
from agent.cli.page import clean, cut
from agent.words import width as cells
from tests.agent.cli.test_cli import ENTRY, HEALTH
from tests.agent.cli.test_look import LINK

WORKER = {"pid": 7, "cpu_s": 10.0, "memory_mb": 38.2}
REPLY: dict[str, Any] = {
    "node": {"id": "pole-07", "site": "xa-mau", "public_number": "0007", "agent": "1.0"},
    "health": HEALTH,
    "link": "connected",
    "alert_sources": {},
    **LINK,
    "at": 100.0,
    "upcoming": [ENTRY] * 5,
    "workers": {"agent": WORKER, "player": None},
    "lines": [
        "2026-11-28 14:07:39,123 WARNING loa.node: bão đến",
        "2026-11-28 14:07:40,001 INFO loa.x: gió to",
    ],
}


def page(width: int = 60, height: int = 20, before: dict[str, Any] | None = None, **parts: Any) -> list[str]:
    rows = overview({**copy.deepcopy(REPLY), **parts}, before, width, height, now="14:03:22")
    return [row.text for row in rows]


@pytest.mark.parametrize("size", [(60, 20), (120, 40), (80, 24), (40, 12), (40, 8)])
def test_it_fits_whatever_the_size(size: tuple[int, int]) -> None:
    rows = page(*size)
    assert len(rows) == size[1]
    assert max(map(cells, rows)) <= size[0]
    assert rows[0].startswith("✗ pole-07")
    assert rows[0].endswith("14:03:22")


def test_a_fault_is_there_with_what_to_do() -> None:
    text = "\n".join(page())
    assert "hot: the CPU is at 90 °C" in text
    assert "→ give it shade" in text


def test_of_many_faults_the_first_are_told_and_the_rest_counted() -> None:
    fault = HEALTH["faults"][0]
    health = {**HEALTH, "faults": [{**fault, "code": f"media:commune/{n}.mp3"} for n in range(9)]}
    text = "\n".join(page(height=24, health=health))
    assert "and 6 more: loa status" in text


def test_the_log_is_short_and_its_warnings_are_marked() -> None:
    rows = page(height=30)
    assert "14:07:39 ! node: bão đến" in rows
    assert "14:07:40 x: gió to" in rows


def test_cpu_is_what_was_used_between_two_answers() -> None:
    before = {"at": 98.0, "workers": {"agent": {**WORKER, "cpu_s": 9.0}}}
    assert any("agent 50% 38 MB · player is down" in row for row in page(before=before))
    of_another_process = {"at": 98.0, "workers": {"agent": {**WORKER, "pid": 6}}}
    assert any("agent 38 MB" in row for row in page(before=of_another_process))


def test_a_tall_screen_has_room_for_more_of_what_comes() -> None:
    assert sum("Bản tin (quiet day)" in row for row in page(height=40)) == 5
    assert sum("Bản tin (quiet day)" in row for row in page(height=20)) >= 1


@pytest.mark.parametrize(
    ("level", "full"), [(0.0, 24), (3.0, 24), (-60.0, 0), (-90.0, 0), (-30.0, 12), (None, 0)]
)
def test_the_meter_goes_from_silence_to_full_scale(level: float | None, full: int) -> None:
    bar = meter(level)
    assert bar.count("█") == full
    assert bar.count("█") + bar.count("·") == 24


@given(st.text(max_size=80), st.integers(1, 60))
def test_cut_text_takes_no_more_than_its_room_and_moves_no_cursor(text: str, width: int) -> None:
    shown = cut(clean(text), width)
    assert cells(shown) <= width
    assert "\x1b" not in shown
    assert "\n" not in shown


def test_what_fits_is_not_touched() -> None:
    assert cut("Kính mời", 8) == "Kính mời"
    assert cut("Kính mời bà con", 9) == "Kính mời…"
    assert cells("広報") == 4
