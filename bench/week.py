"""A week of a board with 500 bulletins, as fast as the machine goes: does anything grow?

The worker's own view of a board is told a time that leaps from one change to the next: some 40,000 turns of
notices and pictures. Each night it rests, each morning it gets the board anew with other words in a tenth of the
notices, and once a day an emergency covers it. Memory is that of this process after the first day and after each
day to the last: what grows day by day is a leak. It draws on a screen that nobody sees.
"""

from __future__ import annotations

import gc
import tempfile
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from agent.screen.content import Board, Bulletin, ImagePart, TextPart, Zone
from agent.screen.display_environment import prepare_environment
from agent.screen.protocol import Event, Failed, Showing, Takeover
from playlists.units import MonotonicS, Seconds

TARGETS = {"grown_mb": 4.0, "grown_descriptors": 0, "failed": 0}

SIZE = (1280, 720)
BULLETINS = 500
PICTURES = 50
DAYS = 7
DAY_S = 86_400.0
REST_S = 7 * 3_600.0
LONGEST_TURN_S = 15.0
STORM = Takeover(
    "storm", "emergency", "Bão", "Bão số 9 vào đất liền", "Bà con ở nhà, không ra khơi. " * 12, "Actual", "vi"
)


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        week = _Week(Path(name))
        sizes, descriptors = [], []
        for day in range(DAYS):
            week.day(day)
            gc.collect()
            process = psutil.Process()
            sizes.append(process.memory_full_info().uss / 1e6)
            descriptors.append(process.num_fds())
        week.close()
    return {
        "turns": week.turns,
        "bulletins_seen": len(week.seen),
        "failed": week.failed,
        "after_first_day_mb": round(sizes[0], 1),
        "after_last_day_mb": round(sizes[-1], 1),
        "grown_mb": round(max(sizes[1:]) - sizes[0], 2),
        "grown_descriptors": max(descriptors[1:]) - descriptors[0],
    }


class _Week:
    """One board, and a clock that is turned by hand."""

    def __init__(self, folder: Path) -> None:
        prepare_environment("offscreen")
        import pygame

        from agent.screen.board import BoardView
        from agent.screen.fonts import Fonts
        from agent.screen.pictures import Pictures

        pygame.display.init()
        self._ready = threading.Event()
        self._pictures = Pictures(self._ready.set)
        surface = pygame.display.set_mode(SIZE)
        self._view = BoardView(surface, Fonts(), self._pictures, self._hear)
        self._now = MonotonicS(1_000.0)
        self._files = [_picture(folder / f"{number}.jpg", number) for number in range(PICTURES)]
        self.turns = 0
        self.failed = 0
        self.seen: set[str] = set()

    def day(self, number: int) -> None:
        """From one morning to the next."""
        begun = self._now
        self._view.rest(self._now, self._wall, resting=False)
        self._view.set_board(_board(number, self._files), self._now)
        self._until(begun + DAY_S / 2)
        self._view.take_over(STORM, self._now)
        self._until(self._now + 120.0)
        self._view.clear(self._now, self._wall)
        self._until(begun + DAY_S - REST_S)
        self._view.rest(self._now, self._wall, resting=True)
        self._until(begun + DAY_S)

    def close(self) -> None:
        self._pictures.close()

    def _until(self, end: float) -> None:
        view = self._view
        while self._now < end:
            while view.prepare():
                pass
            leap_s = view.next_at - self._now
            if leap_s > LONGEST_TURN_S + 1.0 and self._ready.wait(0.2):
                self._ready.clear()
                view.picture_ready(self._now)
                continue
            self._now = MonotonicS(min(end, self._now + max(leap_s, 0.001)))
            view.step(self._now, self._wall)
            view.tell()

    @property
    def _wall(self) -> datetime:
        return datetime(2026, 11, 22, 22, tzinfo=UTC) + timedelta(seconds=self._now)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Showing):
            self.turns += 1
            self.seen.update(event.showing)
        self.failed += isinstance(event, Failed)


def _board(day: int, files: list[Path]) -> Board:
    bulletins = tuple(_bulletin(number, day, files) for number in range(BULLETINS))
    zones = (
        Zone("main", "bulletins", (0, 0, 16, 8), bulletins),
        Zone("clock", "clock", (0, 8, 16, 1)),
    )
    return Board("week", (16, 9), zones)


def _bulletin(number: int, day: int, files: list[Path]) -> Bulletin:
    turn = Bulletin(f"b{number}", duration_s=Seconds(LONGEST_TURN_S), weight=1 + number % 3)
    every = BULLETINS // PICTURES
    if number % every == 0:
        return replace(turn, image=ImagePart(str(files[number // every]), "contain", f"Ảnh {number}"))
    words = "Bà con trong xóm chú ý theo dõi và thực hiện theo hướng dẫn của trạm y tế xã. " * (
        1 + number % 5
    )
    edition = f" (ngày {day})" if number % 10 == 1 else ""
    code = f"https://xa.example/{number}" if number % 7 == 0 else None
    return replace(turn, text=TextPart(f"Thông báo số {number}{edition}", words, code))


def _picture(path: Path, number: int) -> Path:
    from PIL import Image

    Image.new("RGB", (1600, 1200), (number * 5, 120, 200 - number)).save(path)
    return path
