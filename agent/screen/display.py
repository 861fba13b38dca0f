"""Opens the screen through SDL, and presents what changed on it."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Final, Literal

import pygame

from agent.screen.display_environment import ACCELERATION
from agent.screen.errors import Retry
from agent.screen.fitting import WANDER_EACH_S, fit_to
from agent.screen.grid import Box
from agent.screen.manner import Manner
from agent.screen.sight import XSight, open_x_sight, samples, samples_of_rows
from playlists.units import MonotonicS

UNSEEN: Final = frozenset({"offscreen", "dummy"})
"""Drivers that show nothing to anybody: used where the configuration names them, never by chance."""
UNSEEN_SIZE: Final = (1920, 1080)
INPUT_DEVICES: Final = "/dev/input/"
MOST_PLACES: Final = 64
"""That are remembered; a board has some, a film or a transition may have many."""

Breakage = Literal["black", "frozen"]


class Display:
    """An open screen. What is drawn on `surface` is seen when its boxes are presented."""

    def __init__(
        self, size: tuple[int, int] | None, *, fullscreen: bool, manner: Manner | None = None
    ) -> None:
        """Open it; None takes its own size.

        Raises:
            Retry: there is none, or it cannot be opened (now).
        """
        manner = manner or Manner()
        asked = os.environ.get("SDL_VIDEODRIVER", "")
        before = _descriptors()
        try:
            pygame.display.init()
            self.driver: str = pygame.display.get_driver()
            unseen = self.driver in UNSEEN
            if unseen and self.driver not in asked.split(","):
                raise Retry("no screen was found (SDL offers only one that nobody sees)")
            flags = pygame.FULLSCREEN if fullscreen and not unseen else 0
            self.window = _open(size or (UNSEEN_SIZE if unseen else (0, 0)), flags)
            pygame.mouse.set_visible(False)
        except (pygame.error, Retry) as error:
            pygame.display.quit()
            raise Retry(f"no screen through {asked or 'any SDL driver'}: {error}") from error
        self._fitting = fit_to(self.size, manner)
        self._step = 0
        self._places: dict[Box, pygame.Rect] = {}
        """Where boxes of the surface lie on the window, after this step."""
        self.surface: pygame.Surface = self.window
        if self._fitting.rotate:
            self.surface = pygame.Surface(self._fitting.canvas).convert(self.window)
        elif not self._fitting.plain:
            self.surface = self._part()
        self.wander_at = MonotonicS(time.monotonic() + WANDER_EACH_S if manner.shift_px else float("inf"))
        # a window server speaks when a part must be drawn again: these are waited on instead of polled
        sockets, inputs = _descriptors()
        told = sockets - before[0] if self.driver in {"x11", "wayland"} else set()
        self.sockets: list[int] = sorted(told | (inputs - before[1] if manner.touch else set()))
        self._eye: XSight | None = open_x_sight(self.size) if self.driver == "x11" else None
        self.frames = 0
        self.pressed: list[tuple[int, int]] = []
        """Points of `surface` that were touched, for whoever asks next."""
        self.breakage: Breakage | None = None
        """For tests: what the screen does wrong from now on."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the screen in pixels."""
        return self.window.get_size()

    def present(self, boxes: list[Box]) -> None:
        """Bring these boxes of the surface to the screen."""
        if self.breakage == "frozen":
            return
        places = [self._carry(box) for box in boxes]
        if self.breakage == "black":
            self.window.fill((0, 0, 0))
            places = [self.window.get_rect()]
        pygame.display.update(places)
        self.frames += 1

    def wander(self, now: MonotonicS) -> None:
        """Move the picture by a step, if it is time; `surface` is another one then, with the same on it."""
        if now < self.wander_at:
            return
        self.wander_at = MonotonicS(now + WANDER_EACH_S)
        self._step += 1
        self._places.clear()
        if not self._fitting.rotate:
            picture = self.surface.copy()
            self.surface = self._part()
            self.surface.blit(picture, (0, 0))
        self.present([Box(0, 0, *self.surface.get_size())])

    def seen(self) -> pygame.Surface:
        """What is on the screen, as people read it."""
        if not self._fitting.rotate:
            return self.surface
        return pygame.transform.rotate(self._part(), self._fitting.rotate)

    def sample(self, box: Box) -> bytes:
        """Colours of a box of the surface, where it lies on the screen; see `agent.screen.sight`."""
        place = self._fitting.place(box, self._step)
        if self._eye is not None:
            try:
                return samples_of_rows(self._eye.rows, place)
            except OSError:
                self._eye.close()
                self._eye = None
        return samples(self.window, place)

    def drawn(self) -> bytes | None:
        """What `sample` of the whole surface should be; None where it could be nothing else."""
        if self._eye is None:
            return None
        return samples(self.window, self._fitting.place(Box(0, 0, *self.surface.get_size()), self._step))

    def attend(self) -> bool:
        """Take what the window server said; whether all must be presented again, or the window was closed.

        Raises:
            Retry: the window was closed, or has another size now.
        """
        again = False
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                raise Retry("the window was closed")
            if event.type in {pygame.WINDOWEXPOSED, pygame.WINDOWRESTORED, pygame.WINDOWSIZECHANGED}:
                again = True
            # a finger is told as a mouse, too (SDL_HINT_TOUCH_MOUSE_EVENTS): one of both is enough
            if event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
                self.pressed.append(self._fitting.point(event.pos, self._step))
        if again and pygame.display.get_window_size() != self.size:
            raise Retry(f"the screen has another size now: {pygame.display.get_window_size()}")
        return again

    def close(self) -> None:
        """Give the screen back."""
        if self._eye is not None:
            self._eye.close()
        pygame.display.quit()

    def _part(self) -> pygame.Surface:
        """Where the picture lies on the window: what is drawn on it is drawn on the window."""
        return self.window.subsurface(self._fitting.place(Box(0, 0, *self._fitting.canvas), self._step))

    def _carry(self, box: Box) -> pygame.Rect:
        """Bring a box of the surface to its place on the window."""
        place = self._places.get(box)
        if place is None:
            if len(self._places) >= MOST_PLACES:
                self._places.clear()
            place = self._places[box] = pygame.Rect(self._fitting.place(box, self._step))
        if self._fitting.plain:
            return place
        if self._fitting.rotate:
            part = pygame.transform.rotate(self.surface.subsurface(box), -self._fitting.rotate)
            self.window.blit(part, place)
        if box[2:] != self.surface.get_size():
            return place
        for edge in _around(Box(*place), self.size):
            self.window.fill(self.surface.get_at((0, 0)), edge)
        return self.window.get_rect()


