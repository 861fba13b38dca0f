"""`loa reset`: says what is forgotten, asks, and has the agent begin anew; without its identity, if that is asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from agent import reset
from agent.cli.common import EXIT_DENIED, EXIT_USAGE, agreed, fail, no_answer, note, socket_path
from agent.cli.page import columns, wrapped
from agent.config import Config, ConfigError, load
from agent.config.editing import change
from agent.config.writer import Changed, ConfigFile
from agent.control.client import ControlError, NotRunning, ask
from agent.files import sync_directory
from agent.words import _

CREDENTIALS = ("user", "password_file", "cert", "key")
"""Keys of `[broker]` by which the broker knows the node."""


Say = Callable[[str], None]


def begin_anew(
    path: Path, parts: Sequence[reset.Part], *, identity: bool, yes: bool, say: Say
) -> dict[str, Any]:
    """Ask, and do it; returns what was done, for scripts. Ends the command with a clear line where it cannot be done.

    `say` gets each line for a person.
    """
    try:
        config = load(path)
    except ConfigError as error:
        fail(str(error), EXIT_USAGE)
    if not yes and not sys.stdin.isatty():
        fail(_("nobody is there to ask; add --yes"), EXIT_USAGE)
    running = _runs()
    _list([*parts, *(["identity"] if identity else [])], config, say)
    if identity and not os.access(path, os.W_OK):
        fail(_("{path} cannot be written by you: use sudo").format(path=path), EXIT_DENIED)
    if not agreed(_("Begin anew?"), yes=yes):
        fail(_("nothing was changed"))
    if running:
        _ask_agent(parts, only_try=True)  # it refuses while an emergency is told: then nothing is touched
    # before the agent restarts: it reads the configuration then
    aside = _set_identity_aside(path, config) if identity else None
    if aside is not None:
        _say(
            say,
            _("keys and passwords lie in {folder} now; enrol the node again: loa enroll").format(
                folder=aside
            ),
        )
    if running:
        _ask_agent(parts)
        _say(say, _("the agent restarts and begins anew; see: loa status"))
    else:
        _leave_mark(config, parts)
        _say(say, _("it begins anew when it is started: sudo systemctl start loa-agent"))
    return {
        "parts": list(parts),
        "restarts": running,
        "set_aside": str(config.paths.state / reset.SET_ASIDE) if "state" in parts else None,
        "identity_set_aside": str(aside) if aside is not None else None,
    }


def _runs() -> bool:
    try:
        ask(socket_path(), "self-test-state")
    except NotRunning:
        return False
    except ControlError as error:
        no_answer(error)
    return True


def _list(parts: Sequence[str], config: Config, say: Say) -> None:
    _say(say, _("This is forgotten:"))
    for part in parts:
        for line in reset.FORGOTTEN[part]:
            _item(say, _(line))
    aside = config.paths.state / reset.SET_ASIDE
    if "state" in parts:
        text = _("It is set aside in {folder}, the last {count} times.")
        _say(say, text.format(folder=aside, count=reset.KEEP))
    _say(say, _("This stays:"))
    for line in reset.KEPT:
        _item(say, _(line))
    if "identity" not in parts:
        _item(say, _("the node's keys and passwords"))


def _ask_agent(parts: Sequence[reset.Part], *, only_try: bool = False) -> None:
    try:
        ask(socket_path(), "reset", parts=list(parts), only_try=only_try)
    except ControlError as error:
        no_answer(error)


def _leave_mark(config: Config, parts: Sequence[reset.Part]) -> None:
    user = os.environ.get("SUDO_USER") or os.environ.get("USER") or str(os.getuid())
    try:
        config.paths.state.mkdir(parents=True, exist_ok=True)
        reset.ask(config.paths.state, parts, user)
    except PermissionError:
        fail(_("{path} cannot be written by you: use sudo").format(path=config.paths.state), EXIT_DENIED)
    except OSError as error:
        fail(_("{path}: cannot be written: {reason}").format(path=config.paths.state, reason=error.strerror))


def _set_identity_aside(path: Path, config: Config) -> Path | None:
    """Take what the broker knows the node by out of the configuration, then move the files away."""
    broker = config.broker
    if broker is None:
        return None
    secrets = [file for file in (broker.password_file, broker.cert, broker.key) if file is not None]
    file = ConfigFile(path)
    old = file.read()
    named = [key for key in CREDENTIALS if getattr(broker, key) is not None]
    if not named:
        return None
    try:
        file.replace(change(old, {f"broker.{key}": None for key in named}), old)
    except (Changed, ConfigError, ValueError, OSError) as error:
        fail(str(error), EXIT_USAGE)
    folder = path.parent / f"identity-{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    try:
        folder.mkdir(mode=0o750)
        for secret in dict.fromkeys(secrets):
            if secret.exists():
                secret.rename(folder / secret.name)
        sync_directory(folder)
    except OSError as error:
        fail(_("{path}: cannot be written: {reason}").format(path=folder, reason=error.strerror or error))
    note("reset of the identity")
    return folder


def _say(say: Say, text: str) -> None:
    say("\n".join(wrapped(text, columns())))


def _item(say: Say, text: str) -> None:
    say("\n".join(wrapped(text, columns(), "  - ", "    ")))
