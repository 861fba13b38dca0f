"""`loa board`: what the board will look like, before residents see it."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.common import EXIT_USAGE, EXIT_WARNING, JsonFlag, fail, paint, print_json
from agent.words import _

if TYPE_CHECKING:
    from agent.preview.render import Look
    from agent.preview.source import Source
    from agent.screen.protocol import Takeover

PROGRESS_AFTER_S = 2.0
PROGRESS_EACH_S = 5.0
"""On something that is no terminal."""

FeedDir = Annotated[
    Path,
    typer.Argument(
        metavar="FEED_DIR", help="A station's folder (its texts, as they stand), or a published feed."
    ),
]
At = Annotated[
    str | None,
    typer.Option("--at", help="The board as at this time: 2026-12-03T07:30, or 07:30; default now."),
]
ThemeOption = Annotated[str | None, typer.Option("--theme", help="dark, light or contrast.")]
SizeOption = Annotated[str, typer.Option("--size", help="Of the screen, as WIDTHxHEIGHT in pixels.")]
NodeConfig = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="As the node of this configuration shows it: theme, colours, emblem."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="See what the board will show.", no_args_is_help=True)
    group.command("preview")(preview)
    group.command("show")(show)
    app.add_typer(group, name="board")


def preview(
    feed_dir: FeedDir,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the pictures and index.html.")],
    at: At = None,
    theme: ThemeOption = None,
    size: SizeOption = "1920x1080",
    alert: Annotated[
        Path | None, typer.Option("--alert", help="A CAP file to show as a takeover; default a sample.")
    ] = None,
    config: NodeConfig = None,
    as_json: JsonFlag = False,
) -> None:
    """Render every page of every bulletin, in each layout and both ways a screen hangs, with warnings."""
    from agent.screen.display_environment import prepare_environment

    prepare_environment("dummy")
    import pygame

    from agent.preview import gallery
    from agent.preview.render import Preview

    source = _source(feed_dir)
    look = _look(size, theme, config)
    pygame.display.init()
    pygame.display.set_mode((16, 16))
    begun = time.monotonic()
    progress = _Progress()
    try:
        report = Preview(source, out, look, _instant(at, source), _takeover(alert), progress.say).run()
        place = feed_dir.resolve()
        gallery.write(report, out, place.parent.name if place.name == "feed" else place.name)
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror or error}")
    finally:
        progress.end()
    if as_json:
        print_json(gallery.as_json(report))
    else:
        for line in gallery.told(report):
            typer.echo(paint(_("warning"), "yellow") + f": {line}")
        typer.echo(
            _("{count} pictures in {seconds} s: {file}").format(
                count=len(report.shots),
                seconds=round(time.monotonic() - begun, 1),
                file=out / gallery.INDEX,
            )
        )
    if report.warnings:
        raise typer.Exit(EXIT_WARNING)


def show(
    feed_dir: FeedDir,
    at: At = None,
    theme: ThemeOption = None,
    size: SizeOption = "1280x720",
    alert: Annotated[Path | None, typer.Option("--alert", help="Show this CAP file as a takeover.")] = None,
    config: NodeConfig = None,
    driver: Annotated[
        str | None, typer.Option("--driver", help="SDL's: x11, wayland; default its choice.")
    ] = None,
    for_s: Annotated[
        float | None, typer.Option("--for", min=0, help="End by itself after so many seconds.")
    ] = None,
) -> None:
    """Open a window with the board. Right and left turn pages, L changes the language, Esc ends."""
    from agent.screen.display_environment import prepare_environment

    prepare_environment(driver)
    from agent.preview.window import Window
    from agent.screen.errors import Retry
    from playlists.units import Seconds

    source = _source(feed_dir)
    takeover = _takeover(alert) if alert is not None else None
    try:
        window = Window(source, _look(size, theme, config), _instant(at, source), takeover)
    except Retry as error:
        fail(str(error))
    window.run(None if for_s is None else Seconds(for_s))


def _source(directory: Path) -> Source:
    from agent.preview.errors import Author
    from agent.preview.source import read

    try:
        return read(directory, datetime.now(UTC))
    except Author as error:
        fail("\nloa: ".join(error.problems), EXIT_USAGE)
    except OSError as error:
        fail(f"{error.filename or directory}: {error.strerror or error}", EXIT_USAGE)


def _instant(text: str | None, source: Source) -> datetime:
    """The time that is meant, in the zone of the schedule where it names none."""
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(source.schedule.timezone)
    now = datetime.now(zone)
    if text is None:
        return now
    try:
        found = datetime.fromisoformat(text if len(text) > 5 else f"{now:%Y-%m-%d}T{text}")
    except ValueError:
        fail(_("{text} is no time; write 2026-12-03T07:30, or 07:30").format(text=repr(text)), EXIT_USAGE)
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def _look(size: str, theme: str | None, config: Path | None) -> Look:
    from agent.preview.render import Look
    from agent.screen.content import THEMES
    from agent.screen.manner import Manner

    across, cross, down = size.partition("x")
    if not (
        cross
        and across.isdigit()
        and down.isdigit()
        and 64 <= int(across) <= 8192
        and 64 <= int(down) <= 8192
    ):
        fail(_("--size is WIDTHxHEIGHT, as 1920x1080, not {text}").format(text=repr(size)), EXIT_USAGE)
    manner, configured, feedback_url = Manner(transitions=False), "dark", None
    if config is not None:
        screen = _screen_of(config)
        configured, feedback_url = screen.theme, screen.feedback_url
        emblem = str(screen.emblem) if screen.emblem is not None else None
        manner = Manner(transitions=False, colours=screen.colours, emblem=emblem)
    chosen = next((one for one in THEMES if one == (theme or configured)), None)
    if chosen is None:
        fail(
            _("{theme} is no theme; there are {themes}").format(theme=repr(theme), themes=", ".join(THEMES)),
            EXIT_USAGE,
        )
    return Look((int(across), int(down)), chosen, manner, feedback_url)


def _screen_of(path: Path) -> Any:
    from agent.config import ConfigError, load

    try:
        return load(path).screen
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)


def _takeover(path: Path | None) -> Takeover:
    from importlib.resources import files

    from agent.screen.alertwords import takeover_of
    from playlists.alert import read_alert
    from playlists.errors import PlaylistsError

    try:
        raw = (
            path.read_bytes()
            if path is not None
            else (files("agent.station") / "sample/alert-storm.xml").read_bytes()
        )
        alert = read_alert(raw)
    except OSError as error:
        fail(f"{path}: {error.strerror or error}", EXIT_USAGE)
    except PlaylistsError as error:
        fail(f"{path}: {error}", EXIT_USAGE)
    return takeover_of(alert, list(dict.fromkeys(info.language for info in alert.infos)))


class _Progress:
    """A line on the terminal that says how far it is, once that takes longer than a moment."""

    def __init__(self) -> None:
        self._next = time.monotonic() + PROGRESS_AFTER_S
        self._open = False

    def say(self, done: int, of: int) -> None:
        """So many of so many are done."""
        if time.monotonic() < self._next:
            return
        line = _("drawn: {done} of {all}, each bulletin in each layout").format(done=done, all=of)
        terminal = sys.stderr.isatty()
        sys.stderr.write(f"\r{line}" if terminal else f"{line}\n")
        sys.stderr.flush()
        self._open = terminal
        self._next = time.monotonic() + (0.2 if terminal else PROGRESS_EACH_S)

    def end(self) -> None:
        """What is written next begins a line."""
        if self._open:
            sys.stderr.write("\n")
