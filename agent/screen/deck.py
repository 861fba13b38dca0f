"""Whose page comes next in a zone: chosen, composed, and painted aside in small steps, so that no ticker waits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pygame

from agent.screen.aside import Aside, takes_long
from agent.screen.card import Composition, Style
from agent.screen.compose import pages
from agent.screen.content import Bulletin
from agent.screen.countdown import is_over
from agent.screen.errors import Quarantine
from agent.screen.films import Film
from agent.screen.grid import Box
from agent.screen.paint import Page, paint
from agent.screen.pictures import Wanted
from agent.screen.reel import Reel
from agent.screen.rotation import last_of_turn, next_turn, page_times
from agent.screen.stage import Stage
from playlists.units import Seconds

MOST_COMPOSED: Final = 64
"""Compositions that are kept: what comes up again after more turns is composed again."""


@dataclass
class Turn:
    """A bulletin's pages, and which of them is meant: a turn goes from `first` to `last`."""

    bulletin: Bulletin
    composition: Composition
    number: int
    credit: dict[str, int]
    first: int = 0
    last: int = 0
    film: Film | None = None
    goes_on: bool = False
    """Whether it is another page of what is on show already: the same showing."""

    @property
    def page(self) -> Page:
        """The page that is meant."""
        return self.composition.pages[self.number]

    @property
    def lasts_s(self) -> Seconds:
        """How long that page stays."""
        return times_of(self.bulletin, self.composition)[self.number]


def times_of(bulletin: Bulletin, composition: Composition) -> list[Seconds]:
    """How long each page stays."""
    return page_times(
        bulletin.duration_s, [None if page.photos else page.words for page in composition.pages]
    )


@dataclass
class Coming:
    """The page that comes next: painted aside, step by step."""

    turn: Turn
    surface: pygame.Surface
    steps: Iterator[None] = field(repr=False)
    done: bool = False

    def step(self) -> None:
        """Paint a little more of it."""
        if next(self.steps, self) is self:
            self.done = True


