"""Commands that look: status, now, next, log."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent.cli.common import (
    EXIT_USAGE,
    ConfigOption,
    JsonFlag,
    ask_daemon,
    config_path,
    fail,
    local,
    print_json,
)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(status)
    app.command()(now)
    app.command("next")(next_)
    app.command()(log)
    app.command()(voices)


def status(as_json: JsonFlag = False) -> None:
    """How the node is: speaks? shows? connected? clock? faults?"""
    reply = ask_daemon("status")
    if as_json:
        print_json(reply)
        return
    health = reply["health"]
    node = reply["node"]
    number = f" · số {node['public_number']}" if node["public_number"] else ""
    typer.echo(f"{node['id']} ({node['site']}){number} · agent {node['agent']}")
    typer.echo(f"speaks   {_audio(health)}")
    typer.echo(f"shows    {_screen(health)}")
    typer.echo(f"link     {reply['link']}")
    clock = health["clock"]
    error = f" ±{clock['error_s']:.3f} s" if clock["error_s"] is not None else ""
    typer.echo(f"clock    {clock['state']}{error}")
    for name, feed in health["feeds"].items():
        reason = f": {feed['reason']}" if feed.get("reason") else ""
        typer.echo(
            f"feed     {name} v{feed['version'] or '–'} {feed['state']}, {local(feed['checked'])}{reason}"
        )
    for name, source in reply["alert_sources"].items():
        reason = f": {source['reason']}" if source.get("reason") else ""
        typer.echo(f"alerts   {name} {source['state']}, {local(source['checked'])}{reason}")
    relays = ", ".join(f"{name} {'on' if on else 'off'}" for name, on in health["relays"].items())
    typer.echo(f"relays   {relays or 'none'}")
    test = health.get("self_test")
    if test is not None:
        typer.echo(f"tested   {test['verdict']}, {local(test['at'])}: {test['text']}")
    for zone, until in health["muted"].items():
        typer.echo(f"muted    {_zone(zone)} until {local(until)}; emergencies still sound")
    for zone, volume in health["volumes"].items():
        end = f" until {local(volume['until'])}" if volume["until"] else ""
        typer.echo(f"volume   {_zone(zone)} {volume['gain_db']:+.1f} dB{end}")
    waiting = health["log"]["last"] - health["log"]["stored_through"]
    typer.echo(f"log      {waiting} records wait for the centre")
    faults = health["faults"]
    typer.echo("faults   none" if not faults else f"faults   {len(faults)}")
    for fault in faults:
        typer.echo(f"  ! {fault['code']} since {local(fault['since'])}: {fault['text']}")


def now(as_json: JsonFlag = False) -> None:
    """What sounds and shows now."""
    reply = ask_daemon("status")
    if as_json:
        print_json(reply["health"]["now"])
        return
    typer.echo(f"speaks   {_audio(reply['health'])}")
    typer.echo(f"shows    {_screen(reply['health'])}")


def next_(
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1_000, help="How many.")] = 10,
    as_json: JsonFlag = False,
) -> None:
    """What starts next."""
    reply = ask_daemon("next", count=count)
    if as_json:
        print_json(reply["upcoming"])
        return
    if not reply["upcoming"]:
        typer.echo("nothing is planned")
    for entry in reply["upcoming"]:
        note = f"  ({entry['refused']})" if entry["refused"] else ""
        typer.echo(
            f"{local(entry['planned']):>15}  {entry['class']:<9} {entry['title'] or entry['id']}{note}"
        )


def log(
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1_000, help="How many.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """The newest records of the play log that are still on the node."""
    reply = ask_daemon("log", count=count)
    if as_json:
        print_json(reply["records"])
        return
    for record in reply["records"]:
        typer.echo(_line(record))


def voices(config: ConfigOption = None, as_json: JsonFlag = False) -> None:
    """Which languages can be spoken here, and by whom; the node's own languages first."""
    from agent.config import ConfigError, load
    from agent.config.voices import voices_of
    from agent.speech import SpeechError, espeak
    from agent.speech.speaking import spoken_by

    try:
        found = load(config or config_path())
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)
    speakers = voices_of(found.voices)
    wanted = [*found.node.languages, *speakers.configured]
    entries = []
    for language in dict.fromkeys(tag.lower() for tag in wanted):
        try:
            by, why_not = spoken_by(speakers, language), None
        except SpeechError as error:
            by, why_not = None, str(error)
        entries.append({"language": language, "by": by, "reason": why_not})
    try:
        others = sorted(espeak.voices().keys() - {entry["language"] for entry in entries})
    except SpeechError:
        others = []
    if as_json:
        print_json({"languages": entries, "others": others})
        return
    for entry in entries:
        typer.echo(f"{entry['language']:<12} {entry['by'] or 'cannot be spoken: ' + str(entry['reason'])}")
    typer.echo(f"{'also':<12} {' '.join(others) or 'none'} (espeak-ng)")


def _zone(name: str) -> str:
    return "all of it" if name == "*" else name


def _audio(health: dict[str, Any]) -> str:
    audio = health["now"]["audio"]
    if not audio:
        return "nothing"
    name = audio["title"] or audio["programme"] or audio["command"] or audio["alert"]
    level = f", {audio['level_dbfs']:.0f} dBFS" if audio["level_dbfs"] is not None else ", silent"
    level += {True: ", heard", False: ", NOT HEARD", None: ""}[audio.get("heard")]
    if audio.get("heard_dbfs") is not None:
        level += f" at {audio['heard_dbfs']:.0f} dBFS"
    return f"{name} (item {audio['item']}){level}" if audio["item"] is not None else f"{name}{level}"


def _screen(health: dict[str, Any]) -> str:
    screen = health["now"]["screen"]
    if not screen or not screen["driver"]:
        return "no screen"
    size = "×".join(str(side) for side in screen["size"] or ())
    what = f"ALERT {screen['takeover']}" if screen["takeover"] else ", ".join(screen["showing"]) or "nothing"
    return f"{what} ({screen['driver']} {size})"


def _line(record: dict[str, Any]) -> str:
    at = local(record["started"] or record["planned"] or record["ended"])
    what = (
        record["programme"]
        or record["command"]
        or record["alert"]
        or record["bulletin"]
        or record["fault"]
        or ""
    )
    item = f"[{record['item']}]" if record["item"] is not None else ""
    played = f" {record['played_s']:.1f} s" if record["played_s"] else ""
    level = f" {record['sounded_dbfs']:.0f} dBFS" if record["sounded_dbfs"] is not None else ""
    level += {True: ", heard", False: ", not heard", None: ""}[record.get("heard")]
    if record.get("heard_dbfs") is not None:
        level += f" at {record['heard_dbfs']:.0f} dBFS"
    reason = f" ({record['reason']})" if record["reason"] else ""
    text = f" {record['text']}" if record["text"] else ""
    return f"{at:>15} {record['kind']:<7} {what}{item} {record['outcome'] or ''}{played}{level}{reason}{text}"
