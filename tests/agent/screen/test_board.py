"""What is really painted, read back from the pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pygame
import pytest

from agent.screen.content import Board, Bulletin, TextPart
from agent.screen.fonts import CANDIDATES, Fonts, Weight
from agent.screen.grid import Box, place
from agent.screen.notice import compose_text
from agent.screen.paint import Fill, Text, paint
from agent.screen.protocol import Caption
from agent.screen.stage import NOW
from agent.screen.theme import THEMES, WHITE, sizes_for
from playlists.units import Seconds
from tests.agent.screen.conftest import BODY, SIZE, Bench, is_running_text, notice, style, words_of, zone

STACKED = "ẾỄỘẴỮỞ ỆẪ gựặỵ Ơ̆ Č̆ ê̆"
TICKER = (0, 8, 13, 1)
BLACK = (0, 0, 0)


@pytest.mark.parametrize("size", [(1892, 931), (1260, 620), (620, 1100), (400, 300), (300, 120)])
@pytest.mark.parametrize("body", ["", "Ngắn.", BODY, BODY * 20])
@pytest.mark.parametrize("qr", [None, "https://xa.example/phan-anh"])
def test_text_lies_inside_its_zone_and_no_line_on_another(
    fonts: Fonts, size: tuple[int, int], body: str, qr: str | None
) -> None:
    text = TextPart("Lịch tiêm chủng mở rộng tháng 12", body, qr)
    composition = compose_text(Bulletin("b"), text, size, style(fonts))
    inside = Box(0, 0, *size)
    for page in composition.pages:
        for number, line in enumerate(page.texts):
            assert inside.contains(line.box), line
            assert not any(line.box.overlaps(other.box) for other in page.texts[:number])
    read = words_of([[t for t in page.texts if is_running_text(t)] for page in composition.pages])
    flows = not any(t.text.startswith("Lịch") and t.weight == "bold" for t in composition.pages[0].texts)
    assert read == [*(text.heading.split() if flows else []), *body.split()]
    if body == BODY * 20:
        assert len(composition.pages) > 1


def ink(surface: pygame.Surface, ground: tuple[int, int, int]) -> np.ndarray:
    different = pygame.surfarray.array3d(surface).swapaxes(0, 1) != np.array(ground, dtype=np.uint8)
    return np.asarray(different.any(axis=2))


@pytest.mark.parametrize("weight", ["regular", "bold"])
@pytest.mark.parametrize("size", [12, 23, 40, 57, 112])
@pytest.mark.parametrize("letters", ["ẾỄỘẴỮỞ ỆẪ gựặỵ", STACKED])
def test_stacked_diacritics_are_not_clipped_by_their_line(
    fonts: Fonts, weight: Weight, size: int, letters: str
) -> None:
    face = fonts.for_text(letters).at(weight, size)
    free = pygame.font.Font(CANDIDATES[0][weight == "bold"], size).render(letters, True, WHITE, BLACK)
    line = pygame.Surface((free.get_width(), face.line_height))
    face.draw(letters, WHITE, line, Box(0, 0, *line.get_size()))
    drawn, all_ink = (pygame.surfarray.array2d(s.convert(32)) & 0xFF for s in (line, free))
    assert drawn.sum() == pytest.approx(all_ink.sum(), rel=0.01), "all of the ink is on the line"
    assert np.ptp(np.flatnonzero((drawn > 64).any(axis=0))) == np.ptp(
        np.flatnonzero((all_ink > 64).any(axis=0))
    )
    assert np.ptp(np.flatnonzero((drawn > 64).any(axis=1))) == np.ptp(
        np.flatnonzero((all_ink > 64).any(axis=1))
    )


def test_painted_text_stays_inside_the_box_of_its_line(bench: Bench, fonts: Fonts) -> None:
    size = (900, 500)
    composition = compose_text(Bulletin("b"), TextPart(STACKED, f"{STACKED} {BODY}"), size, style(fonts))
    surface = pygame.Surface(size).convert(bench.surface)
    ground = THEMES["dark"].surface
    for page in composition.pages:
        for _ in paint(page, surface, fonts, THEMES["dark"].ground):
            pass
        left = ink(surface, ground)
        for op in page.ops:
            if isinstance(op, Text) or (isinstance(op, Fill) and op.box.width < size[0] // 2):
                left[op.box.y : op.box.bottom, op.box.x : op.box.right] = False
        inner = left[20:-20, 20:-20]
        assert not inner.any(), "ink outside the lines"


def test_a_still_board_is_painted_once_and_asks_for_nothing_more(bench: Bench) -> None:
    bench.show(zone(notice("a", body=BODY)))
    painted = len(bench.presented)
    assert not (bench.pixels() == (255, 0, 255)).all(axis=2).any(), "all of the screen is painted"
    assert bench.view.next_at >= bench.now + 59, "nothing but the report of what was shown"
    bench.pass_time(59)
    assert len(bench.presented) == painted
    assert bench.showings()[-1].showing == ("a",)


def test_bulletins_take_turns_by_weight_and_duration(bench: Bench) -> None:
    bench.show(zone(notice("a", duration_s=10, weight=2), notice("b", duration_s=5)))
    bench.pass_time(59.5)
    assert [one.showing[0] for one in bench.showings()] == ["a", "b", "a", "b", "a"], "a b a, a b a"
    bench.pass_time(1)
    sums = {one.bulletin: (one.count, one.seconds) for one in bench.shown()}
    assert sums["a"] == (5, pytest.approx(50, abs=0.1))
    assert sums["b"][1] == pytest.approx(10, abs=0.1)


def test_a_long_text_pages_by_itself(bench: Bench) -> None:
    bench.show(zone(notice("long", "Dài", BODY * 12, duration_s=20)))
    seen = {bench.pixels().tobytes()}
    for _ in range(50):
        bench.pass_time(5)
        seen.add(bench.pixels().tobytes())
    assert len(seen) > 2
    assert {one.showing for one in bench.showings()} == {("long",)}, "it is one bulletin all the time"


def test_the_ticker_moves_and_touches_only_its_strip(bench: Bench) -> None:
    bench.show(
        zone(notice("t", "Đường dây nóng", "112 · 113 · 114"), at=TICKER, kind="ticker"),
        zone(notice("a"), at=(0, 0, 16, 8)),
    )
    bench.pass_time(3)
    before, since = bench.pixels().copy(), len(bench.presented)
    bench.pass_time(1)
    after = bench.pixels()
    changed = np.flatnonzero((before != after).any(axis=(1, 2)))
    assert changed.size
    boxes = [box for dirty in bench.presented[since:] for box in dirty]
    assert len(boxes) in range(58, 63), "sixty frames a second"
    assert {box.height for box in boxes} == {boxes[0].height}
    assert boxes[0].y <= changed[0] and changed[-1] < boxes[0].bottom
    assert boxes[0].y >= SIZE[1] * 8 // 9


def test_the_ticker_moves_by_the_same_step_in_every_frame(bench: Bench) -> None:
    bench.show(zone(notice("t", "Đường dây nóng", BODY), at=TICKER, kind="ticker"))
    bench.pass_time(6)
    band = bench.presented[-1][0]
    middle = Box(band.x + 100, band.y, band.width - 200, band.height)
    steps = set()
    for _ in range(30):
        before = bench.pixels(middle).copy()
        bench.pass_time(1 / 60)
        after = bench.pixels(middle)
        steps |= {s for s in range(1, 12) if (before[:, s:] == after[:, :-s]).all()}
    assert len(steps) == 1


def test_frames_in_which_only_tickers_move_are_those_of_whole_steps(bench: Bench) -> None:
    zones = (
        zone(notice("t", "Đường dây nóng", BODY), at=TICKER, kind="ticker"),
        zone(notice("a", duration_s=5), notice("b", duration_s=5), at=(0, 0, 16, 8)),
    )
    pictures = []
    for quick in (False, True):
        bench.show(zone(at=(0, 0, 1, 1), kind="clock"))  # so that both begin anew
        bench.show(*zones)
        bench.pass_time(1)
        since = bench.now
        turn_at = bench.view.alone_until
        assert turn_at - since == pytest.approx(4, abs=0.1), "the turn of `b`"
        for _ in range(180):
            bench.now = bench.view.tickers_at
            if quick:
                dirty, due = bench.view.run_tickers(bench.now, bench.wall)
                assert due == bench.view.tickers_at > bench.now
                assert [bench.view.moving[0].contains(box) for box in dirty] == [True]
            else:
                bench.step()
        assert since + 2.9 < bench.now < turn_at
        pictures.append(bench.pixels().copy())
    assert (pictures[0] == pictures[1]).all()
    assert bench.view.late_frames == 0


def test_no_frame_is_only_a_tickers_while_words_are_shown_or_it_is_covered(bench: Bench) -> None:
    bench.show(zone(notice("t", "Đường dây nóng", BODY), at=TICKER, kind="ticker"))
    bench.pass_time(1)
    assert bench.view.alone_until > bench.now
    bench.view.set_caption(Caption("Bà con chú ý", Seconds(2.0)), bench.now)
    assert bench.view.alone_until == NOW
    bench.pass_time(4)
    assert bench.view.alone_until > bench.now
    bench.view.rest(bench.now, bench.wall, resting=True)
    assert bench.view.alone_until == NOW


def test_a_ticker_of_twenty_thousand_letters_needs_no_giant_surface(bench: Bench) -> None:
    bench.show(zone(notice("t", "x", BODY * 70), notice("u", "không" * 200), at=TICKER, kind="ticker"))
    bench.pass_time(2)
    area = bench.view._areas[0]
    tape = area._tape  # type: ignore[union-attr]
    pieces = tape._pieces
    assert max(piece.width for piece in pieces) < 1_200
    assert tape.surface.get_width() < 3 * SIZE[0] + 1_200
    text = "".join(piece.text for piece in pieces if piece.bulletin == 0)
    assert text == f"x: {(BODY * 70).strip()} "


def test_the_clock_turns_with_the_minute_and_only_then(bench: Bench) -> None:
    bench.show(zone(at=(13, 8, 3, 1), kind="clock"))
    before, painted = bench.pixels().copy(), len(bench.presented)
    assert bench.view.next_at - bench.now == pytest.approx(50, abs=0.1), "05:30:10 becomes 05:31 in 50 s"
    bench.pass_time(49)
    assert len(bench.presented) == painted
    bench.pass_time(2)
    assert len(bench.presented) == painted + 1
    assert (bench.pixels() != before).any()


def test_a_large_clock_shows_seconds(bench: Bench) -> None:
    bench.show(zone(at=(0, 0, 8, 4), kind="clock"))
    painted = len(bench.presented)
    bench.pass_time(10.5)
    assert len(bench.presented) - painted in {10, 11}


def test_a_clock_that_does_not_know_the_time_does_not_show_one(bench: Bench) -> None:
    bench.show(zone(at=(13, 8, 3, 1), kind="clock"), clock_known=False)
    before = bench.pixels().copy()
    bench.pass_time(180)
    assert (bench.pixels() == before).all()
    bench.show(zone(at=(13, 8, 3, 1), kind="clock"))
    assert (bench.pixels() != before).any()


def test_an_unchanged_bulletin_stays_when_a_new_board_comes(bench: Bench) -> None:
    bench.show(zone(notice("a", duration_s=10), notice("b")))
    bench.pass_time(4)
    painted = len(bench.presented)
    bench.show(zone(notice("a", duration_s=10), notice("c")))
    assert len(bench.presented) == painted
    bench.pass_time(5.5)
    assert bench.showings()[-1].showing == ("a",)
    bench.pass_time(1)
    assert bench.showings()[-1].showing == ("c",)


def test_a_bulletin_that_is_withdrawn_goes_at_once(bench: Bench) -> None:
    bench.show(zone(notice("a", body=BODY)))
    bench.show(zone())
    assert bench.showings()[-1].showing == ()
    assert (bench.pixels() == THEMES["dark"].ground).all()


def test_a_bulletin_without_content_that_is_known_takes_no_turn_and_is_reported_once(bench: Bench) -> None:
    bench.show(zone(notice("a", duration_s=5), Bulletin("film"), notice("b", duration_s=5)))
    bench.pass_time(40)
    assert bench.failures() == [("film", "it has no content that this version knows")]
    assert {one.showing for one in bench.showings()} == {("a",), ("b",)}


def test_a_bulletin_that_cannot_be_drawn_costs_itself_only(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = pygame.font.Font.size

    class Broken(RuntimeError):
        pass

    def size(self: object, text: str) -> tuple[int, int]:
        if "nổ" in text:
            raise Broken("boom")
        return render(self, text)  # type: ignore[arg-type]

    from agent.screen import fonts as module

    real_width = module.Face.width
    monkeypatch.setattr(
        module.Face,
        "width",
        lambda self, text: size(self._font, text)[0] if "nổ" in text else real_width(self, text),
    )
    bench.show(zone(notice("bad", "nổ"), notice("good", duration_s=5)))
    bench.pass_time(30)
    assert bench.failures() == [("bad", "Broken: boom")]
    assert bench.showings()[-1].showing == ("good",)


def test_the_colour_of_its_class_marks_a_bulletin(bench: Bench) -> None:
    for class_ in ("routine", "priority", "emergency"):
        bench.show(zone(notice(f"b-{class_}", body=BODY, class_=class_)))
        bench.pass_time(0.5)  # it has slid in
        colour = np.array(THEMES["dark"].accents[class_], dtype=np.uint8)  # type: ignore[index]
        assert (bench.pixels() == colour).all(axis=2).sum() > 1_000


def test_the_light_theme_is_light(bench: Bench) -> None:
    bench.show(zone(notice("a", body=BODY)), theme="light")
    assert bench.pixels().mean() > 180


def test_a_zone_over_another_is_left_out_and_reported(bench: Bench) -> None:
    bench.show(zone(notice("a"), id="one"), zone(notice("b"), id="two"))
    assert bench.failures() == [(None, "zone 'two' overlaps zone 'one' and is left out")]
    assert bench.showings()[-1].showing == ("a",)


def test_without_any_font_the_board_is_still_set_and_says_what_is_wrong(
    screen: pygame.Surface, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.ttf"
    damaged.write_bytes(b"not a font")
    fonts = Fonts([(damaged, damaged), (tmp_path / "none.ttf", tmp_path / "none.ttf")])
    assert fonts.fault is not None and "fonts-noto-core" in fonts.fault
    assert fonts.bold(30).width("Thong bao") > 50


@pytest.mark.parametrize("kind", ["bulletins", "ticker", "clock"])
@pytest.mark.parametrize("cells", [(1, 1), (1, 9), (16, 1), (2, 1), (1, 2)])
def test_a_zone_of_any_shape_paints_nothing_outside_itself(
    bench: Bench, kind: str, cells: tuple[int, int]
) -> None:
    for columns, rows in ((16, 9), (64, 64), (64, 9), (16, 64)):
        shape = (min(cells[0], columns), min(cells[1], rows))
        board = Board("tiny", (columns, rows), (zone(notice("a", body=BODY), at=(3, 0, *shape), kind=kind),))
        bench.view.set_board(board, bench.now)
        bench.pass_time(2)
        [(_, box)] = place(board.zones, board.grid, SIZE, sizes_for(*SIZE).gap)[0]
        outside = (bench.pixels() != np.array(THEMES["dark"].ground, dtype=np.uint8)).any(axis=2)
        outside[box.y : box.bottom, box.x : box.right] = False
        assert not outside.any()
