"""The zone that shows bulletins in turn.

A zone paints itself onto the screen's surface and says which boxes changed and when it wants to be asked
again. A turn is one copy of a page that was painted aside (`deck`). What is on show and true no longer (an age, a
countdown, a new reading) is painted again in its place, without a turn.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

import pygame

from agent.screen.content import Zone
from agent.screen.deck import Deck, Turn
from agent.screen.grid import Box
from agent.screen.paint import Page
from agent.screen.readings import same_but_values
from agent.screen.reel import Reel
from agent.screen.stage import NEVER, NOW, Stage
from agent.screen.transition import LASTS_S, Wipe
from playlists.units import MonotonicS, Seconds

MOST_PAST: Final = 20
LOOK_AGAIN_S: Final = Seconds(60.0)
"""What changes with the time is looked at so often at least: the clock may be set."""
A_LITTLE_LATE_S: Final = Seconds(0.002)
"""Rather than a little early, which would show the old words for as long again."""


class BulletinArea:
    """Shows its bulletins in turn, by weight and duration."""

    def __init__(self, zone: Zone, box: Box, stage: Stage, now: MonotonicS) -> None:
        self.zone = zone
        self.box = box
        self._turn_at = now
        self._renew_at = NEVER
        self._wipe: Wipe | None = None
        self._reel = Reel(stage, box)
        self._past: list[tuple[str, int]] = []
        """What was on show and with which page it began; the last is what is on show."""
        self._stage = stage
        sizes = stage.style.sizes.within(box[2:], stage.surface.get_size())
        self._style = replace(stage.style, sizes=sizes)
        self._deck = Deck(stage, box, self._style, zone.kind, self._reel)
        self._deck.replace(zone.bulletins)
        self._turn: Turn | None = None
        self._since = now
        self._seen: pygame.Surface | None = None

    @property
    def showing(self) -> tuple[str, ...]:
        return (self._turn.bulletin.id,) if self._turn is not None else ()

    @property
    def next_at(self) -> MonotonicS:
        if self._wipe is not None:
            return min(self._turn_at, self._wipe.next_at)
        return NOW if self._reel.fresh else min(self._turn_at, self._renew_at, self._reel.runs_at)

    @next_at.setter
    def next_at(self, moment: MonotonicS) -> None:
        self._turn_at = moment

    def change(self, zone: Zone, now: MonotonicS) -> None:
        """Take new bulletins; one that is seen and unchanged stays and finishes its turn.

        New values of readings that are seen take the place of the old ones.
        """
        if zone.bulletins == self.zone.bulletins:
            self.zone = zone
            return
        kept = self._deck.replace(zone.bulletins)
        self.zone = zone
        turn = self._turn
        edition = next((one for one in zone.bulletins if turn and one.id == turn.bulletin.id), None)
        if turn is not None and edition is not None and same_but_values(edition, turn.bulletin):
            self._turn = replace(turn, bulletin=edition)
            self._renew_at = now
            self.next_at = self._turn_ends(now)
        elif turn is not None and turn.bulletin.id in kept and turn.bulletin in self._deck.able():
            self.next_at = self._turn_ends(now)
        else:
            self.next_at = now

    def advance(self, now: MonotonicS, wall: datetime) -> list[Box]:
        self._deck.wall = wall
        self._reel.attend(now)
        moved = self._move(now)
        if now < self._turn_at:
            return [*moved, *self._renew(now, wall)] if now >= self._renew_at else moved
        return [*moved, *self._advance(now, wall)]

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
            self._deck.forget()
        coming = self._deck.take(self._turn)
        if coming is None:
            return self._nothing_comes(now)
        turn, surface = coming.turn, coming.surface
        stale_at = turn.composition.fresh_until
        if turn.bulletin not in self._deck.able():
            return []  # what it counted down to has come since it was painted
        if stale_at is not None and stale_at <= wall:
            try:
                turn, surface = self._deck.renewed(turn, wall)
            except Exception as error:  # noqa: BLE001 - whatever drawing one bulletin raises costs that one
                self._deck.quarantine(turn.bulletin, error)
                return []
        self._enter(turn, now, wall)
        before, self._seen = self._seen, surface
        if self._stage.transitions and before is not None:
            self._wipe = Wipe(before, self._seen, self.box, now)
            return [self._wipe.step(now, self._stage.surface)]
        self._stage.surface.blit(surface, self.box[:2])
        return [self.box]

    def _renew(self, now: MonotonicS, wall: datetime) -> list[Box]:
        """Paint what is on show as it is now; the box that changed."""
        turn, self._renew_at = self._turn, NEVER
        if turn is None:
            return []
        if self._wipe is not None:
            self._renew_at = MonotonicS(now + LASTS_S)
            return []
        if turn.bulletin not in self._deck.able():
            self.next_at = now
            return []
        try:
            fresh, surface = self._deck.renewed(turn, wall)
        except Exception as error:  # noqa: BLE001 - as above
            self._deck.quarantine(turn.bulletin, error)
            self.next_at = now
            return []
        changed = difference(turn.page, fresh.page)
        self._turn, self._seen = fresh, surface
        self._renew_at = self._true_until(fresh, now, wall)
        if changed is None:
            return []
        at = Box(self.box.x + changed.x, self.box.y + changed.y, changed.width, changed.height)
        self._stage.surface.blit(surface, at[:2], changed)
        return [at]

    def _true_until(self, turn: Turn, now: MonotonicS, wall: datetime) -> MonotonicS:
        stale_at = turn.composition.fresh_until
        if stale_at is None:
            return NEVER
        left_s = max(0.0, (stale_at - wall).total_seconds())
        return MonotonicS(now + min(LOOK_AGAIN_S, left_s) + A_LITTLE_LATE_S)

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
            if self._turn.composition.fresh_until is not None:
                self._renew_at = now

    def prepare(self) -> bool:
        if self._turn_at == NEVER or self._deck.waits or self._deck.wall is None:
            return False
        return self._deck.step(self._turn)

    def shift(self, seconds: Seconds) -> None:
        self._since = MonotonicS(self._since + seconds)
        self.next_at = MonotonicS(self._turn_at + seconds)

    def picture_ready(self, now: MonotonicS) -> None:
        """A picture has been decoded: perhaps the one that the next turn waits for."""
        if self._reel.over:
            self._reel.leave()
            self._deck.forget()
            self.next_at = now
        elif self._deck.picture_ready():
            self.next_at = now if self._turn is None else max(self._turn_ends(now), now)

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
        """Show only what is in this language, as long as there is something; None: all.

        What is on show and in that language has its time.
        """
        if language != self._deck.language:
            self._deck.language = language
            self._deck.credit = {}
            self._deck.forget()
            self.next_at = self._turn_ends(now)

    def skip(self, now: MonotonicS, *, back: bool = False) -> None:
        """Turn now: to what comes, or back to what was before; nothing happens where there is nothing."""
        if self._turn is None:
            return
        if self._goes_back(self._turn) if back else self._turn_at != NEVER:
            self.next_at = now

    def _goes_back(self, turn: Turn) -> bool:
        """Have the page before this one come next, or else the bulletin before this one."""
        if turn.number > 0:
            self._deck.wish(turn.bulletin.id, turn.number - 1)
            return True
        able = {bulletin.id for bulletin in self._deck.able()} - {turn.bulletin.id}
        at = next((at for at in reversed(range(len(self._past))) if self._past[at][0] in able), None)
        if at is None:
            return False
        self._deck.wish(*self._past[at])
        del self._past[at:]
        return True

    # -- turns -------------------------------------------------------------------------------------

    def _enter(self, turn: Turn, now: MonotonicS, wall: datetime) -> None:
        ledger = self._stage.ledger
        left = self._turn
        if left is not None and left.bulletin.id != turn.bulletin.id:
            ledger.vanish(left.bulletin.id, now)
        if not turn.goes_on:
            ledger.appear(turn.bulletin.id, now, wall)
            self._past = [*self._past[1 - MOST_PAST :], (turn.bulletin.id, turn.first)]
        # in step with when it should have come, unless that is long ago
        self._since = self._turn_at if now - self._turn_at < 1.0 else now
        self._turn = turn
        self._reel.enter(turn.bulletin, turn.film, now)
        self._renew_at = self._true_until(turn, now, wall)
        self.next_at = self._turn_ends(now)

    def _turn_ends(self, now: MonotonicS) -> MonotonicS:
        """When the page that is seen has had its time; never, when nothing else is there to be shown."""
        turn = self._turn
        if turn is None or (turn.bulletin.video is not None and self._reel.film is None):
            return now
        able = self._deck.able()
        if turn.bulletin not in able:
            return now  # it was withdrawn, and only waits for what comes
        others = [one for one in able if one.id != turn.bulletin.id]
        if not others and len(turn.composition.pages) == 1 and turn.bulletin.video is None:
            return NEVER
        return MonotonicS(self._since + turn.lasts_s)

    def _nothing_comes(self, now: MonotonicS) -> list[Box]:
        self.next_at = NEVER
        if self._deck.able():
            return []  # it waits for a picture; what is seen stays
        if self._turn is None and self._seen is not None:
            return []
        if self._turn is not None:
            self._stage.ledger.vanish(self._turn.bulletin.id, now)
            self._turn = None
        self._renew_at = NEVER
        self._seen = pygame.Surface(self.box[2:]).convert(self._stage.surface)
        self._seen.fill(self._style.theme.ground)
        self._stage.surface.blit(self._seen, self.box[:2])
        return [self.box]


def difference(before: Page, after: Page) -> Box | None:
    """The box in which two pages of a zone differ; None if they look alike."""
    gone, come = set(before.ops) - set(after.ops), set(after.ops) - set(before.ops)
    boxes = [op.box for op in gone | come]
    if not boxes:
        return None
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Box(left, top, right - left, bottom - top)
