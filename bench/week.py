"""A week of a board with 500 bulletins, as fast as the machine goes: does anything grow?

The worker's own view of a board is told a time that leaps from one change to the next: tens of thousands of turns
of notices plain and in Markdown, tables, pictures, printed notices, readings and countdowns, and among them some
that cannot be shown. Each night it rests, each morning it gets the board anew with other words in some notices, each
hour new readings, and once a day an emergency covers it. Memory is that of this process after the first day and
after each day to the last: what grows day by day is a leak. It draws on a screen that nobody sees.
"""

from __future__ import annotations

import gc
import tempfile
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from agent.screen.content import (
    Board,
    Bulletin,
    CountdownPart,
    DocumentPart,
    ImagePart,
    ReadingsPart,
    Sheet,
    TablePart,
    TextPart,
    Value,
    Zone,
)
from agent.screen.display_environment import prepare_environment
from agent.screen.protocol import Event, Failed, Showing, Takeover
from playlists.units import MonotonicS, Seconds

TARGETS = {"grown_mb": 4.0, "grown_descriptors": 0, "grown_threads": 0, "failed": 0, "bad_seen": 0}

SIZE = (1280, 720)
BULLETINS = 500
PICTURES = 50
DAYS = 7
DAY_S = 86_400.0
HOUR_S = 3_600.0
REST_S = 7 * 3_600.0
LONGEST_TURN_S = 15.0
STORM = Takeover(
    "storm", "emergency", "Bão", "Bão số 9 vào đất liền", "Bà con ở nhà, không ra khơi. " * 12, "Actual", "vi"
)


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        week = _Week(Path(name))
        sizes, descriptors, threads = [], [], []
        for day in range(DAYS):
            week.day(day)
            gc.collect()
            process = psutil.Process()
            sizes.append(process.memory_full_info().uss / 1e6)
            descriptors.append(process.num_fds())
            threads.append(threading.active_count())
        week.close()
    return {
        "turns": week.turns,
        "bulletins_seen": len(week.seen),
        "kinds_seen": len({_kind(int(name[1:])) for name in week.seen}),
        "bad_seen": len(week.seen & BAD),
        "failed": week.failed,
        "after_first_day_mb": round(sizes[0], 1),
        "after_last_day_mb": round(sizes[-1], 1),
        "grown_mb": round(max(sizes[1:]) - sizes[0], 2),
        "grown_descriptors": max(descriptors[1:]) - descriptors[0],
        "grown_threads": max(threads[1:]) - threads[0],
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
        self._show(number)
        self._until(begun + DAY_S / 2)
        self._view.take_over(STORM, self._now)
        self._until(self._now + 120.0)
        self._view.clear(self._now, self._wall)
        while self._now < begun + DAY_S - REST_S:
            self._show(number)  # the same board, but for its readings
            self._until(min(self._now + HOUR_S, begun + DAY_S - REST_S))
        self._view.rest(self._now, self._wall, resting=True)
        self._until(begun + DAY_S)

    def close(self) -> None:
        self._pictures.close()

    def _show(self, day: int) -> None:
        self._view.set_board(_board(day, self._files, self._wall), self._now)

    def _until(self, end: float) -> None:
        view = self._view
        while self._now < end:
            while view.prepare():
                pass
            while self._pictures.busy:  # what is decoded or set aside takes no time here
                self._ready.wait(0.2)
            if self._ready.is_set():
                self._ready.clear()
                view.picture_ready(self._now)
                continue
            leap_s = view.next_at - self._now
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
        self.failed += isinstance(event, Failed) and event.bulletin not in BAD


def _board(day: int, files: list[Path], wall: datetime) -> Board:
    bulletins = tuple(_bulletin(number, day, files, wall) for number in range(BULLETINS))
    zones = (
        Zone("main", "bulletins", (0, 0, 16, 7), bulletins),
        Zone("banner", "banner", (0, 7, 16, 1), bulletins[1::50]),
        Zone("clock", "clock", (0, 8, 16, 1)),
    )
    return Board("week", (16, 9), zones)


def _kind(number: int) -> str:
    return KINDS[number % len(KINDS)]


def _bulletin(number: int, day: int, files: list[Path], wall: datetime) -> Bulletin:
    turn = Bulletin(f"b{number}", duration_s=Seconds(LONGEST_TURN_S), weight=1 + number % 3)
    words = "Bà con trong xóm chú ý theo dõi và thực hiện theo hướng dẫn của trạm y tế xã. "
    heading = f"Thông báo số {number}"
    file = str(files[number % len(files)])
    match _kind(number):
        case "image":
            return replace(turn, image=ImagePart(file, "contain", f"Ảnh {number}"))
        case "markdown":
            body = f"## Mục {number}\n\n- **một**\n- *hai*\n\n{words * 3}"
            return replace(turn, text=TextPart(heading, body, None, "markdown"))
        case "table":
            rows = tuple((f"Thôn {row}", f"{row}/12", "Nhà văn hóa") for row in range(number % 20))
            return replace(turn, table=TablePart(rows, ("Thôn", "Ngày", "Nơi"), heading))
        case "document":
            return replace(turn, document=DocumentPart((Sheet(file, (1600, 1200)), Sheet(file)), heading))
        case "readings":
            at = wall - timedelta(minutes=number)
            value = Value("Nhiệt độ", f"{15 + wall.hour % 9},{day}", "°C", at)
            return replace(turn, readings=ReadingsPart((value, Value("Mưa", None)), heading))
        case "countdown":
            return replace(turn, countdown=CountdownPart(wall + timedelta(hours=number), heading))
        case "bad":
            return (
                replace(turn, image=ImagePart(f"{file}.none"))
                if number % 2
                else replace(turn, readings=ReadingsPart(()))
            )
        case _:
            edition = f" (ngày {day})" if number % 3 == 1 else ""
            code = f"https://xa.example/{number}" if number % 7 == 0 else None
            return replace(turn, text=TextPart(f"{heading}{edition}", words * (1 + number % 5), code))


KINDS = (
    "image",
    "notice",
    "markdown",
    "table",
    "notice",
    "document",
    "readings",
    "countdown",
    "notice",
    "bad",
)
BAD = frozenset(f"b{number}" for number in range(BULLETINS) if _kind(number) == "bad")
"""What cannot be shown: it must cost nothing but its turns."""


def _picture(path: Path, number: int) -> Path:
    from PIL import Image

    Image.new("RGB", (1600, 1200), (number * 5, 120, 200 - number)).save(path)
    return path
