"""All that is seen: the zones of a board, or the takeover that covers them.

It is told the time and never asks for it; `step` paints what is due and says which boxes changed, `next_at`
says when it wants to be asked again. Under a takeover the board stands still, and comes back where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pygame

from agent.screen.arrangement import ZoneArea, arrange
from agent.screen.captions import Band, band_box, spoken_pages
from agent.screen.card import Style
from agent.screen.clock import ClockArea
from agent.screen.content import Board, ThemeName
from agent.screen.controls import ControlsArea
from agent.screen.cover import Cover
from agent.screen.errors import Quarantine
from agent.screen.films import Films
from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.ledger import Ledger
from agent.screen.manner import Manner
from agent.screen.overlay import Overlay
from agent.screen.paint import paint
from agent.screen.pictures import Pictures, Wanted, decode
from agent.screen.protocol import Action, Caption, Event, Failed, FilmWaits, Showing, Shown, Takeover, Touched
from agent.screen.stage import NEVER, NOW, Stage
from agent.screen.takeover import alarm_of, compose_takeover
from agent.screen.theme import THEMES, Theme, sizes_for, themed
from agent.screen.ticker import TickerArea
from agent.screen.wishes import Wishes
from agent.screen.zones import BulletinArea
from playlists.units import MonotonicS, Seconds

BLACK = (0, 0, 0)
EMBLEM_PX = (512, 256)
REPORT_S = Seconds(60.0)


class BoardView:
    """What is seen on one screen."""

    def __init__(
        self,
        surface: pygame.Surface,
        fonts: Fonts,
        pictures: Pictures,
        say: Callable[[Event], None],
        theme: ThemeName = "dark",
        manner: Manner | None = None,
        films: Films | None = None,
    ) -> None:
        """`surface` is what is presented; `say` gets every event but `Ready` and `Pong`."""
        self._manner = manner or Manner()
        self._films = films
        self._resting = False
        self._surface = surface
        self._size = surface.get_size()
        self._fonts = fonts
        self._pictures = pictures
        self._say = say
        self._default_theme = theme
        self._ledger = Ledger()
        self._failed: set[tuple[str, str]] = set()
        self._emblem = self._load_emblem(theme)
        self._stage = self._new_stage(theme)
        self._board: Board | None = None
        self._areas: list[ZoneArea] = []
        self._tickers: list[TickerArea] = []
        """Those of the areas."""
        self._cover: Cover | None = None
        self._covered_since: MonotonicS | None = None
        self._overlay = Overlay()
        self._blank = True
        self._told: Showing | None = None
        self._report_at = NEVER
        self._controls: ControlsArea | None = None
        self._wishes: Wishes | None = None

    # -- what is to be seen ------------------------------------------------------------------------

    def set_board(self, board: Board, now: MonotonicS) -> None:
        """Show this board; zones that are the same go on, under a takeover unseen."""
        theme = board.theme or self._default_theme
        before = self._board
        self._stage.timezone, self._stage.clock_known = ZoneInfo(board.timezone), board.clock_known
        self._failed.clear()
        rearranged = (
            before is None
            or (before.layout, before.grid, _places(before)) != (board.layout, board.grid, _places(board))
            or (before.theme or self._default_theme) != theme
        )
        self._board = board
        self._count_covered(now)
        if rearranged:
            self._arrange(board, theme, now)
        else:
            self._renew(board, now)
        self._report_at = min(self._report_at, MonotonicS(now + REPORT_S))

    def take_over(self, takeover: Takeover, now: MonotonicS) -> None:
        """Cover everything; another takeover replaces this one.

        Raises:
            Quarantine: it cannot be set on this screen at all.
        """
        if self._cover is not None and self._cover.takeover == takeover:
            return
        pages = compose_takeover(takeover, self._size, self._stage.style)
        self._cover = Cover(takeover, pages, now)
        self._overlay.drop()
        self._stand_still(now)

    def clear(self, now: MonotonicS, wall: datetime) -> None:
        """End the takeover: the board comes back where it was."""
        if self._cover is not None:
            self._cover = None
            self._come_back(now, wall)

    def rest(self, now: MonotonicS, wall: datetime, *, resting: bool) -> None:
        """Be black, but for a takeover; or show the board again, where it was."""
        if resting == self._resting:
            return
        self._resting = resting
        if self._cover is None:
            self._overlay.drop()
            self._stand_still(now)
            self._come_back(now, wall)

    def _stand_still(self, now: MonotonicS) -> None:
        if self._covered_since is None:
            self._covered_since = now
            self._ledger.vanish_all(now)
            for area in self._areas:
                if isinstance(area, BulletinArea):
                    area.hold()

    def _come_back(self, now: MonotonicS, wall: datetime) -> None:
        self._blank = True
        if self._resting:
            self._surface.fill(BLACK)
            return
        self._count_covered(now)
        self._covered_since = None
        self._surface.fill(self._stage.style.theme.ground)
        for area in self._areas:
            area.repaint(now, wall)

    def set_caption(self, caption: Caption | None, now: MonotonicS) -> None:
        """Show words that are being spoken, in place of the last ones; None ends them.

        Raises:
            Quarantine: the screen does not hold a line of them.
        """
        self._overlay.drop()
        style = self._stage.style
        if self._cover is not None:
            spoken = (
                []
                if caption is None
                else spoken_pages(self._cover.takeover, self._cover.pages, caption, self._size, style)
            )
            self._cover.speak(spoken, now)
        elif caption is not None and not self._resting:
            edge = [
                area.box for area in self._areas if isinstance(area, TickerArea | ClockArea | ControlsArea)
            ]
            self._overlay.put_on(Band(caption, band_box(self._size, edge, style), style, now))

    def draw_on(self, surface: pygame.Surface) -> None:
        """From now on this is what is presented; it holds what the last one held."""
        self._surface = self._stage.surface = surface

    def picture_ready(self, now: MonotonicS) -> None:
        """A picture has been decoded."""
        for area in self._areas:
            if isinstance(area, BulletinArea):
                area.picture_ready(now)

    # -- time --------------------------------------------------------------------------------------

    @property
    def next_at(self) -> MonotonicS:
        """When `step` is due."""
        report_at = self._report_at if self._ledger.open else NEVER
        if self._cover is not None:
            return min(self._cover.next_at, report_at)
        if self._blank:
            return MonotonicS(0.0)
        if self._resting:
            return report_at
        wishes_at = NEVER if self._wishes is None else self._wishes.next_at
        return min([report_at, self._overlay.next_at, wishes_at, *(area.next_at for area in self._areas)])

    @property
    def alone_until(self) -> MonotonicS:
        """Until when nothing but the tickers wants to be asked; `NOW` where there is none, or more to be done."""
        alone = self._tickers and self._covered_since is None and not self._blank and self._overlay.bare
        if not alone:
            return NOW
        wishes_at = NEVER if self._wishes is None else self._wishes.next_at
        others = (area.next_at for area in self._areas if not (isinstance(area, TickerArea) and area.runs))
        return min([self._report_at, wishes_at, *others])

    @property
    def tickers_at(self) -> MonotonicS:
        """When `run_tickers` is due."""
        return min([area.next_at for area in self._tickers], default=NEVER)

    def run_tickers(self, now: MonotonicS, wall: datetime) -> tuple[list[Box], MonotonicS]:
        """`step`, where nothing but tickers is due, and when it is due again; `wall` may be seconds old."""
        dirty: list[Box] = []
        next_at = NEVER
        for area in self._tickers:
            if now >= area.next_at:
                dirty.append(area.run(now, wall))
            next_at = min(next_at, area.next_at)
        return dirty, next_at

    @property
    def late_frames(self) -> int:
        """How many frames of tickers were presented late or not at all."""
        return sum(area.late_frames for area in self._tickers)

    @property
    def lit(self) -> bool:
        """Whether there is anything to be seen."""
        return self._cover is not None or (
            not self._resting and any(area.showing or isinstance(area, ClockArea) for area in self._areas)
        )

    @property
    def moving(self) -> list[Box]:
        """Bands that should look different at each look."""
        if self._cover is not None or self._resting:
            return []
        return [area.box for area in self._tickers if area.showing]

    def lose_sight(self, since: MonotonicS) -> None:
        """The screen has shown nothing of it since then: nothing counts as shown."""
        self._ledger.lose_sight(since)

    def regain_sight(self, now: MonotonicS, wall: datetime) -> None:
        """The screen shows it again."""
        self._ledger.regain_sight(now, wall)

    def run_film(self, bulletin: str, now: MonotonicS, at: float | None) -> None:
        """The film of this bulletin, which waits for its sound, runs."""
        for area in self._areas:
            if isinstance(area, BulletinArea):
                area.run_film(bulletin, now, at)

    def press(self, point: tuple[int, int], now: MonotonicS) -> None:
        """A resident has touched the glass there."""
        action = self._controls.at(point) if self._controls is not None else None
        if action is not None:
            self.act(action, now)

    def act(self, action: Action, now: MonotonicS) -> None:
        """Do what a resident asks for, by the glass or a button; under a takeover nothing is to be asked."""
        if self._covered_since is not None:
            return
        wishes = self._wishes
        if wishes is None:
            return
        if self._controls is not None:
            self._controls.press(action, now)
        seen = next(iter(wishes.target.showing), None)
        if wishes.act(action, now):
            self._say(Touched(action, seen))

    def step(self, now: MonotonicS, wall: datetime) -> list[Box]:
        """Paint what is due; the boxes that changed."""
        if self._cover is not None:
            dirty = self._step_cover(now)
        else:
            dirty = [] if self._resting else self._step_areas(now, wall)
        if self._blank and self._cover is None:
            self._blank = False
            dirty = [Box(0, 0, *self._size)]
        if self._cover is None and not self._resting:
            dirty = self._overlay.step(self._surface, now, dirty, lambda box: self._restore(box, now, wall))
        if now >= self._report_at:
            self._report_at = MonotonicS(now + REPORT_S)
            self.report(now, wall)
        return dirty

    def tell(self) -> None:
        """Say what is seen, if that has changed. Call it when the step has been presented."""
        if self._cover is not None:
            state = Showing(self._layout, (), self._cover.takeover.id)
        elif self._resting:
            state = Showing(self._layout, (), None)
        else:
            state = Showing(self._layout, tuple(n for area in self._areas for n in area.showing), None)
        nothing_yet = self._told is None and self._board is None and self._cover is None
        if state != self._told and not nothing_yet:
            self._told = state
            self._say(state)

    def prepare(self) -> bool:
        """Do one small step towards the next change; False when there is nothing to do."""
        return self._covered_since is None and any(area.prepare() for area in self._areas)

    def report(self, now: MonotonicS, wall: datetime) -> None:
        """Say what was shown since the last report."""
        sums: list[Shown] = self._ledger.report(now, wall)
        for one in sums:
            self._say(one)

    # -- inside ------------------------------------------------------------------------------------

    @property
    def _layout(self) -> str | None:
        return self._board.layout if self._board is not None else None

    def _step_cover(self, now: MonotonicS) -> list[Box]:
        cover = self._cover
        if cover is None or now < cover.next_at:
            return []
        page = cover.turn(now)
        ground = alarm_of(cover.takeover).ground
        for _ in paint(page, self._surface, self._fonts, ground):
            pass
        return [Box(0, 0, *self._size)]

    def _step_areas(self, now: MonotonicS, wall: datetime) -> list[Box]:
        if self._wishes is not None and now >= self._wishes.next_at:
            self._wishes.lapse(now)
            if self._controls is not None:
                self._controls.next_at = now
        dirty: list[Box] = []
        for area in self._areas:
            if now >= area.next_at:
                dirty += area.advance(now, wall)
        return dirty

    def _restore(self, box: Box, now: MonotonicS, wall: datetime) -> None:
        self._surface.set_clip(box)
        self._surface.fill(self._stage.style.theme.ground)
        self._surface.set_clip(None)
        for area in self._areas:
            if area.box.overlaps(box):
                area.restore(now, wall)

    def _count_covered(self, now: MonotonicS) -> None:
        """Let the zones forget the time that they were covered so far."""
        if self._covered_since is not None:
            for area in self._areas:
                area.shift(Seconds(now - self._covered_since))
            if self._wishes is not None:
                self._wishes.shift(Seconds(now - self._covered_since))
            self._covered_since = now

    def _new_stage(self, theme: ThemeName) -> Stage:
        style = Style(self._fonts, self._theme(theme), sizes_for(*self._size))
        self._surface.fill(style.theme.ground)
        return Stage(
            self._surface,
            style,
            self._pictures,
            self._ledger,
            self._fail,
            self._films,
            lambda bulletin, waits: self._say(FilmWaits(bulletin, waits)),
            transitions=self._manner.transitions,
            emblem=self._emblem,
        )

    def _load_emblem(self, theme: ThemeName) -> pygame.Surface | None:
        if self._manner.emblem is None:
            return None
        wanted = Wanted(Path(self._manner.emblem), EMBLEM_PX, "contain", self._theme(theme).surface)
        try:
            found = decode(wanted)
        except Quarantine as error:
            self._say(Failed(None, f"the emblem is left out: {error}"))
            return None
        return pygame.image.frombuffer(found.rgb, found.size, "RGB").convert(self._surface)

    def _theme(self, name: ThemeName) -> Theme:
        return themed(THEMES[name], self._manner.colours)

    def _arrange(self, board: Board, theme: ThemeName, now: MonotonicS) -> None:
        for area in self._areas:
            area.close(now)
        if self._covered_since is None:
            self._stage = self._new_stage(theme)
            self._stage.timezone, self._stage.clock_known = ZoneInfo(board.timezone), board.clock_known
            self._blank = True
        else:
            self._stage.style = Style(self._fonts, self._theme(theme), self._stage.style.sizes)
        found = arrange(board, self._size, self._stage, self._manner, now)
        for reason in found.refused:
            self._say(Failed(None, reason))
        self._areas, self._wishes, self._controls = found.areas, found.wishes, found.controls
        self._tickers = [area for area in self._areas if isinstance(area, TickerArea)]

    def _renew(self, board: Board, now: MonotonicS) -> None:
        zones = {zone.id: zone for zone in board.zones}
        for area in self._areas:
            if isinstance(area, ControlsArea):
                area.changed(now)
                continue
            zone = zones[area.zone.id]
            if isinstance(area, ClockArea):
                area.change(zone, now, self._stage.timezone, known=board.clock_known)
            else:
                area.change(zone, now)

    def _fail(self, bulletin: str, reason: str) -> None:
        if (bulletin, reason) not in self._failed:
            self._failed.add((bulletin, reason))
            self._say(Failed(bulletin, reason))


def _places(board: Board) -> list[tuple[str, str, tuple[int, int, int, int]]]:
    return [(zone.id, zone.kind, zone.at) for zone in board.zones]
