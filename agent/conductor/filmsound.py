"""The sound of a film on the board: through the arbiter and the mixer, like everything that sounds.

The film waits at its first picture until the sound's first sample is due, or until it is known that none
will come: it is not allowed now, something else sounds, or it is not ready.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable

from agent.clock import Clock
from agent.conductor.performance import Performance
from agent.conductor.rules import Rules
from agent.conductor.stage import Stage
from agent.conductor.voice import Told, Voice
from playlists.arbiter import Rank, Source
from playlists.models.base import BulletinClass
from playlists.models.items import MediaItem
from playlists.units import Level, MonotonicS

log = logging.getLogger("loa.filmsound")


class FilmSound:
    """Sounds films while they are on show. Runs on the conductor's thread only."""

    def __init__(
        self, clock: Clock, stage: Stage, voice: Voice, rules: Rules, say: Callable[[Performance], str | None]
    ) -> None:
        """`say` sounds a performance; it returns the rule that forbids it."""
        self._clock = clock
        self._stage = stage
        self._voice = voice
        self._rules = rules
        self._say = say
        self._numbers = itertools.count(1)
        self._films: dict[str, str] = {}
        """Performances by bulletin."""

    def film(self, name: str, waits: bool) -> None:
        """A film has come on show and waits for its sound; or it has left."""
        before = self._voice.performances.get(self._films.pop(name, ""))
        if before is not None:
            self._voice.withdraw(before, "its film is no longer shown")
        if not waits:
            return
        shown = self._stage.shown(name)
        if shown is None or shown.content.video is None:
            self._stage.run_film(name, None)
            return
        now = self._clock.now()
        feed = name.partition("/")[0]
        place = self._rules.place_of(feed)
        number = f"film/{name}#{next(self._numbers)}"
        p = Performance(
            id=number,
            origin="local",
            class_=BulletinClass.ROUTINE,
            rank=Rank(BulletinClass.ROUTINE, Source.FILLER, 0, Level(0), now, number, place),
            planned=now,
            items=[MediaItem(media=shown.content.video.media)],
            title=shown.title or name,
            language=shown.language,
            on_conflict="skip",
            feed=feed,
        )
        self._films[name] = p.id
        refused = self._say(p)
        if refused is not None:
            log.info("the film of %s is shown without sound: %s", name, refused)
            self._stage.run_film(name, None)

    def told(self, p: Performance, told: Told) -> None:
        """Something became of a performance: of a film's, the film must know."""
        name = next((bulletin for bulletin, film in self._films.items() if film == p.id), None)
        if name is None:
            return
        if told.state == "started":
            self._stage.run_film(name, told.at or MonotonicS(self._clock.monotonic()))
        elif not p.has_begun:
            log.info("the film of %s is shown without sound: %s", name, told.reason)
            self._stage.run_film(name, None)
