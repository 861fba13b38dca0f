"""The screen process: waits for messages and for the next change, and does nothing in between.

One loop: paint what is due, present it, prepare the next page as long as there is time, then sleep in
select(2) until a message, a word of the window server, a decoded picture, or the next change. A still board
without a clock sleeps until it is spoken to, but for its report of what was shown, once a minute.
"""

from __future__ import annotations

import json
import logging
import os
import select
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pygame

from agent.child import Voice
from agent.screen.board import BoardView
from agent.screen.content import ThemeName
from agent.screen.display import Breakage, Display
from agent.screen.errors import Rejected, Retry
from agent.screen.films import Films
from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.manner import Manner
from agent.screen.pictures import Pictures
from agent.screen.proof import AGAIN_S, Look, Proof
from agent.screen.protocol import (
    Act,
    Break,
    Clear,
    Event,
    Failed,
    Message,
    PictureTaken,
    Ping,
    Pong,
    Quit,
    Ready,
    Rest,
    RunFilm,
    Seen,
    SetBoard,
    SetCaption,
    TakeOver,
    TakePicture,
    event_message,
)
from agent.screen.reading import read_message
from agent.screen.stage import NEVER
from drivers.outputs import connected_outputs
from playlists.units import MonotonicS, Seconds

MAX_LINE_BYTES: Final = 8_000_000
FIRST_RETRY_S: Final = Seconds(1.0)
LONGEST_RETRY_S: Final = Seconds(60.0)
ATTEND_FRAMES: Final = 30
"""Whoever touches the glass of a board with a ticker waits half a second at most."""
SPARE_S: Final = Seconds(0.005)
"""Nothing is prepared in the last milliseconds before a frame is due."""

log = logging.getLogger("loa.screen")


@dataclass(frozen=True)
class Options:
    """What the worker is started with."""

    size: tuple[int, int] | None = None
    fullscreen: bool = True
    theme: ThemeName = "dark"
    manner: Manner = field(default_factory=Manner)


