"""What an officer types: `loa station alerts …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from agent.station.errors import StationError
from agent.station.folder import Folder
from agent.words import _, retell

Station = Annotated[
    Path, typer.Argument(metavar="DIR", help="The station's folder, as `station init` made it.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `loa station`."""
    alerts = typer.Typer(no_args_is_help=True, help="A feed of signed alerts, for nodes that pin its key.")
    alerts.command("publish")(publish)
    alerts.command("list")(list_)
    alerts.command("new-key")(new_key)
    alerts.command("use-key")(use_key)
    app.add_typer(alerts, name="alerts")


def publish(
    station: Station,
    cap: Annotated[Path, typer.Argument(help="A CAP 1.2 document: Alert, Update or Cancel.")],
) -> None:
    """Sign an alert and list it in the feed; the key is made when there is none."""
    from agent.station import alerts, glyphs

    folder = Folder(station)
    try:
        alert = alerts.publish(folder, cap.read_bytes())
    except (StationError, OSError) as error:
        _fail(error)
    note = glyphs.note_of_alert(alert)
    if note is not None:
        typer.echo(_("note: {note}").format(note=note), err=True)
    typer.echo(
        _("{kind} {identifier} is listed in {alerts}").format(
            kind=alert.kind, identifier=alert.identifier, alerts=folder.alerts / alerts.INDEX
        )
    )
    typer.echo(_("nodes pin {certificate}").format(certificate=folder.certificate(alerts.KEY)))


def list_(station: Station) -> None:
    """What the feed lists."""
    from agent.station import alerts

    try:
        found = alerts.listed(Folder(station))
    except StationError as error:
        _fail(error)
    for one in found:
        typer.echo(f"{one.until.astimezone():%Y-%m-%d %H:%M}  {one.key[1]}  {one.title}")
    if not found:
        typer.echo(_("nothing is listed"))


def new_key(station: Station) -> None:
    """Make the next key. It signs nothing yet: first every node must pin its certificate."""
    from agent.station import alerts

    try:
        certificate = alerts.make_key(Folder(station), alerts.NEXT)
    except OSError as error:
        _fail(error)
    typer.echo(_("for each node, beside the one it has: {certificate}").format(certificate=certificate))
    typer.echo(_("when all nodes have it: {command}").format(command="loa station alerts use-key"))


def use_key(station: Station) -> None:
    """Sign with the next key from now on; the former one is gone."""
    from agent.station import alerts

    folder = Folder(station)
    try:
        alerts.use_next_key(folder)
    except (StationError, OSError) as error:
        _fail(error)
    typer.echo(
        _("alerts are signed with the key of {certificate}").format(
            certificate=folder.certificate(alerts.KEY)
        )
    )


def _fail(error: Exception) -> NoReturn:
    typer.echo(f"loa station: {retell(str(error))}", err=True)
    raise typer.Exit(1) from error
