"""Tables: every word whole, width where the words are, few rows together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.screen.card import Composition, Style
from agent.screen.compose import pages
from agent.screen.content import Bulletin, TablePart, TextPart
from agent.screen.fonts import Fonts
from agent.screen.paint import Fill, Text
from agent.screen.theme import THEMES, sizes_for

ZONE = (1892, 931)
NARROW = (560, 1400)
WIDE = TablePart(
    head=("Thôn", "Ngày", "Giờ", "Vắc xin", "Địa điểm", "Người phụ trách", "Điện thoại", "Ghi chú"),
    rows=tuple(
        (
            f"Thôn Pác Luống {n}",
            f"{n}/12/2026",
            "7:30–11:30",
            "Sởi–Rubella, DPT-VGB-Hib",
            "Nhà văn hóa thôn",
            "Nguyễn Thị Phương",
            "0987.654.321",
            "Trẻ đang sốt hoãn tiêm",
        )
        for n in range(1, 7)
    ),
)


def composed(fonts: Fonts, bulletin: Bulletin, size: tuple[int, int] = ZONE) -> Composition:
    sizes = sizes_for(1920, 1080).within(size, (1920, 1080))
    return pages(bulletin, size, Style(fonts, THEMES["dark"], sizes))


def lines_of(composition: Composition) -> list[Text]:
    return [text for page in composition.pages for text in page.texts]


@pytest.mark.parametrize("size", [ZONE, NARROW, (420, 700)])
def test_no_word_of_a_wide_table_is_broken(fonts: Fonts, size: tuple[int, int]) -> None:
    lines = lines_of(composed(fonts, Bulletin("b", table=WIDE), size))
    assert not any(line.broken for line in lines)
    said = {word.strip(":") for line in lines for word in line.text.split()}
    written = {word for row in (WIDE.head, *WIDE.rows) for cell in row for word in cell.split()}
    assert written <= said


def test_where_words_do_not_go_beside_each_other_each_row_is_lines_with_labels(fonts: Fonts) -> None:
    composition = composed(fonts, Bulletin("b", table=WIDE), (420, 700))
    lines = [line.text for line in lines_of(composition)]
    assert lines.count("Điện thoại: ") == len(WIDE.rows)
    bold = {line.text for line in lines_of(composition) if line.weight == "bold"}
    assert "Ngày: " in bold and "0987.654.321" not in bold


@pytest.mark.parametrize("size", [(420, 700), (460, 900), (560, 1400), (1040, 760), (760, 460)])
def test_a_row_that_goes_on_a_page_is_on_one(fonts: Fonts, size: tuple[int, int]) -> None:
    note = "Trẻ đang sốt hoãn tiêm; mang theo sổ tiêm chủng và căn cước. " * (size[0] // 400) + "Hết."
    for rows in (6, 2):
        table = replace(WIDE, rows=tuple((*row[:-1], note) for row in WIDE.rows[:rows]))
        composition = composed(fonts, Bulletin("b", table=table), size)
        begun = [sum("/12/2026" in line.text for line in page.texts) for page in composition.pages]
        ended = [sum("Hết." in line.text for line in page.texts) for page in composition.pages]
        assert begun == ended and sum(begun) == rows and all(begun)


def test_cells_that_would_be_pillars_of_words_are_lines_with_labels(fonts: Fonts) -> None:
    note = "Trẻ đang sốt hoãn tiêm; mang theo sổ tiêm chủng và căn cước của cha mẹ. " * 2
    table = replace(WIDE, rows=tuple((*row[:-1], note) for row in WIDE.rows))
    composition = composed(fonts, Bulletin("b", table=table), (1040, 760))
    assert sum(line.text == "Ghi chú: " for line in lines_of(composition)) == len(WIDE.rows)


def test_a_row_longer_than_a_page_goes_over_several(fonts: Fonts) -> None:
    note = "Trẻ đang sốt hoãn tiêm; mang theo sổ tiêm chủng và căn cước của cha mẹ. " * 20
    table = TablePart((("Thôn Nà Hai", note), ("Thôn Nà Ba", "ngắn")), ("Thôn", "Ghi chú"))
    composition = composed(fonts, Bulletin("b", table=table), (420, 700))
    said = " ".join(line.text for line in lines_of(composition))
    assert said.count("căn") == 20 and "ngắn" in said
    assert len(composition.pages) > 2


def test_a_word_longer_than_the_page_is_broken_and_that_is_told(fonts: Fonts) -> None:
    table = TablePart((("x" * 300, "ngắn"),))
    lines = lines_of(composed(fonts, Bulletin("b", table=table), (620, 420)))
    assert any(line.broken for line in lines)
    assert "".join(line.text for line in lines).count("x") == 300


def test_long_texts_have_the_width_that_short_ones_do_not_need(fonts: Fonts) -> None:
    long = "Bà con mang theo sổ tiêm chủng, giấy khai sinh và giữ trẻ ấm trên đường đi. " * 3
    rows = tuple((f"{n}", long, "Nhà văn hóa thôn, gần chợ cũ, cạnh trạm y tế") for n in range(4))
    page = composed(fonts, Bulletin("b", table=TablePart(rows))).pages[0]
    left = {line.box.x: line.text for line in sorted(page.texts, key=lambda line: line.box.y, reverse=True)}
    one, two, three = sorted(x for x, text in left.items() if text.split()[0] in {"0", "Bà", "Nhà"})
    right = max(op.box.right for op in page.ops if isinstance(op, Fill) and op.box.width > ZONE[0] * 0.7)
    assert three - two > 1.8 * (right - three), "the longest text has the widest column"
    assert two - one < 200


def test_a_table_of_two_rows_is_not_parted(fonts: Fonts) -> None:
    body = "Trạm y tế xã tổ chức tiêm chủng cho trẻ dưới hai tuổi trong tháng mười hai. " * 22
    table = "\n\n| Thôn | Ngày |\n|---|---|\n| Nà Hai | 3/12/2026 |\n| Pác Luống | 4/12/2026 |\n"
    for words in range(40, len(body), 31):
        text = TextPart("Tiêm chủng", body[:words] + table, None, "markdown")
        where = [
            number
            for number, page in enumerate(composed(fonts, Bulletin("b", text=text), (900, 620)).pages)
            for line in page.texts
            if line.text in {"3/12/2026", "4/12/2026"}
        ]
        assert len(where) == 2 and where[0] == where[1], words
