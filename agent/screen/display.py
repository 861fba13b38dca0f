"""Opens the screen through SDL, and presents what changed on it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

import pygame

from agent.screen.errors import Retry
from agent.screen.grid import Box

UNSEEN: Final = frozenset({"offscreen", "dummy"})
"""Drivers that show nothing to anybody: used where the configuration names them, never by chance."""
UNSEEN_SIZE: Final = (1920, 1080)


class Display:
    """An open screen."""

    def __init__(self, size: tuple[int, int] | None, *, fullscreen: bool) -> None:
        """Open it; None takes its own size.

        Raises:
            Retry: there is none, or it cannot be opened (now).
        """
        asked = os.environ.get("SDL_VIDEODRIVER", "")
        sockets = _sockets()
        try:
            pygame.display.init()
            self.driver: str = pygame.display.get_driver()
            unseen = self.driver in UNSEEN
            if unseen and self.driver not in asked.split(","):
                raise Retry("no screen was found (SDL offers only one that nobody sees)")
            flags = pygame.FULLSCREEN if fullscreen and not unseen else 0
            pygame.display.set_caption("loa")
            self.surface = pygame.display.set_mode(size or (UNSEEN_SIZE if unseen else (0, 0)), flags)
            pygame.mouse.set_visible(False)
        except (pygame.error, Retry) as error:
            pygame.display.quit()
            raise Retry(f"no screen through {asked or 'any SDL driver'}: {error}") from error
        # a window server speaks when a part must be drawn again: these are waited on instead of polled
        self.sockets: list[int] = sorted(_sockets() - sockets) if self.driver in {"x11", "wayland"} else []
        self.frames = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.surface.get_size()

    def present(self, boxes: list[Box]) -> None:
        """Bring these boxes of the surface to the screen."""
        pygame.display.update(boxes)
        self.frames += 1

    def attend(self) -> bool:
        """Take what the window server said; whether all must be presented again, or the window was closed.

        Raises:
            Retry: the window was closed.
        """
        again = False
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                raise Retry("the window was closed")
            if event.type in {pygame.WINDOWEXPOSED, pygame.WINDOWRESTORED, pygame.WINDOWSIZECHANGED}:
                again = True
        return again

    def close(self) -> None:
        """Give the screen back."""
        pygame.display.quit()


def _sockets() -> set[int]:
    """Descriptors of this process that are sockets (procfs(5), /proc/self/fd)."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            fd = int(entry.name)
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                found.add(fd)
        except OSError:  # the directory's own descriptor, closed by now
            continue
    return found
