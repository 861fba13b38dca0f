"""Every kind of bulletin in boxes of every shape: inside its zone, nothing on anything, nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pygame
import pytest

from agent.screen.card import Composition, Moment, Style
from agent.screen.compose import pages
from agent.screen.content import (
    Bulletin,
    CountdownPart,
    DocumentPart,
    ImagePart,
    ReadingsPart,
    Sheet,
    TablePart,
    TextPart,
    ThemeName,
    Value,
)
from agent.screen.errors import Quarantine
from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.paint import Fill, Stamp, Text, paint
from agent.screen.photo import parts_of
from agent.screen.theme import THEMES, contrast, sizes_for
from playlists.markup import plain

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 28, 6, 40, tzinfo=UTC)
MOMENT = Moment(NOW, VIETNAM)
SCREENS = {"landscape": (1920, 1080), "720p": (1280, 720), "portrait": (1080, 1920)}
BOXES = [
    ("landscape", (1892, 931)),
    ("720p", (1260, 620)),
    ("720p", (460, 600)),
    ("portrait", (1052, 1500)),
    ("landscape", (620, 420)),
]
MARKDOWN = """Trạm y tế xã tổ chức **buổi tiêm chủng** tháng 12 cho trẻ từ *2 đến 24 tháng tuổi*.

## Mang theo

- Sổ tiêm chủng của trẻ
- Căn cước của cha hoặc mẹ
  - hoặc giấy khai sinh
- Trẻ đang sốt trên 37,5 °C thì **hoãn tiêm**

## Thứ tự

