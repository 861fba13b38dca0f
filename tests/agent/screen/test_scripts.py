"""Every script that the board can set, read back from its pixels; and what it cannot set, which never breaks it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pygame
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from agent.screen.card import Style
from agent.screen.content import Bulletin, TextPart, ThemeName
from agent.screen.errors import Quarantine
from agent.screen.fonts import Fonts, Weight
from agent.screen.grid import Box
from agent.screen.notice import compose_text
from agent.screen.paint import Text, paint
from agent.screen.protocol import picture_message
from agent.screen.scripts import SCRIPTS, clusters, describe, pieces
from agent.screen.theme import LEGIBLE, THEMES, WHITE, contrast, sizes_for
from agent.screen.ticker import cut
from agent.screen.typesetting import count_words, normalise, wrap
from tests.agent.screen.conftest import Bench, notice, zone
from tests.support.screen import board, worker, xvfb

KHMER = (
    "មនុស្សទាំងអស់កើតមកមានសេរីភាព និងសមភាព ក្នុងផ្នែកសេចក្ដីថ្លៃថ្នូរនិងសិទ្ធិ។ មនុស្ស "
    "មានវិចារណញ្ញាណនិងសតិសម្បជញ្ញៈជាប់ពីកំណើត ហើយគប្បីប្រព្រឹត្ដចំពោះគ្នាទៅវិញទៅមក "
    "ក្នុងស្មារតីភាតរភាពជាបងប្អូន។"
)
VIETNAMESE = "Ắc ằm ẳn ẵng ặc Ếch Ềnh Ểnh ễnh Ệch Ốc ồn Ổi Ỗi Ộc Ớt Ờ Ở ỡ ợ Ứng ừ Ử Ữ ự Ỳ ỷ Ỹ ỵ Đường"
TEXTS = {
    "Vietnamese": VIETNAMESE,
    "Hmong": "Lub tsev kho mob hauv lub zos ceeb toom: hnub tim 3, yuav txhaj tshuaj tiv thaiv kab mob.",
    "Tay": "Nặm noọng mà lố, chiềng bại pỉ noọng pây dú têng slung; slắc bươn slam vằn ngoà.",
    "Nung": "Cần hây pây slắng cốc mạy, hết fiếc đây; mí ón, chứ mừa hưn lườn.",
    "Ede": "Ƀuôn sang mnuih: Ê̆ ê̆ Ơ̆ ơ̆ Ư̆ ư̆ Ô̆ ô̆ Č č Ñ ñ Ĭ ĭ Ŏ ŏ Ŭ ŭ Ĕ ĕ Ă ă, klei mtă ƀhiâo.",
    "Bahnar": "Ƀok Kei Dei: Ĕ ĕ Ê̆ ê̆ Ĭ ĭ Ŏ ŏ Ô̆ ô̆ Ơ̆ ơ̆ Ŭ ŭ Ư̆ ư̆ Č č Ñ ñ J̆ j̆, pơlei bơngai.",
    "Khmer": KHMER,
    "Cham": "ꨀꨇꩉ ꨌꩌ ꨚꨯꨱꨥ ꨆꨴꨮ ꨓꨯꨱꩀ ꨧꨳꨪꩌ 7:30 " * 3,
    "Tai Viet": "ꪎꪳ ꪼꪕ ꪩꪴ ꪁꪫꪱꪣ ꪼꪕ ꪹꪝꪸꪙ ꪝꪴꪫ ꪵꪠ꪿ (112) " * 4,
}
SIZES = {"landscape": (946, 465), "portrait": (526, 834), "small": (210, 150)}
"""Of a zone on a screen of 960 × 540."""


def style(fonts: Fonts, theme: ThemeName = "dark") -> Style:
    return Style(fonts, THEMES[theme], sizes_for(960, 540))


def painted(
    bench: Bench, text: TextPart, size: tuple[int, int], theme: ThemeName
) -> list[tuple[list[Text], np.ndarray]]:
    """Each page's lines, and its pixels."""
    fonts = bench.view._fonts
    pages = []
    for page in compose_text(Bulletin("b"), text, size, style(fonts, theme)).pages:
        surface = pygame.Surface(size).convert(bench.surface)
        for _ in paint(page, surface, fonts, THEMES[theme].ground):
            pass
        pages.append((page.texts, pygame.surfarray.array3d(surface).swapaxes(0, 1)))
    return pages


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("hangs", SIZES)
@pytest.mark.parametrize("name", TEXTS)
def test_each_script_lies_in_its_boxes_legible_and_no_line_on_another(
    bench: Bench, name: str, hangs: str, theme: ThemeName
) -> None:
    size, text = SIZES[hangs], TEXTS[name]
    colours = THEMES[theme]
    pages = painted(bench, TextPart(text[:40], text), size, theme)
    for lines, pixels in pages:
        left = (pixels != np.array(colours.surface, dtype=np.uint8)).any(axis=2)
        for number, line in enumerate(lines):
            assert Box(0, 0, *size).contains(line.box)
            assert not any(line.box.overlaps(other.box) for other in lines[:number])
            ink = pixels[line.box.y : line.box.bottom, line.box.x : line.box.right].reshape(-1, 3)
            strongest = max(contrast(tuple(map(int, one)), colours.surface) for one in np.unique(ink, axis=0))  # type: ignore[arg-type]
            assert strongest >= LEGIBLE, line.text
            left[line.box.y : line.box.bottom, line.box.x : line.box.right] = False
        marks = 30  # the class's rail, the page marks
        assert not left[marks:-marks, marks:-marks].any(), "ink outside the lines"
    read = "".join(line.text for lines, _ in pages for line in lines if line.weight == "regular")
    assert normalise(text).replace(" ", "") in read.replace(" ", "")


