"""Films on the board: each in a process of its own (`agent.screen.film`), seen through shared memory.

A film is opened while the bulletin before it is on show, and waits at its first frame; so its turn begins
with a picture. One that does not come up in time, stops in the middle or whose process ends is over, with a
reason where nothing of it was seen.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pygame

from agent.screen.content import Fit
from agent.screen.errors import Quarantine
from agent.screen.filmstrip import HEADER, FilmSize, frame_bytes, most_bytes, read_header
from agent.screen.grid import Box
from playlists.units import Seconds

OPENS_WITHIN_S: Final = Seconds(12.0)
STALLED_AFTER_S: Final = Seconds(5.0)
AT_ONCE: Final = 2
"""Films that are open: one is enough for most boards, and each costs a process."""


@dataclass(frozen=True)
class FilmWanted:
    """A film for a box of `size` pixels."""

    bulletin: str
    path: Path
    size: tuple[int, int]
    fit: Fit


class Film:
    """One film that is open or being opened. Its owner's thread calls it; its process is heard on another."""

    def __init__(self, wanted: FilmWanted, wake: Callable[[], None], argv: tuple[str, ...]) -> None:
        self.wanted = wanted
        self.failure: str | None = None
        """Why it is over before anything was seen."""
        self.ready = False
        """Whether its first frame is there."""
        self.over = False
        self.running = False
        self.on_show = False
        self._wake = wake
        self._shown = 0
        self._size = FilmSize(0, 0)
        self._closed = False
        memory = os.memfd_create("loa-film", os.MFD_CLOEXEC)
        try:
            os.ftruncate(memory, most_bytes(wanted.size))
            self._memory = mmap.mmap(memory, most_bytes(wanted.size), prot=mmap.PROT_READ)
            self._process = subprocess.Popen(
                [
                    *argv,
                    "--memory",
                    str(memory),
                    "--size",
                    *map(str, wanted.size),
                    "--fit",
                    wanted.fit,
                    "--",
                    str(wanted.path),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[memory],
            )
        finally:
            os.close(memory)
        self._thread = threading.Thread(target=self._hear, name="film", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Let it run, from where it is."""
        self.running = self.on_show = True
        self._tell(b"run\n")

    def pause(self) -> None:
        """Hold it where it is."""
        self.running = False
        self._tell(b"pause\n")

    @property
    def fresh(self) -> bool:
        """Whether there is a frame that was not yet drawn."""
        return self.ready and not self._closed and read_header(self._memory)[1] != self._shown

    def draw(self, surface: pygame.Surface, box: Box) -> Box:
        """Draw its newest frame in the middle of `box`, cut to it; returns what was drawn on."""
        front, self._shown = read_header(self._memory)
        size = self._size
        frame = pygame.image.frombuffer(
            memoryview(self._memory)[HEADER + front * frame_bytes(size) :][: frame_bytes(size)],
            size,
            "BGRA",
        )
        frame.set_alpha(None)
        cut_x, cut_y = max(0, size.width - box.width), max(0, size.height - box.height)
        width, height = size.width - cut_x, size.height - cut_y
        drawn = Box(box.x + (box.width - width) // 2, box.y + (box.height - height) // 2, width, height)
        surface.blit(frame, drawn[:2], (cut_x // 2, cut_y // 2, width, height))
        return drawn

    def close(self) -> None:
        """End it; the thread that hears it sees to the rest."""
        self._closed = True
        self._process.kill()

    def _tell(self, word: bytes) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):  # it has ended: that is heard elsewhere
                self._process.stdin.write(word)
                self._process.stdin.flush()

    # -- on the film's own thread ------------------------------------------------------------------

    def _hear(self) -> None:
        process = self._process
        reason = self._converse(process.stdout.fileno()) if process.stdout is not None else "no pipe"
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        if not self.ready:
            self.failure = reason or "it ended before its first picture"
        self.over = True
        self._wake()

    def _converse(self, fd: int) -> str | None:
        """Hear it until it is over; the reason if that is no end."""
        rest = b""
        heard_at = time.monotonic()
        while True:
            if not select.select([fd], [], [], 0.5)[0]:
                quiet_s = time.monotonic() - heard_at
                if not self.ready and quiet_s > OPENS_WITHIN_S:
                    return f"its first picture did not come within {OPENS_WITHIN_S:g} s"
                if not self.ready or not self.running:
                    heard_at = heard_at if not self.ready else time.monotonic()
                elif quiet_s > STALLED_AFTER_S:
                    return f"no picture for {STALLED_AFTER_S:g} s"
                continue
            data = os.read(fd, 4_096)
            if not data:
                return None if self._closed else "its process ended by itself"
            heard_at = heard_at if not self.ready else time.monotonic()
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                word, _, more = line.decode(errors="replace").partition(" ")
                match word:
                    case "size":
                        width, height = map(int, more.split())
                        self._size = FilmSize(width, height)
                    case "failed":
                        return more
                    case "end":
                        return None
                    case _:
                        self.ready = True
            self._wake()


class Films:
    """Opens films; at most `AT_ONCE` of them."""

    def __init__(
        self,
        wake: Callable[[], None],
        argv: tuple[str, ...] = (sys.executable, "-m", "agent.screen.film"),
    ) -> None:
        """`wake` is called on a film's thread whenever there is something to be seen of it."""
        self._wake = wake
        self._argv = argv
        self._open: list[Film] = []

    def take(self, wanted: FilmWanted) -> Film | None:
        """The film, waiting at its first frame; None while it is being opened.

        Raises:
            Quarantine: it cannot be shown, with the reason.
        """
        film = next((one for one in self._open if one.wanted == wanted and not one.on_show), None)
        if film is None:
            idle = [one for one in self._open if not one.on_show]
            if len(self._open) >= AT_ONCE and idle:
                self.drop(idle[0])  # whoever wanted it may have changed its mind
            if len(self._open) >= AT_ONCE:
                return None
            try:
                film = Film(wanted, self._wake, self._argv)
            except OSError as error:
                raise Quarantine(f"film {wanted.path.name} cannot be opened: {error}") from error
            self._open.append(film)
        if film.failure is not None:
            self._open.remove(film)
            raise Quarantine(f"film {wanted.path.name}: {film.failure}")
        return film if film.ready else None

    def drop(self, film: Film) -> None:
        """It is needed no more."""
        film.close()
        if film in self._open:
            self._open.remove(film)
            self._wake()  # somebody may have waited for its place

    def close(self) -> None:
        """End all."""
        for film in tuple(self._open):
            self.drop(film)
