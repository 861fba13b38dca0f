"""Commands that run the node, and make it do something now: run, say, play, stop, relay and so on."""

from __future__ import annotations

import base64
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    ConfigOption,
    JsonFlag,
    answer,
    ask_daemon,
    config_path,
    fail,
    print_json,
)
from agent.cli.wrong import tell
from agent.control.protocol import MAX_FILE_BYTES
from agent.words import _, retell

Zones = Annotated[list[str] | None, typer.Option("--zone", help="Zones; default all.")]

SELF_TEST_WITHIN_S = 180.0
"""Relays may take half a minute each."""


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(run)
    app.command("check-config")(check_config)
    app.command()(say)
    app.command()(play)
    app.command()(identify)
    app.command()(stop)
    app.command()(relay)
    app.command("self-test")(self_test)
    app.command()(screenshot)


def run(config: ConfigOption = None) -> None:
    """Run the node in the foreground (systemd does this)."""
    from agent.daemon import main as daemon

    raise typer.Exit(daemon(config or config_path()))


def check_config(config: ConfigOption = None, as_json: JsonFlag = False) -> None:
    """Check the configuration: all errors at once, with line, bound and suggestion."""
    from agent.config import ConfigError, check_files, load
    from agent.config.files import speaks_for_the_agent
    from agent.config.voices import check_voices

    path = config or config_path()
    try:
        found = load(path)
        check_files(found, str(path))
        check_voices(found, str(path))
    except ConfigError as error:
        tell(str(error), facts={"ok": False, "problems": [str(problem) for problem in error.problems]})
        raise typer.Exit(EXIT_USAGE) from error
    if as_json:
        print_json({"ok": True, "config": found.describe()})
    else:
        typer.echo(
            _("{path}: ok ({feeds} feeds, {zones} zones, {relays} relays)").format(
                path=path, feeds=len(found.feeds), zones=len(found.zones), relays=len(found.relays)
            )
        )
        if not speaks_for_the_agent():
            typer.echo(
                _("Files that only the agent may use were not tried; for these: sudo loa check-config")
            )


def say(
    text: Annotated[str, typer.Argument(help="Words to be spoken.")],
    language: Annotated[str, typer.Option("--language", "-l", help="Language of the words.")] = "vi",
    zone: Zones = None,
    as_json: JsonFlag = False,
) -> None:
    """Speak TEXT now, within the allowed hours."""
    reply = ask_daemon("say", text=text, language=language, zones=zone or ["*"])
    told = _("speaking, as {id}; stop it with: loa stop {id}").format(id=reply["id"])
    answer({"id": reply["id"]}, told, as_json=as_json)


def play(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A recording: wav, mp3, ogg, …")
    ],
    zone: Zones = None,
    as_json: JsonFlag = False,
) -> None:
    """Play FILE now, within the allowed hours."""
    size = file.stat().st_size
    if not file.is_file() or not 0 < size <= MAX_FILE_BYTES:
        fail(
            _("{file}: a recording has 1 to {most} bytes, this one {size}").format(
                file=file, most=MAX_FILE_BYTES, size=size
            ),
            EXIT_USAGE,
        )
    with file.open("rb") as recording:
        reply = ask_daemon(
            "play", recording, name=os.fsencode(file.name).decode(errors="replace"), zones=zone or ["*"]
        )
    told = _("playing, as {id}; stop it with: loa stop {id}").format(id=reply["id"])
    answer({"id": reply["id"]}, told, as_json=as_json)


def identify(as_json: JsonFlag = False) -> None:
    """Say and show the number of this pole."""
    reply = ask_daemon("identify")
    told = _("this is {number}; it says so now").format(number=reply["number"])
    answer({"number": reply["number"]}, told, as_json=as_json)


def stop(
    name: Annotated[str, typer.Argument(help="Programme, command or alert; default all.")] = "*",
    as_json: JsonFlag = False,
) -> None:
    """Stop what sounds."""
    reply = ask_daemon("stop", name=name)
    told = _("stopped") if reply["stopped"] else _("nothing of that name sounded")
    answer({"stopped": reply["stopped"]}, told, as_json=as_json)


def relay(
    name: Annotated[str, typer.Argument(help="Name of the relay, as in the configuration.")],
    state: Annotated[str, typer.Argument(metavar="on|off")],
    as_json: JsonFlag = False,
) -> None:
    """Switch one relay by hand; it falls back by itself after a minute."""
    if state not in ("on", "off"):
        fail(_("a relay is switched on or off, not {state!r}").format(state=state), EXIT_USAGE)
    ask_daemon("relay", name=name, on=state == "on")
    told = _("{name} is on") if state == "on" else _("{name} is off")
    answer({"name": name, "on": state == "on"}, told.format(name=name), as_json=as_json)


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
            fail(
                _("the self-test has not ended within {within_s:.0f} s; see: loa log").format(
                    within_s=SELF_TEST_WITHIN_S
                )
            )
        time.sleep(0.3)
    if as_json:
        print_json({"state": reply["state"], "text": reply["text"], **(reply["result"] or {})})
    else:
        for tone in (reply["result"] or {}).get("tones", ()):
            level = f"{tone['heard_dbfs']:.1f} dBFS" if tone["heard_dbfs"] is not None else _("not heard")
            change = f" ({tone['change_db']:+.1f} dB)" if tone["change_db"] is not None else ""
            typer.echo(f"{tone['hz']:>6.0f} Hz  {level}{change}")
        typer.echo(f"{_(reply['state'])}: {retell(reply['text'])}")
    if reply["state"] != "finished":
        raise typer.Exit(EXIT_FAILED)


def screenshot(
    out: Annotated[Path, typer.Argument(help="Where to write it: .png or .jpg.")] = Path("screen.png"),
    width: Annotated[int | None, typer.Option(help="Scale to this width, in pixels.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Save a picture of what the board shows."""
    kind = {".png": "png", ".jpg": "jpg", ".jpeg": "jpg"}.get(out.suffix.lower())
    if kind is None:
        fail(_("{out}: a picture is .png or .jpg").format(out=out), EXIT_USAGE)
    reply = ask_daemon("screenshot", format=kind, width=width)
    try:
        out.write_bytes(base64.b64decode(reply["picture"]))
    except OSError as error:
        fail(_("{out} cannot be written: {reason}").format(out=out, reason=error.strerror or error))
    across, down = reply["size"]
    answer({"file": str(out), "size": [across, down]}, f"{out}: {across}×{down}", as_json=as_json)
