"""A window with the board as it would stand at an instant, and how it goes on from there."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Final, Literal

import pygame

from agent.preview.render import Look
from agent.preview.scene import board_of
from agent.preview.source import Source
from agent.screen.board import BoardView
from agent.screen.display import Display
from agent.screen.films import Films
from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.pictures import Pictures
from agent.screen.protocol import Action, Takeover
from playlists.units import MonotonicS, Seconds

WOKEN: Final = pygame.USEREVENT
LONGEST_WAIT_S: Final = Seconds(0.5)
"""A window is closed, or another board is due."""
KEYS: Final[dict[int, Action]] = {
    pygame.K_RIGHT: "next",
    pygame.K_SPACE: "next",
    pygame.K_LEFT: "back",
    pygame.K_l: "language",
}
END: Final = frozenset({pygame.K_ESCAPE, pygame.K_q})


class Window:
    """The node's board in a window; → and ← turn, L changes the language, Esc ends."""

    def __init__(self, source: Source, look: Look, at: datetime, takeover: Takeover | None = None) -> None:
        """Open it.

        Raises:
            Retry: there is no screen that a window could be opened on.
        """
        self._source = source
        self._look = look
        self._at = at
        self._begun = time.monotonic()
        self._display = Display(look.size, fullscreen=False, manner=look.manner)
        pygame.mouse.set_visible(True)
        self._pictures = Pictures(self._wake)
        self._films = Films(self._wake)
        self._view = BoardView(
            self._display.surface,
            Fonts(),
            self._pictures,
            lambda _event: None,
            look.theme,
            look.manner,
            self._films,
        )
        self._changes_at: datetime | None = at
        if takeover is not None:
            self._view.take_over(takeover, self._now)

    def run(self, for_s: Seconds | None = None) -> None:
        """Until it is closed, or for so long."""
        ends = None if for_s is None else self._begun + for_s
        try:
            while ends is None or time.monotonic() < ends:
                if not self._turn():
                    return
        finally:
            self._films.close()
            self._pictures.close()
            self._display.close()

    @property
    def _now(self) -> MonotonicS:
        return MonotonicS(time.monotonic())

    @property
    def _wall(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._begun)

    def _turn(self) -> bool:
        """One round; False when the window is to be closed."""
        if self._changes_at is not None and self._wall >= self._changes_at:
            width, height = self._display.surface.get_size()
            orientation: Literal["landscape", "portrait"] = "landscape" if width >= height else "portrait"
            board, self._changes_at = board_of(
                self._source, self._wall, self._look.theme, orientation, None, self._look.feedback_url
            )
            self._view.set_board(board, self._now)
        dirty = self._view.step(self._now, self._wall)
        if dirty:
            self._display.present(dirty)
        self._view.tell()
        while time.monotonic() < self._view.next_at - 0.005 and self._view.prepare():
            pass
        wait_s = min(LONGEST_WAIT_S, self._view.next_at - time.monotonic())
        # SDL waits at least a millisecond: for a ticker's frame a round without a wait is nearer
        event = pygame.event.wait(round(wait_s * 1_000)) if wait_s >= 0.001 else pygame.event.poll()
        return all(map(self._obey, [event, *pygame.event.get()]))

    def _obey(self, event: pygame.event.Event) -> bool:
        if event.type == pygame.QUIT or (event.type == pygame.KEYDOWN and event.key in END):
            return False
        if event.type == WOKEN:
            self._view.picture_ready(self._now)
        elif event.type == pygame.KEYDOWN and event.key in KEYS:
            self._view.act(KEYS[event.key], self._now)
        elif event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
            self._view.press(event.pos, self._now)
        elif event.type in {pygame.WINDOWEXPOSED, pygame.WINDOWRESTORED}:
            self._display.present([Box(0, 0, *self._display.surface.get_size())])
        return True

    def _wake(self) -> None:
        if pygame.display.get_init():
            pygame.event.post(pygame.event.Event(WOKEN))
