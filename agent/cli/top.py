"""`loa top`: the node live on a whole screen, by curses: it sends only what changed, which a slow link needs."""

from __future__ import annotations

import contextlib
import curses
import locale
import os
import signal
import sys
import time
from datetime import datetime
from typing import Any, NoReturn

import typer

from agent.cli import tell
from agent.cli.common import ask_daemon, print_json, socket_path
from agent.cli.down import why_not
from agent.cli.overview import Row, overview
from agent.cli.page import columns, cut, wrapped
from agent.control.client import ControlError, ask
from agent.words import _

EACH_S = 1.0
ANSWER_WITHIN_S = 5.0
WHY_EACH_S = 10.0
"""systemd and journald are asked so often why the agent does not run: that takes a small board some time."""
QUIT = frozenset({ord("q"), ord("Q"), 27, 3})
ROWS_OF_ONE_SHOT = 30


def top(*, as_json: bool) -> None:
    """Show it until somebody presses q; for a script, and where the output is no terminal, print it once."""
    if not as_json and sys.stdout.isatty() and sys.stdin.isatty() and _can_draw():
        _live()
        return
    reply = ask_daemon("top", rows=ROWS_OF_ONE_SHOT)
    if as_json:
        print_json(tell.document(reply, tell.findings(reply)))
        return
    for row in overview(reply, None, columns(), ROWS_OF_ONE_SHOT, now=_time())[:-1]:
        typer.echo(row.text.rstrip())


def _can_draw() -> bool:
    """Whether curses knows this terminal."""
    try:
        curses.setupterm()
    except curses.error:
        return False
    return True


def _live() -> None:
    _speak_utf8()
    # a shell that exported these would freeze the size
    for name in ("LINES", "COLUMNS"):
        os.environ.pop(name, None)
    os.environ.setdefault("ESCDELAY", "25")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ended)  # so that the terminal is given back as it was
    with contextlib.suppress(KeyboardInterrupt):
        curses.wrapper(_show)


def _ended(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _speak_utf8() -> None:
    """curses writes what the locale can: over SSH it is often not set at all."""
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    if locale.nl_langinfo(locale.CODESET).upper() != "UTF-8":
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_CTYPE, "C.UTF-8")


def _show(window: curses.window) -> None:
    with contextlib.suppress(curses.error):
        curses.curs_set(0)
    looks = _looks()
    # of two samples the older one is at least a second old: CPU is measured between them
    before: dict[str, Any] | None = None
    why: list[str] = []
    looked_at = 0.0
    while True:
        asked_at = time.monotonic()
        height, width = window.getmaxyx()
        reply = _ask(height)
        if isinstance(reply, ControlError):
            if not why or asked_at > looked_at + WHY_EACH_S:
                why, looked_at = why_not(reply), asked_at
            rows, before = _trouble(why, width), None
        else:
            rows, why = overview(reply, before, width, height, now=_time()), []
            before = reply
        _draw(window, rows, looks)
        if _quits(window, asked_at + EACH_S):
            return


def _ask(rows: int) -> dict[str, Any] | ControlError:
    """The daemon's answer, or why there is none."""
    try:
        return ask(socket_path(), "top", timeout_s=ANSWER_WITHIN_S, rows=max(1, min(200, rows)))
    except ControlError as error:
        return error


def _trouble(why: list[str], width: int) -> list[Row]:
    """What is wrong, and what to do, in place of the overview."""
    lines = [line for text in why for line in wrapped(text, width, "", "  ")]
    return [
        *(Row(line, "fault" if place == 0 else "plain") for place, line in enumerate(lines)),
        Row(cut(_("q: quit"), width), "dim"),
    ]


def _quits(window: curses.window, until: float) -> bool:
    """Wait for the next round; whether somebody wants to leave before. A new size is drawn at once."""
    while (left_s := until - time.monotonic()) > 0:
        window.timeout(max(1, round(left_s * 1_000)))
        key = window.getch()
        if key in QUIT:
            return True
        if key == curses.KEY_RESIZE:
            window.clear()
            return False
    return False


def _draw(window: curses.window, rows: list[Row], looks: dict[str, int]) -> None:
    window.erase()
    height, width = window.getmaxyx()
    for place, row in enumerate(rows[:height]):
        # the last cell of the last row cannot be written without scrolling
        room = width - 1 if place == height - 1 else width
        with contextlib.suppress(curses.error):  # the terminal became smaller meanwhile
            window.addstr(place, 0, cut(row.text, room), looks.get(row.look, curses.A_NORMAL))
    window.refresh()


def _looks() -> dict[str, int]:
    looks = {
        "head": curses.A_BOLD,
        "dim": curses.A_DIM,
        "ok": curses.A_BOLD,
        "warning": curses.A_BOLD,
        "fault": curses.A_REVERSE,
    }
    if curses.has_colors() and not os.environ.get("NO_COLOR"):
        curses.start_color()
        curses.use_default_colors()
        colours = (("ok", curses.COLOR_GREEN), ("warning", curses.COLOR_YELLOW), ("fault", curses.COLOR_RED))
        for pair, (look, colour) in enumerate(colours, 1):
            curses.init_pair(pair, colour, -1)
            looks[look] = curses.color_pair(pair) | curses.A_BOLD
    return looks


def _time() -> str:
    return f"{datetime.now().astimezone():%H:%M:%S}"
