"""`loa run`: reads the configuration, starts the player, and hands over to the rest of the agent.

Whoever is started again in the middle of an alert has two seconds. Most of them go by while modules load, so the
player loads beside them: what is imported here is what must be known before it can start, and no more.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from agent import words
from agent.clock import SystemClock
from agent.conductor.loop import Conductor
from agent.config import ConfigError, check_files, load
from agent.logs import set_up
from agent.player.link import player_of

log = logging.getLogger("loa.daemon")

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_CONFIG = 2
EXIT_RESTART = 75
"""EX_TEMPFAIL of sysexits.h: asked to restart; systemd's Restart=always does so."""


def main(path: Path) -> int:
    """Run the node until a signal or a command ends it; returns the exit code."""
    try:
        config = load(path)
        check_files(config, str(path), starting=True)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    words.choose(words.SOURCE)  # what it tells is the same everywhere, whatever the machine's language is
    recent = set_up(config.log.level)
    try:
        config.paths.state.mkdir(parents=True, exist_ok=True)
        clock = SystemClock(config.paths.state, vouched=config.clock.vouched)
    except OSError as error:
        log.critical("the node cannot start: %s", error)
        return EXIT_FAILED
    conductor = Conductor(clock)
    player = player_of(config, conductor.post)
    player.start()
    from agent.running import run  # noqa: PLC0415 - loads while the player does

    return run(config, clock, conductor, player, recent)
