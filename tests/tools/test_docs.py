"""What the documents tell to type can be typed, and what they point to is there."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from agent.cli.main import language_of
from agent.cli.tree import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("systemd/*.md")])
COMMAND = re.compile(r"^(?:sudo )?loa (.*)$")
CODE = re.compile(r"`((?:sudo )?loa [^`]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
TYPED = ("technician", "commune", "operations", "setup", "speech", "who-may", "board")


def typed(document: Path) -> list[str]:
    """Command lines of `loa` in blocks of code, and between backquotes."""
    text = document.read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    found = [" ".join(line.split()) for line in CODE.findall(prose)]
    for block in re.findall(r"```(?:sh)?\n(.*?)```", text, re.DOTALL):
        found += [line.strip() for line in block.splitlines() if COMMAND.match(line.strip())]
    return [line for line in found if "…" not in line and "|" not in line and "[" not in line.split("'")[0]]


def parses(line: str) -> None:
    match = COMMAND.match(line.split(" && ", maxsplit=1)[0])
    assert match
    _language, rest = language_of(shlex.split(match[1], comments=True))
    command: Any = get_command(app)
    context = command.make_context("loa", list(rest), resilient_parsing=True)
    while hasattr(command, "list_commands"):
        left = [*context._protected_args, *context.args]
        if not left:
            return
        name, command, arguments = command.resolve_command(context, left)
        assert command is not None, f"there is no command {name}"
        if not arguments and not hasattr(command, "list_commands"):
            return  # `loa relay` is named, not typed
        parent = context
        context = command.context_class(command, parent=parent, info_name=name)
        with context.scope(cleanup=False):
            # files that are named are not here, and callbacks must not act: only names and numbers are looked at
            _options, left, _order = command.make_parser(context).parse_args(args=list(arguments))
        if not hasattr(command, "list_commands"):
            assert not left, f"too many words: {left}"
            return
        context = command.make_context(name, list(arguments), parent=parent, resilient_parsing=True)


@pytest.mark.parametrize(
    "document",
    [path for path in DOCUMENTS if path.stem.startswith(TYPED) or path.name == "README.md"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_command_line_in_the_documents_is_one(document: Path) -> None:
    wrong = []
    for line in typed(document):
        try:
            parses(line)
        except (typer.TyperException, AssertionError, ValueError) as error:
            wrong.append(f"{line}: {error}")
    assert wrong == []


def test_command_lines_are_found_and_wrong_ones_are_seen() -> None:
    lines = typed(ROOT / "docs" / "technician.vi.md")
    assert len(lines) > 50
    for wrong in ("loa stauts", "loa next --cuont 3", "loa station fly DIR", "loa status x y"):
        with pytest.raises((typer.TyperException, AssertionError)):
            parses(wrong)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in LINK.findall(text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (document.parent / target).exists(), target


def test_both_handbooks_have_the_same_commands_in_the_same_order() -> None:
    def skeleton(name: str) -> list[str]:
        return [line.split("#")[0].strip() for line in typed(ROOT / "docs" / name)]

    assert skeleton("technician.vi.md") == skeleton("technician.md")


def test_drawings_are_whole_and_say_it_in_both_languages() -> None:
    drawings = sorted((ROOT / "docs" / "wiring").glob("*.svg"))
    assert len(drawings) >= 5
    for path in drawings:
        root = ET.parse(path).getroot()
        title = root.findtext("{http://www.w3.org/2000/svg}title") or ""
        assert " / " in title
        assert float(root.attrib["width"]) <= 1000
