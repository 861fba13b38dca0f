"""`loa test`: tries a part at once, and says what was seen or heard."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.common import (
    EXIT_DENIED,
    EXIT_FAILED,
    EXIT_USAGE,
    EXIT_WARNING,
    ConfigOption,
    JsonFlag,
    colours,
    config_path,
    fail,
    paint,
    print_json,
    socket_path,
)
from agent.words import _, retell

if TYPE_CHECKING:
    from agent.tryout.tried import Tried

PARTS = ("clock", "link", "feed", "mic", "relay", "screen", "sound")
"""In this order: what is quick and silent comes first."""

BAR = 30
FLOOR_DBFS = -72.0


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("test")(test)


def test(
    parts: Annotated[list[str], typer.Argument(metavar="|".join((*PARTS, "all")), help="What to try.")],
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Try sound, relays, screen, microphone, link, feed or clock now, and say what was seen or heard.

    Through the agent where it runs, otherwise on the devices themselves. A soft chime sounds within the allowed hours
    only. Exit code 0: all is well; 5: warnings; 1: something failed, or there is no such part.
    """
    from agent.control.client import ControlError, Denied
    from agent.doctor.finding import Verdict
    from agent.doctor.machine import Machine, NoConfig
    from agent.tryout.table import TRIALS
    from agent.tryout.tried import Bench

    if unknown := [part for part in parts if part not in (*PARTS, "all")]:
        text = _("{part} cannot be tried; there are: {parts}")
        fail(text.format(part=unknown[0], parts=", ".join((*PARTS, "all"))), EXIT_USAGE)
    wanted = PARTS if "all" in parts else tuple(part for part in PARTS if part in parts)
    machine = Machine(config or config_path(), socket_path())
    try:
        bench = Bench(
            machine, _meter if sys.stderr.isatty() and colours() and not as_json else lambda _dbfs: None
        )
    except NoConfig as error:
        fail(retell(str(error.__cause__)), EXIT_USAGE)
    tried: list[Tried] = []
    denied = False
    for part in wanted:
        try:
            for one in TRIALS[part](bench):
                tried.append(one)
                if not as_json:
                    _show(one)
        except ControlError as error:
            denied = denied or isinstance(error, Denied)
            one = _failed(part, str(error))
            tried.append(one)
            if not as_json:
                _show(one)
    if as_json:
        print_json([_document(one) for one in tried])
    found = {one.finding.verdict for one in tried}
    if denied:
        raise typer.Exit(EXIT_DENIED)
    if Verdict.FAULT in found or found == {Verdict.ABSENT}:
        raise typer.Exit(EXIT_FAILED)
    raise typer.Exit(EXIT_WARNING if Verdict.WARNING in found else 0)


def _failed(part: str, reason: str) -> Tried:
    from agent.doctor.finding import fault
    from agent.tryout.tried import Tried

    return Tried(part, fault(retell(reason), ""))


def _show(one: Tried) -> None:
    from agent.doctor.report import entry

    if sys.stderr.isatty() and colours():
        sys.stderr.write("\r\033[K")
    for line in entry(one.what, one.finding, paint):
        typer.echo(line)


def _document(one: Tried) -> dict[str, object]:
    return {
        "part": one.what,
        "verdict": one.finding.verdict,
        "text": one.finding.text,
        "remedy": one.finding.remedy or None,
        "facts": dict(one.facts),
    }


def _meter(dbfs: float) -> None:
    """A bar on a terminal, over itself."""
    filled = round(BAR * max(0.0, min(1.0, 1 - dbfs / FLOOR_DBFS)))
    sys.stderr.write(f"\r{'█' * filled}{'·' * (BAR - filled)} {dbfs:6.1f} dBFS ")
    sys.stderr.flush()
