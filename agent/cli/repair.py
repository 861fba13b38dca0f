"""Commands that quieten, gather and begin anew: mute, unmute, support-bundle, reset."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path
from stat import S_ISDIR
from typing import Annotated

import typer

from agent.cli.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    ConfigOption,
    JsonFlag,
    agreed,
    ask_daemon,
    config_path,
    fail,
    local,
    note,
    print_json,
    socket_path,
)
from agent.cli.page import columns, wrapped
from agent.control.protocol import LONGEST_MUTE_S
from agent.words import _

ZoneOption = Annotated[list[str] | None, typer.Option("--zone", help="Zones; default all.")]
YesFlag = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
UNITS_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PART = re.compile(r"(\d{1,6})([dhms])")


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(mute)
    app.command()(unmute)
    app.command("support-bundle")(support_bundle)
    app.command()(reset)


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
    if for_s > LONGEST_MUTE_S:
        text = _("--for {text}: a mute lasts at most {days} days; nothing was muted")
        fail(text.format(text=for_, days=LONGEST_MUTE_S // UNITS_S["d"]), EXIT_USAGE)
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


def support_bundle(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; default loa-support-….tar.gz here.")
    ] = None,
    config: ConfigOption = None,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Gather what helps to find a fault into one file: logs, health, configuration without secrets, versions.

    Best as root: sudo loa support-bundle. It lists what goes in and asks before it writes.
    """
    from agent.support.bundle import Taken, gather, write
    from agent.support.sources import sources

    path = out or Path.cwd() / _bundle_name()
    if reason := _why_not_in(path.parent):
        fail(_("{path}: cannot be written: {reason}").format(path=path, reason=reason))
    if path.exists():
        fail(_("{path}: is there already").format(path=path), EXIT_FAILED)
    if not yes and not sys.stdin.isatty():
        fail(_("nobody is there to ask; add --yes"), EXIT_USAGE)
    if not as_json:
        _say(_("gathering; this takes up to a minute"))
    found: list[Taken] = gather(sources(config or config_path(), socket_path()))
    if not as_json:
        for taken in found:
            size = f"{len(taken.data) / 1_000:>7.0f} kB" if taken.missing is None else " " * 10
            _say(f"{size}  {taken.name}" + (f" – {taken.missing}" if taken.missing else ""))
        _say(_("Passwords, keys and tokens are taken out. It has this node's addresses and what it played."))
    if not agreed(_("Write {path}?").format(path=path), yes=yes):
        fail(_("nothing was written"))
    try:
        written = write(path, found)
    except OSError as error:
        fail(_("{path}: cannot be written: {reason}").format(path=path, reason=error.strerror or error))
    note(f"support-bundle {path.name}")
    if as_json:
        contents = [{"name": taken.name, "missing": taken.missing} for taken in found]
        print_json({"path": str(path), "bytes": written, "contents": contents})
        return
    _say(_("{path}: {size} kB").format(path=path, size=f"{written / 1_000:.0f}"))


def _why_not_in(folder: Path) -> str | None:
    """Why no file can be made in a folder, or None."""
    try:
        if not S_ISDIR(folder.stat().st_mode):
            return os.strerror(errno.ENOTDIR)
    except OSError as error:
        return error.strerror
    return None if os.access(folder, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)


def _bundle_name() -> str:
    import socket as network
    from datetime import datetime

    return f"loa-support-{network.gethostname()}-{datetime.now().astimezone():%Y%m%d-%H%M%S}.tar.gz"


def reset(
    cache: Annotated[bool, typer.Option("--cache", help="Only recordings and decoded sounds.")] = False,
    identity: Annotated[
        bool, typer.Option("--identity", help="Also keys and passwords for the broker.")
    ] = False,
    config: ConfigOption = None,
    yes: YesFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Begin anew: what the node has gathered is set aside, and the agent restarts.

    It lists what is forgotten and asks. Configuration and identity stay, unless --identity. Not while an emergency is
    told.
    """
    from agent.cli.beginning import begin_anew

    if cache and identity:
        fail(_("--cache and --identity exclude each other"), EXIT_USAGE)
    told = begin_anew(
        config or config_path(),
        ["cache"] if cache else ["state", "cache"],
        identity=identity,
        yes=yes,
        say=(lambda _line: None) if as_json else typer.echo,
    )
    if as_json:
        print_json(told)


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
