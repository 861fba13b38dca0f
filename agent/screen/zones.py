"""What every zone can do, and the zone that shows bulletins in turn.

A zone paints itself onto the screen's surface and says which boxes changed and when it wants to be asked
again. The page that comes next is composed and painted aside beforehand, in small steps, so that a turn is
one copy and the ticker beside it is never late.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pygame

from agent.screen.compose import (
    Composition,
    Style,
    compose_image,
    compose_text,
    picture_boxes,
)
from agent.screen.errors import Quarantine
from agent.screen.films import Film, Films
from agent.screen.grid import Box
from agent.screen.ledger import Ledger
from agent.screen.paint import Page, paint
from agent.screen.pictures import Pictures, Wanted
from agent.screen.protocol import Bulletin, Zone
from agent.screen.reel import Reel
from agent.screen.rotation import next_turn, page_times
from agent.screen.transition import Wipe
from playlists.units import MonotonicS, Seconds

NEVER = MonotonicS(math.inf)
NOW = MonotonicS(0.0)
MOST_PAST = 20


@dataclass
class Stage:
    """What zones share: the screen's surface, the style, where to report."""

    surface: pygame.Surface
    style: Style
    pictures: Pictures
    ledger: Ledger
    fail: Callable[[str, str], None]
    """Reports that a bulletin (id) cannot be shown, and why; it is said once for each board."""
    films: Films | None = None
    film_waits: Callable[[str, bool], None] = field(default=lambda _bulletin, _waits: None)
    """Hears that a film with sound waits to be told when to run, or that it has left."""
    transitions: bool = False
    emblem: pygame.Surface | None = None


class Area(Protocol):
    """A zone on the screen."""

    zone: Zone
    box: Box
    next_at: MonotonicS
    """When `advance` is due; `NEVER` while nothing will change by itself."""

    @property
    def showing(self) -> tuple[str, ...]:
        """Ids of the bulletins that are seen in it now."""

    def advance(self, now: MonotonicS, wall: datetime) -> list[Box]:
        """Paint what is due; the boxes that changed."""

    def repaint(self, now: MonotonicS, wall: datetime) -> None:
        """Paint all of it, as it stands: it was covered."""

    def restore(self, now: MonotonicS, wall: datetime) -> None:
        """Paint all of it, as it stands: a part of it was covered for a moment, which ends no showing."""

    def prepare(self) -> bool:
        """Do one small step towards the next change; False when there is nothing to do."""

    def shift(self, seconds: Seconds) -> None:
        """It was covered for so long: nothing went on meanwhile."""

    def close(self, now: MonotonicS) -> None:
        """It is shown no more."""


@dataclass
class _Turn:
    """A bulletin's pages, and which of them is meant."""

    bulletin: Bulletin
    composition: Composition
    number: int
    credit: dict[str, int]
    film: Film | None = None

    @property
    def page(self) -> Page:
        return self.composition.pages[self.number]

    @property
    def lasts_s(self) -> Seconds:
        words = [page.words for page in self.composition.pages]
        return page_times(self.bulletin.duration_s, words)[self.number]


@dataclass
class _Coming:
    """The page that comes next: painted aside, step by step."""

    turn: _Turn
    surface: pygame.Surface
    steps: Iterator[None] = field(repr=False)
    done: bool = False

    def step(self) -> None:
        if next(self.steps, self) is self:
            self.done = True


