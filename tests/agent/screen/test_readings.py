"""Readings on the board: on one line, evenly spread, no unit torn off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent.screen.card import Moment, Style
from agent.screen.compose import pages
from agent.screen.content import Bulletin, ReadingsPart, Value
from agent.screen.fonts import Fonts
from agent.screen.paint import Page
from agent.screen.theme import THEMES, sizes_for

NOW = datetime(2026, 11, 28, 6, 40, tzinfo=UTC)
MOMENT = Moment(NOW, ZoneInfo("Asia/Ho_Chi_Minh"))


def readings(fonts: Fonts, values: list[Value], size: tuple[int, int], whole: tuple[int, int]) -> list[Page]:
    style = Style(fonts, THEMES["dark"], sizes_for(*whole).within(size, whole))
    part = ReadingsPart(tuple(values), "Mực nước")
    return list(pages(Bulletin("b", readings=part), size, style, MOMENT).pages)


def value(number: int, name: str = "Trạm") -> Value:
    return Value(f"{name} {number}", f"{number},25", "m", NOW - timedelta(minutes=number))


@pytest.mark.parametrize("count", range(2, 17))
def test_values_are_spread_evenly_over_rows_and_pages(fonts: Fonts, count: int) -> None:
    found = readings(fonts, [value(n) for n in range(1, count + 1)], (1892, 931), (1920, 1080))
    each = [sum(text.text.endswith(",25") for text in page.texts) for page in found]
    assert sum(each) == count
    assert max(each) - min(each) <= len(each) - 1
    for page in found:
        rows: dict[int, int] = {}
        for text in page.texts:
            if text.text.endswith(",25"):
                rows[text.box.y] = rows.get(text.box.y, 0) + 1
        assert max(rows.values()) - min(rows.values()) <= len(rows) - 1, rows


def test_values_beside_each_other_stand_on_one_line_whatever_their_names(fonts: Fonts) -> None:
    values = [value(1), value(2, "Trạm thủy văn sông Kỳ Cùng ở cầu Đông Kinh phường Đông Kinh"), value(3)]
    (page,) = readings(fonts, values, (1892, 931), (1920, 1080))
    figures = [text for text in page.texts if text.text.endswith(",25")]
    assert len({text.box.y for text in figures}) == 1
    names = [text for text in page.texts if text.text == "Trạm 1"]
    assert names[0].box.bottom == figures[0].box.y, "the name is right above its value"


def test_that_there_is_no_data_and_since_when_is_one_sentence(fonts: Fonts) -> None:
    values = [
        Value("A", None, "m", NOW - timedelta(minutes=70)),
        Value("B", None, "m", None),
        Value("C", None, "m", NOW),
    ]
    (page,) = readings(fonts, values, (1892, 931), (1920, 1080))
    said = [text.text for text in page.texts]
    assert "Không có số liệu từ 1 giờ trước" in " ".join(said)
    assert said.count("Không có số liệu") == 2
