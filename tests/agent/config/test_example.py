"""`config.example.toml` is the manual of the configuration: it must say all of it, and the truth."""

import re
import tomllib
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined, to_jsonable_python

from agent.config import Config, parse

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
WITH_OFF_KEYS = re.sub(r"^#(?=[a-z_]+ = )", "", TEXT, flags=re.MULTILINE)
SECTION = re.compile(r"^\[\[?([a-z_]+)\]\]?$")
KEY = re.compile(r"^(#?)([a-z_]+) = ")


def _lines() -> list[tuple[str, str, bool, str]]:
    """Section, key, whether it is off, and the line, of all keys in the example."""
    lines = []
    section = ""
    for line in TEXT.splitlines():
        if header := SECTION.match(line):
            section = header[1]
        elif key := KEY.match(line):
            lines.append((section, key[2], key[1] == "#", line))
    return lines


LINES = _lines()


def _section_model(annotation: Any) -> type[BaseModel]:
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is tuple:
        annotation = get_args(annotation)[0]
    assert issubclass(annotation, BaseModel)
    return annotation


FIELDS = [
    (section, key, field)
    for section, part in Config.model_fields.items()
    for key, field in _section_model(part.annotation).model_fields.items()
]


def test_the_example_parses() -> None:
    config = parse(TEXT)
    assert config.node.id == "pole-07"
    assert config.broker is not None
    assert config.broker.user is None


def test_the_example_parses_with_every_key_that_is_off_switched_on() -> None:
    config = parse(WITH_OFF_KEYS)
    assert config.node.position is not None
    assert config.broker is not None
    assert config.broker.user == "pole-07"
    assert config.screen.size == (1920, 1080)


@pytest.mark.parametrize(("section", "key", "field"), FIELDS, ids=[f"{s}.{k}" for s, k, _ in FIELDS])
def test_every_key_of_the_models_stands_in_the_example_with_its_default(
    section: str, key: str, field: Any
) -> None:
    document = tomllib.loads(TEXT)[section]
    document = document[0] if isinstance(document, list) else document
    if field.default is None:
        assert (section, key, True) in [line[:3] for line in LINES], (
            "no default: the example shows it as `#key`"
        )
    elif field.default is PydanticUndefined:
        assert key in document
        assert "; required" in next(line for s, k, _, line in LINES if (s, k) == (section, key))
    else:
        assert document[key] == to_jsonable_python(field.default)


def test_the_example_has_no_key_that_the_models_do_not_know() -> None:
    assert sorted((section, key) for section, key, _, _ in LINES) == sorted((s, k) for s, k, _ in FIELDS)


@pytest.mark.parametrize(("section", "key", "line"), [(s, k, line) for s, k, _, line in LINES])
def test_every_key_has_one_comment(section: str, key: str, line: str) -> None:
    assert re.search(r"  # \S.{5,}$", line), f"[{section}] {key} has no comment"


def _bounds(field: Any) -> tuple[float, float] | None:
    low = [part.ge for part in field.metadata if getattr(part, "ge", None) is not None]
    high = [part.le for part in field.metadata if getattr(part, "le", None) is not None]
    return (low[0], high[0]) if low and high else None


@pytest.mark.parametrize(
    ("section", "key", "field"),
    [(s, k, f) for s, k, f in FIELDS if _bounds(f) and k != "port"],
    ids=[f"{s}.{k}" for s, k, f in FIELDS if _bounds(f) and k != "port"],
)
def test_the_comment_names_the_bounds_that_are_enforced(section: str, key: str, field: Any) -> None:
    line = next(line for s, k, _, line in LINES if (s, k) == (section, key))
    bounds = _bounds(field)
    assert bounds is not None
    low, high = (f"{bound:,}" for bound in bounds)
    assert f"{low}-{high}" in line or f"{low} to {high}" in line


def test_every_length_says_its_unit() -> None:
    units = {"_s": "seconds", "_ms": "milliseconds", "_mb": "megabytes", "_db": "decibels", "_days": "days"}
    for _, key, _, line in LINES:
        for ending, unit in units.items():
            if key.endswith(ending):
                assert unit in line.partition("  # ")[2], line