class BulletinArea:
    """Shows its bulletins in turn, by weight and duration."""

    def __init__(self, zone: Zone, box: Box, stage: Stage, now: MonotonicS) -> None:
        self.zone = zone
        self.box = box
        self._turn_at = now
        self._wipe: Wipe | None = None
        self._reel = Reel(stage, box)
        self._language: str | None = None
        self._past: list[str] = []
        """What was on show, the newest last."""
        self._wished: str | None = None
        """What comes next, whatever its turn is."""
        self._stage = stage
        sizes = stage.style.sizes.within(box[2:], stage.surface.get_size())
        self._style = replace(stage.style, sizes=sizes)
        self._credit: dict[str, int] = {}
        self._failed: set[str] = set()
        self._composed: dict[str, Composition] = {}
        self._turn: _Turn | None = None
        self._since = now
        self._coming: _Coming | None = None
        self._waiting: Bulletin | None = None
        self._seen: pygame.Surface | None = None

    @property
    def showing(self) -> tuple[str, ...]:
        return (self._turn.bulletin.id,) if self._turn is not None else ()

    @property
    def next_at(self) -> MonotonicS:
        if self._wipe is not None:
            return min(self._turn_at, self._wipe.next_at)
        return NOW if self._reel.fresh else min(self._turn_at, self._reel.runs_at)

    @next_at.setter
    def next_at(self, moment: MonotonicS) -> None:
        self._turn_at = moment

    def change(self, zone: Zone, now: MonotonicS) -> None:
        """Take new bulletins; one that is seen and unchanged stays and finishes its turn."""
        if zone.bulletins == self.zone.bulletins:
            self.zone = zone
            return
        before = {bulletin.id: bulletin for bulletin in self.zone.bulletins}
        kept = {b.id for b in zone.bulletins if before.get(b.id) == b}
        self.zone = zone
        self._failed &= kept
        self._composed = {name: made for name, made in self._composed.items() if name in kept}
        self._coming = self._waiting = None
        if self._turn is not None and self._turn.bulletin.id in kept:
            self.next_at = self._turn_ends(now)
        else:
            self.next_at = now

    def advance(self, now: MonotonicS, wall: datetime) -> list[Box]:
        self._reel.attend(now)
        moved = self._move(now)
        return moved if now < self._turn_at else [*moved, *self._advance(now, wall)]

    def _move(self, now: MonotonicS) -> list[Box]:
        """What goes on between two turns: the one is still sliding in, or a film runs."""
        if self._wipe is not None:
            moved = [self._wipe.step(now, self._stage.surface)]
            if now >= self._turn_at and not self._wipe.over:
                moved.append(self._wipe.finish(self._stage.surface))
            if self._wipe.over:
                self._stage.transitions &= not self._wipe.stuttered
                self._wipe = None
            return moved
        return self._reel.draw() if self._reel.fresh else []

    def _advance(self, now: MonotonicS, wall: datetime) -> list[Box]:
        if self._reel.film is not None:
            self._reel.leave()  # only now may another one be opened
            self._waiting = None
        coming = self._find_coming()
        while coming is not None:
            try:
                while not coming.done:
                    coming.step()
                break
            except Exception as error:  # noqa: BLE001 - whatever drawing one bulletin raises costs that one
                self._quarantine(coming.turn.bulletin, error)
                coming = self._find_coming()
        if coming is None:
            return self._nothing_comes(now)
        self._coming = None
        self._enter(coming.turn, now, wall)
        before, self._seen = self._seen, coming.surface
        if self._stage.transitions and before is not None:
            self._wipe = Wipe(before, self._seen, self.box, now)
            return [self._wipe.step(now, self._stage.surface)]
        self._stage.surface.blit(coming.surface, self.box[:2])
        return [self.box]

    def restore(self, now: MonotonicS, wall: datetime) -> None:
        if self._seen is not None:
            self._stage.surface.blit(self._seen, self.box[:2])
            self._reel.draw()

    def repaint(self, now: MonotonicS, wall: datetime) -> None:
        self._wipe = None
        self.restore(now, wall)
        self._reel.go_on()
        if self._turn is not None:
            self._stage.ledger.appear(self._turn.bulletin.id, now, wall)

    def prepare(self) -> bool:
        if self.next_at == NEVER or self._waiting is not None:
            return False
        coming = self._find_coming()
        if coming is None or coming.done:
            return False
        try:
            coming.step()
        except Exception as error:  # noqa: BLE001 - as in `advance`
            self._quarantine(coming.turn.bulletin, error)
        return True

    def shift(self, seconds: Seconds) -> None:
        self._since = MonotonicS(self._since + seconds)
        self.next_at = MonotonicS(self.next_at + seconds)

    def picture_ready(self, now: MonotonicS) -> None:
        """A picture has been decoded: perhaps the one that the next turn waits for."""
        if self._reel.over:
            self._reel.leave()
            self._waiting = None
            self.next_at = now
        elif self._waiting is not None:
            self._waiting = None
            if self._turn is None:
                self.next_at = now
            else:
                self.next_at = max(self._turn_ends(now), now)

    def close(self, now: MonotonicS) -> None:
        self._reel.leave()
        if self._turn is not None:
            self._stage.ledger.vanish(self._turn.bulletin.id, now)

    def hold(self) -> None:
        """It is covered: a film waits."""
        self._reel.hold()

    def run_film(self, bulletin: str, now: MonotonicS, at: float | None) -> None:
        """The film that waits runs, at once or at a moment that is near."""
        self._reel.run(bulletin, now, at)

    # -- what residents ask for --------------------------------------------------------------------

    @property
    def languages(self) -> tuple[str, ...]:
        """Of its bulletins, in their order."""
        return tuple(dict.fromkeys(bulletin.language for bulletin in self.zone.bulletins))

    def choose(self, language: str | None, now: MonotonicS) -> None:
        """Show only what is in this language, as long as there is something; None: all."""
        if language != self._language:
            self._language = language
            self._coming = self._waiting = None
            self._credit = {}
            self.next_at = now

    def skip(self, now: MonotonicS, *, back: bool = False) -> None:
        """Turn now: to what comes, or back to what was before."""
        if self._turn is None:
            return
        if back:
            self._back()
        elif self._turn_at == NEVER:
            return  # there is nothing else
        self.next_at = now

    def _back(self) -> None:
        """Have the page before this one come next, or the bulletin before this one."""
        turn = self._turn
        if turn is not None and turn.number > 0:
            self._turn = replace(turn, number=turn.number - 2)
            self._coming = self._waiting = None
            return
        able = {bulletin.id for bulletin in self._able()}
        while len(self._past) > 1:
            self._past.pop()
            if self._past[-1] in able:
                self._wished = self._past.pop()
                self._coming = self._waiting = None
                return

    # -- turns -------------------------------------------------------------------------------------

    def _enter(self, turn: _Turn, now: MonotonicS, wall: datetime) -> None:
        ledger = self._stage.ledger
        left = self._turn
        if left is not None and left.bulletin.id != turn.bulletin.id:
            ledger.vanish(left.bulletin.id, now)
        if turn.number == 0:
            ledger.appear(turn.bulletin.id, now, wall)
            self._past = [*self._past[1 - MOST_PAST :], turn.bulletin.id]
        # in step with when it should have come, unless that is long ago
        self._since = self.next_at if now - self.next_at < 1.0 else now
        self._turn, self._credit = turn, turn.credit
        self._reel.enter(turn.bulletin, turn.film, now)
        self.next_at = self._turn_ends(now)

    def _turn_ends(self, now: MonotonicS) -> MonotonicS:
        """When the page that is seen has had its time; never, when nothing else is there to be shown."""
        turn = self._turn
        if turn is None or (turn.bulletin.video is not None and self._reel.film is None):
            return now
        others = [b for b in self._able() if b.id != turn.bulletin.id]
        if not others and len(turn.composition.pages) == 1 and turn.bulletin.video is None:
            return NEVER
        return MonotonicS(self._since + turn.lasts_s)

    def _nothing_comes(self, now: MonotonicS) -> list[Box]:
        self.next_at = NEVER
        if self._able():
            return []  # it waits for a picture; what is seen stays
        if self._turn is None and self._seen is not None:
            return []
        if self._turn is not None:
            self._stage.ledger.vanish(self._turn.bulletin.id, now)
            self._turn = None
        self._seen = pygame.Surface(self.box[2:]).convert(self._stage.surface)
        self._seen.fill(self._style.theme.ground)
        self._stage.surface.blit(self._seen, self.box[:2])
        return [self.box]

    def _able(self) -> list[Bulletin]:
        able = [bulletin for bulletin in self.zone.bulletins if bulletin.id not in self._failed]
        spoken = [bulletin for bulletin in able if bulletin.language == self._language]
        return spoken if self._language is not None and spoken else able

    def _find_coming(self) -> _Coming | None:
        """The page that comes next; None when there is none, or when it waits for its picture."""
        while self._coming is None and self._waiting is None:
            turn = self._next_page()
            if turn is None:
                break
            surface = pygame.Surface(self.box[2:]).convert(self._stage.surface)
            style = self._style
            self._coming = _Coming(turn, surface, paint(turn.page, surface, style.fonts, style.theme.ground))
        return self._coming

    def _next_page(self) -> _Turn | None:
        turn = self._turn
        able = self._able()
        if turn is not None and turn.bulletin in able and turn.number + 1 < len(turn.composition.pages):
            return _Turn(turn.bulletin, turn.composition, turn.number + 1, self._credit)
        while able:
            chosen = next_turn([(b.id, b.weight) for b in able], self._credit)
            if chosen is None:
                return None
            bulletin = next(b for b in able if b.id == chosen[0])
            if self._wished is not None:
                bulletin = next((b for b in able if b.id == self._wished), bulletin)
                self._wished = None
            try:
                composition = self._compose(bulletin)
            except Exception as error:  # noqa: BLE001 - as in `advance`
                self._quarantine(bulletin, error)
                able = self._able()
                continue
            if composition is None:
                self._waiting = bulletin
                return None
            return _Turn(bulletin, composition, 0, chosen[1], self._reel.coming)
        return None

    def _compose(self, bulletin: Bulletin) -> Composition | None:
        """A bulletin's pages; None while its picture is being decoded."""
        made = self._composed.get(bulletin.id)
        if made is not None:
            return made
        stage, size = self._stage, (self.box.width, self.box.height)
        if bulletin.text is not None:
            made = self._composed[bulletin.id] = compose_text(bulletin, bulletin.text, size, self._style)
            if made.left_out is not None:
                stage.fail(bulletin.id, made.left_out)
            return made
        if bulletin.video is not None:
            return self._reel.compose(bulletin, bulletin.video, size, self._style)
        if bulletin.image is None:
            raise Quarantine("it has no content that this version knows")
        box, _ = picture_boxes(bulletin.image, size, self._style)
        ground = self._style.theme.ground
        wanted = Wanted(Path(bulletin.image.path), box[2:], bulletin.image.fit, ground)
        decoded = stage.pictures.take(wanted)
        if decoded is None:
            return None
        picture = pygame.image.frombuffer(decoded.rgb, decoded.size, "RGB")
        return compose_image(bulletin, bulletin.image, picture, size, self._style)

    def _quarantine(self, bulletin: Bulletin, error: Exception) -> None:
        self._coming = None
        self._failed.add(bulletin.id)
        self._composed.pop(bulletin.id, None)
        known = isinstance(error, Quarantine)
        self._stage.fail(bulletin.id, str(error) if known else f"{type(error).__name__}: {error}")
