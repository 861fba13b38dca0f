"""`loa enroll`: identity, feeds and broker settings from a centre, or from a stick, by a one-time code."""

from __future__ import annotations

import contextlib
import grp
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    ConfigOption,
    JsonFlag,
    config_path,
    confirmed,
    fail,
    print_json,
)
from agent.words import _

if TYPE_CHECKING:
    from agent.enrol.code import Code
    from agent.enrol.joining import Joined

NEW = """\
# Configuration of this node, begun by `loa enroll`. What else may stand here is explained in config.example.toml.
"""


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("enroll")(enroll)


def enroll(
    words: Annotated[list[str], typer.Argument(metavar="URL CODE | --from DIR CODE")],
    stick: Annotated[
        Path | None, typer.Option("--from", help="A USB stick, where it is mounted, instead of a URL.")
    ] = None,
    ca: Annotated[Path | None, typer.Option("--ca", help="Certificates (PEM) to trust for https.")] = None,
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Join a centre by a one-time code: the key is made here, the difference is shown, then it is written.

    The centre issues the code with: loa station enroll DIR NODE.
    """
    from agent.cli.configuration import opened, told, write
    from agent.config.difference import difference
    from agent.config.editing import change
    from agent.config.writer import GROUP
    from agent.enrol.joining import changes, put_files

    if len(words) != (1 if stick is not None else 2):
        fail(_("type: loa enroll URL CODE, or: loa enroll --from DIR CODE"), EXIT_USAGE)
    with told():
        file, old, present = opened(config or config_path())
        joined = _join(_code(words[-1]), words[0] if stick is None else None, stick, file.path, ca)
        group = None
        with contextlib.suppress(KeyError):
            group = grp.getgrnam(GROUP).gr_gid
        put_files(joined, group)
        new = change(old or NEW, changes(joined, present))
        file.check(new, old)
        lines = difference(old, new, _("{file} before").format(file=file.path), str(file.path))
        if not as_json:
            _show(joined, lines)
        if new != old and not yes:
            if not sys.stdin.isatty():
                fail(_("nothing was written: nobody is there to ask; add --yes"), EXIT_USAGE)
            if not confirmed(_("Write this?"), default=True):
                fail(_("nothing was written; the same code may be used again"))
        todo = write(file, old, new) if new != old else ""
    _say(joined, lines, todo, as_json=as_json)


def _code(text: str) -> Code:
    from agent.enrol.code import read
    from agent.enrol.errors import BadCode

    try:
        return read(text)
    except BadCode as error:
        fail(str(error), EXIT_USAGE)


def _join(code: Code, url: str | None, stick: Path | None, config: Path, ca: Path | None) -> Joined:
    from agent.enrol.errors import EnrolError
    from agent.enrol.joining import Joining
    from agent.usb.stick import Stick, StickError

    joining = Joining(code, config.resolve().absolute().parent)
    try:
        if stick is not None:
            with Stick(stick) as open_stick:
                return joining.take(open_stick)
        return joining.ask(url or "", ca)
    except (EnrolError, StickError) as error:
        fail(str(error), EXIT_FAILED)


def _show(joined: Joined, lines: list[str]) -> None:
    from agent.cli.configuration import show

    said = joined.enrolment
    typer.echo(_("this node is {node} of {site}").format(node=said.node, site=said.site))
    for feed in said.feeds:
        text = _("it follows {name}, {url}, which may claim {ceiling}")
        typer.echo(text.format(name=feed.name, url=feed.url, ceiling=feed.ceiling.value))
    show(lines)


def _say(joined: Joined, lines: list[str], todo: str, *, as_json: bool) -> None:
    said = joined.enrolment
    if as_json:
        print_json(
            {
                "node": said.node,
                "site": said.site,
                "feeds": [feed.name for feed in said.feeds],
                "broker": said.broker is not None and joined.complete,
                "complete": joined.complete,
                "difference": lines,
                "restart": todo or None,
            }
        )
        return
    typer.echo(todo or _("everything was so already"))
    if not joined.complete:
        typer.echo(_("The node can follow its feeds. For the broker, take the stick to the centre and back:"))
        typer.echo(_("there type loa station enroll-stick DIR STICK, and here the same command again."))
    elif said.broker is None:
        typer.echo(
            _("The centre named no broker: this node reports to nobody, or by stick (loa usb export).")
        )