class Deck:
    """The bulletins of a zone, and which page of them comes next."""

    def __init__(self, stage: Stage, box: Box, style: Style, kind: str, reel: Reel) -> None:
        self._stage = stage
        self._box = box
        self._style = style
        self._kind = kind
        self._reel = reel
        self._aside = Aside(stage.pictures.work, box[2:], style, kind)
        self._failed: set[str] = set()
        self._composed: OrderedDict[str, Composition] = OrderedDict()
        self._bookmarks: dict[str, int] = {}
        """Where a text goes on that is too long for one turn."""
        self._waiting = False
        self._coming: Coming | None = None
        self.bulletins: tuple[Bulletin, ...] = ()
        self.language: str | None = None
        self.credit: dict[str, int] = {}
        self._wished: tuple[str, int] | None = None
        self.wall: datetime | None = None
        """The time, as the zone was last told it."""

    @property
    def waits(self) -> bool:
        """Whether what comes next waits for its picture."""
        return self._waiting

    def replace(self, bulletins: tuple[Bulletin, ...]) -> set[str]:
        """Take new bulletins; the ids of those that are as they were."""
        before = {bulletin.id: bulletin for bulletin in self.bulletins}
        kept = {one.id for one in bulletins if before.get(one.id) == one}
        self.bulletins = bulletins
        self._failed &= kept
        for name in [name for name in self._composed if name not in kept]:
            del self._composed[name]
        self._bookmarks = {name: page for name, page in self._bookmarks.items() if name in kept}
        self._aside.keep(kept)
        self.forget()
        return kept

    def wish(self, bulletin: str, page: int) -> None:
        """Have this page of this bulletin come next, whoever's turn it is; it costs nobody a turn."""
        self.forget()
        self._wished = bulletin, page

    def forget(self) -> None:
        """What comes next is to be chosen anew."""
        self._coming = None
        self._waiting = False

    def picture_ready(self) -> bool:
        """A picture has been decoded; True if one was waited for."""
        waited, self._waiting = self._waiting, False
        return waited

    def able(self) -> list[Bulletin]:
        """Bulletins that may take turns: emergencies alone, while there is one; and in the chosen language."""
        able = [bulletin for bulletin in self.bulletins if bulletin.id not in self._failed]
        if self.wall is not None:
            able = [bulletin for bulletin in able if not is_over(bulletin, self.wall)]
        able = [bulletin for bulletin in able if bulletin.class_ == "emergency"] or able
        spoken = [bulletin for bulletin in able if bulletin.language == self.language]
        return spoken if self.language is not None and spoken else able

    def coming(self, turn: Turn | None) -> Coming | None:
        """The page that comes after that of `turn`; None when there is none, or when it waits for its picture."""
        while self._coming is None and not self._waiting:
            following = self._next_page(turn)
            if following is None:
                break
            try:
                page = self._developed(following.page)
            except Exception as error:  # noqa: BLE001 - as in `step`
                self.quarantine(following.bulletin, error)
                continue
            if page is None:
                self._waiting = True
                break
            surface = pygame.Surface(self._box[2:]).convert(self._stage.surface)
            steps = paint(page, surface, self._style.fonts, self._style.theme.ground)
            self._coming = Coming(following, surface, steps)
        return self._coming

    def step(self, turn: Turn | None) -> bool:
        """Prepare what comes a little more; False when there is nothing to do."""
        coming = self.coming(turn)
        if coming is None or coming.done:
            return False
        try:
            coming.step()
        except Exception as error:  # noqa: BLE001 - whatever drawing one bulletin raises costs that one
            self.quarantine(coming.turn.bulletin, error)
        return True

    def take(self, turn: Turn | None) -> Coming | None:
        """What comes, painted to its end; it is on show from now on."""
        coming = self.coming(turn)
        while coming is not None and not coming.done:
            self.step(turn)
            coming = self.coming(turn)
        self._coming = None
        if coming is not None:
            chosen, self._wished = coming.turn, None
            self.credit = chosen.credit
            if chosen.last + 1 < len(chosen.composition.pages):
                self._bookmarks[chosen.bulletin.id] = chosen.last + 1
            else:
                self._bookmarks.pop(chosen.bulletin.id, None)
        return coming

    def renewed(self, turn: Turn, wall: datetime) -> tuple[Turn, pygame.Surface]:
        """A turn's page as it must look now, painted.

        Raises:
            Quarantine: it can be shown no longer.
        """
        self.wall = wall
        bulletin, size = turn.bulletin, self._box[2:]
        composition = pages(bulletin, size, self._style, self._stage.moment(wall), self._kind)
        last = len(composition.pages) - 1
        number, first = min(turn.number, last), min(turn.first, last)
        fresh = Turn(bulletin, composition, number, turn.credit, first, last, goes_on=turn.goes_on)
        surface = pygame.Surface(size).convert(self._stage.surface)
        for _ in paint(fresh.page, surface, self._style.fonts, self._style.theme.ground):
            pass
        return fresh, surface

    def quarantine(self, bulletin: Bulletin, error: Exception) -> None:
        """It takes no more turns, and this is why."""
        self._coming = None
        self._failed.add(bulletin.id)
        self._composed.pop(bulletin.id, None)
        known = isinstance(error, Quarantine)
        self._stage.fail(bulletin.id, str(error) if known else f"{type(error).__name__}: {error}")

    def _next_page(self, turn: Turn | None) -> Turn | None:
        able = self.able()
        name, page = self._wished or ("", 0)
        wished = next((one for one in able if one.id == name), None)
        if turn is not None and turn.bulletin in able:
            number = turn.number + 1 if wished is None else page
            if wished == turn.bulletin or (wished is None and number <= turn.last):
                first, last = turn.first, turn.last
                return Turn(turn.bulletin, turn.composition, number, self.credit, first, last, goes_on=True)
        while able:
            chosen = next_turn([(one.id, one.weight) for one in able], self.credit)
            if chosen is None:
                return None
            credit = chosen[1] if wished is None else self.credit
            bulletin = wished or next(one for one in able if one.id == chosen[0])
            try:
                composition = self._compose(bulletin)
            except Exception as error:  # noqa: BLE001 - as in `step`
                self.quarantine(bulletin, error)
                able, wished = self.able(), None
                continue
            if composition is None:
                self._waiting = True
                return None
            first = self._bookmarks.get(bulletin.id, 0) if wished is None else page
            first = first if first < len(composition.pages) else 0
            last = last_of_turn(times_of(bulletin, composition), first, bulletin.duration_s)
            return Turn(bulletin, composition, first, credit, first, last, self._reel.coming)
        return None

    def _compose(self, bulletin: Bulletin) -> Composition | None:
        """A bulletin's pages; None while its film is being opened, or while they are made aside."""
        made = self._composed.get(bulletin.id)
        if made is not None:
            self._composed.move_to_end(bulletin.id)
            return made
        size = self._box[2:]
        if bulletin.video is not None:
            return self._reel.compose(bulletin, bulletin.video, size, self._style)
        if self.wall is None:
            return None
        if takes_long(bulletin):
            made = self._aside.take(bulletin)
            if made is None:
                return None
        else:
            made = pages(bulletin, size, self._style, self._stage.moment(self.wall), self._kind)
        if made.left_out is not None:
            self._stage.fail(bulletin.id, made.left_out)
        if made.fresh_until is None:
            self._composed[bulletin.id] = made
            while len(self._composed) > MOST_COMPOSED:
                self._composed.popitem(last=False)
        return made

    def _developed(self, page: Page) -> Page | None:
        """The page with its pictures; None while one is being decoded."""
        found: dict[Wanted, pygame.Surface] = {}
        for wanted in page.photos:
            decoded = self._stage.pictures.take(wanted)
            if decoded is None:
                return None
            found[wanted] = pygame.image.frombuffer(decoded.rgb, decoded.size, "RGB")
        return page.developed(found) if found else page
