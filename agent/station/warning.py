"""What an officer types: `loa station alerts …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.common import JsonFlag, answer, fail, print_json, said_by
from agent.station.errors import StationError
from agent.station.folder import Folder
from agent.words import _

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
    as_json: JsonFlag = False,
) -> None:
    """Sign an alert and list it in the feed; the key is made when there is none."""
    from agent.station import alerts, glyphs

    folder = Folder(station)
    try:
        alert = alerts.publish(folder, cap.read_bytes())
    except (StationError, OSError) as error:
        fail(said_by(error))
    note = glyphs.note_of_alert(alert)
    if note is not None:
        typer.echo(_("note: {note}").format(note=note), err=True)
    index, certificate = folder.alerts / alerts.INDEX, folder.certificate(alerts.KEY)
    told = _("{kind} {identifier} is listed in {alerts}").format(
        kind=alert.kind, identifier=alert.identifier, alerts=index
    )
    told += "\n" + _("nodes pin {certificate}").format(certificate=certificate)
    value = {"kind": alert.kind, "identifier": alert.identifier, "index": index, "certificate": certificate}
    answer(value, told, as_json=as_json)


def list_(station: Station, as_json: JsonFlag = False) -> None:
    """What the feed lists."""
    from agent.station import alerts

    try:
        found = alerts.listed(Folder(station))
    except StationError as error:
        fail(said_by(error))
    if as_json:
        print_json([{"until": one.until, "identifier": one.key[1], "title": one.title} for one in found])
        return
    for one in found:
        typer.echo(f"{one.until.astimezone():%Y-%m-%d %H:%M}  {one.key[1]}  {one.title}")
    if not found:
        typer.echo(_("nothing is listed"))


def new_key(station: Station, as_json: JsonFlag = False) -> None:
    """Make the next key. It signs nothing yet: first every node must pin its certificate."""
    from agent.station import alerts

    try:
        certificate = alerts.make_key(Folder(station), alerts.NEXT)
    except OSError as error:
        fail(said_by(error))
    told = _("for each node, beside the one it has: {certificate}").format(certificate=certificate)
    told += "\n" + _("when all nodes have it: {command}").format(command="loa station alerts use-key")
    answer({"certificate": certificate}, told, as_json=as_json)


def use_key(station: Station, as_json: JsonFlag = False) -> None:
    """Sign with the next key from now on; the former one is gone."""
    from agent.station import alerts

    folder = Folder(station)
    try:
        alerts.use_next_key(folder)
    except (StationError, OSError) as error:
        fail(said_by(error))
    certificate = folder.certificate(alerts.KEY)
    told = _("alerts are signed with the key of {certificate}").format(certificate=certificate)
    answer({"certificate": certificate}, told, as_json=as_json)
