"""`loa station …`: what the officer and the station's technician type."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.common import JsonFlag, answer, fail, print_json, said_by
from agent.station import centre, newcomers, officer, onair, sticks, warning
from agent.station.errors import StationError
from agent.station.signals import asked_to_end
from agent.uplink.errors import UplinkError
from agent.words import _, column, retell

app = typer.Typer(
    help="A small centre: publish a feed, command nodes, collect reports.", no_args_is_help=True
)

StationDir = Annotated[Path, typer.Argument(help="The station's folder.")]


@contextmanager
def _told() -> Iterator[None]:
    """One clear message instead of a traceback; exit code 1."""
    try:
        yield
    except (StationError, UplinkError, OSError) as error:
        fail(said_by(error))


@app.command()
def init(
    station: StationDir,
    sample: Annotated[bool, typer.Option("--sample", help="With the texts of a sample commune.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a station: keys, the trusted root for nodes, and a folder to write in."""
    from agent.station import publish as publishing

    with _told():
        folder = publishing.init(station, sample=sample)
    if as_json:
        print_json({"keys": folder.keys, "root": folder.root, "authoring": folder.authoring})
        return
    told = (
        (_("keys"), _("{path} (keep root.pem in a drawer, not on this machine)").format(path=folder.keys)),
        (_("for each node"), folder.root),
        (_("write in"), folder.authoring),
        (_("fill in"), _("{path}: where the broker is").format(path=folder.path / centre.FILE)),
    )
    for what, where in told:
        typer.echo(f"{column(what, 15)}{where}")


@app.command()
def publish(station: StationDir, as_json: JsonFlag = False) -> None:
    """Render, measure and sign what the authoring folder says."""
    from agent.station import publish as publishing

    with _told():
        done = publishing.publish(station)
    for note in done.notes:
        typer.echo(_("note: {note}").format(note=retell(note)), err=True)
    said = (
        _("version {version} published: {targets} targets, {media_mb:.1f} MB of media")
        if done.changed
        else _("version {version} unchanged: {targets} targets, {media_mb:.1f} MB of media")
    )
    value = {
        "version": done.version,
        "changed": done.changed,
        "targets": done.targets,
        "media_bytes": done.media_bytes,
        "notes": list(done.notes),
    }
    text = said.format(version=done.version, targets=done.targets, media_mb=done.media_bytes / 1e6)
    answer(value, text, as_json=as_json)


@app.command()
def release(
    station: StationDir,
    archives: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Archives made by ./dev release.")
    ],
    as_json: JsonFlag = False,
) -> None:
    """Publish releases of the agent; nodes whose configuration names this feed under [update] take them."""
    from agent.station import publish as publishing
    from agent.station import releases
    from agent.station.folder import Folder

    with _told():
        offered = releases.add(Folder(station), archives)
        publishing.publish(station)
    listed = [f"{info.version:<12} {info.kind}" for info in offered.infos]
    told = _("newest: {version}; a node takes it with `loa update`, or by command").format(
        version=offered.newest
    )
    releases_ = [{"version": info.version, "kind": info.kind} for info in offered.infos]
    answer({"newest": offered.newest, "releases": releases_}, "\n".join([*listed, told]), as_json=as_json)


@app.command()
def renew(station: StationDir, as_json: JsonFlag = False) -> None:
    """Sign anew what has lived half of its time."""
    from agent.station import publish as publishing

    with _told():
        renewed = publishing.renew(station)
    told = _("signed anew: {names}").format(names=", ".join(renewed)) if renewed else _("nothing is due")
    answer({"renewed": list(renewed)}, told, as_json=as_json)


@app.command()
def rotate(
    station: StationDir,
    role: Annotated[
        str | None, typer.Argument(help="root, targets, snapshot or timestamp; none: only a longer life.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Replace a role's key, revoking the old one, or give the root a longer life. Needs root.pem."""
    from agent.station import keys
    from agent.station.folder import Folder
    from agent.station.repository import Repository

    if role is not None and role not in keys.ROLES:
        raise typer.BadParameter(
            _("{role!r} is none of {names}").format(role=role, names=", ".join(keys.ROLES))
        )
    with _told():
        version = Repository(Folder(station)).rotate(role)
    told = _("root {version} signed; nodes follow at their next poll").format(version=version)
    answer({"version": version}, told, as_json=as_json)


@app.command()
def serve(
    station: StationDir,
    host: Annotated[str, typer.Option(help="Address to serve the feed at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: a free one.")] = 8_080,
    web: Annotated[bool, typer.Option(help="Serve the feed; not needed behind another web host.")] = True,
    collect: Annotated[bool, typer.Option(help="Hear the nodes (needs station.toml).")] = True,
    cert: Annotated[
        Path | None, typer.Option(help="Certificate (PEM), to serve over https; needs --key.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Private key of --cert.")] = None,
) -> None:
    """Keep signatures fresh, serve the feed, collect reports; until Ctrl+C."""
    from agent.station.serve import Service

    if (cert is None) != (key is None):
        raise typer.BadParameter(_("--cert and --key belong together"))
    ended = asked_to_end()
    with (
        _told(),
        Service(
            station,
            host=host,
            port=port if web else None,
            collect=collect,
            certificate=None if cert is None or key is None else (cert, key),
            say=lambda text: typer.echo(retell(text)),
        ),
    ):
        while not ended():
            time.sleep(1.0)  # a signal that comes just before it begins is seen at its end


officer.register(app)
newcomers.register(app)
sticks.register(app)
app.command("live")(onair.live)
warning.register(app)
