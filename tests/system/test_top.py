"""`loa top` in a real terminal of a phone's and of a desk's size, over a real node."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from tests.support.house import House, in_s, media
from tests.support.node import ROOT
from tests.support.terminal import Terminal
from tests.support.wait import wait_until

TOP = f"{sys.executable} -m agent.cli top"
PHONE, DESK = (60, 20), (120, 40)
Open = Callable[..., Terminal]


@pytest.fixture
def open_terminal(house: House, tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_(size: tuple[int, int], **env: str) -> Terminal:
            env = {"LOA_SOCKET": str(house.node.socket), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **env}
            terminal: AbstractContextManager[Terminal] = Terminal(tmp_path, *size, env)
            return stack.enter_context(terminal)

        yield open_


def keep(terminal: Terminal, name: str) -> None:
    """Leave the screen for people to look at, where $LOA_CAPTURES says."""
    if folder := os.environ.get("LOA_CAPTURES"):
        (Path(folder) / f"{name}.txt").write_text("\n".join(terminal.screen) + "\n", encoding="utf-8")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_it_shows_what_sounds_with_its_level_what_follows_and_the_log(
    house: House, open_terminal: Open, size: tuple[int, int]
) -> None:
    later = in_s(3_600)
    house.publish(
        {"id": "evening", "title": "Bản tin tối", "start": later.isoformat(), "items": [media("low")]}
    )
    house.announce(media("long"), title="Mời họp thôn")
    terminal = open_terminal(size)
    terminal.type(TOP)
    terminal.wait_for("dBFS")
    screen = terminal.wait_for("% ")  # the second round has measured the CPU
    keep(terminal, f"top-{size[0]}x{size[1]}")
    text = "\n".join(screen)
    for expected in (house.id, "0007", "Mời họp thôn", "█", "Bản tin tối", "amplifier on", "connected",
                     "synchronised", "agent", "player", "MB"):  # fmt: skip
        assert expected in text, text
    assert re.search(r"player \d+% \d+ MB", text)
    assert re.search(r"\n\d\d:\d\d:\d\d node: ", text), "the log stands below"
    assert len(screen) == size[1]
    assert screen[-1].startswith("q: quit")
    assert max(map(len, screen)) <= size[0]


def test_q_ends_it_and_the_terminal_is_as_it_was(house: House, open_terminal: Open) -> None:
    terminal = open_terminal(PHONE)
    terminal.type(f"{TOP}; echo ended with $?")
    terminal.wait_for("q: quit")
    assert terminal.alternate
    terminal.press("q")
    terminal.wait_for("ended with 0")
    assert not terminal.alternate
    terminal.type("stty -a | grep -o -e ' echo ' -e ' icanon' | tr -d '\\n'; echo =")
    terminal.wait_for(" icanon echo =")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_however_it_is_ended_the_terminal_is_given_back(
    house: House, open_terminal: Open, number: signal.Signals
) -> None:
    terminal = open_terminal(PHONE)
    terminal.type(f"{TOP}; echo ended with $?")
    terminal.wait_for("q: quit")
    os.kill(terminal.pid_of("agent.cli top"), number)
    terminal.wait_for("ended with ")
    assert not terminal.alternate
    assert not any("Traceback" in line for line in terminal.screen)
    terminal.type("stty -a | grep -o -e ' echo ' -e ' icanon' | tr -d '\\n'; echo =")
    terminal.wait_for(" icanon echo =")


def test_it_follows_the_size_of_its_window(house: House, open_terminal: Open) -> None:
    terminal = open_terminal(DESK)
    terminal.type(TOP)
    terminal.wait_for("q: quit")
    terminal.resize(*PHONE)
    wait_until(
        lambda: len(terminal.screen) == PHONE[1] and terminal.screen[-1].startswith("q: quit"),
        10,
        "the page has the new size",
    )
    terminal.resize(40, 5)  # nothing fits, nothing breaks
    time.sleep(1.5)
    terminal.resize(*PHONE)
    terminal.wait_for("q: quit")


def test_a_slow_link_gets_few_bytes(house: House, open_terminal: Open, tmp_path: Path) -> None:
    terminal = open_terminal(DESK)
    house.announce(media("long"), title="Mời họp thôn")
    terminal.type(TOP)
    terminal.wait_for("█")
    sent = tmp_path / "sent"
    sent.touch()
    terminal.output_bytes(sent)
    before, began = sent.stat().st_size, time.monotonic()
    time.sleep(6.0)
    rate = (sent.stat().st_size - before) / (time.monotonic() - began)
    print(f"{rate:.0f} bytes a second")
    assert 0 < rate < 600


def test_it_is_told_in_vietnamese(house: House, open_terminal: Open) -> None:
    terminal = open_terminal(PHONE, LC_ALL="", LANG="", LANGUAGE="vi")
    terminal.type(f"{TOP} --lang vi")
    screen = terminal.wait_for("đã đồng bộ")
    keep(terminal, "top-60x20-vi")
    assert max(map(len, screen)) <= PHONE[0]
    assert len(screen) == PHONE[1]


def test_without_an_agent_it_says_so_and_takes_it_up_when_it_is_there(
    house: House, open_terminal: Open, tmp_path: Path
) -> None:
    away = tmp_path / "away.sock"
    terminal = open_terminal(PHONE, LOA_SOCKET=str(away))
    terminal.type(TOP)
    terminal.wait_for("the agent is not running")
    away.symlink_to(house.node.socket)
    terminal.wait_for(house.id)


def test_where_the_output_is_no_terminal_it_is_told_once(house: House) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", "top"],
        cwd=ROOT, env={**os.environ, "LOA_SOCKET": str(house.node.socket), "COLUMNS": "60", "TERM": "xterm"},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert house.id in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 60
