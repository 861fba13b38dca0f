"""The film of a zone: composed like a picture, drawn over its page frame by frame."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import pygame

from agent.screen.card import Composition, Style
from agent.screen.content import Bulletin, VideoPart
from agent.screen.errors import Quarantine
from agent.screen.films import Film, Films, FilmWanted
from agent.screen.grid import Box
from agent.screen.photo import compose_film, picture_boxes
from playlists.units import MonotonicS, Seconds

SOUND_WITHIN_S: Final = Seconds(4.0)
"""A film whose sound does not come is shown without."""


class ReelStage(Protocol):
    """What of a zone's stage a reel needs."""

    surface: pygame.Surface
    films: Films | None

    @property
    def film_waits(self) -> Callable[[str, bool], None]:
        """Hears that a film with sound waits, or has left."""


class Reel:
    """At most one film on show and one that comes."""

    def __init__(self, stage: ReelStage, zone: Box) -> None:
        self._stage = stage
        self._zone = zone
        self._box = zone
        self._next_box = zone
        self._runs_at = MonotonicS(math.inf)
        self._waits_for_sound = False
        self.coming: Film | None = None
        self.film: Film | None = None
        self.bulletin: str | None = None

    @property
    def fresh(self) -> bool:
        """Whether there is a frame to be drawn."""
        return self.film is not None and self.film.fresh

    @property
    def over(self) -> bool:
        """Whether the film on show has ended."""
        return self.film is not None and self.film.over

    def compose(
        self, bulletin: Bulletin, video: VideoPart, size: tuple[int, int], style: Style
    ) -> Composition | None:
        """The page that the film is drawn on; None while it is being opened.

        Raises:
            Quarantine: it cannot be shown.
        """
        if self._stage.films is None:
            raise Quarantine("films are not shown here")
        if self.film is not None:
            return None
        box, _ = picture_boxes(video.caption, size, style)
        wanted = FilmWanted(bulletin.id, Path(video.path), (box.width, box.height), video.fit)
        film = self._stage.films.take(wanted)
        if film is None:
            return None
        self.coming = film
        self._next_box = Box(self._zone.x + box.x, self._zone.y + box.y, box.width, box.height)
        poster = pygame.Surface((box.width, box.height)).convert(self._stage.surface)
        poster.fill(style.theme.ground)
        film.draw(poster, Box(0, 0, box.width, box.height))
        still = compose_film(bulletin, video, size, style)
        (page,) = still.pages
        return Composition((page.developed(dict.fromkeys(page.photos, poster)),))

    def enter(self, bulletin: Bulletin, film: Film | None, now: MonotonicS) -> None:
        """The bulletin has come on show; its film begins, or waits for its sound."""
        if film is None:
            return
        self.coming = None
        self.film, self._box, self.bulletin = film, self._next_box, bulletin.id
        film.on_show = True
        if bulletin.video is not None and bulletin.video.sound:
            self._waits_for_sound = True
            self._runs_at = MonotonicS(now + SOUND_WITHIN_S)
            self._stage.film_waits(bulletin.id, True)
        else:
            film.run()

    def run(self, bulletin: str, now: MonotonicS, at: float | None) -> None:
        """The word for a film that waits: run at once (None), or at that instant."""
        if self._waits_for_sound and self.bulletin == bulletin:
            self._runs_at = now if at is None else MonotonicS(min(at, now + SOUND_WITHIN_S))

    @property
    def runs_at(self) -> MonotonicS:
        """When a film that waits for its sound begins to run; never, if none waits."""
        return self._runs_at

    def attend(self, now: MonotonicS) -> None:
        """Let it run, if it is time."""
        if now >= self._runs_at:
            self._runs_at = MonotonicS(math.inf)
            self._waits_for_sound = False
            if self.film is not None:
                self.film.run()

    def draw(self) -> list[Box]:
        """Draw the newest frame; what changed."""
        return [self.film.draw(self._stage.surface, self._box)] if self.film is not None else []

    def hold(self) -> None:
        """It is covered."""
        if self.film is not None and self.film.running:
            self.film.pause()

    def go_on(self) -> None:
        """It is covered no more."""
        if self.film is not None and not self._waits_for_sound:
            self.film.run()

    def leave(self) -> None:
        """It is shown no more."""
        if self.film is not None and self._stage.films is not None:
            self._stage.films.drop(self.film)
            if self.bulletin is not None:
                self._stage.film_waits(self.bulletin, False)
        self.film = self.bulletin = None
        self._waits_for_sound = False
        self._runs_at = MonotonicS(math.inf)
