"""One layout on a screen that hangs one way: its board, and a board view that is played without a screen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import pygame

from agent.boardfiles import Missing
from agent.preview.source import FEED, Source
from agent.screen.board import BoardView
from agent.screen.content import Board, Bulletin, ThemeName, Zone
from agent.screen.errors import Quarantine
from agent.screen.films import Films, FilmWanted
from agent.screen.grid import Box, place
from agent.screen.pictures import Decoded, Pictures, Wanted, decode
from agent.screen.protocol import SetBoard, board_message
from agent.screen.reading import read_message
from agent.screen.theme import sizes_for
from agent.station.glyphs import read_on_board
from playlists.board import Shown, board_at
from playlists.models.base import ClockState
from playlists.models.content import KINDS
from playlists.models.schedule import Bulletin as ScheduledBulletin
from playlists.models.schedule import Layout
from playlists.units import MonotonicS, Seconds

TICKER_IN_S: Final = Seconds(8.0)
"""After so long the words of a ticker have come across the screen."""
FILM_WITHIN_S: Final = Seconds(8.0)
FRAME_S: Final = Seconds(0.02)
NODE: Final = "preview"


class AtOnce(Pictures):
    """Pictures that are there when they are asked for: nobody waits for a frame here."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def take(self, wanted: Wanted) -> Decoded | None:
        return decode(wanted)


class Scene:
    """What is shown of a source in one layout, at an instant."""

    def __init__(
        self,
        source: Source,
        layout: Layout,
        orientation: Literal["landscape", "portrait"],
        size: tuple[int, int],
        theme: ThemeName,
        now: datetime,
        feedback_url: str | None = None,
    ) -> None:
        self._feedback_url = feedback_url
        self.layout = layout
        self.orientation = orientation
        self.size = size
        self._source = source
        self._theme = theme
        self._now = now

    @cached_property
    def board(self) -> Board:
        """The board with what is valid now."""
        return board_of(
            self._source, self._now, self._theme, self.orientation, self.layout, self._feedback_url
        )[0]

    @cached_property
    def _places(self) -> tuple[list[tuple[Zone, Box]], list[tuple[Zone, Zone]]]:
        return place(self.board.zones, self.board.grid, self.size, sizes_for(*self.size).gap)

    @property
    def placed(self) -> list[tuple[Zone, Box]]:
        """Its zones and where they lie."""
        return self._places[0]

    @property
    def refused(self) -> list[tuple[Zone, Zone]]:
        """Zones that are left out, and those that lie there."""
        return self._places[1]

    def surface(self) -> pygame.Surface:
        """A screen's worth of pixels."""
        return pygame.Surface(self.size).convert(pygame.display.get_surface())

    def read(self, bulletin: ScheduledBulletin) -> Bulletin:
        """A bulletin as the screen is told of it, valid now or not.

        Raises:
            Missing: a file is not there.
            Rejected: the screen would not take it.
            ValueError: it holds nothing that this version knows, or readings that cannot be read.
        """
        told = self._source.with_files(Shown(FEED, bulletin).to_json(), self._feedback_url)
        zone = {"id": "z", "kind": "bulletins", "at": [0, 0, 1, 1], "bulletins": [told]}
        return _read({"layout": "l", "grid": [1, 1], "zones": [zone]}).zones[0].bulletins[0]

    def words(self, bulletin: Bulletin) -> str:
        """All that is set in type of it."""
        told = asdict(bulletin)
        return "\n".join(text for kind in KINDS for text in read_on_board(told[kind]))

    def play(self, view: BoardView, board: Board, for_s: Seconds) -> None:
        """Show a board, and let so much time pass."""
        view.set_board(board, MonotonicS(0.0))
        for now in (0.0, FRAME_S, for_s):  # a ticker begins to run with its second frame
            while view.prepare():
                pass
            view.step(MonotonicS(now), self._now + timedelta(seconds=now))


def board_of(
    source: Source,
    now: datetime,
    theme: ThemeName,
    orientation: Literal["landscape", "portrait"],
    layout: Layout | None = None,
    feedback_url: str | None = None,
) -> tuple[Board, datetime | None]:
    """What the screen of a node with this feed alone shows at an instant, and when that changes.

    With a `layout`, in that one, whatever the hour.
    """
    timezone = source.schedule.timezone
    found, changes_at = board_at(
        source.feeds(layout), now, ClockState.SYNCHRONISED, NODE, source.groups, timezone, orientation
    )
    document = found.to_json() | {"theme": theme, "clock": ClockState.SYNCHRONISED.value}
    for zone in document["zones"]:
        zone["bulletins"] = list(_there(source, zone["bulletins"], feedback_url))
    return _read(document), changes_at


def _there(
    source: Source, bulletins: list[dict[str, Any]], feedback_url: str | None
) -> Iterator[dict[str, Any]]:
    """Those whose files are there: as on a node, the others wait."""
    for bulletin in bulletins:
        with suppress(Missing, ValueError):
            yield source.with_files(bulletin, feedback_url)


def _read(document: dict[str, Any]) -> Board:
    """A board's JSON, read as the screen worker does."""
    message = read_message(board_message(document))
    if not isinstance(message, SetBoard):
        raise TypeError("a board's message is read as something else")
    return message.board


def poster(bulletin: Bulletin, wanted: Wanted) -> pygame.Surface:
    """A film's first frame, in its box.

    Raises:
        Quarantine: it cannot be shown.
    """
    ready = threading.Event()
    films = Films(ready.set)
    surface = pygame.Surface(wanted.size).convert(pygame.display.get_surface())
    surface.fill(wanted.ground)
    try:
        film = films.take(FilmWanted(bulletin.id, Path(wanted.path), wanted.size, wanted.fit))
        while film is None:
            if not ready.wait(FILM_WITHIN_S):
                raise Quarantine(f"film {wanted.path.name} cannot be opened within {FILM_WITHIN_S:.0f} s")
            ready.clear()
            film = films.take(FilmWanted(bulletin.id, Path(wanted.path), wanted.size, wanted.fit))
        film.draw(surface, Box(0, 0, *wanted.size))
    finally:
        films.close()
    return surface
