"""What an officer types: `loa station command …`, `report`, `receipts`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.table import Table

from agent.cli.common import JsonFlag, fail
from agent.station import centre, keys
from agent.station.archive import Archive
from agent.station.commands import VALID_S, Answer, Desk, compose
from agent.station.errors import StationError
from agent.station.folder import Folder
from agent.station.report import ZONE, Report, report
from agent.uplink.errors import UplinkError
from agent.words import _, retell
from playlists.alert import read_alert
from playlists.errors import Rejected
from playlists.identity import PHRASES, TITLE
from playlists.models.command import FINAL
from playlists.units import Seconds

Station = Annotated[
    Path, typer.Argument(metavar="DIR", help="The station's folder, as `station init` made it.")
]
To = Annotated[
    list[str] | None,
    typer.Option("--to", help="node:NAME, group:NAME or * (all, the default); may be repeated."),
]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for receipts.")]
Class = Annotated[str, typer.Option("--class", help="routine, priority or emergency.")]
Language = Annotated[str, typer.Option(help="Language of the words, as a BCP 47 tag.")]
Until = Annotated[str | None, typer.Option(help="End, as 2026-11-23T20:00+07:00, or as minutes from now.")]

ICONS = {"finished": "✔", "heard": "✔", "shown": "✔", "refused": "✘", "failed": "✘", "interrupted": "✘"}


def register(app: typer.Typer) -> None:
    """Add the officer's commands to `loa station`."""
    command = typer.Typer(no_args_is_help=True, help="Sign a command and send it to nodes.")
    for name, function in _COMMANDS.items():
        command.command(name)(function)
    app.add_typer(command, name="command")
    app.command("report")(show_report)
    app.command("receipts")(show_receipts)


def announce(
    station: Station,
    text: Annotated[str, typer.Argument(help="Words to be spoken.")],
    to: To = None,
    class_: Class = "routine",
    language: Language = "vi",
    title: Annotated[str, typer.Option(help="A title for the log.")] = "",
    wait: Wait = 10.0,
    as_json: JsonFlag = False,
) -> None:
    """Speak words now."""
    item = {"speech": {"text": text, "language": language}}
    do = {"type": "announce", "items": [item], "class": class_, "language": language, "title": title}
    _order(station, do, to, wait, as_json)


def identify(station: Station, to: To = None, wait: Wait = 10.0, as_json: JsonFlag = False) -> None:
    """Have nodes say their public number."""
    items = [{"speech": {"text": PHRASES["vi"], "language": "vi"}}]
    do = {"type": "announce", "items": items, "class": "routine", "language": "vi", "title": TITLE}
    _order(station, do, to, wait, as_json)


def play(
    station: Station,
    media: Annotated[str, typer.Argument(help="A recording of the feed: media/….")],
    to: To = None,
    class_: Class = "routine",
    language: Language = "vi",
    wait: Wait = 10.0,
    as_json: JsonFlag = False,
) -> None:
    """Play a recording of the feed now."""
    do = {"type": "announce", "items": [{"media": media}], "class": class_, "language": language}
    _order(station, do, to, wait, as_json)


def alert(
    station: Station,
    cap: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CAP 1.2 document.")],
    to: To = None,
    wait: Wait = 10.0,
    as_json: JsonFlag = False,
) -> None:
    """Send an alert, its update or its cancellation."""
    try:
        raw = cap.read_bytes()
        read_alert(raw, str(cap))
    except OSError as error:
        fail(_("{cap}: {strerror}; nothing was sent").format(cap=cap, strerror=error.strerror or error))
    except Rejected as error:
        fail(_("{error}; nothing was sent").format(error=retell(str(error))))
    # a node takes the text, which has no use for the byte order mark that read_alert allows
    text = raw.decode("utf-8-sig")
    _order(station, {"type": "alert", "cap": text}, to, wait, as_json)


def stop(
    station: Station,
    programme: Annotated[str, typer.Argument(help="Id of the programme; * for whatever plays.")] = "*",
    to: To = None,
    wait: Wait = 10.0,
    as_json: JsonFlag = False,
) -> None:
    """End what plays."""
    _order(station, {"type": "stop", "programme": programme}, to, wait, as_json)


