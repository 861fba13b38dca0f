"""How a takeover is set: what is large, and how large."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from agent.screen.fonts import Fonts
from agent.screen.protocol import Takeover
from agent.screen.takeover import compose_takeover
from agent.screen.theme import ALARM_KICKERS, DRILL_MARKS, far_size
from tests.agent.screen.conftest import style
from tests.agent.screen.test_cover import STORM

PAGE_NUMBER = re.compile(r"\d+ / \d+")


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (1080, 1920)])
def test_the_number_of_a_pole_is_larger_than_all_else_and_on_one_page(
    fonts: Fonts, size: tuple[int, int]
) -> None:
    number = Takeover("identify", "routine", "Cụm loa số", "0012", "pole-07\n18.67000, 105.69000")
    (page,) = compose_takeover(number, size, style(fonts, size))
    sizes = {op.text: op.size for op in page.texts}
    assert [text for text in sizes if text != "THÔNG BÁO"][:3] == ["Cụm loa số", "0012", "pole-07"]
    assert sizes["0012"] >= 2 * max(size for text, size in sizes.items() if text != "0012")


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (1080, 1920)])
def test_whatever_is_said_in_an_emergency_is_read_from_afar(fonts: Fonts, size: tuple[int, int]) -> None:
    for takeover in (STORM, replace(STORM, headline="Lũ", event="Lũ quét"), replace(STORM, status="Test")):
        for page in compose_takeover(takeover, size, style(fonts, size)):
            marks = {*ALARM_KICKERS["vi"].values(), *DRILL_MARKS["vi"].values()}
            words = [op for op in page.texts if op.text not in marks and not PAGE_NUMBER.fullmatch(op.text)]
            assert words and all(op.size >= far_size(*size) for op in words)


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (1080, 1920)])
@pytest.mark.parametrize(
    "headline", ["Bão số 9 đổ bộ trong 6 giờ tới", "Typhoon landfall within 6 hours", "Lũ quét"]
)
def test_a_headline_on_a_page_of_its_own_is_larger_and_breaks_no_word(
    fonts: Fonts, size: tuple[int, int], headline: str
) -> None:
    takeover = replace(
        STORM, headline=headline, event=headline, text="Rời khỏi nhà ngay, không chần chừ. " * 20
    )
    first, *more = compose_takeover(takeover, size, style(fonts, size))
    lines = [op for op in first.texts if op.weight == "bold" and op.text not in ALARM_KICKERS["vi"].values()]
    assert " ".join(op.text for op in lines) == headline
    assert all(op.size > far_size(*size) for op in lines)
    assert len({op.box.height for op in lines}) == 1 and max(op.box.bottom for op in lines) <= size[1]
    assert all(page.texts[-1].box.bottom <= size[1] for page in more)


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280)])
def test_a_page_ends_where_a_sentence_does(fonts: Fonts, size: tuple[int, int]) -> None:
    text = "Bão cách bờ biển 60 km, giật cấp 14. Dự kiến đổ bộ trong 6 giờ tới, kèm mưa to. Không ra khỏi nơi trú ẩn."
    pages = compose_takeover(replace(STORM, text=text), size, style(fonts, size))[1:]
    assert len(pages) > 1
    for page in pages:
        assert [op.text for op in page.texts if op.size >= far_size(*size)][-1][-1] == "."