def _open(size: tuple[int, int], flags: int) -> pygame.Surface:
    """A window; through SDL's renderer where one cannot be opened on plain memory, as was seen with Wayland.

    How KMSDRM behaves was not tried: either way is met (docs/adr/0112).

    Raises:
        pygame.error: it cannot be opened.
    """
    pygame.display.set_caption("loa")
    try:
        return pygame.display.set_mode(size, flags)
    except pygame.error:
        if os.environ.get(ACCELERATION) != "0":
            raise
    # SDL asks for this once, when its first window is drawn on
    pygame.display.quit()
    os.environ[ACCELERATION] = "1"
    try:
        pygame.display.init()
        pygame.display.set_caption("loa")
        return pygame.display.set_mode(size, flags)
    except pygame.error:
        os.environ[ACCELERATION] = "0"
        raise


def _around(box: Box, size: tuple[int, int]) -> list[Box]:
    """What of a window lies around a box in it."""
    width, height = size
    return [
        Box(0, 0, width, box.y),
        Box(0, box.bottom, width, height - box.bottom),
        Box(0, box.y, box.x, box.height),
        Box(box.right, box.y, width - box.right, box.height),
    ]


def _descriptors() -> tuple[set[int], set[int]]:
    """Descriptors of this process that are sockets, and that are input devices (procfs(5), /proc/self/fd)."""
    sockets, inputs = set(), set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            fd = int(entry.name)
            mode = os.fstat(fd).st_mode
            if stat.S_ISSOCK(mode):
                sockets.add(fd)
            elif stat.S_ISCHR(mode) and str(entry.readlink()).startswith(INPUT_DEVICES):
                inputs.add(fd)
        except OSError:  # the directory's own descriptor, closed by now
            continue
    return sockets, inputs
