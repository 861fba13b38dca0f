"""`loa station enroll …`: codes by which nodes come to this centre."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.common import JsonFlag, fail, said_by
from agent.station.errors import StationError
from agent.station.folder import Folder
from agent.words import _, retell

Station = Annotated[Path, typer.Argument(metavar="DIR", help="The station's folder.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `loa station`."""
    app.command("enroll")(enroll)
    app.command("enroll-stick")(enroll_stick)
    # as they were spelled first
    app.command("enrol", hidden=True)(enroll)
    app.command("enrol-stick", hidden=True)(enroll_stick)
    app.command("enrolments")(enrolments)


def enroll(
    station: Station,
    node: Annotated[str, typer.Argument(help="Name of the new node, as pole-07.")],
    number: Annotated[str, typer.Option(help="Number painted on the pole.")] = "",
    group: Annotated[
        list[str] | None, typer.Option(help="Group that it belongs to; may be repeated.")
    ] = None,
    hours: Annotated[float, typer.Option(min=0.1, max=2_160, help="How long the code holds.")] = 24.0,
    stick: Annotated[
        Path | None, typer.Option(help="A stick to write on, for a node without network.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Issue a code for a new node: good once, for one key, for a while."""
    from agent.enrol.joining import FOLDER
    from agent.station.enrolment import Desk
    from agent.usb.stick import Stick, StickError

    desk = Desk(Folder(station))
    valid = timedelta(hours=hours)
    try:
        code = desk.issue(node, groups=tuple(group or ()), number=number, valid=valid)
        url = desk.offer().url or "URL"
        if stick is not None:
            with Stick(stick) as open_stick:
                open_stick.write(FOLDER, f"{code.id}.offer.json", data=desk.for_stick(code))
    except (StationError, StickError, OSError) as error:
        fail(said_by(error))
    until = datetime.now(UTC) + valid
    how = f"sudo loa enroll --from STICK {code}" if stick is not None else f"sudo loa enroll {url} {code}"
    if as_json:
        sys.stdout.write(
            json.dumps({"code": str(code), "node": node, "until": until.isoformat(), "do": how}) + "\n"
        )
        return
    typer.echo(_("code         {code}").format(code=code))
    typer.echo(
        _("for          {node}, until {until}").format(node=node, until=f"{until.astimezone():%d/%m %H:%M}")
    )
    typer.echo(_("at the node  {command}").format(command=how))


def enroll_stick(
    station: Station,
    stick: Annotated[Path, typer.Argument(help="Where the stick is mounted.")],
    as_json: JsonFlag = False,
) -> None:
    """Answer the requests that nodes without network have left on a stick; take it back to them."""
    from agent.enrol import protocol
    from agent.enrol.joining import FOLDER
    from agent.station.enrolment import Desk, Refusal
    from agent.usb.stick import Stick, StickError, printable

    desk = Desk(Folder(station))
    answered = refused = 0
    try:
        with Stick(stick) as open_stick:
            for name in open_stick.names(FOLDER):
                if not name.endswith(".request.json"):
                    continue
                try:
                    asked = open_stick.read(FOLDER, name, max_bytes=protocol.MAX_REQUEST_BYTES)
                    answer = desk.answer(asked)
                except (Refusal, StickError) as error:
                    refused += 1
                    typer.echo(f"{printable(name)}: {retell(str(error))}", err=True)
                    continue
                open_stick.write(FOLDER, name.replace(".request.", ".answer."), data=answer)
                answered += 1
    except (StationError, StickError, OSError) as error:
        fail(said_by(error))
    if as_json:
        typer.echo(json.dumps({"answered": answered, "refused": refused}))
    else:
        typer.echo(_("answered {answered}, refused {refused}").format(answered=answered, refused=refused))
    if refused or not answered:
        raise typer.Exit(1)


def enrolments(station: Station, as_json: JsonFlag = False) -> None:
    """List the codes of the last weeks: for whom, until when, and whether they were used."""
    from agent.station.enrolment import MOST_WRONG, Desk

    try:
        issued = Desk(Folder(station)).issued()
    except (StationError, OSError) as error:
        fail(said_by(error))
    now = datetime.now(UTC)
    rows = []
    for id_, each in issued.items():
        state = "open" if each.expires > now else "expired"
        state = "void" if each.wrong >= MOST_WRONG else state
        state = "used" if each.used_by is not None else state
        rows.append({"code": id_, "node": each.node, "state": state, "until": each.expires.isoformat(),
                     "used": each.used_at.isoformat() if each.used_at else None, "wrong": each.wrong})  # fmt: skip
    if as_json:
        sys.stdout.write(json.dumps({"enrolments": rows}) + "\n")
        return
    words = {"open": _("open"), "expired": _("expired"), "void": _("void: guessed at"), "used": _("used")}
    for row in rows:
        until = f"{datetime.fromisoformat(str(row['until'])).astimezone():%d/%m %H:%M}"
        typer.echo(f"{row['code']}-…  {row['node']:<20} {words[str(row['state'])]:<10} {until}")
    if not rows:
        typer.echo(_("none"))
