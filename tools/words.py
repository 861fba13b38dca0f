"""Catalogues of `loa`'s words: `./dev words` collects the messages, compiles them, makes the manual page.

Messages are what the code marks with `_`, `N_` and `ngettext`, every help text of the tree of commands, and what
others say in English and `agent.words.retell` translates: the parser, and the daemon (see `tools.said`).
`./dev words --missing` lists what has no translation; `--check` fails where a file is not up to date.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from agent.words import DOMAIN, FOLDER, LANGUAGES, SOURCE
from tools import man, said

ROOT = Path(__file__).parent.parent
SUMMARIES = ROOT / "agent" / "cli" / "summaries.py"
KEYWORDS: dict[str, Any] = {"_": None, "N_": None, "ngettext": (1, 2)}
ROOMS = ("agent", "drivers", "playlists", "tools")


def po_file(language: str) -> Path:
    """The catalogue that translators write in."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def collected() -> Catalog:
    """Every message that is in the code, with the files that have it."""
    catalogue = Catalog(project="loa-agent", charset="utf-8")
    for room in ROOMS:
        for name, _line, message, comments, context in extract_from_dir(
            ROOT / room,
            method_map=[("**.py", "python")],
            keywords=KEYWORDS,
            comment_tags=("Translators:",),
            strip_comment_tags=True,
        ):
            catalogue.add(message, locations=[(f"{room}/{name}", 0)], auto_comments=comments, context=context)
    for text, place in helps():
        catalogue.add(text, locations=[(place, 0)])
    for text, place in said.messages(ROOT):
        catalogue.add(text, locations=[(place, 0)])
    return catalogue


def helps() -> Iterator[tuple[str, str]]:
    """Every help text of every command, with the command as its place."""
    from typer.main import get_command

    from agent.cli.tree import PROGRAM, app

    root: Any = get_command(app)
    for name in root.list_commands(None):
        root.get_command(None, name)
    yield from _helps(root, PROGRAM)


def _helps(command: Any, path: str) -> Iterator[tuple[str, str]]:
    place = path.replace(" ", "-")
    for text in (command.help, command.short_help):
        if text:
            yield text, place
    for text in (command.options_metavar, getattr(command, "subcommand_metavar", None)):
        if text:
            yield text, "metavar"
    for parameter in command.params:
        if getattr(parameter, "help", None):
            yield parameter.help, place
    for name, inner in getattr(command, "commands", {}).items():
        yield from _helps(inner, f"{path} {name}")


def summaries() -> str:
    """agent/cli/summaries.py: what `loa --help` says, so that it need not ask every command."""
    from typer.main import get_command

    from agent.cli.tree import PROGRAM, app

    root: Any = get_command(app)
    context = root.make_context(PROGRAM, [], resilient_parsing=True)
    options = [parameter.get_help_record(context) for parameter in root.get_params(context)]
    commands = [(name, root.summary(name)) for name in root.list_commands(context)]
    lines = ['"""Made by ./dev words from the commands themselves: change them, not this file."""', ""]
    lines += ["# fmt: off", "# ruff: noqa: E501 - a sentence is a line", ""]
    lines += [f"USAGE = ({_quoted(root.options_metavar)}, {_quoted(root.subcommand_metavar)})"]
    lines += [f"HELP = {_quoted(root.help)}"]
    for name, rows in (("OPTIONS", options), ("COMMANDS", commands)):
        lines += [f"{name} = ("]
        lines += [
            f"    ({_quoted(row[0])}, {_quoted(row[1])})," for row in rows if row is not None and row[1]
        ]
        lines += [")"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def updated(language: str) -> Catalog:
    """The catalogue of `language` with the messages that are in the code now, and no others."""
    path = po_file(language)
    template = collected()
    if path.exists():
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language, domain=DOMAIN)
        dates = catalogue.creation_date, catalogue.revision_date
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.creation_date, catalogue.revision_date = dates
    else:
        catalogue = Catalog(locale=language, domain=DOMAIN, project="loa-agent", charset="utf-8", fuzzy=False)
        catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def po_bytes(catalogue: Catalog) -> bytes:
    """`catalogue` as its .po file: sorted, with the files of each message but no line numbers."""
    out = io.BytesIO()
    write_po(out, catalogue, width=100, sort_output=True, include_lineno=False, omit_header=False)
    return out.getvalue()


def mo_bytes(catalogue: Catalog) -> bytes:
    """`catalogue` compiled."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def missing(catalogue: Catalog) -> list[Any]:
    """Messages that have no translation, or one that is marked as a guess."""
    return [
        message
        for message in catalogue
        if message.id
        and (message.fuzzy or not (all(message.string) if message.pluralizable else message.string))
    ]


def main() -> int:
    """`./dev words [--missing] [--check]`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--missing", action="store_true", help="list messages without translation")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where something is to be done"
    )
    options = parser.parse_args()
    stale = 0
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        catalogue = updated(language)
        path = po_file(language)
        stale += _write(path, po_bytes(catalogue), options.check)
        stale += _write(path.with_suffix(".mo"), mo_bytes(catalogue), options.check)
        lacking = missing(catalogue)
        sys.stdout.write(f"{language}: {len(catalogue)} messages, {len(lacking)} without translation\n")
        if options.missing:
            for message in lacking:
                sys.stdout.write(f"  {message.id!r}\n")
        stale += len(lacking)
    for file, text in {**man.pages(), SUMMARIES: summaries()}.items():
        stale += _write(file, text.encode(), options.check)
    return 1 if options.check and stale else 0


def _write(file: Path, content: bytes, only_check: bool) -> bool:
    """Bring `file` up to date; True where it was not."""
    if file.exists() and file.read_bytes() == content:
        return False
    if only_check:
        sys.stdout.write(f"{file.relative_to(ROOT)} is not up to date\n")
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return True


if __name__ == "__main__":
    sys.exit(main())
