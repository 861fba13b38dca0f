"""The manual page says what the commands say."""

from __future__ import annotations

import re

import pytest

from agent import words
from tools import man

MACROS = {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".I", ".ad", ".nh", '.\\"'}


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_only_macros_begin_with_a_dot(language: str) -> None:
    lines = [line for line in man.page(language).splitlines() if line.startswith((".", "'"))]
    assert {line.split()[0] for line in lines} <= MACROS


def test_the_page_tells_every_exit_code() -> None:
    from agent.cli import common

    codes = {str(value) for name, value in vars(common).items() if name.startswith("EXIT_")}
    assert codes | {"0"} == {code for code, _meaning in man.EXIT_CODES}


def test_every_language_has_the_same_commands_and_options() -> None:
    def skeleton(language: str) -> list[str]:
        return re.findall(r"^\.(?:SS|B) .*", man.page(language), re.MULTILINE)

    english = skeleton("en")
    assert len(english) > 100
    assert all(skeleton(language) == english for language in words.LANGUAGES)
    assert words.language() == "en"


def test_the_pages_that_are_installed_are_up_to_date() -> None:
    for path, text in man.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run ./dev words"