@pytest.mark.parametrize("weight", ["regular", "bold"])
@pytest.mark.parametrize("size", [14, 40, 112])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_highest_and_the_lowest_letters_are_whole(
    screen: pygame.Surface,
    fonts: Fonts,
    script,
    size: int,
    weight: Weight,  # type: ignore[no-untyped-def]
) -> None:
    assert fonts.lacking(script.proof) == ()
    face = fonts.for_text(script.proof).at(weight, size)
    high = 3 * face.line_height
    line, free = (pygame.Surface((face.width(script.proof), high)) for _ in range(2))
    face.draw(script.proof, WHITE, line, Box(0, face.line_height, line.get_width(), face.line_height))
    font = fonts._font(script.family, weight, size)
    free.blit(font.render(script.proof, True, WHITE), (0, 0))
    drawn, whole = (pygame.surfarray.array3d(surface)[:, :, 0].astype(int).sum() for surface in (line, free))
    assert drawn == pytest.approx(whole, rel=0.001)


def test_what_stands_in_one_line_has_one_baseline(screen: pygame.Surface, fonts: Fonts) -> None:
    text = "ក"
    face = fonts.for_text("ញ្ញុំក").at("regular", 60)

    def first_letter(line: str) -> bytes:
        surface = pygame.Surface((600, face.line_height))
        face.draw(line, WHITE, surface, Box(0, 0, 600, face.line_height))
        return pygame.image.tobytes(surface.subsurface((0, 0, face.width(text) - 4, face.line_height)), "RGB")

    alone = first_letter(text)
    assert first_letter("ក ញ្ញុំ") == alone, "what hangs below does not lift it"
    assert first_letter("ក ប៉័ង") == alone, "what rises above does not lower it"
    assert first_letter("ក Ệ") == alone


def test_vowels_stand_where_they_are_read_not_where_they_are_typed(
    screen: pygame.Surface, fonts: Fonts
) -> None:
    def columns(text: str, width: int) -> np.ndarray:
        face = fonts.for_text(text).at("regular", 60)
        surface = pygame.Surface((200, face.line_height))
        face.draw(text, WHITE, surface, Box(0, 0, 200, face.line_height))
        return np.asarray(pygame.surfarray.array3d(surface)[:width, :, 0])

    for consonant, with_vowel in (("ក", "កេ"), ("ꨆ", "ꨆꨯ")):
        shift = fonts.regular(60).width(with_vowel) - fonts.regular(60).width(consonant)
        assert shift > 5
        letter = columns(consonant, 40)
        assert not np.array_equal(columns(with_vowel, 40), letter), "the vowel comes first"


def test_khmer_breaks_between_words_of_its_dictionary(fonts: Fonts) -> None:
    assert pieces("ខ្ញុំស្រឡាញ់ភាសាខ្មែរ") == ["ខ្ញុំ", "ស្រឡាញ់", "ភាសាខ្មែរ"]
    assert count_words("ខ្ញុំស្រឡាញ់ភាសាខ្មែរ 112") == 4
    face = fonts.for_text(KHMER).regular(40)
    lines = wrap(normalise(KHMER), 600, face)
    assert len(lines) > 4
    assert all(face.width(line) <= 600 for line in lines)
    assert all(face.width(line) > 300 for line in lines[:-1]), "no line is left half empty"
    words = {piece for word in KHMER.split() for piece in pieces(word)}
    for line in lines:
        assert line.split()[0].startswith(tuple(words)), "a line begins with a word"


