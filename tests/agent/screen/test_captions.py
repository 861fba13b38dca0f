"""Words that are being spoken are seen, large and whole, for as long as they are spoken; then all is as before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.screen.captions import LINGER_S, band_box, spoken_pages
from agent.screen.card import Style
from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.paint import Fill, Text
from agent.screen.protocol import Caption, Takeover, Words
from agent.screen.takeover import compose_takeover
from agent.screen.theme import INK, THEMES, contrast, sizes_for
from playlists.units import MonotonicS, Seconds
from tests.agent.screen.conftest import SIZE, Bench, notice, zone

WORDS = Caption("Đề nghị mỗi gia đình cử một người dự họp, đúng giờ.", Seconds(4.0))
LONG = Caption(" ".join(f"Ẵ{n} ỗ ữ ặ kính mời các hộ gia đình." for n in range(14)), Seconds(30.0))
STORM = Takeover(
    "storm",
    "emergency",
    "Bão",
    "Bão số 9 vào đất liền",
    "Bão số 9 đang tiến vào bờ biển. Sơ tán ngay! Bà con ở vùng trũng thấp phải rời nhà trước 15 giờ.",
)


@pytest.fixture
def board(bench: Bench) -> Bench:
    """A board with a notice over a ticker and a clock, at rest."""
    bench.show(
        zone(notice("a", "Lịch tiêm chủng", "Sáng thứ Năm"), at=(0, 0, 16, 8)),
        zone(notice("t", "Đường dây nóng: 114"), at=(0, 8, 13, 1), kind="ticker"),
        zone(at=(13, 8, 3, 1), kind="clock"),
    )
    bench.pass_time(0.1)
    return bench


def band_of(bench: Bench) -> Box:
    band = bench.view._overlay._band
    assert band is not None
    return band.box


def say(bench: Bench, caption: Caption | None) -> list[Box]:
    bench.view.set_caption(caption, bench.now)
    return bench.step()


def test_it_is_a_band_above_ticker_and_clock_which_stay_as_they_are(board: Bench) -> None:
    before = board.pixels()
    say(board, WORDS)
    band = band_of(board)
    after = board.pixels()
    ticker_top = SIZE[1] * 8 // 9
    assert band.bottom <= ticker_top
    assert band.width > SIZE[0] * 0.95
    inside = after[band.y : band.bottom, band.x : band.right].astype(int)
    white, ink = (inside.min(2) > 230).mean(), (abs(inside - INK).max(2) < 8).mean()
    assert white > 0.02, "there are letters"
    assert white + ink > 0.85, "they are white on ink"
    after[band.y : band.bottom, band.x : band.right] = 0
    before[band.y : band.bottom, band.x : band.right] = 0
    before[ticker_top:] = after[ticker_top:] = 0  # the ticker runs
    assert np.array_equal(before, after)


def test_letters_are_large_and_their_contrast_is_high() -> None:
    assert contrast((255, 255, 255), INK) > 15


def test_only_the_band_is_painted_when_words_change(board: Bench) -> None:
    say(board, WORDS)
    band = band_of(board)
    strip = board.view._areas[1].box
    dirty = say(board, Caption("Sơ tán ngay!", Seconds(2.0)))
    assert band_of(board) == band, "it does not jump"
    assert [box for box in dirty if not strip.contains(box)] == [band]


@pytest.mark.parametrize("how", ["ended", "by itself"])
def test_when_nothing_is_spoken_any_more_the_board_is_whole_again(board: Bench, how: str) -> None:
    before = board.pixels()
    showings = len(board.showings())
    counted = board.view._ledger._count.copy()
    say(board, WORDS)
    band = band_of(board)
    if how == "ended":
        say(board, None)
    else:
        board.pass_time(WORDS.lasts_s + LINGER_S + 0.1)
    after = board.pixels()
    assert board.view._overlay._band is None
    assert np.array_equal(before[band.y : band.bottom], after[band.y : band.bottom])
    assert len(board.showings()) == showings
    assert board.view._ledger._count["a"] == counted["a"], "the notice was not shown anew"


def test_it_stays_over_a_notice_that_changes_beneath_it(bench: Bench) -> None:
    bench.show(zone(notice("a", duration_s=5.0), notice("b", duration_s=5.0)))
    say(bench, Caption("Một hai ba.", Seconds(20.0)))
    band = band_of(bench)
    seen = bench.pixels(band)
    bench.pass_time(6.0)
    assert bench.showings()[-1].showing == ("b",)
    assert np.array_equal(bench.pixels(band), seen)
    say(bench, None)
    assert not np.array_equal(bench.pixels(band), seen)


def test_what_does_not_fit_on_two_lines_is_paged_within_its_time(board: Bench) -> None:
    say(board, LONG)
    band = board.view._overlay._band
    assert band is not None
    assert len(band._pages) > 1
    assert all(len(page.texts) <= 3 for page in band._pages)
    assert " ".join(op.text for page in band._pages for op in page.texts).split() == LONG.text.split()
    first = board.pixels(band.box)
    board.pass_time(LONG.lasts_s - 0.1)
    assert not np.array_equal(board.pixels(band.box), first)
    assert board.view._overlay._band is band
    board.pass_time(LINGER_S + 0.2)
    assert board.view._overlay._band is None


@pytest.mark.parametrize(
    "size", [(1920, 1080), (1080, 1920), (640, 360), (320, 240), (3840, 2160), (200, 100)]
)
def test_on_any_screen_every_line_lies_inside_the_band(size: tuple[int, int], fonts: Fonts) -> None:
    from agent.screen.captions import Band

    style = Style(fonts, THEMES["dark"], sizes_for(*size))
    box = band_box(size, [], style)
    assert Box(0, 0, *size).contains(box)
    for caption in (WORDS, LONG):
        for page in Band(caption, box, style, MonotonicS(0.0))._pages:
            for op in page.texts:
                assert Box(0, 0, box.width, box.height).contains(op.box), op


def test_a_drill_or_alarm_marks_the_words_where_they_stand(bench: Bench) -> None:
    bench.show(zone(notice("a")))
    bench.view.take_over(STORM, bench.now)
    bench.step()
    before = bench.pixels()
    assert say(bench, Caption("Sơ tán ngay!", Seconds(2.0)))
    marked = bench.pixels()
    assert not np.array_equal(before, marked)
    assert bench.view._overlay._band is None
    say(bench, None)
    assert np.array_equal(bench.pixels(), before)


def test_words_of_another_language_get_a_page_under_the_same_heading(bench: Bench, fonts: Fonts) -> None:
    style = Style(fonts, THEMES["dark"], sizes_for(*SIZE))
    pages = compose_takeover(STORM, SIZE, style)
    ((page, lasts_s),) = spoken_pages(STORM, pages, Caption("Leave at once.", Seconds(3.0)), SIZE, style)
    lines = [op.text for op in page.texts]
    assert "Leave at once." in lines
    assert STORM.headline in " ".join(lines)
    assert lasts_s == 3.0


@pytest.mark.parametrize(
    "words", ["Bão số 9 vào đất liền", "Bão số 9 đang tiến vào bờ biển.", "Sơ tán ngay!"]
)
def test_marked_words_are_those_that_are_spoken(fonts: Fonts, words: str) -> None:
    style = Style(fonts, THEMES["dark"], sizes_for(*SIZE))
    pages = compose_takeover(STORM, SIZE, style)
    plain = [op for page in pages for op in page.ops]
    marked = [
        op
        for page, _ in spoken_pages(STORM, pages, Caption(words, Seconds(3.0)), SIZE, style)
        for op in page.ops
        if op not in plain
    ]
    assert " ".join(op.text for op in marked if isinstance(op, Text)) == words
    fills = [op for op in marked if isinstance(op, Fill)]
    letters = [op for op in marked if isinstance(op, Text)]
    assert all(fill.box.contains(text.box) for fill, text in zip(fills, letters, strict=True))


def test_words_across_two_pages_are_shown_one_after_the_other(fonts: Fonts) -> None:
    style = Style(fonts, THEMES["dark"], sizes_for(*SIZE))
    text = " ".join(f"từ{n}" for n in range(400))
    long = Takeover("x", "emergency", "Bão", "Bão số 9", text)
    pages = compose_takeover(long, SIZE, style)
    first, *_ = [page for page in pages if any(op.text.startswith("từ") for op in page.texts)]
    last_line = next(op for op in reversed(first.texts) if op.text.startswith("từ")).text
    begin = text.index(last_line)
    words = text[begin : begin + 2 * len(last_line)]
    spoken = spoken_pages(long, pages, Caption(words, Seconds(6.0)), SIZE, style)
    assert len(spoken) == 2
    assert sum(lasts_s for _, lasts_s in spoken) == pytest.approx(6.0)


def test_of_a_takeover_in_two_languages_the_page_of_the_spoken_one_comes(fonts: Fonts) -> None:
    style = Style(fonts, THEMES["dark"], sizes_for(*SIZE))
    english = Words("en", "Storm", "Storm no. 9", "Stay indoors. Keep away from windows.")
    both = replace(STORM, more=(english,))
    pages = compose_takeover(both, SIZE, style)
    for words in ("Sơ tán ngay!", "Keep away from windows."):
        ((page, _),) = spoken_pages(both, pages, Caption(words, Seconds(3.0)), SIZE, style)
        assert words in " ".join(op.text for op in page.texts)
        alone = compose_takeover(both, SIZE, style)
        assert any(set(one.ops) <= set(page.ops) for one in alone), "the page that stood there, with a mark"


def test_the_band_leaves_the_controls_of_residents_free(fonts: Fonts) -> None:
    style = Style(fonts, THEMES["dark"], sizes_for(*SIZE))
    ticker, controls = Box(0, 660, 1280, 60), Box(20, 584, 1240, 61)
    high = Box(0, 380, 1280, 190)
    box = band_box(SIZE, [high, controls, ticker], style)
    assert box.bottom <= controls.y
    assert band_box(SIZE, [high, ticker], style).bottom > controls.y


def test_a_board_that_rests_shows_no_words(bench: Bench) -> None:
    bench.show(zone(notice("a")))
    bench.view.rest(bench.now, bench.wall, resting=True)
    bench.step()
    say(bench, Caption("Một hai ba.", Seconds(20.0)))
    assert not bench.pixels().any()
    say(bench, None)
    assert not bench.pixels().any()
    bench.view.rest(bench.now, bench.wall, resting=False)
    bench.step()
    assert bench.pixels().any()


def test_words_are_marked_where_a_script_writes_no_space_at_the_end_of_a_line(fonts: Fonts) -> None:
    style = Style(fonts, THEMES["dark"], sizes_for(*SIZE))
    text = "មនុស្សទាំងអស់កើតមកមានសេរីភាពនិងសមភាពក្នុងផ្នែកសេចក្ដីថ្លៃថ្នូរនិងសិទ្ធិ។"
    alarm = Takeover("x", "emergency", "ព្យុះ", "ព្យុះ", text, language="km")
    pages = compose_takeover(alarm, SIZE, style)
    assert sum(op.text in text for page in pages for op in page.texts) > 1, "it takes several lines"
    plain = [op for page in pages for op in page.ops]
    spoken = spoken_pages(alarm, pages, Caption(text, Seconds(3.0)), SIZE, style)
    marked = [op for page, _ in spoken for op in page.ops if op not in plain]
    assert "".join(op.text for op in marked if isinstance(op, Text)) == text
