"""`loa`: run the node, look at it, try it. Each command is short, and answers in one screen."""

from __future__ import annotations

import base64
import logging
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from agent import __version__
from agent.cli import configuration, look
from agent.cli.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    ConfigOption,
    JsonFlag,
    ask_daemon,
    config_path,
    fail,
    print_json,
)
from agent.control.protocol import MAX_FILE_BYTES

SELF_TEST_WITHIN_S = 180.0
"""Relays may take half a minute each."""

app = typer.Typer(
    name="loa",
    help="The voice on the pole and the board in the square.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
look.register(app)
configuration.register(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"loa-agent {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    socket: Annotated[
        Path | None, typer.Option("--socket", help="Control socket; default /run/loa/control.sock.")
    ] = None,
) -> None:
    """Options that come before the command."""
    if socket is not None:
        os.environ["LOA_SOCKET"] = str(socket)


@app.command()
def run(config: ConfigOption = None) -> None:
    """Run the node in the foreground (systemd does this)."""
    from agent.daemon import main as daemon

    raise typer.Exit(daemon(config or config_path()))


@app.command("check-config")
def check_config(config: ConfigOption = None, as_json: JsonFlag = False) -> None:
    """Check the configuration: all errors at once, with line, bound and suggestion."""
    from agent.config import ConfigError, check_files, load
    from agent.config.voices import check_voices

    path = config or config_path()
    try:
        found = load(path)
        check_files(found, str(path))
        check_voices(found, str(path))
    except ConfigError as error:
        if as_json:
            print_json({"ok": False, "problems": [str(problem) for problem in error.problems]})
            raise typer.Exit(EXIT_USAGE) from error
        fail(str(error), EXIT_USAGE)
    if as_json:
        print_json({"ok": True, "config": found.describe()})
    else:
        typer.echo(
            f"{path}: ok ({len(found.feeds)} feeds, {len(found.zones)} zones, {len(found.relays)} relays)"
        )


@app.command()
def say(
    text: str,
    language: Annotated[str, typer.Option("--language", "-l", help="Language of the words.")] = "vi",
    zone: Annotated[list[str] | None, typer.Option("--zone", help="Zones; default all.")] = None,
) -> None:
    """Speak TEXT now, within the allowed hours."""
    reply = ask_daemon("say", text=text, language=language, zones=zone or ["*"])
    typer.echo(f"speaking, as {reply['id']}; stop it with: loa stop {reply['id']}")


@app.command()
def play(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    zone: Annotated[list[str] | None, typer.Option("--zone", help="Zones; default all.")] = None,
) -> None:
    """Play FILE now, within the allowed hours."""
    size = file.stat().st_size
    if not file.is_file() or not 0 < size <= MAX_FILE_BYTES:
        fail(f"{file}: a recording has 1 to {MAX_FILE_BYTES} bytes, this one {size}", EXIT_USAGE)
    with file.open("rb") as recording:
        reply = ask_daemon(
            "play", recording, name=os.fsencode(file.name).decode(errors="replace"), zones=zone or ["*"]
        )
    typer.echo(f"playing, as {reply['id']}; stop it with: loa stop {reply['id']}")


@app.command()
def identify() -> None:
    """Say and show the number of this pole."""
    reply = ask_daemon("identify")
    typer.echo(f"this is {reply['number']}; it says so now")


@app.command()
def stop(
    name: Annotated[str, typer.Argument(help="Programme, command or alert; default all.")] = "*",
) -> None:
    """Stop what sounds."""
    reply = ask_daemon("stop", name=name)
    typer.echo("stopped" if reply["stopped"] else "nothing of that name sounded")


@app.command()
def relay(name: str, state: Annotated[str, typer.Argument(metavar="on|off")]) -> None:
    """Switch one relay by hand; it falls back by itself after a minute."""
    if state not in ("on", "off"):
        fail(f"a relay is switched on or off, not {state!r}", EXIT_USAGE)
    ask_daemon("relay", name=name, on=state == "on")
    typer.echo(f"{name} is {state}")


@app.command("self-test")
def self_test(
    reference: Annotated[
        bool, typer.Option("--reference", help="Keep what comes back as what is right here.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Sound a few soft tones, and say what of them comes back to the microphone."""
    ask_daemon("self-test", reference=reference)
    deadline = time.monotonic() + SELF_TEST_WITHIN_S
    while (reply := ask_daemon("self-test-state"))["running"]:
        if time.monotonic() > deadline:
            fail(f"the self-test has not ended within {SELF_TEST_WITHIN_S:.0f} s; see: loa log")
        time.sleep(0.3)
    if as_json:
        print_json({"state": reply["state"], "text": reply["text"], **(reply["result"] or {})})
    else:
        for tone in (reply["result"] or {}).get("tones", ()):
            level = f"{tone['heard_dbfs']:.1f} dBFS" if tone["heard_dbfs"] is not None else "not heard"
            change = f" ({tone['change_db']:+.1f} dB)" if tone["change_db"] is not None else ""
            typer.echo(f"{tone['hz']:>6.0f} Hz  {level}{change}")
        typer.echo(f"{reply['state']}: {reply['text']}")
    if reply["state"] != "finished":
        raise typer.Exit(EXIT_FAILED)


@app.command()
def screenshot(
    out: Annotated[Path, typer.Argument(help="Where to write it: .png or .jpg.")] = Path("screen.png"),
    width: Annotated[int | None, typer.Option(help="Scale to this width, in pixels.")] = None,
) -> None:
    """Save a picture of what the board shows."""
    kind = {".png": "png", ".jpg": "jpg", ".jpeg": "jpg"}.get(out.suffix.lower())
    if kind is None:
        fail(f"{out}: a picture is .png or .jpg", EXIT_USAGE)
    reply = ask_daemon("screenshot", format=kind, width=width)
    try:
        out.write_bytes(base64.b64decode(reply["picture"]))
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror or error}")
    typer.echo(f"{out}: {reply['size'][0]}×{reply['size'][1]}")


def main() -> None:
    """Entry point of the `loa` command."""
    logging.captureWarnings(True)
    if "station" in sys.argv[1:4]:
        # the centre's side is large, and a node's technician never needs it
        from agent.station.cli import app as station

        app.add_typer(station, name="station")
    else:
        app.add_typer(
            typer.Typer(help="A small centre: publish a feed, command nodes, collect reports."),
            name="station",
        )
    app()
