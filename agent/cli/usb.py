"""`loa usb`: a feed comes in on a stick, reports go out on one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    ConfigOption,
    JsonFlag,
    config_path,
    fail,
    no_answer,
    print_json,
    socket_path,
)
from agent.cli.wrong import tell
from agent.control.client import ControlError, ask
from agent.words import _

if TYPE_CHECKING:
    from agent.config import Config
    from agent.usb.exporting import Exported
    from agent.usb.importing import Taken

TONE_DB = -3.0

Where = Annotated[Path, typer.Argument(metavar="DIR", help="Where the stick is mounted.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help="A feed from a stick, reports onto a stick.", no_args_is_help=True)
    group.command("import")(import_)
    group.command("export")(export)
    group.command("plugged", hidden=True)(plugged)
    app.add_typer(group, name="usb")


def import_(stick: Where, config: ConfigOption = None, as_json: JsonFlag = False) -> None:
    """Take a signed feed from a stick; it is verified as over the network."""
    from agent.usb.stick import StickError

    say: Callable[[str], None] = (lambda _text: None) if as_json else typer.echo
    try:
        taken = _import(stick, _config(config), say)
    except StickError as error:
        fail(str(error))
    except ControlError as error:
        no_answer(error)
    if not taken:
        fail(_("{stick}: there is no feed on it").format(stick=stick))
    if as_json:
        print_json({"feeds": [asdict(each) for each in taken]})
    else:
        for each in taken:
            typer.echo(each.text)
    if not all(each.ok for each in taken):
        raise typer.Exit(EXIT_FAILED)


def export(stick: Where, config: ConfigOption = None, as_json: JsonFlag = False) -> None:
    """Write onto a stick what waits for the centre: the play log, signed, and the health.

    The centre takes it with: loa station collect-usb DIR STICK.
    """
    from agent.usb.exporting import NotEnrolled
    from agent.usb.stick import StickError

    try:
        done = _export(stick, _config(config))
    except (StickError, NotEnrolled) as error:
        fail(str(error))
    except ControlError as error:
        no_answer(error)
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo(_exported(done))


def plugged(
    device: Annotated[Path, typer.Argument(help="As /dev/sda1.")], config: ConfigOption = None
) -> None:
    """What udev starts when a stick is plugged in: import, export, and a tone that says how it went."""
    from agent.usb.importing import find_feeds
    from agent.usb.layout import FOLDER
    from agent.usb.mounting import mounted
    from agent.usb.stick import Stick, StickError

    settings = _config(config)
    well = True
    try:
        with mounted(device) as place:
            with Stick(place) as stick:
                ours = FOLDER in stick.names()
                feeds = find_feeds(stick, settings)
            if not ours and not feeds:
                typer.echo(
                    _("{device}: a stick with nothing for this node; it was left alone").format(device=device)
                )
                return
            for each in _import(place, settings, typer.echo):
                typer.echo(each.text)
                well = well and each.ok
            if ours:
                well = _take_along(place, settings) and well
    except (StickError, ControlError) as error:
        tell(str(error))
        well = False
    _sound(well)
    if not well:
        raise typer.Exit(EXIT_FAILED)


def _take_along(place: Path, config: Config) -> bool:
    """Export, where this node can sign and the stick can be written to; whether nothing went wrong."""
    from agent.usb.exporting import NotEnrolled, Signer
    from agent.usb.mounting import make_writable

    try:
        Signer.of(config.broker)
    except NotEnrolled as error:
        typer.echo(str(error))
        return True
    make_writable(place)
    typer.echo(_exported(_export(place, config)))
    return True


def _import(place: Path, config: Config, say: Callable[[str], None]) -> list[Taken]:
    from agent.usb.importing import find_feeds, take
    from agent.usb.stick import Stick

    place = place.resolve()
    with Stick(place) as stick:
        found = find_feeds(stick, config)
    return [take(each, place, _ask, say) for each in found]


def _export(place: Path, config: Config) -> Exported:
    from agent.usb.exporting import Signer
    from agent.usb.exporting import export as write
    from agent.usb.stick import Stick

    signer = Signer.of(config.broker)
    with Stick(place) as stick:
        return write(stick, _ask, signer, lambda: datetime.now().astimezone())


def _exported(done: Exported) -> str:
    text = _("{records} records in {files} files are on the stick; {unchanged} files were there already")
    return text.format(records=done.records, files=done.files, unchanged=done.unchanged)


def _sound(well: bool) -> None:
    """A tone for who stands below the pole. In hours when nobody may be disturbed, none."""
    from agent.setup.tones import write_tone
    from agent.tones import DONE, FAILED

    try:
        with tempfile.TemporaryFile(suffix=".wav") as file:
            write_tone(file, DONE if well else FAILED, TONE_DB)
            file.seek(0)
            _ask("play", file=file, name="USB", zones=["*"])
    except (ControlError, OSError) as error:
        typer.echo(_("no tone: {why}").format(why=error))


def _ask(op: str, **rest: Any) -> dict[str, Any]:
    return ask(socket_path(), op, **rest)


def _config(path: Path | None) -> Config:
    from agent.config import ConfigError, load

    try:
        return load(path or config_path())
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)