def mute(
    station: Station, until: Until = "60", to: To = None, wait: Wait = 10.0, as_json: JsonFlag = False
) -> None:
    """Silence nodes for a while; emergencies still sound."""
    _order(station, {"type": "mute", "until": _moment(until)}, to, wait, as_json)


def unmute(station: Station, to: To = None, wait: Wait = 10.0, as_json: JsonFlag = False) -> None:
    """Lift a mute."""
    _order(station, {"type": "mute", "until": None}, to, wait, as_json)


def volume(
    station: Station,
    volume_db: Annotated[float, typer.Argument(min=-60, max=20, help="Gain in dB; 0 changes nothing.")],
    until: Until = None,
    to: To = None,
    wait: Wait = 10.0,
    as_json: JsonFlag = False,
) -> None:
    """Set the loudness (write `-- -6` for a negative gain)."""
    _order(station, {"type": "volume", "volume_db": volume_db, "until": _moment(until)}, to, wait, as_json)


def screenshot(
    station: Station,
    node: Annotated[str, typer.Argument(help="Name of the node.")],
    width: Annotated[int, typer.Option(min=64, max=3_840, help="Pixels.")] = 640,
    wait: Wait = 10.0,
    as_json: JsonFlag = False,
) -> None:
    """Ask a node for a picture of its board; the collector stores it."""
    _order(station, {"type": "screenshot", "width": width}, [f"node:{node}"], wait, as_json)


def chore(
    station: Station,
    what: Annotated[str, typer.Argument(help="self-test, sync, send-logs, restart or reboot.")],
    to: To = None,
    wait: Wait = 10.0,
    as_json: JsonFlag = False,
) -> None:
    """Have nodes do a chore."""
    _order(station, {"type": what}, to, wait, as_json)


def update(
    station: Station,
    release: Annotated[str, typer.Argument(help="Version, as `loa station release` lists it.")],
    to: To = None,
    wait: Wait = 600.0,
    as_json: JsonFlag = False,
) -> None:
    """Have nodes update themselves to a release of this feed."""
    try:
        feed = centre.load(Folder(station)).feed
    except StationError as error:
        fail(str(error))
    _order(station, {"type": "update", "feed": feed, "release": release}, to, wait, as_json)


def show_report(
    station: Station,
    day: Annotated[str | None, typer.Option(help="The day, as 2026-11-23; default is today.")] = None,
    timezone: Annotated[str, typer.Option(help="Time zone of the day.")] = ZONE.key,
    as_json: JsonFlag = False,
) -> None:
    """What a day was like, from what the nodes reported."""
    try:
        zone = ZoneInfo(timezone)
        found_day = date.fromisoformat(day) if day else datetime.now(zone).date()
    except (ZoneInfoNotFoundError, ValueError) as error:
        fail(_("--day {day} --timezone {timezone}: {error}").format(day=day, timezone=timezone, error=error))
    found = _with_archive(station, lambda archive: report(archive, found_day, zone))
    if as_json:
        typer.echo(found.as_json())
    else:
        for table in tables(found):
            Console().print(table)


