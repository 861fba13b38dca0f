"""A node from the first thing that is opened to the last that is closed: under systemd, until it is told to stop."""

from __future__ import annotations

import gc
import logging
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import sdnotify

from agent import __version__, reset
from agent.assembly import open_outside
from agent.clock import Clock
from agent.conductor.events import StopAsked, ThreadDied
from agent.conductor.loop import Conductor
from agent.config import Config
from agent.control.server import TECHNICIAN
from agent.daemon import EXIT_FAILED, EXIT_OK, EXIT_RESTART
from agent.journal import JournalError
from agent.life import Life
from agent.logs import RecentLines
from agent.node import Node
from agent.player.link import PlayerLink
from agent.uplink.errors import UplinkError
from drivers.errors import DriverError

log = logging.getLogger("loa.daemon")


def run(config: Config, clock: Clock, conductor: Conductor, player: PlayerLink, recent: RecentLines) -> int:
    """Open the rest, conduct until a signal or a command ends it; returns the exit code."""
    gc.enable()  # `agent.cli.main` had it off while modules load
    notifier = sdnotify.SystemdNotifier()
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        begun_anew = reset.carry_out(config, clock.now().astimezone())
        outside = open_outside(config, clock, conductor.post, boot, player)
        node = Node(
            config,
            clock,
            conductor,
            outside,
            recent,
            boot=boot,
            ready=lambda: notifier.notify(f"READY=1\nSTATUS=loa-agent {__version__} is ready to speak"),
            alive=lambda: notifier.notify("WATCHDOG=1"),
        )
    except (DriverError, JournalError, UplinkError, OSError) as error:
        log.critical("the node cannot start: %s", error)
        return EXIT_FAILED
    if begun_anew is not None:
        node.begin_anew(begun_anew)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda n, _frame: conductor.post(StopAsked(signal.Signals(n).name)))
    threading.excepthook = lambda args: _thread_died(args, conductor.post)
    try:
        stopped = Life(node, config, clock).run()
    except OSError as error:
        log.critical("the node cannot run: %s", error)
        return EXIT_FAILED
    notifier.notify("STOPPING=1")
    log.info("ended: %s", stopped.why)
    return EXIT_RESTART if stopped.then == "restart" else EXIT_OK


def _thread_died(args: threading.ExceptHookArgs, post: Callable[[object], None]) -> None:
    """A thread that dies of a mistake of ours is seen in the log and in health, and ends the watchdog's food."""
    thread = args.thread.name if args.thread else "?"
    log.critical("thread %s ended: %r", thread, args.exc_value, exc_info=args.exc_value)
    if not thread.startswith(TECHNICIAN):
        post(ThreadDied(thread, repr(args.exc_value)))
