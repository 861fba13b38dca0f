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
