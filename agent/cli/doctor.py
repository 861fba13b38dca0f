"""`loa doctor`: what is wrong with this node, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from agent.cli.common import (
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
    system_root,
)
from agent.words import _


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(doctor)


def doctor(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="CHECK|GROUP", help="Only these; default all.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Show what is well, too.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="Only list the checks.")] = False,
    config: ConfigOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Check machine, system, configuration, trust, time, storage, power, sound, relays, screen, network and agent.

    Each check is ok, a warning, or a fault with its remedy. Best as root: sudo loa doctor. Exit code 0: all is well;
    5: warnings; 1: a fault.
    """
    from agent.doctor.checks import CHECKS, GROUPS
    from agent.doctor.examine import examine
    from agent.doctor.finding import Verdict
    from agent.doctor.machine import Machine
    from agent.doctor.report import catalogue, document, lines, worst

    wanted = set(names or ())
    known = {check.id for check in CHECKS} | set(GROUPS)
    if unknown := sorted(wanted - known):
        fail(_("no check is named {name}; see: loa doctor --list").format(name=unknown[0]), EXIT_USAGE)
    checks = [check for check in CHECKS if not wanted or wanted & {check.id, check.group}]
    if listing:
        if as_json:
            print_json([{"id": check.id, "group": check.group} for check in checks])
            return
        for line in catalogue(checks):
            typer.echo(line)
        return
    machine = Machine(config or config_path(), socket_path(), root=system_root())
    results = examine(machine, checks, progress=_progress(len(checks)))
    if as_json:
        print_json(document(results))
    else:
        for line in lines(results, all_of_it=everything or bool(wanted), paint=paint):
            typer.echo(line)
    code = {Verdict.FAULT: EXIT_FAILED, Verdict.WARNING: EXIT_WARNING}.get(worst(results), 0)
    raise typer.Exit(code)


def _progress(total: int) -> Callable[[int], None]:
    """Counts on a terminal, and wipes what it wrote."""

    def show(done: int) -> None:
        sys.stderr.write(f"\r{done}/{total} " if done < total else "\r\033[K")
        sys.stderr.flush()

    return show if sys.stderr.isatty() and colours() else lambda _done: None