1. Đăng ký tại bàn số 1
2. Khám sàng lọc, tiêm, theo dõi 30 phút
"""
TABLE = TablePart(
    rows=tuple(
        (f"Thôn {n}", f"{n}/12/2026", "7 giờ 30 – 11 giờ", "Sởi – Rubella", "Nhà văn hóa thôn, gần chợ cũ")
        for n in range(1, 25)
    ),
    head=("Thôn", "Ngày", "Giờ", "Vắc xin", "Địa điểm"),
    heading="Lịch tiêm chủng tháng 12",
    note="Trẻ đang sốt hoãn tiêm.",
)
READINGS = ReadingsPart(
    (
        Value("Nhiệt độ", "17,5", "°C", NOW - timedelta(minutes=12)),
        Value("Độ ẩm", "82", "%", NOW - timedelta(seconds=20)),
        Value("Mực nước sông Lô", "3,42", "m", NOW - timedelta(hours=5), "Báo động 1"),
        Value("Chất lượng không khí", None, "", NOW - timedelta(hours=30)),
    ),
    "Thời tiết và mực nước",
    "Trạm khí tượng Mẫu Sơn",
)
TET = datetime(2027, 2, 6, tzinfo=VIETNAM)
KINDS = {
    "markdown": Bulletin("b", text=TextPart("Tiêm chủng tháng 12", MARKDOWN, None, "markdown")),
    "long markdown": Bulletin("b", text=TextPart("Tiêm chủng", MARKDOWN * 9, None, "markdown")),
    "markdown with code": Bulletin(
        "b", "priority", text=TextPart("Tiêm chủng", MARKDOWN, "https://xa.example", "markdown")
    ),
    "table": Bulletin("b", table=TABLE),
    "readings": Bulletin("b", readings=READINGS),
    "countdown": Bulletin("b", countdown=CountdownPart(TET, "Còn bao lâu đến Tết Đinh Mùi")),
    "notice": Bulletin("b", text=TextPart("Lịch cắt điện", "Từ 8 giờ đến 16 giờ, thứ Bảy. " * 30)),
}


def composed(fonts: Fonts, bulletin: Bulletin, size: tuple[int, int], hangs: str, **more: str) -> Composition:
    sizes = sizes_for(*SCREENS[hangs]).within(size, SCREENS[hangs])
    theme: ThemeName = more.pop("theme", "dark")  # type: ignore[assignment]
    return pages(bulletin, size, Style(fonts, THEMES[theme], sizes), MOMENT, **more)


def words_of(composition: Composition) -> list[str]:
    return [word for page in composition.pages for text in page.texts for word in text.text.split()]


@pytest.mark.parametrize(("hangs", "size"), BOXES)
@pytest.mark.parametrize("kind", KINDS)
def test_text_lies_inside_its_zone_and_no_line_on_another(
    fonts: Fonts, kind: str, hangs: str, size: tuple[int, int]
) -> None:
    inside = Box(0, 0, *size)
    for page in composed(fonts, KINDS[kind], size, hangs).pages:
        solid = [op for op in page.ops if isinstance(op, Text | Stamp)]
        for number, op in enumerate(solid):
            assert inside.contains(op.box), op
            assert not any(op.box.overlaps(other.box) for other in solid[:number]), op
            if isinstance(op, Text):
                assert fonts.at(op.weight, op.size).width(op.text) <= op.box.width
                assert op.size >= 12


@pytest.mark.parametrize(("hangs", "size"), BOXES)
@pytest.mark.parametrize("body", ["# Mục\n\nMột", "## Thời gian\n\nSáng thứ Ba, từ 7 giờ đến 11 giờ.\n" * 3])
def test_a_heading_inside_a_text_is_smaller_than_its_title(
    fonts: Fonts, body: str, hangs: str, size: tuple[int, int]
) -> None:
    bulletin = Bulletin("b", text=TextPart("Lịch", body, None, "markdown"))
    _kicker, title, *inside = composed(fonts, bulletin, size, hangs).pages[0].texts
    assert title.text == "Lịch"
    assert all(one.size < title.size for one in inside)


@pytest.mark.parametrize(("hangs", "size"), BOXES)
@pytest.mark.parametrize("kind", ["markdown", "long markdown"])
def test_no_letter_of_a_text_is_lost_and_their_order_stays(
    fonts: Fonts, kind: str, hangs: str, size: tuple[int, int]
) -> None:
    text = KINDS[kind].text
    assert text is not None
    left = iter("".join(words_of(composed(fonts, KINDS[kind], size, hangs))))
    written = "".join(plain(text.body).split())
    assert [letter for letter in written if letter not in left] == []


@pytest.mark.parametrize(("hangs", "size"), BOXES)
def test_a_table_keeps_every_cell_and_says_its_head_on_every_page(
    fonts: Fonts, hangs: str, size: tuple[int, int]
) -> None:
    composition = composed(fonts, KINDS["table"], size, hangs)
    assert len(composition.pages) > 1
    days = []
    for page in composition.pages:
        bold = " ".join(text.text for text in page.texts if text.weight == "bold")
        rows = [text for text in page.texts if text.text.endswith("/12/2026")]
        if rows:
            assert all(title in bold for title in ("Thôn", "Ngày", "Giờ")), "the head is there"
            head = next(text for text in page.texts if text.text == "Ngày")
            assert {text.box.x for text in rows} == {head.box.x}, "columns stay"
            assert head.box.bottom <= min(text.box.y for text in rows)
        days += [text.text for text in rows]
    assert days == [row[1] for row in TABLE.rows]
    assert "hoãn" in words_of(composition)


def test_short_cells_are_not_broken_for_long_ones(fonts: Fonts) -> None:
    lines = [t.text for p in composed(fonts, KINDS["table"], (1892, 931), "landscape").pages for t in p.texts]
    assert "Thôn 24" in lines
    assert "24/12/2026" in lines


def test_a_heading_does_not_stand_last_on_a_page(fonts: Fonts) -> None:
    for page in composed(fonts, KINDS["long markdown"], (1260, 620), "720p").pages:
        lowest = max(page.texts, key=lambda text: text.box.bottom)
        assert not (lowest.weight == "bold" and lowest.text in {"Mang theo", "Thứ tự"})


def test_pages_are_filled_evenly(fonts: Fonts) -> None:
    composition = composed(fonts, KINDS["long markdown"], (1892, 931), "landscape")
    words = [page.words for page in composition.pages]
    assert len(words) > 2
    assert min(words) > max(words) / 4, "no page with a lonely line"


def test_what_is_said_of_readings_is_honest(fonts: Fonts) -> None:
    composition = composed(fonts, KINDS["readings"], (1892, 931), "landscape")
    lines = [text.text for text in composition.pages[0].texts]
    said = " ".join(lines)
    assert "đo 12 phút trước" in said
    assert "vừa đo" in said
    assert "Số liệu cũ, đo 5 giờ trước" in said
    assert "Không có số liệu từ 1 ngày trước" in said
    assert "—" in lines
    by_text = {text.text: text for text in composition.pages[0].texts}
    assert by_text["3,42"].colour == THEMES["dark"].muted, "an old value is not as bright as a new one"
    assert by_text["17,5"].colour == THEMES["dark"].text
    assert composition.fresh_until == NOW + timedelta(seconds=40), "then the first age changes"


def test_without_a_clock_no_age_is_told_and_nothing_is_counted_down(fonts: Fonts) -> None:
    style = Style(fonts, THEMES["dark"], sizes_for(1920, 1080))
    unknown = Moment(NOW, VIETNAM, known=False)
    composition = pages(KINDS["readings"], (1892, 931), style, unknown)
    said = " ".join(text.text for text in composition.pages[0].texts)
    assert "trước" not in said
    assert "đo lúc 08:40 28/11/2026" in said
    assert "Không có số liệu từ 07:40 27/11/2026" in said
    assert composition.fresh_until is None
    with pytest.raises(Quarantine, match="right time"):
        pages(KINDS["countdown"], (1892, 931), style, unknown)


@pytest.mark.parametrize(
    ("left", "said", "next_s"),
    [
        (timedelta(days=69, hours=10, minutes=20), "69 ngày", 60),
        (timedelta(hours=5, minutes=1), "5 giờ 1 phút", 60),
        (timedelta(hours=5, minutes=0, seconds=30), "5 giờ 1 phút", 30),
        (timedelta(minutes=59, seconds=3), "59:03", 1),
        (timedelta(seconds=1), "00:01", 1),
        (timedelta(seconds=0), "Chúc mừng năm mới", None),
        (-timedelta(days=3), "Chúc mừng năm mới", None),
    ],
)
def test_a_countdown_says_what_is_left_until_it_is_over(
    fonts: Fonts, left: timedelta, said: str, next_s: float | None
) -> None:
    style = Style(fonts, THEMES["light"], sizes_for(1280, 720))
    part = CountdownPart(TET, "Đến Tết", "Chúc mừng năm mới")
    composition = pages(Bulletin("b", countdown=part), (1260, 620), style, Moment(TET - left, VIETNAM))
    assert said in [text.text for text in composition.pages[0].texts]
    expected = None if next_s is None else TET - left + timedelta(seconds=next_s)
    assert composition.fresh_until == expected


@pytest.mark.parametrize("theme", ["dark", "light", "contrast"])
@pytest.mark.parametrize("kind", ["table", "readings", "countdown", "markdown with code"])
def test_text_can_be_read_on_what_is_painted_under_it(fonts: Fonts, theme: ThemeName, kind: str) -> None:
    size = (1260, 620)
    for page in composed(fonts, KINDS[kind], size, "720p", theme=theme).pages:
        for number, op in enumerate(page.ops):
            if isinstance(op, Text):
                grounds = [f for f in page.ops[:number] if isinstance(f, Fill) and f.box.contains(op.box)]
                assert contrast(op.colour, grounds[-1].colour) >= 4.5, op


@pytest.mark.parametrize("kind", ["table", "readings", "countdown", "markdown with code"])
def test_ink_is_only_where_lines_and_fields_are(fonts: Fonts, kind: str) -> None:
    size = (1260, 620)
    surface = pygame.Surface(size)
    for page in composed(fonts, KINDS[kind], size, "720p").pages:
        for _ in paint(page, surface, fonts, THEMES["dark"].ground):
            pass
        pixels = pygame.surfarray.array3d(surface).swapaxes(0, 1)
        left = (pixels != np.array(THEMES["dark"].surface)).any(axis=2)
        for op in page.ops:
            if isinstance(op, Text | Stamp) or (isinstance(op, Fill) and op.box.height < size[1]):
                left[op.box.y : op.box.bottom, op.box.x : op.box.right] = False
        assert not left[24:-24, 24:-24].any(), "ink outside"


@pytest.mark.parametrize("size", [(1892, 200), (1892, 90), (600, 300), (300, 60)])
@pytest.mark.parametrize("body", ["", "Nhà văn hóa xã, 19 giờ, thứ Bảy ngày 5 tháng 12. " * 4])
def test_a_banner_is_one_field_in_the_colour_of_its_class(
    fonts: Fonts, size: tuple[int, int], body: str
) -> None:
    bulletin = Bulletin("b", "priority", text=TextPart("Xã Mẫu Sơn chào mừng", body))
    composition = composed(fonts, bulletin, size, "landscape", kind="banner")
    for page in composition.pages:
        field = page.ops[0]
        assert isinstance(field, Fill)
        assert (field.box, field.colour) == (Box(0, 0, *size), THEMES["dark"].accents["priority"])
        assert all(field.box.contains(text.box) for text in page.texts)
    read = " ".join(words_of(composition)).replace(":", "")
    assert (
        read.split()[: len(f"Xã Mẫu Sơn chào mừng {body}".split())] == f"Xã Mẫu Sơn chào mừng {body}".split()
    )


def test_a_picture_is_named_and_not_opened(fonts: Fonts, tmp_path: Path) -> None:
    bulletin = Bulletin("b", image=ImagePart(str(tmp_path / "none.jpg"), "cover", "Chợ xã"))
    (page,) = composed(fonts, bulletin, (1260, 620), "720p").pages
    (wanted,) = page.photos
    assert wanted.path == tmp_path / "none.jpg"
    picture = pygame.Surface(wanted.size)
    stamps = [op for op in page.developed({wanted: picture}).ops if isinstance(op, Stamp)]
    assert [op.box for op in stamps] == [Box(0, 0, *wanted.size)]


A4 = (1240, 1754)


def test_a_printed_page_is_cut_where_nothing_is_printed() -> None:
    gaps = tuple(n / 40 for n in range(1, 40))
    parts = parts_of(Sheet("p", A4, gaps), (1800, 850))
    assert parts[0][0] == 0.0
    assert parts[-1][1] == 1.0
    assert all(first[1] == second[0] for first, second in pairwise(parts))
    assert all(part[0] in gaps for part in parts[1:])
    highest = 850 / (1800 * A4[1] / A4[0])
    assert all(part[1] - part[0] <= highest + 1e-9 for part in parts)


def test_a_page_that_is_printed_all_over_is_cut_with_an_overlap() -> None:
    parts = parts_of(Sheet("p", A4), (1800, 850))
    assert (parts[0][0], parts[-1][1]) == (0.0, pytest.approx(1.0))
    assert all(first[1] > second[0] + 0.01 for first, second in pairwise(parts))


@pytest.mark.parametrize("room", [(1040, 1480), (300, 1480)])
def test_a_page_that_fits_is_shown_whole(room: tuple[int, int]) -> None:
    assert parts_of(Sheet("p", A4, (0.5,)), room) == [(0.0, 1.0)]
    assert parts_of(Sheet("p"), room) == [(0.0, 1.0)]


def test_a_document_has_its_number_on_every_page(fonts: Fonts) -> None:
    sheets = (Sheet("1.png", A4), Sheet("2.png", A4))
    bulletin = Bulletin("b", document=DocumentPart(sheets, "Quyết định số 12"))
    composition = composed(fonts, bulletin, (1052, 1500), "portrait")
    assert [[t.text for t in page.texts] for page in composition.pages] == [
        ["1 / 2", "Quyết định số 12"],
        ["2 / 2", "Quyết định số 12"],
    ]
    landscape = composed(fonts, bulletin, (1892, 931), "landscape")
    assert len(landscape.pages) >= 6
    for page in landscape.pages:
        (photo,) = page.photos
        assert photo.size[0] > 1892 * 0.8, "as wide as the zone, so that it can be read"


def test_a_table_of_giant_words_is_still_set(fonts: Fonts) -> None:
    rows = tuple(("Llanfairpwllgwyngyll" * 6, "x" * 300, "ấ" * 80) for _ in range(3))
    composition = composed(fonts, Bulletin("b", table=TablePart(rows)), (620, 420), "720p")
    read = "".join(word for word in words_of(composition) if word not in {"/"})
    assert read.count("ấ") == 240
    assert read.count("x") == 900


def test_an_empty_table_is_no_error(fonts: Fonts) -> None:
    composition = composed(fonts, Bulletin("b", table=TablePart((), heading="Trống")), (620, 420), "720p")
    assert "Trống" in words_of(composition)


def test_a_zone_too_small_for_a_reading_costs_the_bulletin(fonts: Fonts) -> None:
    with pytest.raises(Quarantine, match="does not hold"):
        composed(fonts, KINDS["readings"], (60, 30), "720p")
