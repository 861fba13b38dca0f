"""Commands that look: status, now, next, log, faults, link."""

from __future__ import annotations

from typing import Annotated

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
from agent.cli.page import columns, rows, wrapped
from agent.words import _, column, retell

CountOption = Annotated[int, typer.Option("--count", "-n", min=1, max=1_000, help="How many.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(status)
    app.command()(now)
    app.command("next")(next_)
    app.command()(log)
    app.command()(faults)
    app.command()(link)
    app.command()(top)
    app.command()(voices)


def status(as_json: JsonFlag = False) -> None:
    """How the node is: speaks? shows? connected? clock? faults, and what to do about each.

    Ends with 0 when all is well, 5 when something wants attention, 1 when a fault stands, 3 when the agent does not
    run.
    """
    from agent.cli import state

    raise typer.Exit(state.status(as_json=as_json))


def now(as_json: JsonFlag = False) -> None:
    """What sounds and shows now."""
    from agent.cli import tell

    reply = ask_daemon("status")
    if as_json:
        print_json(reply["health"]["now"])
        return
    pairs = ((_("speaks"), tell.audio(reply["health"])), (_("shows"), tell.screen(reply["health"])))
    for line in rows(pairs, columns()):
        typer.echo(line)


def next_(count: CountOption = 10, as_json: JsonFlag = False) -> None:
    """What starts next."""
    reply = ask_daemon("next", count=count)
    if as_json:
        print_json(reply["upcoming"])
        return
    if not reply["upcoming"]:
        typer.echo(_("nothing is planned"))
    for entry in reply["upcoming"]:
        note = f" ({retell(entry['refused'])})" if entry["refused"] else ""
        first = f"{local(entry['planned']):>15}  {_(entry['class']):<9} "
        for line in wrapped(f"{entry['title'] or entry['id']}{note}", columns(), first, " " * 17):
            typer.echo(line)


def log(
    count: CountOption = 20,
    audit: Annotated[
        bool, typer.Option("--audit", help="What was done at this node by hand, and by whom.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """The newest records of the play log that are still on the node."""
    if audit:
        _audit(count, as_json=as_json)
        return
    from agent.cli import tell

    reply = ask_daemon("log", count=count)
    if as_json:
        print_json(reply["records"])
        return
    for entry in reply["records"]:
        for line in wrapped(tell.record(entry), columns(), "", " " * 17):
            typer.echo(line)


def _audit(count: int, *, as_json: bool) -> None:
    actions = ask_daemon("audit", count=count)["actions"]
    if as_json:
        print_json(actions)
        return
    if not actions:
        typer.echo(_("nobody has done anything by hand"))
    for action in actions:
        text = f"{action['user']}: {action['op']} {action['text']}"
        if action["outcome"] == "refused":
            text += " – " + _("refused: {reason}").format(reason=retell(action["reason"]))
        for line in wrapped(text, columns(), f"{local(action['at']):>15}  ", " " * 17):
            typer.echo(line)


def faults(as_json: JsonFlag = False) -> None:
    """The faults that stand, since when, and what to do about each. Ends with 1 when there is one."""
    from agent.cli import state

    raise typer.Exit(state.faults(as_json=as_json))


def top(as_json: JsonFlag = False) -> None:
    """The node live: levels, now and next, relays, link, workers, log. q ends it.

    Where the output is no terminal, and with --json, it is told once.
    """
    from agent.cli.top import top

    top(as_json=as_json)


def link(as_json: JsonFlag = False) -> None:
    """The way to the centre: signal, broker, feeds, how soon they answer, bytes today, records that wait."""
    from dataclasses import asdict

    from agent.cli import connection
    from drivers.links import read_interfaces, read_modem

    interfaces, modem = read_interfaces(), read_modem()
    outside = {"interfaces": [asdict(one) for one in interfaces], "modem": asdict(modem) if modem else None}
    if not as_json:
        for line in rows(connection.machine(interfaces, modem), columns()):
            typer.echo(line)
    reply = ask_daemon("link")
    if as_json:
        print_json({"running": True, **outside, **reply})
    else:
        for line in rows(connection.node(reply), columns()):
            typer.echo(line)
    raise typer.Exit(connection.exit_code(reply))


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
        why_not = _("cannot be spoken: {reason}").format(reason=retell(str(entry["reason"])))
        typer.echo(f"{entry['language']:<12} {entry['by'] or why_not}")
    typer.echo(f"{column(_('also'), 13)}{' '.join(others) or _('none')} (espeak-ng)")
