"""`loa setup` in a real terminal (tmux), as wide as a phone and as wide as a desk."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.config import load
from tests.agent.setup.machines import pi_root
from tests.support.wait import wait_until

BEFORE = """\
# của xã
[node]
id = "pole-07"
site = "xa-mau"
[paths]
state = "state"
cache = "cache"
runtime = "run"
[hardware]
gpio = "fake"
"""


class Terminal:
    """A tmux of our own with one window."""

    def __init__(self, folder: Path, columns: int, rows: int, *command: str, **env: str) -> None:
        self._socket = str(folder / "tmux")
        # a size in the environment, as test runners put it there, goes before that of the terminal
        command = ("env", "-u", "LINES", "-u", "COLUMNS", *command)
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), *command, env=env
        )
        self._tmux("set-option", "-g", "remain-on-exit", "on")

    def _tmux(self, *words: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-S", self._socket, *words],
            env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **(env or {})},
            capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
        return done.stdout

    def shows(self, text: str) -> str:
        """Wait until it shows this; returns the whole screen."""

        def seen() -> str | None:
            screen = self.screen()
            return screen if text in screen else None

        try:
            return wait_until(seen, 30, f"{text!r} on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}; there is:\n{self.screen()}") from None

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def keys(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def end(self) -> None:
        subprocess.run(["tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def open_setup(tmp_path: Path) -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.end()


@pytest.mark.parametrize(("columns", "rows"), [(60, 20), (120, 40)])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_technician_sets_a_node_up(
    tmp_path: Path, open_setup: list[Terminal], columns: int, rows: int, language: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(BEFORE, encoding="utf-8")
    root = pi_root(tmp_path / "root")
    loa = [sys.executable, "-m", "agent.cli", "--lang", language, "setup", "-c", str(path)]
    here = str(Path(__file__).parents[3])
    terminal = Terminal(tmp_path, columns, rows, "env", "-C", here, f"LOA_ROOT={root}",
                        f"LOA_SOCKET={tmp_path}/none", *loa)  # fmt: skip
    open_setup.append(terminal)
    terminal.shows("1/8")
    steps = {"2/8": "Enter", "3/8": "Enter", "4/8": "0012", "5/8": "Enter", "6/10": "Enter", "7/10": "Enter"}
    for place, keys in steps.items():
        terminal.keys(keys)
        if keys.isdigit():
            terminal.shows(keys)
            terminal.keys("Enter")
        terminal.shows(f" {place} ")
    terminal.keys("C-t")
    terminal.shows("✓")
    for place in ("8/10", "9/10", "10/10"):
        terminal.keys("Enter")
        terminal.shows(f" {place} ")
    terminal.keys("Down", "Enter")
    screen = terminal.shows("+public_number")
    assert all(len(line) <= columns for line in screen.splitlines())
    terminal.keys("Enter")
    wait_until(lambda: "0012" in path.read_text(), 20, "the configuration is written")
    config = load(path)
    assert [(relay.pin, relay.active) for relay in config.relays] == [(17, "low")]
    assert path.read_text().startswith("# của xã\n[node]\n")