def test_a_zero_width_space_is_where_a_line_may_end_and_is_not_seen(fonts: Fonts) -> None:
    word = "ꪼꪕ\u200bꪩꪴ\u200bꪁꪫꪱꪣ"
    assert normalise(f" \u200b{word}\u200b\u200b {word} \u200b\n\u200bx") == f"{word} {word}\nx"
    face = fonts.for_text(word).regular(40)
    assert wrap(word, max(map(face.width, ("ꪼꪕꪩꪴ", "ꪁꪫꪱꪣ"))), face) == ["ꪼꪕꪩꪴ", "ꪁꪫꪱꪣ"]
    assert face.width(word) == face.width(word.replace("\u200b", ""))


def test_what_belongs_together_is_cut_nowhere() -> None:
    assert clusters("ស្ត្រី") == ["ស្ត្រី"], "a consonant below its consonant"
    assert clusters("ꪼꪕꪹꪝꪸꪙ") == ["ꪼꪕ", "ꪹꪝꪸ", "ꪙ"], "a vowel that stands first"
    assert clusters("เมือง") == ["เมื", "อ", "ง"]


def test_what_no_font_has_is_named_and_signs_are_left_out(fonts: Fonts) -> None:
    assert fonts.lacking(f"Mưa ☎ 😀😀\ufe0f\u200d א {KHMER}\u202e ⚠") == ("😀", "א")
    assert describe("😀") == "😀 (U+1F600 GRINNING FACE)"
    assert describe("\u0301") == "(U+0301 COMBINING ACUTE ACCENT)"
    face = fonts.regular(40)
    assert face.width("Mưa 😀 lũ") == face.width("Mưa lũ"), "a picture can be done without"
    assert face.width("Mưa א lũ") > face.width("Mưa  lũ"), "a letter that is missing leaves its box"


def test_without_fonts_of_other_scripts_their_letters_are_named(fonts: Fonts, tmp_path: Path) -> None:
    assert Fonts(folders=[tmp_path]).lacking("Tiếng ខ្មែរ") == tuple(dict.fromkeys("ខ្មែរ"))


ODD = st.text(
    alphabet=st.one_of(
        st.sampled_from("\u200f\u202e\u2066\u0301\u0323\u17d2\u200d\ufe0f😀👩🏽אم\ua9c0ក្꪿ẫ \n"),
        st.characters(),
    ),
    max_size=60,
)


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=60)
@given(ODD)
def test_no_text_breaks_the_board(fonts: Fonts, text: str) -> None:
    try:
        composed = compose_text(Bulletin("b"), TextPart(text, text), (500, 300), style(fonts))
    except Quarantine:
        return
    surface = pygame.Surface((500, 300))
    for page in composed.pages:
        assert all(Box(0, 0, 500, 300).contains(line.box) for line in page.texts)
        for _ in paint(page, surface, fonts, (0, 0, 0)):
            pass


def test_a_ticker_runs_any_script(bench: Bench, fonts: Fonts) -> None:
    text = normalise(KHMER)
    joined = "".join(piece.text for piece in cut([text], fonts.regular(40), 40))
    assert joined.rstrip() == text
    bench.show(zone(notice("t", "ꨀꨇꩉ ꨌꩌ", KHMER), at=(0, 8, 16, 1), kind="ticker"))
    bench.pass_time(3)
    assert bench.showings()[-1].showing == ("t",)
    assert len(np.unique(bench.pixels()[-60:].reshape(-1, 3), axis=0)) > 20


def test_under_x_it_looks_as_it_does_unseen(tmp_path: Path) -> None:
    zones = [
        {
            "id": f"z{number}",
            "kind": "bulletins",
            "at": [number % 3 * 5, number // 3 * 3, 5, 3],
            "bulletins": [{"id": name, "text": {"heading": name, "body": text[:60]}}],
        }
        for number, (name, text) in enumerate(TEXTS.items())
    ]
    pictures = {}
    with xvfb() as display:
        for driver in ("offscreen", "x11"):
            with worker("--driver", driver, "--size", "1280x720", DISPLAY=display) as child:
                child.send(board(*zones))
                child.heard("showing", showing=list(TEXTS))
                child.send(picture_message(driver, tmp_path / f"{driver}.png"))
                assert child.heard("picture", request=driver)["reason"] is None
                assert not [said for said in child.said if said["event"] == "failed"]
            with Image.open(tmp_path / f"{driver}.png") as image:
                pictures[driver] = image.convert("RGB").tobytes()
    assert pictures["offscreen"] == pictures["x11"]


@given(st.text(alphabet="ក្ខគងរុំេ\u200b \u200bꪼꪕaẫ", max_size=40))
def test_breaking_loses_no_letter(text: str) -> None:
    text = normalise(text)
    assert unicodedata.is_normalized("NFC", text) and normalise(text) == text
    for paragraph in text.split("\n"):
        for word in paragraph.split(" "):
            assert "".join(pieces(word)) == word
            assert "".join(clusters(word)) == word
