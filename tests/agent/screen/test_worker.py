"""The worker as its parent sees it: a real process, its pipes, and a real X server."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from agent.screen.protocol import (
    Takeover,
    clear_message,
    picture_message,
    ping_message,
    quit_message,
    takeover_message,
)
from agent.screen.theme import ALARMS, THEMES
from tests.support.screen import board, grab, worker, xvfb
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


CLOSED_IN_A_TURN = """
import sys, pygame
from agent.screen import __main__ as screen, display, worker
real, done = display.Display.present, []
def present(self, boxes):
    real(self, boxes)
    # a whole turn, between those in which only the ticker is asked
    if self.frames > 40 and sys._getframe(1).f_code.co_name == "_turn" and not done:
        done.append(True)
        self.frames = worker.ATTEND_FRAMES  # whatever it looks at next, it looks at now
        pygame.event.post(pygame.event.Event(pygame.QUIT))
display.Display.present = present
sys.exit(screen.main())
"""


def test_a_screen_that_is_lost_while_a_turn_is_presented_is_taken_again() -> None:
    with worker(*OFFSCREEN, start=("-c", CLOSED_IN_A_TURN)) as child:
        child.send(board(MAIN, TICKER))
        child.heard("ready", driver=None, reason="the window was closed")
        wait_until(lambda: child.said[-1].get("showing") == ["a", "t"], 15, "the board is seen again")
        assert child.process.poll() is None
