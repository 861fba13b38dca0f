"""The worker as its parent sees it: a real process, its pipes, and a real X server."""

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

import pytest
from PIL import Image, ImageChops

from agent.screen.protocol import (
    Takeover,
    board_message,
    clear_message,
    picture_message,
    ping_message,
    quit_message,
    takeover_message,
)
from agent.screen.theme import ALARMS, THEMES
from tests.support.wait import wait_until

ROOT = Path(__file__).parents[3]
BODY = "Trạm y tế xã thông báo: buổi tiêm chủng mở rộng được tổ chức từ 7 giờ 30 đến 11 giờ."
MAIN = {
    "id": "main",
    "kind": "bulletins",
    "at": [0, 0, 16, 8],
    "bulletins": [
        {"id": "a", "text": {"heading": "Lịch tiêm chủng", "body": BODY, "qr": "https://xa.example/phan-anh"}}
    ],
}
TICKER = {
    "id": "ticker",
    "kind": "ticker",
    "at": [0, 8, 13, 1],
    "bulletins": [{"id": "t", "text": {"body": BODY}}],
}
CLOCK = {"id": "clock", "kind": "clock", "at": [13, 8, 3, 1], "bulletins": []}
STORM = Takeover("storm", "emergency", "Bão số 9", "Bão số 9 đổ bộ trong 6 giờ tới", "Vào nơi trú ẩn.")


def board(*zones: dict[str, Any]) -> dict[str, Any]:
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
        ["Xvfb", "-displayfd", str(tells), "-screen", "0", f"{size}x24", "-nolisten", "tcp"],
        pass_fds=[tells], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(tells)
    try:
        with os.fdopen(told) as number:
            yield ":" + number.readline().strip()
    finally:
        server.kill()
        server.wait(10)


OFFSCREEN = ("--driver", "offscreen", "--size", "1280x720")


def test_it_shows_a_board_takes_pictures_and_reports_what_was_shown(tmp_path: Path) -> None:
    with worker(*OFFSCREEN) as child:
        child.send(board(MAIN, TICKER, CLOCK))
        assert child.heard("ready")["size"] == [1280, 720]
        assert child.heard("showing", showing=["a", "t"], takeover=None)["layout"] == "default"
        child.send(
            picture_message("whole", tmp_path / "whole.png"),
            picture_message("small", tmp_path / "s.jpg", 320),
        )
        assert child.heard("picture", request="small")["size"] == [320, 180]
        with Image.open(tmp_path / "whole.png") as whole:
            assert whole.size == (1280, 720)
            assert len(whole.convert("RGB").getcolors(1 << 20) or []) > 50
        child.send(takeover_message(STORM))
        child.heard("showing", showing=[], takeover="storm")
        child.send(picture_message("red", tmp_path / "red.png"))
        child.heard("picture", request="red", reason=None)
        with Image.open(tmp_path / "red.png") as red:
            colours = red.convert("RGB").getcolors(1 << 20) or []
        assert max(colours)[1] == ALARMS["emergency"].ground
        child.send(clear_message())
        wait_until(
            lambda: [s["takeover"] for s in child.said if s["event"] == "showing"] == [None, "storm", None],
            10,
            "the board is back",
        )
        child.send(quit_message())
        assert child.process.wait(10) == 0
        child.end()
        shown = {said["bulletin"]: said for said in child.said if said["event"] == "shown"}
        assert shown["a"]["count"] == 2 and shown["a"]["seconds"] > 0
        assert shown["a"]["from"].endswith("+00:00")


def test_lines_that_are_no_messages_are_reported_and_change_nothing() -> None:
    with worker(*OFFSCREEN) as child:
        child.send(board(MAIN))
        child.heard("showing", showing=["a"])
        child.send(
            b"nonsense\n",
            b"[1]\n",
            b'{"op":"board","board":{"grid":[1]}}\n',
            b"\xff\xfe\n",
            b"[" * 50_000 + b"\n",
        )
        child.send(ping_message(7))
        child.heard("pong", n=7)
        ignored = [s for s in child.said if s["event"] == "failed"]
        assert len(ignored) == 5
        assert all(s["bulletin"] is None and s["reason"].startswith("message ignored: ") for s in ignored)
        assert [s["showing"] for s in child.said if s["event"] == "showing"] == [["a"]]