class Worker:
    """The process's one loop."""

    def __init__(
        self,
        options: Options,
        voice: Voice,
        stdin: int = 0,
        outputs: Callable[[], frozenset[str] | None] = connected_outputs,
    ) -> None:
        """`outputs` says which screens are plugged in; None where nobody knows."""
        self._outputs = outputs
        self._plugged = outputs() or None
        """What is plugged in; None while nothing was seen to be, which says nothing."""
        self._options = options
        self._voice = voice
        self._stdin = stdin
        self._lines = _Lines()
        self._wake_r, self._wake_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._pictures = Pictures(self._wake)
        self._films = Films(self._wake)
        self._fonts = Fonts()
        self._display: Display | None = None
        self._view: BoardView | None = None
        self._retry_at = MonotonicS(time.monotonic())
        self._retry_s = FIRST_RETRY_S
        self._board: SetBoard | None = None
        self._takeover: TakeOver | None = None
        self._resting = False
        self._proof = Proof(_now())
        self._look_at = NEVER
        self._running = True

    def run(self) -> None:
        """Work until stdin ends or `quit` comes."""
        if self._fonts.fault is not None:
            self._say(Failed(None, self._fonts.fault))
        while self._running:
            if self._display is None and time.monotonic() >= self._retry_at:
                self._open()
            self._turn()
            self._wait()
        if self._view is not None:
            self._view.report(_now(), _wall())
        self._films.close()
        self._pictures.close()
        if self._display is not None:
            self._display.close()

    # -- one round ---------------------------------------------------------------------------------

    def _turn(self) -> None:
        """Paint what is due and present it; then prepare what comes, as long as there is time."""
        view, display = self._view, self._display
        if view is None or display is None:
            return
        dirty = view.step(_now(), _wall())
        if dirty:
            display.present(dirty)
            # presenting takes the window server's words off its socket: look here too, not at every frame
            if display.frames % ATTEND_FRAMES == 0 or view.next_at > time.monotonic() + 0.1:
                self._attend()
                if self._display is not display:  # it was lost
                    return
        view.tell()
        if _now() >= self._look_at:
            self._look(view, display)
        display.wander(_now())
        view.draw_on(display.surface)
        while time.monotonic() < view.next_at - SPARE_S:
            if not view.prepare():
                self._run_tickers(view, display)
                break

    def _run_tickers(self, view: BoardView, display: Display) -> None:
        """The frames in which nothing but tickers moves, until something else is due or somebody speaks.

        A whole turn asks all that may have changed; sixty times a second, in vain, that cost more than the ticker.
        """
        until = min(view.alone_until, self._look_at, display.wander_at)
        watched = [self._stdin, self._wake_r, *display.sockets]
        wall, due = _wall(), view.tickers_at
        while due < until:
            if select.select(watched, [], [], max(0.0, due - time.monotonic()))[0]:
                return
            now = _now()
            if now >= until:
                return
            dirty, due = view.run_tickers(now, wall)
            display.present(dirty)
            if display.frames % ATTEND_FRAMES == 0:
                self._attend()  # and what was touched wants a whole turn
                return

    def _wait(self) -> None:
        if not self._running:
            return
        watched = [self._stdin, self._wake_r]
        next_at = self._retry_at
        if self._display is not None and self._view is not None:
            watched += self._display.sockets
            next_at = min(self._view.next_at, self._look_at, self._display.wander_at)
        timeout = None if next_at == NEVER else max(0.0, next_at - time.monotonic())
        readable, _, _ = select.select(watched, [], [], timeout)
        if not readable:
            return
        if self._wake_r in readable:
            os.read(self._wake_r, 4096)
            if self._view is not None:
                self._view.picture_ready(_now())
        if self._display is not None and any(fd in readable for fd in self._display.sockets):
            self._attend()
        if self._stdin in readable:
            self._read()

    def _attend(self) -> None:
        display = self._display
        if display is None:
            return
        try:
            if display.attend():
                pygame.display.flip()
            pressed, display.pressed = display.pressed, []
            for point in pressed:
                if self._view is not None:
                    self._view.press(point, _now())
        except Retry as error:
            self._lose(error)

    def _read(self) -> None:
        data = os.read(self._stdin, 262_144)
        if not data:
            self._running = False
            return
        for line in self._lines.feed(data):
            self._hear(line)
            if not self._running:
                return

    # -- messages ----------------------------------------------------------------------------------

    def _hear(self, line: bytes) -> None:
        try:
            message: Any = json.loads(line)
            if not isinstance(message, Mapping):
                raise Rejected(f"a JSON object, found {type(message).__name__}")
            self._obey(read_message(message))
        except (Rejected, ValueError, RecursionError) as error:
            self._say(Failed(None, f"message ignored: {error}"))

    def _obey(self, message: Message) -> None:
        now, view = _now(), self._view
        match message:
            case SetBoard():
                self._board = message
                if view is not None:
                    view.set_board(message.board, now)
            case TakeOver():
                self._takeover = message
                self._cover(now)
            case Clear():
                self._takeover = None
                if view is not None:
                    view.clear(now, _wall())
            case SetCaption():
                self._caption(message, now)
            case TakePicture():
                self._take_picture(message)
            case Ping():
                frames = self._display.frames if self._display is not None else 0
                self._say(Pong(message.n, frames, view.late_frames if view is not None else 0))
            case Quit():
                self._running = False
            case _:
                self._obey_rarer(message, now)

    def _obey_rarer(self, message: Message, now: MonotonicS) -> None:
        view = self._view
        match message:
            case Rest(resting):
                self._resting = resting
                if view is not None:
                    view.rest(now, _wall(), resting=resting)
            case Act(action):
                if view is not None:
                    view.act(action, now)
            case RunFilm(bulletin, at):
                if view is not None:
                    view.run_film(bulletin, now, at)
            case Break(breakage):
                self._break(breakage)

    def _look(self, view: BoardView, display: Display) -> None:
        """Look whether the screen shows what was drawn; say when that has changed."""
        now = _now()
        before = self._plugged
        self._plugged = self._outputs() or (None if before is None else frozenset())
        if before == frozenset() and self._plugged:
            # SDL does not notice, and what hangs there now may have another size
            self._lose(Retry("a screen was plugged in"))
            self._retry_at = _now()
            return
        whole = Box(0, 0, *display.surface.get_size())
        seen = display.sample(whole)
        moving = b"".join(display.sample(box) for box in view.moving)
        plugged = self._plugged != frozenset()
        look = Look(now, view.lit, display.drawn(), seen, moving, display.frames, plugged)
        verdict = self._proof.judge(look)
        each_s = self._options.manner.look_each_s
        self._look_at = MonotonicS(now + (min(AGAIN_S, each_s) if self._proof.suspicious else each_s))
        if verdict is None:
            return
        if verdict.state == "well":
            view.regain_sight(now, _wall())
        else:
            view.lose_sight(verdict.since)
        self._say(Seen(verdict.state, verdict.reason))

    def _break(self, breakage: Breakage | None) -> None:
        """For tests: break the screen, or have it made anew."""
        if self._display is not None and breakage is not None:
            self._display.breakage = breakage
            self._display.present([Box(0, 0, *self._display.surface.get_size())])
        elif self._display is not None:
            self._lose(Retry("it is made anew"))
            self._retry_at = _now()

    def _cover(self, now: MonotonicS) -> None:
        if self._view is None or self._takeover is None:
            return
        try:
            self._view.take_over(self._takeover.takeover, now)
        except Exception as error:  # noqa: BLE001 - what cannot be set must not end the worker, least of all now
            self._say(Failed(self._takeover.takeover.id, f"takeover cannot be shown: {error}"))

    def _caption(self, message: SetCaption, now: MonotonicS) -> None:
        if self._view is None:
            return  # when a screen is there, the conductor says what is spoken then
        try:
            self._view.set_caption(message.caption, now)
        except Exception as error:  # noqa: BLE001 - as in `_cover`
            self._say(Failed(None, f"caption cannot be shown: {error}"))

    def _take_picture(self, message: TakePicture) -> None:
        path = str(message.path)
        if self._display is None:
            self._say(PictureTaken(message.request, path, None, "there is no screen"))
            return
        seen = self._display.seen()
        if message.width is not None and message.width < seen.get_width():
            height = max(1, round(seen.get_height() * message.width / seen.get_width()))
            seen = pygame.transform.smoothscale(seen, (message.width, height))
        size = seen.get_size()

        def done(reason: str | None) -> None:
            self._say(PictureTaken(message.request, path, size if reason is None else None, reason))

        self._pictures.write(pygame.image.tobytes(seen, "RGB"), size, message.path, done)

    # -- the screen comes and goes -----------------------------------------------------------------

    def _open(self) -> None:
        try:
            display = Display(
                self._options.size, fullscreen=self._options.fullscreen, manner=self._options.manner
            )
        except Retry as error:
            self._lose(error)
            return
        self._display = display
        self._retry_s = FIRST_RETRY_S
        self._view = BoardView(
            display.surface,
            self._fonts,
            self._pictures,
            self._say,
            self._options.theme,
            self._options.manner,
            self._films,
        )
        self._say(Ready(display.driver, display.size, canvas=display.surface.get_size()))
        now = _now()
        self._proof = Proof(now)
        self._look_at = MonotonicS(now + self._options.manner.look_each_s)
        self._view.rest(now, _wall(), resting=self._resting)
        if self._board is not None:
            self._view.set_board(self._board.board, now)
        self._cover(now)
        display.attend()
        display.present([])
        pygame.display.flip()

    def _lose(self, error: Retry) -> None:
        if self._view is not None:
            self._view.report(_now(), _wall())
        if self._display is not None:
            self._display.close()
        self._films.close()
        self._look_at = NEVER
        self._display = self._view = None
        self._say(Ready(None, None, str(error), self._retry_s))
        self._retry_at = MonotonicS(time.monotonic() + self._retry_s)
        self._retry_s = Seconds(min(self._retry_s * 2, LONGEST_RETRY_S))

    def _say(self, event: Event) -> None:
        self._voice.say(event_message(event))

    def _wake(self) -> None:
        try:
            os.write(self._wake_w, b"!")
        except BlockingIOError:
            return  # it is full of wake-ups already


class _Lines:
    """Cuts a stream of bytes into lines; one that is too long is handed on cut, and so refused."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        *whole, rest = data.split(b"\n")
        lines: list[bytes] = []
        for part in whole:
            line = bytes(self._rest + part)
            self._rest.clear()
            if not self._skipping and line.strip():
                lines.append(line)
            self._skipping = False
        self._rest += rest
        if len(self._rest) > MAX_LINE_BYTES:
            if not self._skipping:
                lines.append(bytes(self._rest[:200]))
            self._rest.clear()
            self._skipping = True
        return lines


def _now() -> MonotonicS:
    return MonotonicS(time.monotonic())


def _wall() -> datetime:
    return datetime.now(UTC)