def show_receipts(
    station: Station,
    command: Annotated[str | None, typer.Argument(help="Id of a command; default all.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """What became of commands, as the collector heard it."""
    found = _with_archive(station, lambda archive: archive.receipts(command, limit))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    table = Table(_("at"), _("node"), _("command"), _("state"), _("reason"))
    for entry in found:
        table.add_row(
            entry["at"], entry["node"], entry["command"], _(entry["state"]), retell(entry["reason"] or "")
        )
    Console().print(table)


def tables(found: Report) -> list[Table]:
    """The report for a human."""
    percent = "–" if found.completed_percent is None else f"{found.completed_percent} %"
    minutes = Table(
        _("class"),
        _("language"),
        _("minutes"),
        _("plays"),
        title=_("{day}: {percent} completed").format(day=found.day, percent=percent),
    )
    for entry in found.minutes:
        minutes.add_row(_(entry.class_), entry.language, f"{entry.minutes:.1f}", str(entry.plays))
    nodes = Table(_("node"), _("state"), _("minutes"), _("finished"), _("hours heard"), title=_("Nodes"))
    for node in found.nodes:
        silent = " " + _("SILENT") if node.node in found.silent else ""
        nodes.add_row(
            node.node,
            (_(node.state) if node.state else "–") + silent,
            f"{node.minutes:.1f}",
            f"{node.finished}/{node.plays}",
            str(node.heard_hours),
        )
    result = [minutes, nodes]
    if found.failures:
        failures = Table(_("at"), _("node"), _("what"), _("outcome"), _("why"), title=_("Not finished"))
        for failure in found.failures:
            failures.add_row(
                failure.at or "–",
                failure.node,
                failure.what,
                _(failure.outcome),
                retell(failure.reason or ""),
            )
        result.append(failures)
    return result


_COMMANDS: dict[str, Callable[..., None]] = {
    "announce": announce,
    "identify": identify,
    "play": play,
    "alert": alert,
    "stop": stop,
    "mute": mute,
    "unmute": unmute,
    "volume": volume,
    "screenshot": screenshot,
    "chore": chore,
    "update": update,
}


def line_of(answer: Answer) -> str:
    """A node's answer for a human."""
    receipt = answer.receipt
    why = f" ({retell(receipt.reason)})" if receipt.reason else ""
    return f"  {ICONS.get(receipt.state, '·')} {answer.node}: {_(receipt.state)}{why}"


def _order(station: Path, do: dict[str, Any], to: list[str] | None, wait_s: float, as_json: bool) -> None:
    """Compose, sign, send, and tell what the nodes answer. Exit 1 when a node refuses or fails."""
    folder = Folder(station)
    try:
        settings = centre.load(folder)
        signer = keys.load(folder, keys.OFFICER)
        command = compose(
            do,
            feed=settings.feed,
            to=to or ["*"],
            now=datetime.now(UTC),
            valid_s=max(VALID_S, Seconds(wait_s)),
        )
        with Desk(settings, signer) as desk:
            desk.send(command)
            if not as_json:
                typer.echo(_("{id} sent to {names}").format(id=command.id, names=", ".join(command.to)))
            answers = _gather(desk, command.to, command, wait_s, as_json)
    except (StationError, UplinkError) as error:
        fail(str(error))
    if as_json:
        receipts = [{"node": a.node, **a.receipt.model_dump(mode="json")} for a in answers]
        typer.echo(json.dumps({"command": command.id, "receipts": receipts}, ensure_ascii=False, indent=2))
    elif not answers and wait_s:
        typer.echo(_("no node has answered yet; later: loa station receipts"))
    if any(answer.receipt.state in ("refused", "failed") for answer in answers):
        raise typer.Exit(1)


def _gather(desk: Desk, to: tuple[str, ...], command: Any, wait_s: float, as_json: bool) -> list[Answer]:
    """Receipts until `wait_s` has passed, or until every node that is named is done."""
    awaited = {address.removeprefix("node:") for address in to} if _only_nodes(to) else None
    answers = []
    for answer in desk.answers(command, Seconds(wait_s)):
        answers.append(answer)
        if not as_json:
            typer.echo(line_of(answer))
        if awaited is not None and answer.receipt.state in FINAL:
            awaited.discard(answer.node)
            if not awaited:
                break
    return answers


def _only_nodes(to: tuple[str, ...]) -> bool:
    return all(address.startswith("node:") for address in to)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        if text.isdecimal():
            return datetime.now(UTC) + timedelta(minutes=int(text))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        fail(_("--until {text}: {error}").format(text=text, error=error))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZONE)


def _with_archive(station: Path, ask: Callable[[Archive], Any]) -> Any:
    path = Folder(station).database
    if not path.exists():
        fail(_("{path}: nothing was collected yet; does `loa station serve` run?").format(path=path))
    try:
        archive = Archive(path)
    except StationError as error:
        fail(str(error))
    try:
        return ask(archive)
    finally:
        archive.close()
