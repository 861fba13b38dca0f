"""Commands that quieten, gather and begin anew: mute, unmute, support-bundle, reset."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from agent.cli.common import EXIT_USAGE, JsonFlag, ask_daemon, fail, local, print_json
from agent.cli.page import columns, wrapped
from agent.words import _

ZoneOption = Annotated[list[str] | None, typer.Option("--zone", help="Zones; default all.")]
UNITS_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PART = re.compile(r"(\d{1,6})([dhms])")


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(mute)
    app.command()(unmute)


def mute(
    for_: Annotated[str, typer.Option("--for", help="How long: 45m, 2h, 1h30m, 2d; at most 7 days.")],
    zone: ZoneOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Silence the loudspeakers for a while. Emergencies still sound."""
    for_s = seconds(for_)
    if for_s is None:
        fail(
            _("--for: expected a time such as 45m, 2h, 1h30m or 2d, got {text}").format(text=repr(for_)),
            EXIT_USAGE,
        )
    reply = ask_daemon("mute", for_s=for_s, zones=zone or ["*"])
    if as_json:
        print_json(reply)
        return
    text = _("muted until {moment}: {zones}. Emergencies still sound. To lift it: loa unmute")
    _say(text.format(moment=local(reply["until"]), zones=_zones(reply["zones"])))


def unmute(zone: ZoneOption = None, as_json: JsonFlag = False) -> None:
    """Lift a mute, whoever set it."""
    reply = ask_daemon("mute", for_s=None, zones=zone or ["*"])
    if as_json:
        print_json(reply)
        return
    _say(_("no longer muted: {zones}").format(zones=_zones(reply["zones"])))
    for name, until in reply["muted"].items():
        _say(_("still muted until {moment}: {zones}").format(moment=local(until), zones=_zones([name])))


def seconds(text: str) -> int | None:
    """Seconds of `45m`, `2h`, `1h30m`; None for anything else, and for none at all."""
    parts = _PART.findall(text.strip().lower())
    if not parts or "".join(count + unit for count, unit in parts) != text.strip().lower():
        return None
    return sum(int(count) * UNITS_S[unit] for count, unit in parts) or None


def _zones(names: list[str]) -> str:
    from agent.cli.tell import zone_name

    return ", ".join(map(zone_name, names))


def _say(text: str) -> None:
    for line in wrapped(text, columns()):
        typer.echo(line)
