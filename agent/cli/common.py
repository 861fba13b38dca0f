"""What every command of `loa` shares: where the node is, how to print, exit codes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NoReturn

import typer

from agent.cli.basics import (
    DEFAULT_CONFIG,
    DEFAULT_SOCKET,
    EXIT_DENIED,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_NOT_RUNNING,
    EXIT_USAGE,
    EXIT_WARNING,
    colours,
    config_path,
    local,
    paint,
    print_json,
    socket_path,
)
from agent.cli.wrong import for_script, tell
from agent.control.client import ControlError, ask
from agent.words import _

__all__ = [
    "DEFAULT_CONFIG",
    "DEFAULT_SOCKET",
    "EXIT_DENIED",
    "EXIT_FAILED",
    "EXIT_INTERRUPTED",
    "EXIT_NOT_RUNNING",
    "EXIT_USAGE",
    "EXIT_WARNING",
    "ConfigOption",
    "JsonFlag",
    "agreed",
    "answer",
    "ask_daemon",
    "colours",
    "config_path",
    "confirmed",
    "fail",
    "local",
    "no_answer",
    "note",
    "paint",
    "print_json",
    "said_by",
    "socket_path",
    "system_root",
]

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file; default /etc/loa/config.toml.")
]
JsonFlag = Annotated[
    bool, typer.Option("--json", callback=for_script, is_eager=True, help="Print JSON for a script.")
]


def system_root() -> Path:
    """Where /sys, /proc, /etc and /dev hang: $LOA_ROOT, for tests and images; else the machine itself."""
    return Path(os.environ.get("LOA_ROOT", "/"))


def ask_daemon(op: str, file: BinaryIO | None = None, **arguments: Any) -> dict[str, Any]:
    """Ask the daemon; end the command with one clear line where it cannot or will not."""
    try:
        return ask(socket_path(), op, file=file, **arguments)
    except ControlError as error:
        no_answer(error)


def no_answer(error: ControlError) -> NoReturn:
    """Say why the daemon gave no answer, and what to do; end with the code for it."""
    from agent.cli.down import say_why

    raise typer.Exit(say_why(error)) from None


def note(text: str) -> None:
    """Have an action beside the agent written into its audit log; into the system's log where it does not run."""
    try:
        ask(socket_path(), "note", text=text)
    except ControlError:
        import getpass
        import syslog

        syslog.openlog("loa", 0, syslog.LOG_AUTH)
        syslog.syslog(syslog.LOG_NOTICE, f"{text} by {os.environ.get('SUDO_USER') or getpass.getuser()}")


def agreed(question: str, *, yes: bool) -> bool:
    """Whether somebody at the terminal says yes; `--yes` has said it. Nobody there is a wrong command line."""
    if yes:
        return True
    if not sys.stdin.isatty():
        fail(_("nobody is there to ask; add --yes"), EXIT_USAGE)
    return confirmed(question, default=False)


def confirmed(question: str, *, default: bool) -> bool:
    """What somebody at the terminal answers; asked on standard error, so that a script's JSON stays whole."""
    return typer.confirm(question, default=default, err=True)


def fail(text: str, code: int = EXIT_FAILED, *, remedy: str = "") -> NoReturn:
    """Say what is wrong, and what to do where `text` does not say it; end with `code`. See `agent.cli.wrong`."""
    tell(text, remedy)
    raise typer.Exit(code)


def said_by(error: Exception) -> str:
    """What an error says; of the system's own the file and the reason, without Python's number and quotes."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def answer(value: Any, text: str, *, as_json: bool) -> None:
    """What a command did: `value` for a script that asked for JSON, else `text`."""
    if as_json:
        print_json(value)
    else:
        typer.echo(text)
