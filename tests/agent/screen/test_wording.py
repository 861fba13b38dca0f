"""What the board says of itself is said in the bulletin's language, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent.screen.card import Moment, Style
from agent.screen.compose import pages
from agent.screen.content import Bulletin, CountdownPart, ReadingsPart, TablePart, TextPart, Value
from agent.screen.fonts import Fonts
from agent.screen.theme import THEMES, sizes_for
from agent.screen.wording import LANGUAGE_NAMES, language_name

SCREEN = (1920, 1080)
NOW = datetime(2026, 11, 28, 6, 40, tzinfo=UTC)
QR = "https://xa.example"
PARTS = {
    "text": Bulletin("b", text=TextPart("123", "456", QR)),
    "markdown": Bulletin("b", text=TextPart("123", "456", QR, "markdown")),
    "table": Bulletin("b", table=TablePart((("1", "2"),), qr=QR)),
    "countdown": Bulletin("b", countdown=CountdownPart(NOW + timedelta(days=3), "123")),
    "readings": Bulletin(
        "b",
        readings=ReadingsPart(
            tuple(
                Value("1", value, "", at)
                for value in ("2", None)
                for at in (None, NOW, *(NOW - timedelta(minutes=ago) for ago in (5, 300, 3_000)))
            ),
            "123",
            "4",
        ),
    ),
}


def said(fonts: Fonts, bulletin: Bulletin) -> str:
    style = Style(fonts, THEMES["dark"], sizes_for(*SCREEN))
    moment = Moment(NOW, ZoneInfo("Asia/Ho_Chi_Minh"))
    found = pages(bulletin, SCREEN, style, moment).pages
    return " ".join(text.text for page in found for text in page.texts)


@pytest.mark.parametrize("class_", ["routine", "priority", "emergency"])
@pytest.mark.parametrize("kind", PARTS)
def test_beside_a_bulletin_in_a_language_of_others_there_is_no_vietnamese_and_no_english(
    fonts: Fonts, kind: str, class_: str
) -> None:
    for language in ("km", "hmn", "tyz"):
        words = said(fonts, replace(PARTS[kind], language=language, class_=class_))  # type: ignore[arg-type]
        letters = "".join(char for char in words if char.isalpha())
        assert letters.replace("dhmin", "") == ""
        assert ("!" in words) == (class_ != "routine" or kind == "readings")


@pytest.mark.parametrize("kind", PARTS)
def test_in_english_it_speaks_english(fonts: Fonts, kind: str) -> None:
    words = said(fonts, replace(PARTS[kind], language="en-GB"))
    assert words.isascii() or set(words) - set("·—") <= {chr(code) for code in range(128)}
    assert "NOTICE" in words
    assert ("Scan the QR code" in words) == bool(kind in {"text", "markdown", "table"})


def test_in_vietnamese_it_speaks_vietnamese(fonts: Fonts) -> None:
    assert "KHẨN CẤP" in said(fonts, replace(PARTS["text"], class_="emergency"))
    assert "Không có số liệu từ 5 phút trước" in said(fonts, PARTS["readings"])


def test_languages_have_the_names_that_people_know(fonts: Fonts) -> None:
    assert language_name("tyz") == "Tày"
    assert language_name("rad-VN") == "Êđê"
    assert language_name("qaa") == "qaa"
    for name in LANGUAGE_NAMES.values():
        assert fonts.bold(30).width(name) > 30
