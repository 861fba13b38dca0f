"""`loa setup`: a few questions, each answer tried at once, and the configuration is written."""

from __future__ import annotations

import socket as sockets
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.common import (
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    ConfigOption,
    JsonFlag,
    answer,
    config_path,
    fail,
    print_json,
    socket_path,
    system_root,
)
from agent.words import _

if TYPE_CHECKING:
    from agent.setup.machine import Machine

NEW = """\
# Configuration of this node, begun by `loa setup`. What else may stand here is explained in config.example.toml.
"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("setup")(setup)


def setup(
    config: ConfigOption = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Plain questions instead of the full screen.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Set the node up: finds what is wired, asks a little, tries each answer, shows what it writes."""
    from agent.cli.configuration import opened, told, write
    from agent.config import ConfigError
    from agent.config.difference import difference
    from agent.config.editing import change
    from agent.control.client import ask
    from agent.setup.questions import Interview
    from agent.setup.trying import Tryer, config_at

    with told():
        file, old, present = opened(config or config_path())

        def content(changes: Mapping[str, Any]) -> str:
            text = change(old or NEW, changes)
            file.check(text, old)
            return text

        def review(changes: Mapping[str, Any]) -> list[str]:
            return difference(
                old, content(changes), _("{file} before").format(file=file.path), str(file.path)
            )

        running = config_at(file.path)
        fake = running is not None and running.hardware.gpio == "fake"
        tryer = Tryer(running, lambda op, **rest: ask(socket_path(), op, **rest), fake=fake)
        interview = Interview(_machine(), present, sockets.gethostname())
        if plain:
            agreed = _plainly(interview, tryer, review, elsewhere=as_json)
        elif as_json:
            fail(_("--json needs --plain: the full screen is for a person"), EXIT_USAGE)
        else:
            if not (sys.stdin.isatty() and sys.stdout.isatty()):
                fail(_("this needs a terminal; without one: loa setup --plain"), EXIT_USAGE)
            from agent.setup.fullscreen import Wizard

            agreed = bool(Wizard(interview, tryer, review).run())
        if not agreed:
            fail(_("nothing was written"), EXIT_INTERRUPTED)
        try:
            new = content(interview.changes())
        except ConfigError as error:
            fail(str(error), EXIT_USAGE)
        if new == old:
            unchanged = {"changed": False, "difference": [], "restart": None}
            answer(unchanged, _("nothing changes"), as_json=as_json)
            return
        lines = review(interview.changes())
        todo = write(file, old, new)
    if as_json:
        print_json({"changed": True, "difference": lines, "restart": todo or None})
        return
    typer.echo(_("{file}: written; the one before is kept (loa config rollback)").format(file=file.path))
    typer.echo(todo or _("nothing to restart: only comments and order differ"))
    typer.echo(_("next: loa enroll URL CODE brings feeds and broker; loa doctor checks everything"))


def _machine() -> Machine:
    from agent.setup.machine import look

    return look(system_root())


def _plainly(interview: Any, tryer: Any, review: Any, *, elsewhere: bool) -> bool:
    """Ask on standard output; on standard error with `elsewhere`, where a script reads the answer of the command."""
    from agent.setup.plain import converse

    def write(line: str, nl: bool = True) -> None:
        typer.echo(line, nl=nl, err=elsewhere)

    def read(prompt: str) -> str:
        if not elsewhere:
            return input(prompt)
        write(prompt, nl=False)
        return input()

    try:
        return converse(interview, tryer, review, read, write)
    except (EOFError, KeyboardInterrupt):
        write("")
        return False
