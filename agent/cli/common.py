"""What every command of `loa` shares: where the node is, how to print, exit codes."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NoReturn

import typer

from agent.control.client import ControlError, Denied, NotRunning, ask
from agent.words import _, retell

DEFAULT_CONFIG = Path("/etc/loa/config.toml")
DEFAULT_SOCKET = Path("/run/loa/control.sock")

EXIT_FAILED = 1
"""It was tried and did not succeed, the node refused, or a fault was found."""
EXIT_USAGE = 2
"""The command line or the configuration is wrong; nothing was done."""
EXIT_NOT_RUNNING = 3
"""The agent is not running."""
EXIT_DENIED = 4
"""Who asked may not: another group or root is needed."""
EXIT_WARNING = 5
"""Nothing is broken, but something wants attention: warnings and no fault."""
EXIT_INTERRUPTED = 130
"""Ended from the keyboard."""

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="Configuration file; default /etc/loa/config.toml.")
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


def socket_path() -> Path:
    """Where the daemon listens: $LOA_SOCKET, or the system's place."""
    return Path(os.environ.get("LOA_SOCKET", str(DEFAULT_SOCKET)))


def config_path() -> Path:
    """Which configuration is meant: $LOA_CONFIG, or the system's."""
    return Path(os.environ.get("LOA_CONFIG", str(DEFAULT_CONFIG)))


def system_root() -> Path:
    """Where /sys, /proc, /etc and /dev hang: $LOA_ROOT, for tests and images; else the machine itself."""
    return Path(os.environ.get("LOA_ROOT", "/"))


def ask_daemon(op: str, file: BinaryIO | None = None, **arguments: Any) -> dict[str, Any]:
    """Ask the daemon; end the command with one clear line where it cannot or will not."""
    try:
        return ask(socket_path(), op, file=file, **arguments)
    except NotRunning as error:
        fail(str(error), EXIT_NOT_RUNNING)
    except Denied as error:
        fail(str(error), EXIT_DENIED)
    except ControlError as error:
        fail(str(error))


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
    return typer.confirm(question, default=False)


def fail(text: str, code: int = EXIT_FAILED) -> NoReturn:
    """Say what is wrong, in the reader's language where the catalogue knows the sentence, and end with `code`."""
    typer.echo(f"loa: {retell(text)}", err=True)
    raise typer.Exit(code)


def colours() -> bool:
    """Is what is printed read on a terminal by somebody who likes colours? (https://no-color.org)"""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str, *, bold: bool = False) -> str:
    """`text` in `colour` (`red`, `yellow`, `green`, …) on a terminal, unchanged elsewhere."""
    return typer.style(text, fg=colour, bold=bold) if colours() else text


def print_json(value: Any) -> None:
    """JSON for scripts: UTF-8, indented."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def answer(value: Any, text: str, *, as_json: bool) -> None:
    """What a command did: `value` for a script that asked for JSON, else `text`."""
    if as_json:
        print_json(value)
    else:
        typer.echo(text)


def local(text: str | None, *, seconds: bool = True) -> str:
    """A moment of the protocol as local wall time; a dash for none."""
    if not text:
        return "–"
    moment = datetime.fromisoformat(text).astimezone()
    today = moment.date() == datetime.now().astimezone().date()
    return moment.strftime(("" if today else "%d/%m ") + ("%H:%M:%S" if seconds else "%H:%M"))
