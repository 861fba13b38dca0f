"""A takeover covers the board, says what it is, and gives the board back where it was."""

from __future__ import annotations

import numpy as np
import pytest

from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.protocol import Takeover
from agent.screen.takeover import compose_takeover
from agent.screen.theme import ALARMS, DRILL, THEMES
from tests.agent.screen.conftest import BODY, SIZE, Bench, is_running_text, notice, style, words_of, zone

STORM = Takeover(
    "storm",
    "emergency",
    "Bão số 9",
    "Bão số 9 đổ bộ trong 6 giờ tới",
    "Người dân vùng ven sông, ven biển rời khỏi nhà ngay, đến điểm sơ tán tại trường tiểu học xã. " * 8,
)


@pytest.mark.parametrize(
    ("status", "ground"),
    [("Actual", ALARMS["emergency"].ground), ("Exercise", DRILL.ground), ("Test", DRILL.ground)],
)
def test_a_takeover_covers_everything_and_then_all_is_where_it_was(
    bench: Bench, status: str, ground: tuple[int, int, int]
) -> None:
    bench.show(
        zone(notice("a", body=BODY, duration_s=30), notice("b"), at=(0, 0, 16, 8)),
        zone(at=(13, 8, 3, 1), kind="clock"),
    )
    bench.pass_time(5)
    before = bench.pixels().copy()
    takeover = Takeover(STORM.id, STORM.class_, STORM.event, STORM.headline, STORM.text, status)  # type: ignore[arg-type]
    bench.view.take_over(takeover, bench.now)
    bench.step()
    covered = bench.pixels()
    assert (covered == ground).all(axis=2).mean() > 0.5
    card = np.array(THEMES["dark"].surface, dtype=np.uint8)
    assert not (covered == card).all(axis=2).any(), "nothing of the board is left"
    assert bench.showings()[-1].takeover == "storm" and bench.showings()[-1].showing == ()
    first = covered.copy()
    bench.pass_time(30)
    assert (bench.pixels() != first).any(), "its text is paged"
    bench.view.clear(bench.now, bench.wall)
    bench.step()
    assert (bench.pixels()[: SIZE[1] * 8 // 9] == before[: SIZE[1] * 8 // 9]).all()
    assert bench.showings()[-1].showing == ("a",)
    bench.pass_time(24)
    assert bench.showings()[-1].showing == ("a",), "the takeover did not eat its time"
    bench.pass_time(2)
    assert bench.showings()[-1].showing == ("b",)


def test_a_drill_says_so_in_letters_and_an_emergency_does_not(fonts: Fonts) -> None:
    for status, mark in (("Exercise", "DIỄN TẬP"), ("Test", "THỬ NGHIỆM"), ("Actual", None)):
        takeover = Takeover("t", "emergency", "Bão", "Bão số 9", "Ở nhà.", status)  # type: ignore[arg-type]
        for page in compose_takeover(takeover, SIZE, style(fonts)):
            said = [text.text for text in page.texts]
            assert any("DIỄN TẬP" in s or "THỬ NGHIỆM" in s for s in said) == (mark is not None)
            assert mark is None or sum(mark in s for s in said) == 2
            assert "CẢNH BÁO KHẨN CẤP" in said


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (640, 360), (320, 240)])
def test_the_words_of_a_takeover_are_all_there_in_order(fonts: Fonts, size: tuple[int, int]) -> None:
    pages = compose_takeover(STORM, size, style(fonts, size))
    assert words_of([[t for t in page.texts if is_running_text(t)] for page in pages]) == STORM.text.split()
    for page in pages:
        for number, line in enumerate(page.texts):
            assert Box(0, 0, *size).contains(line.box)
            assert not any(line.box.overlaps(other.box) for other in page.texts[:number])


def test_a_board_that_comes_under_a_takeover_is_there_after_it(bench: Bench) -> None:
    bench.show(zone(notice("old")))
    bench.view.take_over(STORM, bench.now)
    bench.step()
    bench.pass_time(20)
    bench.show(zone(notice("new")))
    assert (bench.pixels() == ALARMS["emergency"].ground).all(axis=2).mean() > 0.5
    bench.pass_time(20)
    bench.view.clear(bench.now, bench.wall)
    bench.step()
    assert bench.showings()[-1].showing == ("new",)
