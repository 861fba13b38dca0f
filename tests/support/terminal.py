"""A real terminal: tmux with one shell in it, as wide and as high as asked, typed into and looked at."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.wait import wait_until

PROMPT = "ready>"


class Terminal:
    """A context manager. The shell is plain bash with a prompt of its own."""

    def __init__(self, folder: Path, columns: int, rows: int, env: Mapping[str, str]) -> None:
        self.columns, self.rows = columns, rows
        self._socket = str(folder / "tmux.sock")
        self._env = {**os.environ, "PS1": PROMPT, **env}
        # a size in the environment, as test runners put it there, goes before that of the terminal
        for name in ("TMUX", "LINES", "COLUMNS"):
            self._env.pop(name, None)

    def __enter__(self) -> Self:
        size = ("-x", str(self.columns), "-y", str(self.rows))
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "bash", "--norc", "--noprofile")
        self._tmux("set-option", "-g", "status", "off")
        self._tmux("resize-window", *size)
        self.wait_for(PROMPT)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tmux("kill-server")

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names."""
        self._tmux("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        """Make the window larger or smaller."""
        self.columns, self.rows = columns, rows
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    @property
    def screen(self) -> list[str]:
        """What stands on the screen now."""
        return self._tmux("capture-pane", "-p").splitlines()

    @property
    def alternate(self) -> bool:
        """Whether a full-screen program has the terminal."""
        return self._tmux("display-message", "-p", "#{alternate_on}").strip() == "1"

    def pid_of(self, words: str) -> int:
        """The process in this terminal whose command line has these words."""
        tty = self._tmux("display-message", "-p", "#{pane_tty}").strip().removeprefix("/dev/")
        lines = subprocess.check_output(["ps", "-t", tty, "-o", "pid=,args="], text=True).splitlines()
        return next(int(line.split()[0]) for line in lines if words in line)

    def output_bytes(self, path: Path) -> None:
        """From now on, all that programs write to this terminal goes to `path` too."""
        self._tmux("pipe-pane", f"cat >> {path}")

    def wait_for(self, words: str, timeout_s: float = 15.0) -> list[str]:
        """The screen, once these words stand on it."""

        def find() -> list[str] | None:
            screen = self.screen
            return screen if any(words in line for line in screen) else None

        try:
            return wait_until(find, timeout_s, f"{words!r} is on the screen", 0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}; it shows:\n" + "\n".join(self.screen)) from None

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-S", self._socket, *words],
            env=self._env, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout
