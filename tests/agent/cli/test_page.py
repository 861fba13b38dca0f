"""Lines for a narrow terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.cli.page import clean, wrapped
from agent.words import width

WIDTHS = st.integers(min_value=20, max_value=100)
LETTERS = st.text(alphabet="ab ếễữ ộ\u0301\u0302 漢字 /:", max_size=300)


@given(LETTERS, WIDTHS)
def test_no_line_is_wider_than_the_terminal_and_no_letter_is_lost(text: str, columns: int) -> None:
    lines = wrapped(text, columns, "loa: ", "  ")
    assert max(map(width, lines)) <= columns
    assert "".join("".join(lines).split()) == "loa:" + "".join(clean(text).split())


def test_wide_letters_take_two_columns() -> None:
    assert wrapped("漢字漢字 漢字", 9) == ["漢字漢字", "漢字"]
    assert wrapped("漢字漢字漢字", 9, "", "  ") == ["漢字漢字", "  漢字"]


def test_columns_within_a_line_stay() -> None:
    assert wrapped("05:00:00  play    news", 60, "", " ") == ["05:00:00  play    news"]
    assert wrapped("", 60, "loa:  ") == ["loa:"]
