"""Pages that end where something has been said."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from agent.screen.sentences import by_sentences
from agent.screen.typesetting import normalise, wrap


class Typewriter:
    """Every letter is a pixel wide."""

    line_height = 1

    def width(self, text: str) -> int:
        return len(text)


def dealt(text: str, width: int, room: int) -> list[str]:
    return [" ".join(lines) for lines in by_sentences(text, width, room, Typewriter())]


STORM = (
    "Bão số 9 cách bờ biển 60 ki lô mét, gió mạnh cấp 12, giật cấp 14. Dự kiến đổ bộ trong 6 giờ tới, kèm mưa rất "
    "to và nước dâng.\nNgười dân vùng ven sông, ven biển rời khỏi nhà ngay, đến điểm sơ tán tại trường tiểu học xã. "
    "Không ra khỏi nơi trú ẩn khi chưa có thông báo."
)


def test_a_page_ends_with_a_sentence_and_within_a_long_one_at_a_comma() -> None:
    assert dealt(STORM, 24, 3) == [
        "Bão số 9 cách bờ biển 60 ki lô mét, gió mạnh cấp 12, giật cấp 14.",
        "Dự kiến đổ bộ trong 6 giờ tới, kèm mưa rất to và nước dâng.",
        "Người dân vùng ven sông, ven biển rời khỏi nhà ngay,",
        "đến điểm sơ tán tại trường tiểu học xã.",
        "Không ra khỏi nơi trú ẩn khi chưa có thông báo.",
    ]


def test_short_sentences_share_a_page() -> None:
    assert dealt("Ở nhà. Đóng cửa. Tắt điện. Nghe đài.", 20, 1) == ["Ở nhà. Đóng cửa.", "Tắt điện. Nghe đài."]


def test_the_name_of_a_town_is_no_end_of_a_sentence() -> None:
    pages = dealt("Nước lên nhanh tại TP. Hà Giang. Rời bờ suối ngay.", 18, 2)
    assert pages == ["Nước lên nhanh tại TP. Hà Giang.", "Rời bờ suối ngay."]


def test_what_has_no_marks_goes_evenly_over_its_pages() -> None:
    pages = by_sentences(" ".join(["bà con"] * 26), 6, 6, Typewriter())
    assert [len(page) for page in pages] == [6, 5, 5, 5, 5]


def test_where_sentences_would_take_far_too_many_pages_they_are_cut() -> None:
    text = "Mưa rất to ở đây. Lũ ở suối. " * 12
    full = -(-len(wrap(normalise(text), 12, Typewriter())) // 2)
    assert len(dealt(normalise(text), 12, 2)) <= full * 1.5


@given(
    st.lists(
        st.sampled_from(["Bão", "số 9,", "xã.", "TP.", "đến!", "\n", "một–hai", "Không;", "x" * 30]),
        max_size=60,
    ),
    st.integers(4, 40),
    st.integers(1, 7),
)
def test_no_word_is_lost_and_no_page_is_too_full(words: list[str], width: int, room: int) -> None:
    text = normalise(" ".join(words))
    pages = by_sentences(text, width, room, Typewriter())
    assert re.sub(r"\s", "", "".join(line for page in pages for line in page)) == re.sub(r"\s", "", text)
    assert all(len(page) <= room and all(len(line) <= width for line in page) for page in pages)
