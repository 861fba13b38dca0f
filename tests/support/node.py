"""A real node: `loa run` as a process of its own, with a configuration of its own, asked over its socket."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from agent.control.client import ControlError, ask
from tests.support.wait import wait_until

ROOT = Path(__file__).parents[2]
AS_THE_UNIT = ["nice", "-n", "-5"] if os.geteuid() == 0 else []
"""Nice=-5, as in systemd/loa-agent.service."""


@dataclass
class NodeSettings:
    """What differs between the nodes of tests, demo and benches; the rest is one configuration."""

    id: str = "pole-07"
    feed_url: str | None = None
    root: Path | None = None
    feed: str = "commune"
    ceiling: str = "emergency"
    broker_port: int | None = None
    password_file: Path | None = None
    user: str = "loa"
    output: str = "portaudio"
    device: str | None = "pulse"
    latency_ms: float = 20.0
    screen: bool = False
    screen_driver: str = "offscreen"
    screen_size: tuple[int, int] = (1280, 720)
    shift_px: int = 0
    settle_s: float = 0.2
    relay_delay_s: float = 0.05
    tail_s: float = 0.4
    poll_s: float = 10.0
    keepalive_s: int = 10
    timezone: str | None = None
    allowed_hours: tuple[str, ...] = ("00:00-24:00",)
    loudness: str = "[]"
    policy: str = ""
    """Further keys of its section."""
    stream_hosts: tuple[str, ...] = ("127.0.0.1",)
    dead_air_s: float = 10.0
    extra: str = ""
    env: Mapping[str, str] = field(default_factory=dict)

    def toml(self, directory: Path) -> str:
        """The configuration file."""
        lines = [
            "[node]",
            f'id = "{self.id}"',
            'site = "xa-mau"',
            'groups = ["hamlet-3"]',
            'public_number = "0007"',
            'languages = ["vi", "en"]',
            "position = { lat = 18.67, lon = 105.69 }",
            "[paths]",
            f'state = "{directory}/state"',
            f'cache = "{directory}/cache"',
            f'runtime = "{directory}/run"',
        ]
        if self.timezone is not None:
            lines.insert(1, f'timezone = "{self.timezone}"')
        if self.feed_url is not None:
            lines += [
                "[[feeds]]",
                f'name = "{self.feed}"',
                f'url = "{self.feed_url}"',
                f'root = "{self.root}"',
                "level = 10",
                f'ceiling = "{self.ceiling}"',
                f"poll_s = {self.poll_s}",
            ]
        if self.broker_port is not None:
            lines += [
                "[broker]",
                'host = "127.0.0.1"',
                f"port = {self.broker_port}",
                "tls = false",
                f'user = "{self.user}"',
                f'password_file = "{self.password_file}"',
                f"keepalive_s = {self.keepalive_s}",
            ]
        lines += ["[audio]", f'output = "{self.output}"', f"latency_ms = {self.latency_ms}"]
        if self.device is not None:
            lines.append(f'device = "{self.device}"')
        for name, pin in (("preamp", 17), ("amplifier", 27)):
            lines += [
                "[[relays]]",
                f'name = "{name}"',
                f"pin = {pin}",
                'active = "low"',
                f"delay_s = {self.relay_delay_s}",
            ]
        lines += [
            "[[zones]]",
            'name = "main"',
            'relays = ["preamp", "amplifier"]',
            f"settle_s = {self.settle_s}",
            f"tail_s = {self.tail_s}",
            "[policy]",
            f"allowed_hours = {list(self.allowed_hours)}",
            f"loudness = {self.loudness}",
            self.policy,
            "[streams]",
            f"hosts = {list(self.stream_hosts)}",
            f"dead_air_s = {self.dead_air_s}",
            "[screen]",
            f"enabled = {str(self.screen).lower()}",
            f'driver = "{self.screen_driver}"',
            f"size = {list(self.screen_size)}",
            f"shift_px = {self.shift_px}",
            "[hardware]",
            'gpio = "fake"',
            "[clock]",
            "vouched = true",
            self.extra,
        ]
        return "\n".join(lines) + "\n"


class NodeProcess:
    """Starts, asks, kills and stops one node."""

    run: tuple[str, ...] = ("-m", "agent.cli", "run", "--config")

    def __init__(self, directory: Path, settings: NodeSettings) -> None:
        self.directory = directory
        self.settings = settings
        directory.mkdir(parents=True, exist_ok=True)
        self.config = directory / "config.toml"
        self.socket = directory / "run" / "control.sock"
        self.log = directory / "node.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0

    def start(self, *, wait: bool = True) -> None:
        """Start it; returns when it answers at its socket."""
        self.config.write_text(self.settings.toml(self.directory), encoding="utf-8")
        self.socket.unlink(missing_ok=True)
        self.started_at = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*AS_THE_UNIT, sys.executable, *self.run, str(self.config)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.settings.env},
            )
        if wait:
            self.wait_until_up()

    def wait_until_up(self, timeout_s: float = 20.0) -> None:
        """Return when it answers at its socket."""
        wait_until(self._answers, timeout_s, f"the node answers; its log:\n{self.tail()}")

    def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Ask it something; raises ControlError like the command line's client."""
        return ask(self.socket, op, **arguments)

    def screenshot(self, path: Path) -> None:
        """Write a picture of what its screen shows to `path`, a .png."""
        path.write_bytes(base64.b64decode(self.ask("screenshot")["picture"]))

    def health(self) -> dict[str, Any]:
        """Its health as it would send it."""
        health: dict[str, Any] = self.ask("status")["health"]
        return health

    def records(self) -> list[dict[str, Any]]:
        """The records that are still in its journal."""
        records: list[dict[str, Any]] = self.ask("log", count=1_000)["records"]
        return records

    def child(self, name: str) -> psutil.Process:
        """The worker process `agent.<name>`."""
        assert self.process is not None

        def find() -> psutil.Process | None:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if f"agent.{name}" in child.cmdline():
                        return child
            return None

        return wait_until(find, 10, f"the node has a process agent.{name}")

    def kill(self) -> None:
        """SIGKILL the daemon, as a crash would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, timeout_s: float = 15.0) -> int:
        """Ask it to end; returns its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
                raise AssertionError(
                    f"the node did not end within {timeout_s} s; log:\n{self.tail()}"
                ) from None
        return self.process.returncode

    def tail(self, lines: int = 40) -> str:
        """The end of its log, for messages of failed tests."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the node has ended; its log:\n{self.tail()}"
        try:
            self.ask("status")
        except ControlError:
            return False
        return True


@contextlib.contextmanager
def running(directory: Path, settings: NodeSettings) -> Iterator[NodeProcess]:
    """A node that runs while the block does."""
    node = NodeProcess(directory, settings)
    node.start()
    try:
        yield node
    finally:
        node.stop()
