"""The tree of commands: a module is imported when one of its commands is asked for; help is in the reader's words."""

from __future__ import annotations

import difflib
import logging
import os
import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from agent import __version__
from agent.cli.brief import WIDEST_COLUMNS
from agent.cli.common import EXIT_INTERRUPTED
from agent.cli.main import MODULES, asks_for_json, no_language
from agent.cli.wrong import for_script, script_asked, tell
from agent.words import LANGUAGES, _, choose, known

PROGRAM = "loa"
TYPE = re.compile(r" <list\[[^>]*\]>")
"""What typer shows of an argument that may be repeated, and only a programmer understands."""


# the class itself is private to typer, and lies elsewhere in other versions
class _Formatter(typer.Context.formatter_class):  # type: ignore[valid-type, misc]
    """Help in the reader's language, as wide as the terminal."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, _("Usage: ") if prefix is None else prefix)

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 22, col_spacing: int = 2) -> None:
        plain = [(TYPE.sub("", first), _(second)) for first, second in rows]
        super().write_dl(plain, col_max, col_spacing)


class _Context(typer.Context):
    formatter_class = _Formatter


def translate(command: Any) -> Any:
    """`command` and all below it, with their help in the language of this process."""
    command.context_class = _Context
    command.help = _(_paragraphs(command.help))
    command.short_help = _(_paragraphs(command.short_help)) or command.help.split("\n\n")[0]
    if command.options_metavar:
        command.options_metavar = _(command.options_metavar)
    if getattr(command, "subcommand_metavar", None):
        command.subcommand_metavar = _(command.subcommand_metavar)
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = _(_paragraphs(parameter.help))
    for inner in getattr(command, "commands", {}).values():
        translate(inner)
    return command


def _paragraphs(text: str | None) -> str:
    """Help as it is catalogued: each paragraph one line."""
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n")).strip()


class Tree(typer.core.TyperGroup):
    """The commands of `MODULES`, by name."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.where = {name: module for module, names, *_said in MODULES for name in names.split()}
        self.said = {name: said[0] for _module, name, *said in MODULES if said}
        translate(self)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.where)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands and cmd_name in self.where:
            part = typer.Typer(rich_markup_mode=None)
            import_module(self.where[cmd_name]).register(part)
            for name, command in typer.main.get_group(part).commands.items():
                self.commands.setdefault(name, translate(command))
        return self.commands.get(cmd_name)

    def summary(self, name: str) -> str:
        """What a command does, in a line or two; empty for one that is hidden."""
        if name in self.said:
            return _(self.said[name])
        command = self.get_command(None, name)
        return "" if command.hidden else str(command.short_help)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        rows = [(name, text) for name in self.where if (text := self.summary(name))]
        with formatter.section(_("Commands")):
            formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.where and not args[0].startswith("-"):
            nearest = difflib.get_close_matches(args[0], self.where, n=3)
            hint = _(" Did you mean {names}?").format(names=", ".join(nearest)) if nearest else ""
            ctx.fail(_("There is no command {name}.").format(name=args[0]) + hint)
        return super().resolve_command(ctx, args)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"loa-agent {__version__}")
        raise typer.Exit


def _speak(language: str | None) -> None:
    if language is None:
        return
    if known(language) is None:
        raise typer.BadParameter(no_language(language))
    choose(language)


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    language: Annotated[
        str | None,
        typer.Option(
            "--lang",
            callback=_speak,
            is_eager=True,
            metavar="|".join(LANGUAGES),
            help="Language of the messages; otherwise the locale's. It may stand anywhere.",
        ),
    ] = None,
    socket: Annotated[
        Path | None,
        # who may not read it is told which group to join
        typer.Option("--socket", readable=False, help="Control socket; default /run/loa/control.sock."),
    ] = None,
) -> None:
    if socket is not None:
        os.environ["LOA_SOCKET"] = str(socket)


app = typer.Typer(
    name=PROGRAM,
    cls=Tree,
    help="The voice on the pole and the board in the square.",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST_COLUMNS},
)
app.callback()(_root)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code. Errors that are foreseen are one clear message."""
    logging.captureWarnings(True)
    for_script(asks_for_json(arguments))
    try:
        done = typer.main.get_command(app).main(list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except typer.TyperException as error:
        return _refuse(error)
    except typer.Abort:
        tell(_("ended before it was done"))
        return EXIT_INTERRUPTED
    return done if isinstance(done, int) else 0


def _refuse(error: typer.TyperException) -> int:
    """What is wrong with the line that was typed, and how it is typed."""
    context = getattr(error, "ctx", None)
    text = error.format_message()
    see = "" if context is None else _("See: {command} --help").format(command=context.command_path)
    if context is not None and text == context.get_help():  # a group without a command
        if script_asked():
            tell("Missing command.", see)
        else:
            typer.echo(text)
        return error.exit_code
    # of a value that is wrong, the rest of the line is right
    wrong_value = type(error) is typer.BadParameter
    usage = [] if context is None or wrong_value else [context.get_usage(), see]
    tell(text, see if script_asked() else "", details=usage)
    return error.exit_code
