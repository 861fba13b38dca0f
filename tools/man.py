"""The manual page of `loa`, made from the commands themselves: docs/man/loa.1, and docs/man/LANGUAGE/loa.1.

`./dev words` writes them with the catalogues.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent import words
from agent.words import N_, _

FOLDER = Path(__file__).parent.parent / "docs" / "man"

EXIT_CODES = (
    ("0", N_("Done; nothing is wrong.")),
    ("1", N_("It was tried and did not succeed, the node refused, or a fault was found.")),
    ("2", N_("The command line or the configuration is wrong; nothing was done.")),
    ("3", N_("The agent is not running.")),
    ("4", N_("You may not: another group, or root, is needed.")),
    ("5", N_("Nothing is broken, but something wants attention: warnings and no fault.")),
    ("130", N_("Ended from the keyboard.")),
)
ENVIRONMENT = (
    (
        "LANGUAGE, LC_ALL, LC_MESSAGES, LANG",
        N_("Language of the messages: vi or en. --lang goes before them."),
    ),
    ("NO_COLOR", N_("If set, no colours. There are none either where the output is no terminal.")),
    ("LOA_CONFIG", N_("Configuration file, in place of /etc/loa/config.toml.")),
    ("LOA_SOCKET", N_("Control socket, in place of /run/loa/control.sock.")),
)
FILES = (
    ("/etc/loa/config.toml", N_("The configuration. An example with every key is config.example.toml.")),
    ("/var/lib/loa", N_("Feeds, recordings, play log and state of the node.")),
    ("/run/loa/control.sock", N_("Where the agent listens: group loa may look, group loa-admin may act.")),
    ("/opt/loa/current", N_("The version that is in use.")),
)
DESCRIPTION = (
    N_(
        "loa runs a node of village loudspeakers and bulletin boards, and is what a technician types to install, "
        "look at, try and repair it. Each command is short and answers in one screen of 60 columns."
    ),
    N_(
        "With --json a command answers with one JSON document on standard output. Its keys stay the same from "
        "version to version and in every language; new ones may be added. What went wrong is an object with "
        "error and remedy, in words, with the same exit code; remedy is null where there is none."
    ),
)


def page(language: str) -> str:
    """The page in `language`, in the macros of man(7)."""
    before = words.language()
    words.choose(language)
    try:
        return "\n".join(_lines()) + "\n"
    finally:
        words.choose(before)


def pages() -> dict[Path, str]:
    """Every page, by its file."""
    return {
        FOLDER / ("" if language == words.SOURCE else language) / "loa.1": page(language)
        for language in words.LANGUAGES
    }


def _lines() -> Iterator[str]:
    from typer.main import get_command

    from agent.cli.tree import PROGRAM, app

    root: Any = get_command(app)
    title, name, synopsis = _("Manual of loa"), _("NAME"), _("SYNOPSIS")
    yield '.\\" made by ./dev words from the commands themselves: change them, not this file'
    yield f'.TH LOA 1 "" "loa-agent" "{title}"\n.ad l\n.nh'
    yield f".SH {name}\n{PROGRAM} \\- {_roff(root.help.rstrip('.'))}"
    yield f".SH {synopsis}\n.B {PROGRAM}\n{_roff(root.options_metavar)} {_roff(root.subcommand_metavar)}"
    yield ".SH " + _("DESCRIPTION")
    for text in DESCRIPTION:
        yield f".PP\n{_roff(_(text))}"
    yield ".SH " + _("OPTIONS")
    yield from _parameters(root)
    yield ".SH " + _("COMMANDS")
    for name in root.list_commands(None):
        yield from _command(root.get_command(None, name), f"{PROGRAM} {name}")
    for title, table in (
        (_("EXIT STATUS"), EXIT_CODES),
        (_("ENVIRONMENT"), ENVIRONMENT),
        (_("FILES"), FILES),
    ):
        yield f".SH {title}"
        for what, meaning in table:
            yield f".TP\n.B {_roff(what)}\n{_roff(_(meaning))}"


def _command(command: Any, path: str) -> Iterator[str]:
    if command.hidden:
        return
    inner = getattr(command, "commands", {})
    if inner:
        yield f".SS {_roff(path)}\n{_roff(command.help)}"
        for name, one in inner.items():
            yield from _command(one, f"{path} {name}")
        return
    arguments = " ".join(_argument(part) for part in command.params if part.param_type_name == "argument")
    yield f".SS {_roff(path)} {_roff(arguments)}".rstrip()
    yield _roff(command.help)
    yield from _parameters(command)


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name).strip("{}[]")
    name = name if parameter.metavar else name.upper()
    several = "..." if parameter.nargs != 1 else ""
    return f"{name}{several}" if parameter.required else f"[{name}{several}]"


def _parameters(command: Any) -> Iterator[str]:
    for parameter in command.params:
        if getattr(parameter, "hidden", False):
            continue
        if parameter.param_type_name == "argument":
            if getattr(parameter, "help", None):
                yield f".TP\n.I {_roff(_argument(parameter).strip('[]'))}\n{_roff(parameter.help)}"
            continue
        names = ", ".join([*parameter.opts, *parameter.secondary_opts])
        value = "" if parameter.is_flag else " " + (parameter.metavar or parameter.name.upper())
        yield f".TP\n.B {_roff(names + value)}\n{_roff(_(parameter.help or ''))}"


def _roff(text: str) -> str:
    """`text` so that roff prints it as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("\n\n", "\n.PP\n")
    return "\n".join(
        "\\&" + line if line[:1] in "'." and line != ".PP" else line for line in text.split("\n")
    )
