"""`python -m agent.screen`: the screen worker. See `agent.screen.protocol` for what it speaks."""

from __future__ import annotations

import argparse
import logging
import re
import signal
import sys

from agent.child import die_with_parent, take_over_pipes
from agent.screen.content import THEMES
from agent.screen.display_environment import prepare_environment
from agent.screen.errors import Rejected
from agent.screen.manner import Manner, read_manner


def main() -> int:
    """Run the worker until its stdin ends."""
    parser = argparse.ArgumentParser(prog="python -m agent.screen")
    parser.add_argument("--driver", help="SDL video driver; without it SDL chooses")
    parser.add_argument("--size", type=_size, help="WIDTHxHEIGHT in pixels; without it the screen's own")
    parser.add_argument("--window", action="store_true", help="a window instead of the whole screen")
    parser.add_argument("--theme", choices=THEMES, default="dark")
    parser.add_argument("--manner", type=_manner, default=Manner(), help="JSON; see agent.screen.manner")
    options = parser.parse_args()
    voice = take_over_pipes()
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes our stdin
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    prepare_environment(options.driver)

    from agent.screen.worker import Options, Worker  # noqa: PLC0415 - pygame reads the environment now

    chosen = Options(options.size, not options.window, options.theme, options.manner)
    Worker(chosen, voice).run()
    return 0


def _manner(text: str) -> Manner:
    try:
        return read_manner(text)
    except Rejected as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"WIDTHxHEIGHT, such as 1920x1080, found {text!r}")
    return int(match[1]), int(match[2])


if __name__ == "__main__":
    sys.exit(main())
