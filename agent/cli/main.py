"""Entry point of `loa`: chooses the language, then runs the command that is asked for.

Light on purpose: no typer here, so that the language is known before anything that has words is imported.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from agent import words
from agent.words import N_, _

MODULES: tuple[tuple[str, ...], ...] = (
    # A module with `register(app)`, and the commands that it adds, in the order of `loa --help`. The help of a group
    # of commands may be given here, so that listing it does not import what it needs.
    ("agent.cli.look", "status now next log faults link top voices"),
    ("agent.cli.act", "run check-config say play identify stop relay self-test screenshot"),
    ("agent.cli.repair", "mute unmute support-bundle reset"),
    ("agent.cli.doctor", "doctor"),
    ("agent.cli.try_out", "test"),
    ("agent.cli.setup", "setup"),
    ("agent.cli.enrolment", "enroll"),
    ("agent.cli.configuration", "config", N_("Read and change the configuration.")),
    ("agent.cli.update", "update"),
    ("agent.cli.board", "board", N_("See what the board will show.")),
    ("agent.cli.usb", "usb", N_("A feed from a stick, reports onto a stick.")),
    ("agent.cli.centre", "station", N_("A small centre: publish a feed, command nodes, collect reports.")),
)

COMPLETION = "_LOA_COMPLETE"
"""Set by the shell when it asks what a word may go on as."""

QUICK = {"status": "agent.cli.state", "faults": "agent.cli.state"}
"""Asked for most, and by scripts each minute: answered without the parser of command lines, which takes four times as
long to load as these take, and seconds on a small board. Typed with anything but `--json`, they go the common way."""


def language_of(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """The language that `--lang` or the environment asks for, and the arguments without `--lang`.

    `--lang` may stand anywhere before a `--`: who types it has often typed the command already.
    """
    asked = words.wanted(os.environ)
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, value = argument.partition("=")
        if argument == "--":
            return asked, [*rest, argument, *waiting]
        if name != "--lang":
            rest.append(argument)
        elif equals:
            asked = value
        else:
            following = next(waiting, None)
            if following is None:
                return asked, [*rest, argument]  # the parser says what is missing
            asked = following
    return asked, rest


def main() -> None:
    """What a technician types ends here; returns by SystemExit with one of the codes of `agent.cli.common`."""
    try:
        _main()
    except KeyboardInterrupt:
        from agent.cli.basics import EXIT_INTERRUPTED

        sys.exit(EXIT_INTERRUPTED)


def _main() -> None:
    asked, arguments = language_of(sys.argv[1:])
    if words.known(asked) is None:
        _refuse_language(asked, arguments)
    words.choose(asked)
    name, *options = arguments or [""]
    if name in QUICK and options in ([], ["--json"]):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `loa status | head -1`
        answer = getattr(import_module(QUICK[name]), name)
        sys.exit(answer(as_json=bool(options)))
    if name == "run" and (not options or (len(options) == 2 and options[0] == "--config")):
        _run_node(options[1:])
    if arguments in ([], ["-h"], ["--help"]) and COMPLETION not in os.environ:
        from agent.cli.brief import help_text

        print(help_text())
        sys.exit(0 if arguments else 2)  # a command is missing
    from agent.cli.tree import run

    sys.exit(run(arguments))


def _run_node(config: Sequence[str]) -> NoReturn:
    """`loa run` as systemd types it: without the parser of command lines. Its loading would be silence after a crash,
    and it would lie in the memory of the daemon for weeks.
    """
    gc.disable()  # next to nothing that loads is garbage; `agent.running` enables it again
    from agent.cli.basics import config_path
    from agent.daemon import main as daemon

    sys.exit(daemon(Path(*config) if config else config_path()))


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether a script typed them, also where the rest of them is wrong."""
    arguments = list(arguments)
    return "--json" in arguments[: arguments.index("--") if "--" in arguments else None]


def no_language(tag: str) -> str:
    """That `loa` does not speak it, and what it speaks."""
    return _("--lang {tag}: no such language; there are: {languages}").format(
        tag=tag, languages=", ".join(words.LANGUAGES)
    )


def _refuse_language(tag: str, arguments: Sequence[str]) -> NoReturn:
    from agent.cli.basics import EXIT_USAGE
    from agent.cli.wrong import for_script, tell

    words.choose(words.wanted(os.environ))
    for_script(asks_for_json(arguments))
    tell(no_language(tag))
    sys.exit(EXIT_USAGE)
