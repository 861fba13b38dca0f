"""The machine that is looked at: files below a root, programs, child processes, the daemon, the configuration.

Everything that a probe asks goes through here, so that a test can put a broken machine in its place. What costs
more than a file is asked once, however many probes want it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from agent.config import Config, ConfigError, load
from agent.control.client import ask
from agent.doctor.account import Account, account_of
from agent.kernel_clock import discipline
from playlists.units import Seconds

T = TypeVar("T")

ACCOUNT = "loa"
UNIT = "loa-agent"
COMMAND_S = 5.0
LOOK_S = 8.0
STATUS_S = 4.0
LOOKS_AT_ONCE = 2
"""Each takes 30 to 60 MB, on a machine that may have 512."""


class NoConfig(Exception):  # noqa: N818 - says what is the matter
    """Error raised when a probe needs a configuration, and there is none that can be used."""


class Blocked(Exception):  # noqa: N818 - says what is the matter
    """Error raised when there is no sense in a probe before another check, which it names, is well."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said."""

    code: int
    out: str
    err: str


def _wall() -> datetime:
    return datetime.now(UTC)


class Machine:
    """Thread-safe: probes run beside each other."""

    def __init__(
        self,
        config_path: Path,
        socket: Path,
        *,
        root: Path = Path("/"),
        env: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = _wall,
        disciplined: Callable[[], tuple[bool, Seconds | None]] = discipline,
    ) -> None:
        """Nothing is asked yet.

        Args:
            config_path: the node's configuration.
            socket: where its daemon listens.
            root: where /sys, /proc, /etc, /dev and the rest hang.
            env: for programs, beside what this process has.
            now: the wall clock.
            disciplined: whether the kernel's clock is, and its error.
        """
        self.config_path = config_path
        self.socket = socket
        self.root = root
        self.now = now
        self.disciplined = disciplined
        self._env = {**os.environ, **(env or {}), "LC_ALL": "C.UTF-8"}
        self._lock = threading.Lock()
        self._asked: dict[object, Future[Any]] = {}
        self._looks = threading.Semaphore(LOOKS_AT_ONCE)

    # ---- files

    def at(self, path: str) -> Path:
        """A path of the system, below the root."""
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str | None:
        """A small file of the system, stripped; None where it is not there or does not answer.

        Raises:
            PermissionError: it is there, and this user may not read it.
        """
        try:
            return self.at(path).read_text(encoding="utf-8", errors="replace").strip("\n\0 ")
        except PermissionError:
            raise
        except OSError:
            return None

    def glob(self, pattern: str) -> list[Path]:
        """Paths of the system that fit, in order."""
        return sorted(self.root.glob(pattern.lstrip("/")))

    # ---- programs

    @property
    def path(self) -> str:
        """Where programs are looked for."""
        return self._env.get("PATH", os.defpath)

    def run(self, *argv: str, timeout_s: float = COMMAND_S) -> Answer | None:
        """What a program says; None where it is not installed.

        Raises:
            TimeoutError: it did not end.
        """
        # a folder of the path that we may not enter is none of ours
        if shutil.which(argv[0], path=self.path) is None:
            return None
        try:
            done = subprocess.run(
                argv,
                env=self._env,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_s,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"{argv[0]} did not end within {timeout_s:g} s") from error
        return Answer(done.returncode, done.stdout, done.stderr)

    def look(self, what: str, *arguments: str) -> dict[str, Any]:
        """What a process of its own finds in a library that is heavy, or may crash: see `agent.doctor.looks`."""

        def ask_child() -> dict[str, Any]:
            with self._looks:
                # -P: nothing is imported from the folder where somebody happens to stand
                argv = (sys.executable, "-P", "-m", "agent.doctor.looks", what, *arguments)
                answer = self.run(*argv, timeout_s=LOOK_S)
            lines = answer.out.splitlines() if answer is not None else []
            try:
                found: dict[str, Any] = json.loads(lines[-1])
            except (IndexError, ValueError):
                said = answer.err.strip().splitlines()[-1:] if answer is not None else []
                code = answer.code if answer is not None else None
                return {"crashed": said[0] if said else f"exit code {code}"}
            return found

        return self.once(("look", what, *arguments), ask_child)

    def unit(self) -> dict[str, str] | None:
        """What systemd says of the service; None where no systemd runs."""

        def ask_systemd() -> dict[str, str] | None:
            names = "LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result,ExecMainStatus,User"
            answer = self.run("systemctl", "show", UNIT, f"--property={names}")
            if answer is None or answer.code != 0:
                return None
            lines = (line.partition("=") for line in answer.out.splitlines())
            return {key: value for key, _, value in lines}

        return self.once("unit", ask_systemd)

    # ---- the node

    @property
    def config(self) -> Config:
        """The node's configuration.

        Raises:
            NoConfig: it cannot be used.
        """
        try:
            return self.once("config", lambda: load(self.config_path))
        except ConfigError as error:
            raise NoConfig from error

    def config_error(self) -> ConfigError | None:
        """Why the configuration cannot be used."""
        try:
            self.config  # noqa: B018 - reading it is the question
        except NoConfig as error:
            cause = error.__cause__
            assert isinstance(cause, ConfigError)  # noqa: S101 - see `config`
            return cause
        return None

    @property
    def account(self) -> Account | None:
        """Who the daemon runs as; None where the service's account is missing."""
        return self.once("account", lambda: account_of(ACCOUNT, self.root))

    def status(self) -> dict[str, Any]:
        """What the daemon says of itself.

        Raises:
            ControlError: it does not run, does not answer, or this user may not ask.
        """
        return self.once("status", lambda: ask(self.socket, "status", timeout_s=STATUS_S))

    def once(self, key: object, make: Callable[[], T]) -> T:
        """The same answer to all who ask for `key`, made by the first of them."""
        with self._lock:
            future: Future[T] | None = self._asked.get(key)
            mine = future is None
            if future is None:
                future = self._asked[key] = Future()
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:  # noqa: BLE001 - it is raised again, to all who asked
                future.set_exception(error)
        return future.result()
