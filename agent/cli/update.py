"""`loa update`: bring the node to another release, and see what becomes of it."""

from __future__ import annotations

import os
import time
import uuid
from typing import Annotated, Any

import typer

from agent.cli.common import (
    EXIT_DENIED,
    EXIT_FAILED,
    EXIT_USAGE,
    JsonFlag,
    ask_daemon,
    fail,
    local,
    print_json,
)
from agent.words import N_, _, retell

TAKEN_WITHIN_S = 30.0
"""systemd starts the updater within a second; a machine that is starting takes longer."""
LOOK_EACH_S = 0.5

STEPS = {
    "asked": N_("asked for"),
    "fetching": N_("is fetched"),
    "building": N_("is built"),
    "trying": N_("is tried, beside what speaks"),
    "waiting": N_("waits until nobody is spoken to"),
    "starting": N_("is started"),
    "watching": N_("runs, and is watched"),
    "going back": N_("does not work; the old version is put back"),
    "over": N_("over"),
}
OUTCOMES = {
    "updated": N_("updated"),
    "unchanged": N_("nothing to do"),
    "refused": N_("refused"),
    "failed": N_("failed"),
}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command()(update)


def update(
    release: Annotated[str | None, typer.Argument(help="Version; default the newest of the feed.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also an older version; needs root.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")] = True,
    show: Annotated[bool, typer.Option("--show", help="Only say how the last update went.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Update the node to a signed release of the feed that is configured for it; back by itself if it fails."""
    from agent.update.places import Places
    from agent.update.progress import look

    places = Places.here()
    if show:
        seen = look(places)
        _answer(seen, as_json=as_json)
        raise typer.Exit(EXIT_FAILED if seen is not None and seen.outcome in ("refused", "failed") else 0)
    wish = _force(places, release) if force else str(ask_daemon("update", release=release)["id"])
    if not wait:
        if as_json:
            print_json({"id": wish, "outcome": None})
        else:
            typer.echo(_("asked for; how it goes: loa update --show"))
        return
    seen = _follow(places, wish, quiet=as_json)
    _answer(seen, as_json=as_json)
    if seen.outcome in ("refused", "failed"):
        raise typer.Exit(EXIT_FAILED)


def _force(places: Any, release: str | None) -> str:
    """Leave the wish ourselves: that it is root's own is what counts."""
    from pydantic import ValidationError

    from agent.config import ConfigError, load
    from agent.update.errors import Refused
    from agent.update.fetch import feed_of
    from agent.update.progress import Request, wish

    if os.geteuid() != 0:
        fail(_("--force is for root: sudo loa update VERSION --force"), EXIT_DENIED)
    try:
        feed = feed_of(load(places.config))
        request = Request(id=str(uuid.uuid4()), feed=feed.name, release=release, by="root", force=True)
        wish(places, request)
    except (ConfigError, Refused) as error:
        fail(str(error), EXIT_USAGE)
    except ValidationError as error:
        fail(
            _("{release} is no version").format(release=release) + f": {error.errors()[0]['msg']}", EXIT_USAGE
        )
    except OSError as error:
        fail(str(error))
    return request.id


def _follow(places: Any, wish: str, *, quiet: bool) -> Any:
    """Tell each step; returns what came of it. Ctrl+C leaves the update at work."""
    from agent.update.progress import look

    told = None
    deadline = time.monotonic() + TAKEN_WITHIN_S
    while True:
        seen = look(places)
        if seen is None or seen.state.request.id != wish:
            if time.monotonic() > deadline:
                fail(_("nobody takes the wish up; see: systemctl status loa-update.path loa-update"))
        else:
            if seen.outcome is not None:
                return seen
            now = (seen.state.step, seen.state.release)
            if now != told and not quiet:
                told = now
                typer.echo(
                    f"{local(seen.state.at.isoformat()):>8}  {seen.state.release or '…'}  {_(STEPS[seen.state.step])}"
                )
        time.sleep(LOOK_EACH_S)


def _answer(seen: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"outcome": None}
            if seen is None
            else {
                "id": seen.state.request.id,
                "by": seen.state.request.by,
                "before": seen.state.before,
                "release": seen.state.release,
                "step": seen.state.step,
                "outcome": seen.outcome,
                "text": seen.text,
                "at": seen.state.at.isoformat(),
            }
        )
    elif seen is None:
        typer.echo(_("there was no update"))
    else:
        what = _(OUTCOMES[seen.outcome]) if seen.outcome else _(STEPS[seen.state.step])
        typer.echo(f"{local(seen.state.at.isoformat())}  {what}: {retell(seen.text)}")
