"""What officers write in Markdown, and what becomes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.markup import (
    Heading,
    Item,
    Paragraph,
    Span,
    Table,
    aloud,
    in_a_row,
    plain,
    read_markdown,
    words_of,
)

A13 = ", ".join("a" * 13)


def test_headings_paragraphs_and_emphasis() -> None:
    marked = read_markdown("# Tiêm chủng\nTrẻ **từ 2** đến *24 tháng*.\n\nMang sổ.")
    assert marked.blocks == (
        Heading(1, (Span("Tiêm chủng"),)),
        Paragraph(
            (
                Span("Trẻ "),
                Span("từ 2", strong=True),
                Span(" đến "),
                Span("24 tháng", emphasised=True),
                Span("."),
            )
        ),
        Paragraph((Span("Mang sổ."),)),
    )
    assert marked.lost == ()


def test_lists_keep_their_depth_and_their_numbers() -> None:
    blocks = read_markdown("- a\n- b\n  - c\n\n3. x\n4. y").blocks
    items = [(b.depth, b.mark, words_of(b.spans)) for b in blocks if isinstance(b, Item)]
    assert items == [(1, "•", "a"), (1, "•", "b"), (2, "•", "c"), (1, "3.", "x"), (1, "4.", "y")]


def test_a_line_break_stays_one() -> None:
    (block,) = read_markdown("Thôn 3\nThôn 4").blocks
    assert isinstance(block, Paragraph)
    assert words_of(block.spans) == "Thôn 3\nThôn 4"


def test_a_table_keeps_its_columns_and_how_they_are_aligned() -> None:
    (table,) = read_markdown("| Thôn | Giờ |\n|---|---:|\n| 1 | **7:30** |\n| 2 | |").blocks
    assert isinstance(table, Table)
    assert [words_of(cell) for cell in table.head] == ["Thôn", "Giờ"]
    assert table.align == ("left", "right")
    assert [[words_of(cell) for cell in row] for row in table.rows] == [["1", "7:30"], ["2", ""]]


def test_a_table_without_words_in_its_head_has_none() -> None:
    (table,) = read_markdown("| | |\n|---|---|\n| Thứ Hai | 7 giờ |").blocks
    assert isinstance(table, Table)
    assert table.head == ()


@pytest.mark.parametrize(
    ("text", "said", "lost"),
    [
        ("[Cổng dịch vụ](https://x.example)", "Cổng dịch vụ", "link"),
        ("![ảnh](a.png) chữ", "chữ", "picture"),
        ("> lời dẫn", "lời dẫn", "quotation"),
        ("a\n\n***\n\nb", "a\nb", "line across"),
        (
            "|" + "a|" * 13 + "\n|" + "-|" * 13 + "\n|" + "b|" * 13,
            f"{A13}\n{A13.replace('a', 'b')}",
            "columns",
        ),
        ("- 1\n  - 2\n    - 3\n      - 4", "1\n2\n3\n4", "deep"),
    ],
)
def test_what_a_board_cannot_show_is_named_and_its_words_stay(text: str, said: str, lost: str) -> None:
    marked = read_markdown(text)
    assert lost in " ".join(marked.lost)
    assert plain(text) == said


@pytest.mark.parametrize("text", ["<b>đậm</b>", "    thụt vào", "Giờ\n===", "[a]: b", "a | b", "#thẻ"])
def test_what_is_no_markup_here_is_shown_as_it_was_typed(text: str) -> None:
    assert plain(text) == text.strip()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Họp lúc ~~7 giờ~~ 8 giờ", "struck words (~~7 giờ~~)"),
        ("- [ ] sổ tiêm\n- thẻ", "a box to tick ([ ])"),
        ("Lệ phí[^1]", "a footnote ([^1])"),
        ("Hộ nghèo\n: theo chuẩn", "a definition (: theo chuẩn)"),
        ("==quan trọng==", "marked words (==quan trọng==)"),
        ("[cổng]: https://x.example", "the address of a link ([cổng]: https://x.examp…)"),
        ("Giờ\n===", "an underlined heading (write # before it) (===)"),
        ("<b>đậm</b>", "HTML (<b>)"),
        ("| a |\n|---|\n| ~~b~~ |", "struck words (~~b~~)"),
    ],
)
def test_what_is_markup_elsewhere_is_named(text: str, said: str) -> None:
    assert read_markdown(text).as_typed == (said,)


@pytest.mark.parametrize(
    "text",
    ["`~~a~~`", "a ~ b ~~ c", "giá: 5 = 5", "từ [1] đến [x]", "Gồm:\n- a: b", "2 < 3 > 1", "x == y == z"],
)
def test_what_only_looks_like_markup_is_not_named(text: str) -> None:
    assert read_markdown(text).as_typed == ()


def test_what_is_read_aloud_has_no_marks() -> None:
    assert plain("# A\n\n- **b**\n\n| c | d |\n|---|---|\n| e | f |") == "A\nb\nc, d\ne, f"


@given(st.text(max_size=300))
def test_anything_at_all_is_a_text(text: str) -> None:
    for block in read_markdown(text).blocks:
        if isinstance(block, Table):
            assert all(len(row) == len(block.align) for row in block.rows)


@given(st.lists(st.text(alphabet="aăâđêôơưắệ ", min_size=1, max_size=20), max_size=6))
def test_no_plain_word_is_lost(lines: list[str]) -> None:
    text = "\n\n".join(lines)
    assert plain(text).split() == text.split()


def test_paragraphs_and_lists_become_one_text_for_a_voice_and_one_line_for_a_strip() -> None:
    text = "Mời họp.\n\nMang theo:\n• sổ\n• thẻ"
    assert aloud(text) == "Mời họp. Mang theo: sổ. thẻ"
    assert in_a_row(text) == "Mời họp. · Mang theo: · sổ · thẻ"
    assert aloud("") == in_a_row("\n") == ""
