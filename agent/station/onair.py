"""What an officer types to speak live: `loa station live`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from agent.cli.common import fail
from agent.station import centre, keys
from agent.station.broadcast import Broadcast
from agent.station.commands import Answer, Desk
from agent.station.errors import StationError
from agent.station.folder import Folder
from agent.station.officer import Class, Language, Station, To, line_of
from agent.station.signals import asked_to_end
from agent.uplink.errors import UplinkError
from agent.words import _, retell
from playlists.units import Seconds


def live(
    station: Station,
    stream: Annotated[str, typer.Argument(help="Where the nodes fetch it: https://…, rtp://….")],
    to: To = None,
    class_: Class = "priority",
    language: Language = "vi",
    title: Annotated[str, typer.Option(help="A title for the log and the board.")] = "",
    lease: Annotated[
        float,
        typer.Option(min=3, max=3_600, help="Seconds after which nodes end it if this program is gone."),
    ] = 30.0,
    for_s: Annotated[
        float | None, typer.Option("--for", min=1, help="End after so many seconds; default at Ctrl+C.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to hear, at the end, that it has ended.")] = 5.0,
) -> None:
    """Broadcast a stream live until Ctrl+C. A node opens only hosts that its configuration allows."""
    ended = asked_to_end()
    until = None if for_s is None else time.monotonic() + for_s
    folder = Folder(station)
    try:
        settings = centre.load(folder)
        with Desk(settings, keys.load(folder, keys.OFFICER)) as desk:
            broadcast = Broadcast(
                desk,
                feed=settings.feed,
                to=to or ["*"],
                lease_s=Seconds(lease),
                heard=_tell,
                say=lambda text: typer.echo(retell(text)),
            )
            command = broadcast.begin(
                {"stream": stream, "class": class_, "language": language, "title": title}
            )
            typer.echo(
                _("{id} sent to {names}; Ctrl+C ends it").format(id=command.id, names=", ".join(command.to))
            )
            wanted = broadcast.hold(lambda: ended() or (until is not None and time.monotonic() >= until))
            if wanted:
                broadcast.end(Seconds(wait))
    except (StationError, UplinkError) as error:
        fail(str(error))
    if not wanted:
        fail(_("no node has it any more"))
    if not broadcast.nodes:
        fail(_("no node has answered"))
    if any(broadcast.nodes.values()):
        typer.echo(_("not every node has said that it ended; there the lease ends it"))


def _tell(answer: Answer) -> None:
    typer.echo(line_of(answer))
