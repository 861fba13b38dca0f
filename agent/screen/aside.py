"""Composes aside what takes long, so that no ticker waits: on the pictures' thread, with fonts of its own.

SDL_ttf and FreeType are called with Python's lock held, so two threads never are in them at once; what must not be
shared are the caches of `Fonts`, and they are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from agent.screen.card import Composition, Style
from agent.screen.compose import pages
from agent.screen.content import Bulletin
from agent.screen.fonts import Fonts

LONG_LETTERS: Final = 6_000
"""A text with more is composed aside; others take some hundredths of a second on a Raspberry Pi."""

Work = Callable[[Callable[[], None]], None]
"""Has a job done on another thread, and wakes this one when it is."""


def takes_long(bulletin: Bulletin) -> bool:
    """Whether composing it would be seen in the ticker."""
    letters = 0
    if bulletin.text is not None:
        letters = len(bulletin.text.heading) + len(bulletin.text.body)
    elif bulletin.table is not None:
        letters = sum(len(cell) for row in bulletin.table.rows for cell in row)
    return letters > LONG_LETTERS


class Aside:
    """Compositions of one zone that are being made."""

    def __init__(self, work: Work, size: tuple[int, int], style: Style, kind: str) -> None:
        self._work = work
        self._size = size
        self._style = style
        self._kind = kind
        self._made: dict[str, _Job] = {}

    def take(self, bulletin: Bulletin) -> Composition | None:
        """Its pages, once; None while they are being made.

        Raises:
            Exception: whatever composing raised.
        """
        job = self._made.get(bulletin.id)
        if job is None or job.bulletin != bulletin:
            job = self._made[bulletin.id] = _Job(bulletin)
            made = job
            self._work(lambda: made.run(self._size, self._style, self._kind))
        if job.error is not None:
            del self._made[bulletin.id]
            raise job.error
        if job.composition is not None:
            del self._made[bulletin.id]
        return job.composition

    def keep(self, kept: set[str]) -> None:
        """Forget all but these bulletins."""
        self._made = {name: job for name, job in self._made.items() if name in kept}


class _Job:
    """One composition; what it came to is written once, by the other thread."""

    def __init__(self, bulletin: Bulletin) -> None:
        self.bulletin = bulletin
        self.composition: Composition | None = None
        self.error: Exception | None = None

    def run(self, size: tuple[int, int], style: Style, kind: str) -> None:
        try:
            own = replace(style, fonts=Fonts())
            self.composition = pages(self.bulletin, size, own, kind=kind)
        except Exception as error:  # noqa: BLE001 - it is raised again where it costs the bulletin
            self.error = error
