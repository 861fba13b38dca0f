"""What is really painted, read back from the pixels."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pygame
import pytest
from PIL import Image

from agent.screen.card import Style
from agent.screen.content import Board, Bulletin, ImagePart, TextPart
from agent.screen.fonts import CANDIDATES, Fonts, Weight
from agent.screen.grid import Box, place
from agent.screen.notice import compose_text
from agent.screen.paint import Fill, Text, paint
from agent.screen.protocol import Takeover
from agent.screen.takeover import compose_takeover
from agent.screen.theme import ALARMS, DRILL, THEMES, WHITE, sizes_for
from playlists.units import MonotonicS
from tests.agent.screen.conftest import SIZE, Bench, notice, zone
from tests.support.wait import wait_until

BODY = (
    "Trạm y tế xã thông báo: buổi tiêm chủng mở rộng tháng 12 được tổ chức từ 7 giờ 30 đến 11 giờ, "
    "sáng thứ Năm, ngày 3 tháng 12, tại trạm y tế xã. Đề nghị các gia đình có trẻ từ 2 đến 24 tháng tuổi "
    "đưa trẻ đến tiêm đúng giờ, mang theo sổ tiêm chủng và căn cước của cha hoặc mẹ."
)
STACKED = "ẾỄỘẴỮỞ ỆẪ gựặỵ Ơ̆ Č̆ ê̆"
STORM = Takeover(
    "storm",
    "emergency",
    "Bão số 9",
    "Bão số 9 đổ bộ trong 6 giờ tới",
    "Người dân vùng ven sông, ven biển rời khỏi nhà ngay, đến điểm sơ tán tại trường tiểu học xã. " * 8,
)
TICKER = (0, 8, 13, 1)
BLACK = (0, 0, 0)


def style(fonts: Fonts, size: tuple[int, int] = SIZE) -> Style:
    return Style(fonts, THEMES["dark"], sizes_for(*size))


def is_running_text(text: Text) -> bool:
    mark = text.text == "Quét mã QR" or re.fullmatch(r"\d+ / \d+", text.text)
    return text.weight == "regular" and not mark


def words_of(pages: list[list[Text]]) -> list[str]:
    return [word for page in pages for text in page for word in text.text.split()]


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


def test_a_ticker_of_twenty_thousand_letters_needs_no_giant_surface(bench: Bench) -> None:
    bench.show(zone(notice("t", "x", BODY * 70), notice("u", "không" * 200), at=TICKER, kind="ticker"))
    bench.pass_time(2)
    area = bench.view._areas[0]
    pieces = area._pieces  # type: ignore[union-attr]
    assert max(piece.width for piece in pieces) < 1_200
    assert len(area._cache) < 12  # type: ignore[union-attr]
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


def wait_for(bench: Bench, showing: tuple[str, ...]) -> None:
    def shows() -> bool:
        bench.view.picture_ready(bench.now)
        bench.now = MonotonicS(bench.now + 0.01)
        bench.step()
        return bool(bench.showings()) and bench.showings()[-1].showing == showing

    wait_until(shows, 10, f"{showing} is shown")


@pytest.mark.parametrize("fit", ["contain", "cover"])
def test_a_picture_is_shown_whole_or_filling_its_zone(bench: Bench, tmp_path: Path, fit: str) -> None:
    path = tmp_path / "p.png"
    Image.new("RGB", (200, 200), (200, 40, 160)).save(path)
    bench.show(zone(Bulletin("p", image=ImagePart(str(path), fit))))  # type: ignore[arg-type]
    wait_for(bench, ("p",))
    share = (bench.pixels() == (200, 40, 160)).all(axis=2).mean()
    assert share == pytest.approx(0.55 if fit == "contain" else 0.97, abs=0.03)


def test_the_caption_of_a_picture_lies_below_it(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.new("RGB", (1600, 900), (200, 40, 160)).save(path)
    bench.show(
        zone(Bulletin("p", image=ImagePart(str(path), "cover", "Đường trục thôn 5, tháng 11 năm 2026")))
    )
    wait_for(bench, ("p",))
    rows = (bench.pixels() == (200, 40, 160)).all(axis=2).mean(axis=1)
    assert rows[: SIZE[1] // 2].min() >= 0 and rows[50:500].min() > 0.9
    assert rows[-40:-20].max() == 0


def test_a_broken_or_giant_picture_costs_that_bulletin_only(bench: Bench, tmp_path: Path) -> None:
    broken, giant, good = tmp_path / "broken.png", tmp_path / "giant.bmp", tmp_path / "good.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    giant.write_bytes(
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 5_000, 4_000, 1, 24, 0, 0, 0, 0, 0, 0)
    )
    Image.new("RGB", (64, 36), (200, 40, 160)).save(good)
    bench.show(zone(*(Bulletin(p.stem, image=ImagePart(str(p))) for p in (broken, giant, good))))
    wait_for(bench, ("good",))
    reasons = dict(bench.failures())
    assert set(reasons) == {"broken", "giant"}
    assert "cannot be decoded" in reasons["broken"]
    assert "5000×4000 pixels" in reasons["giant"]


def test_a_qr_code_is_drawn_as_a_phone_reads_it(bench: Bench) -> None:
    import segno

    address = "https://xa.example/phan-anh"
    bench.show(zone(notice("a", body=BODY, qr=address)))
    card = (bench.pixels() == 255).all(axis=2)
    rows, columns = np.flatnonzero(card.sum(axis=1) > 120), np.flatnonzero(card.sum(axis=0) > 120)
    code = segno.make_qr(address, error="m")
    modules = code.symbol_size(border=4)[0]
    side = columns[-1] - columns[0] + 1
    module = side // modules
    assert module >= 3
    black = (bench.pixels()[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 0).all(axis=2)
    ys, xs = np.flatnonzero(black.any(axis=1)), np.flatnonzero(black.any(axis=0))
    inner = black[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
    expected = np.array([[bool(m) for m in row] for row in code.matrix])
    assert (inner == np.kron(expected, np.ones((module, module), dtype=bool))).all()


def test_a_qr_code_without_room_is_left_out_and_the_text_stays(bench: Bench) -> None:
    bench.show(zone(notice("a", "Chữ", qr="https://xa.example/" + "x" * 900), at=(0, 0, 4, 2)))
    assert bench.showings()[-1].showing == ("a",)
    [(name, reason)] = bench.failures()
    assert name == "a" and reason.startswith("QR code left out: it needs")


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