def test_the_end_of_stdin_is_its_end() -> None:
    with worker(*OFFSCREEN) as child:
        child.send(board(MAIN))
        child.heard("showing", showing=["a"])
        assert child.end() == 0
        assert child.said[-1]["event"] == "shown"


def test_a_still_board_sleeps() -> None:
    with worker(*OFFSCREEN) as child:
        child.send(board(MAIN))
        child.heard("showing", showing=["a"])
        child.send(ping_message(1))
        frames = child.heard("pong", n=1)["frames"]
        before = child.switches()
        threading.Event().wait(1.5)  # nothing is waited for: nothing may happen
        assert child.switches() - before <= 1
        child.send(ping_message(2))
        assert child.heard("pong", n=2)["frames"] == frames


def test_without_a_screen_it_says_why_lives_on_and_tries_again() -> None:
    with worker("--driver", "x11", DISPLAY=":987") as child:
        first = child.heard("ready")
        assert (first["driver"], first["size"]) == (None, None)
        assert first["reason"].startswith("no screen through x11: ")
        child.send(board(MAIN), ping_message(1), picture_message("r", Path("/nowhere/x.png")))
        assert child.heard("pong", n=1)["frames"] == 0
        assert child.heard("picture", request="r")["reason"] == "there is no screen"
        again = wait_until(lambda: [s for s in child.said if s["event"] == "ready"][1:], 10, "it tries again")
        assert again[0]["retry_s"] > first["retry_s"]


def test_a_screen_that_nobody_sees_is_not_taken_by_chance() -> None:
    with worker() as child:
        assert child.heard("ready")["driver"] is None


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


def test_on_a_real_x_server_the_window_shows_what_the_picture_says(tmp_path: Path) -> None:
    with xvfb() as display, worker("--driver", "x11", DISPLAY=display) as child:
        child.send(board(MAIN, CLOCK))
        ready = child.heard("ready")
        assert (ready["driver"], ready["size"]) == ("x11", [1280, 720])
        child.heard("showing", showing=["a"])
        child.send(picture_message("p", tmp_path / "picture.png"))
        child.heard("picture", request="p", reason=None)
        with Image.open(tmp_path / "picture.png") as image:
            picture = image.convert("RGB")
        surface = THEMES["dark"].surface
        assert picture.getpixel((1_200, 30)) == surface

        def same() -> bool:
            # the clock's zone may have turned meanwhile
            box = (0, 0, 1280, 630)
            return (
                ImageChops.difference(
                    grab(display, tmp_path / "x.png").crop(box), picture.crop(box)
                ).getbbox()
                is None
            )

        wait_until(same, 10, "the window shows the board")
        child.send(takeover_message(STORM))
        child.heard("showing", takeover="storm")
        wait_until(
            lambda: grab(display, tmp_path / "x.png").getpixel((5, 5)) == ALARMS["emergency"].ground,
            10,
            "the window is covered",
        )
        child.send(clear_message())
        wait_until(same, 10, "the board is back")


def test_a_ticker_on_a_real_x_server_keeps_its_pace() -> None:
    with xvfb() as display, worker("--driver", "x11", DISPLAY=display) as child:
        child.send(board(TICKER))
        child.heard("showing", showing=["t"])
        child.send(ping_message(1))
        first = child.heard("pong", n=1)
        threading.Event().wait(1.0)
        child.send(ping_message(2))
        second = child.heard("pong", n=2)
        frames = second["frames"] - first["frames"] + second["late"] - first["late"]
        assert frames >= 55


def test_the_screen_room_can_be_read_without_pygame_or_pydantic() -> None:
    code = (
        "import sys, agent.screen.protocol, agent.screen.reading;"
        "print(sorted({'pygame', 'pydantic', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("size", ["1920", "1x1", "wide", "1920x"])
def test_a_size_that_is_none_is_refused_at_the_command_line(size: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agent.screen", "--size", size],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "WIDTHxHEIGHT" in done.stderr
