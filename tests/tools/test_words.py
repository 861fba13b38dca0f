"""The catalogues are whole, and compiled from what the translators wrote."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from agent import words as spoken
from tools import words

LANGUAGES = [language for language in spoken.LANGUAGES if language != spoken.SOURCE]
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def catalogue(language: str) -> Catalog:
    with words.po_file(language).open("rb") as file:
        return read_po(file, locale=language, domain=spoken.DOMAIN)


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def fields(text: str) -> set[str]:
    return {
        f"{name}!{conversion}:{spec}"
        for _literal, name, spec, conversion in Formatter().parse(text)
        if name is not None
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_what_was_written(language: str) -> None:
    compiled = words.po_file(language).with_suffix(".mo").read_bytes()
    assert compiled == words.mo_bytes(catalogue(language)), "run: ./dev words"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_left_or_guessed(language: str) -> None:
    assert [message.id for message in words.missing(catalogue(language))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_name_the_same_things(language: str) -> None:
    for message in catalogue(language):
        if not message.id:
            continue
        sources = forms(message.id)
        for source, text in zip(sources, [*forms(message.string), *forms(message.string)], strict=False):
            if "{" in source:
                assert fields(text) <= set().union(*map(fields, sources)), source
                assert fields(source) <= fields(text) | (fields(sources[0]) ^ fields(sources[-1])), source
            assert set(OPTION.findall(source)) <= set(OPTION.findall(text)), source
            assert unicodedata.is_normalized("NFC", text), source
            assert source[-1:].isspace() == text[-1:].isspace(), source
            assert source[:1].isspace() == text[:1].isspace(), source
            assert source.count("\n") == text.count("\n"), source


def test_files_of_catalogues_are_packaged() -> None:
    import tomllib

    settings = tomllib.loads((words.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["agent"]
    packaged = {path for pattern in patterns for path in Path(spoken.__file__).parent.glob(pattern)}
    assert {words.po_file(language).with_suffix(".mo") for language in LANGUAGES} <= packaged


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_of_the_code_is_in_the_catalogue(language: str) -> None:
    there = catalogue(language)
    now = {message.id for message in words.collected() if message.id}
    kept = {message.id for message in there if message.id}
    assert now - kept == set(), "run: ./dev words, and translate what it lists"
    assert kept - now == set(), "run: ./dev words"
