"""A numeral and its unit stand in one line."""

from __future__ import annotations

import pytest

from agent.screen.richtext import Setter
from agent.screen.typesetting import count_words, wrap
from agent.screen.units import clings
from playlists.markup import Span

TEXT = "Bão số 9 giật cấp 12, cách bờ 60 ki lô mét, gió 120 km/h, mưa 250 mm; năm 2026 có 9 cơn bão."


class Monospace:
    """A ruler for which every letter is ten pixels wide."""

    line_height = 12

    def width(self, text: str) -> int:
        return 10 * len(text)

    def at(self, weight: str, size: int) -> Monospace:
        return self


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("cách bờ 60 ki lô mét.", ["cách bờ", "60 ki lô mét."]),
        ("gió mạnh cấp 12", ["gió mạnh", "cấp 12"]),
        ("lượng mưa 250 mm", ["lượng mưa", "250 mm"]),
        ("lúc ấy 9, m là chữ", ["lúc ấy 9, m", "là chữ"]),
        ("gọi nhé 0212 3 456.", ["gọi nhé", "0212 3 456."]),
        ("gọi (024) 37 56 nhé", ["gọi", "(024) 37 56", "nhé"]),
        ("mở cửa 7:30 – 9:00 ạ", ["mở cửa", "7:30 – 9:00 ạ"]),
        ("mở cửa 7h30 – 11h00.", ["mở cửa", "7h30 – 11h00."]),
        ("trong 0 giờ, 112 và 113", ["trong 0 giờ,", "112 và 113"]),
        ("tổ 5 – Nà Hai, 3 hộ", ["tổ 5 – Nà", "Hai, 3 hộ"]),
        ("vì có 9 mét khối nước", ["vì có", "9 mét khối", "nước"]),
    ],
)
def test_a_unit_does_not_begin_a_line(text: str, lines: list[str]) -> None:
    assert wrap(text, 130, Monospace()) == lines
    runs = Setter(Monospace(), 10).lines((Span(text),), 130)  # type: ignore[arg-type]
    assert ["".join(run.text for run in line) for line in runs] == lines


def test_no_line_of_any_width_parts_them() -> None:
    for width in range(130, 900, 7):
        lines = wrap(TEXT, width, Monospace())
        assert " ".join(lines) == TEXT
        begun = [line.split()[0].rstrip(",;") for line in lines]
        assert not {"12", "ki", "lô", "mét", "km/h", "mm"} & set(begun), lines


def test_in_a_line_too_narrow_for_both_they_are_parted_at_the_space() -> None:
    assert wrap("60 ki lô mét", 60, Monospace()) == ["60 ki", "lô mét"]


def test_they_stay_two_words_to_a_reader() -> None:
    assert count_words("60 km") == 2
    assert clings(["60", "km"]) == [False, True]
    assert clings([]) == []
