"""`loa station …`: the centre's side."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    from agent.station.cli import app as station

    app.add_typer(station, name="station")
