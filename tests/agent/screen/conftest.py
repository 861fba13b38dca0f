"""Pixels without a window: SDL's offscreen driver, and boards in few words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
os.environ["SDL_VIDEODRIVER"] = "offscreen"
os.environ["SDL_FRAMEBUFFER_ACCELERATION"] = "0"

import numpy as np
import pygame

from agent.screen.board import BoardView
from agent.screen.card import Style
from agent.screen.content import Board, Bulletin, TextPart, Zone
from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.paint import Text
from agent.screen.pictures import Pictures
from agent.screen.protocol import Event, Failed, Showing, Shown
from agent.screen.theme import THEMES, sizes_for
from playlists.units import MonotonicS, Seconds

SIZE = (1280, 720)
START = datetime(2026, 11, 22, 22, 30, 10, tzinfo=UTC)  # 05:30:10 on a Monday in Vietnam

BODY = (
    "Trạm y tế xã thông báo: buổi tiêm chủng mở rộng tháng 12 được tổ chức từ 7 giờ 30 đến 11 giờ, "
    "sáng thứ Năm, ngày 3 tháng 12, tại trạm y tế xã. Đề nghị các gia đình có trẻ từ 2 đến 24 tháng tuổi "
    "đưa trẻ đến tiêm đúng giờ, mang theo sổ tiêm chủng và căn cước của cha hoặc mẹ."
)


@dataclass
class Bench:
    """A board on an unseen screen, and a clock that the test turns."""

    surface: pygame.Surface
    view: BoardView
    events: list[Event]
    now: MonotonicS = MonotonicS(1_000.0)
    presented: list[list[Box]] = field(default_factory=list)

    def show(self, *zones: Zone, **more: object) -> None:
        self.view.set_board(Board("test", (16, 9), zones, **more), self.now)  # type: ignore[arg-type]
        self.step()

    def step(self) -> list[Box]:
        dirty = self.view.step(self.now, self.wall)
        if dirty:
            self.presented.append(dirty)
        self.view.tell()
        return dirty

    def pass_time(self, seconds: float, stride: float = 0.1) -> None:
        """Let time pass as the worker does: step when due, prepare in between."""
        end = self.now + seconds
        while self.now < end:
            while self.view.prepare():
                pass
            self.now = MonotonicS(min(end, max(self.view.next_at, self.now + stride / 1_000)))
            self.step()

    @property
    def wall(self) -> datetime:
        return datetime.fromtimestamp(START.timestamp() + self.now - 1_000.0, UTC)

    def pixels(self, box: Box | None = None) -> np.ndarray:
        whole = pygame.surfarray.array3d(self.surface).swapaxes(0, 1)
        if box is None:
            return whole
        return whole[box.y : box.bottom, box.x : box.right]

    def failures(self) -> list[tuple[str | None, str]]:
        return [(e.bulletin, e.reason) for e in self.events if isinstance(e, Failed)]

    def showings(self) -> list[Showing]:
        return [e for e in self.events if isinstance(e, Showing)]

    def shown(self) -> list[Shown]:
        return [e for e in self.events if isinstance(e, Shown)]


@pytest.fixture(scope="session")
def screen() -> Iterator[pygame.Surface]:
    pygame.display.init()
    yield pygame.display.set_mode(SIZE)
    pygame.display.quit()


@pytest.fixture(scope="session")
def fonts(screen: pygame.Surface) -> Fonts:
    found = Fonts()
    assert found.fault is None, "these tests need fonts-noto-core"
    return found


@pytest.fixture
def bench(screen: pygame.Surface, fonts: Fonts) -> Iterator[Bench]:
    events: list[Event] = []
    pictures = Pictures(lambda: None)
    screen.fill((255, 0, 255))  # what nobody paints is seen in a test
    yield Bench(screen, BoardView(screen, fonts, pictures, events.append), events)
    pictures.close()


def notice(
    name: str, heading: str = "", body: str = "", *, duration_s: float = 10.0, weight: int = 1, **more: str
) -> Bulletin:
    text = TextPart(heading or name, body, more.pop("qr", None))
    return Bulletin(name, duration_s=Seconds(duration_s), weight=weight, text=text, **more)  # type: ignore[arg-type]


def zone(
    *bulletins: Bulletin, at: tuple[int, int, int, int] = (0, 0, 16, 9), kind: str = "bulletins", **more: str
) -> Zone:
    return Zone(more.get("id", kind), kind, at, bulletins)


def style(fonts: Fonts, size: tuple[int, int] = SIZE) -> Style:
    return Style(fonts, THEMES["dark"], sizes_for(*size))


def is_running_text(text: Text) -> bool:
    mark = text.text == "Quét mã QR" or re.fullmatch(r"\d+ / \d+", text.text)
    return text.weight == "regular" and not mark


def words_of(pages: list[list[Text]]) -> list[str]:
    return [word for page in pages for text in page for word in text.text.split()]
