"""A screen worker as its parent sees it, and an X server for it to draw on."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from agent.screen.protocol import board_message
from tests.support.wait import wait_until

ROOT = Path(__file__).parents[2]


def board(*zones: dict[str, Any]) -> dict[str, Any]:
    """A message that shows these zones on a grid of 16 by 9."""
    return board_message({"layout": "default", "grid": [16, 9], "zones": list(zones)})


class Child:
    """A worker process, spoken to as the conductor does."""

    def __init__(self, *args: str, start: tuple[str, ...] = ("-m", "agent.screen"), **env: str) -> None:
        clean = {
            k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"}
        }
        self.process = subprocess.Popen(
            [sys.executable, *start, *args],
            cwd=ROOT,
            env={**clean, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.said: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(json.loads(line))
        self.process.stdout.close()

    def send(self, *messages: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        for message in messages:
            self.process.stdin.write(
                message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"
            )
        self.process.stdin.flush()

    def heard(self, event: str, **fields: Any) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            for said in self.said:
                if said["event"] == event and all(said.get(k) == v for k, v in fields.items()):
                    return said
            return None

        said = wait_until(found, 15, f"{event} {fields}")
        assert said is not None
        return said

    def end(self) -> int:
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        code = self.process.wait(15)
        self._reader.join(5)
        return code

    def switches(self) -> int:
        """How often it has woken up by itself: voluntary context switches (proc_pid_status(5))."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("voluntary"))


@contextlib.contextmanager
def worker(*args: str, **more: Any) -> Iterator[Child]:
    child = Child(*args, **more)
    try:
        yield child
    finally:
        child.process.kill()
        child.end()


@contextlib.contextmanager
def xvfb(size: str = "1280x720") -> Iterator[str]:
    told, tells = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(tells), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[tells], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(tells)
    try:
        with os.fdopen(told) as number:
            yield ":" + number.readline().strip()
    finally:
        server.kill()
        server.wait(10)


def grab(display: str, path: Path) -> Image.Image:
    command = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-y",
        "-f",
        "x11grab",
        "-video_size",
        "1280x720",
        "-draw_mouse",
        "0",
    ]
    subprocess.run(
        [*command, "-i", display, "-frames:v", "1", str(path)], check=True, stdin=subprocess.DEVNULL
    )
    with Image.open(path) as image:
        return image.convert("RGB")
