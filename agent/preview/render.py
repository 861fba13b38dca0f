"""Renders every page of every bulletin, by the code of the node's screen, with no screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from zoneinfo import ZoneInfo

import pygame

from agent.boardfiles import Missing
from agent.preview import checks
from agent.preview.checks import Remark
from agent.preview.scene import TICKER_IN_S, AtOnce, Scene, poster
from agent.preview.source import FEED, Source, bulletins_of
from agent.screen.board import BoardView
from agent.screen.card import Moment, Style
from agent.screen.compose import pages
from agent.screen.content import Bulletin, ThemeName, Zone
from agent.screen.cover import TAKEOVER_PAGE_S
from agent.screen.deck import times_of
from agent.screen.errors import Quarantine, Rejected
from agent.screen.fonts import Fonts
from agent.screen.grid import Box
from agent.screen.manner import Manner
from agent.screen.paint import Page, paint
from agent.screen.pictures import Wanted, decode
from agent.screen.protocol import Failed, Takeover
from agent.screen.rotation import page_times
from agent.screen.takeover import alarm_of, compose_takeover
from agent.screen.theme import THEMES, sizes_for, themed
from agent.station import glyphs
from agent.words import _
from playlists.units import Seconds

Orientation = Literal["landscape", "portrait"]
ORIENTATIONS: Final[tuple[Orientation, ...]] = ("landscape", "portrait")
SIZE: Final = (1920, 1080)


@dataclass(frozen=True)
class Shot:
    """One picture."""

    file: str
    kind: Literal["board", "page", "takeover"]
    orientation: Orientation
    layout: str = ""
    zone: str = ""
    bulletin: str = ""
    page: int = 1
    pages: int = 1
    stays_s: Seconds | None = None


@dataclass
class Report:
    """What came of a preview."""

    shots: list[Shot] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)


@dataclass(frozen=True)
class Look:
    """How the node that is imagined looks."""

    size: tuple[int, int] = SIZE
    """Of the screen that lies; one that stands has them swapped."""
    theme: ThemeName = "dark"
    manner: Manner = field(default_factory=lambda: Manner(transitions=False))

    feedback_url: str | None = None
    """Where a notice's own code leads, on a node that has one."""

    def sized(self, orientation: Orientation) -> tuple[int, int]:
        """Width and height of a screen that hangs so."""
        across, down = max(self.size), min(self.size)
        return (across, down) if orientation == "landscape" else (down, across)


class Preview:
    """Renders into a folder."""

    def __init__(
        self,
        source: Source,
        out: Path,
        look: Look,
        now: datetime,
        takeover: Takeover | None,
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        """`progress` hears how many of how many are done: each bulletin in each layout."""
        self._source = source
        self._out = out
        self._look = look
        self._now = now
        self._takeover = takeover
        self._progress = progress
        self._fonts = Fonts()
        self._report = Report()
        self._names: set[str] = set()

    def run(self) -> Report:
        """Render all of it.

        Raises:
            OSError: a picture cannot be written.
        """
        self._out.mkdir(parents=True, exist_ok=True)
        if self._fonts.fault is not None:
            self._warn("glyph", "", self._fonts.fault)
        for note in self._source.notes:
            self._warn("note", "", note)
        scenes = list(self._scenes())
        work = sum(
            len(bulletins_of(self._source, zone.id)) for scene in scenes for zone in scene.layout.zones
        )
        done = 0
        for scene in scenes:
            board = self._board(scene)
            for zone, box in scene.placed:
                for bulletin in self._bulletins(scene, zone):
                    self._bulletin(scene, zone, box, bulletin, board)
                    done += 1
                    self._progress(done, work)
        if self._takeover is not None:
            for orientation in ORIENTATIONS:
                self._cover(self._takeover, orientation)
        self._homeless(scenes)
        self._report.warnings = checks.merged(self._report.warnings)
        return self._report

    # -- layouts -----------------------------------------------------------------------------------

    def _scenes(self) -> Iterator[Scene]:
        for layout in self._source.layouts:
            for orientation in ORIENTATIONS:
                if layout.orientation in {None, orientation}:
                    size = self._look.sized(orientation)
                    yield Scene(
                        self._source,
                        layout,
                        orientation,
                        size,
                        self._look.theme,
                        self._now,
                        self._look.feedback_url,
                    )

    def _style(self, size: tuple[int, int]) -> Style:
        theme = themed(THEMES[self._look.theme], self._look.manner.colours)
        return Style(self._fonts, theme, sizes_for(*size))

    def _board(self, scene: Scene) -> pygame.Surface:
        """The whole board as it stands, with a ticker that has run in."""
        surface = scene.surface()
        view = BoardView(
            surface,
            self._fonts,
            AtOnce(),
            lambda _event: None,
            self._look.theme,
            self._look.manner,
        )
        scene.play(view, scene.board, TICKER_IN_S)
        for refused, taken in scene.refused:
            self._warn(
                "not-shown",
                "",
                _("zone {zone} overlaps zone {other} and is left out").format(
                    zone=refused.id, other=taken.id
                ),
                scene,
            )
        self._save(surface, scene, "board", ("board",))
        return surface

    def _homeless(self, scenes: list[Scene]) -> None:
        there = {zone.id for scene in scenes for zone, _box in scene.placed}
        for bulletin in self._source.schedule.bulletins:
            if bulletin.zone not in there:
                said = _("no layout has its zone {zone}").format(zone=bulletin.zone)
                self._warn("not-shown", bulletin.id, said)

    # -- bulletins ---------------------------------------------------------------------------------

    def _bulletins(self, scene: Scene, zone: Zone) -> Iterator[Bulletin]:
        if zone.kind == "clock":
            return
        for one in bulletins_of(self._source, zone.id):
            try:
                bulletin = scene.read(one)
            except Missing as missing:
                self._warn("broken", one.id, _("there is no file for {target}").format(target=missing.target))
                continue
            except (Rejected, ValueError) as error:
                self._warn("not-shown", one.id, str(error))
                continue
            said = glyphs.unset(scene.words(bulletin), self._fonts)
            if said is not None:
                self._warn(said[0], one.id, said[1])
            yield bulletin

    def _bulletin(
        self, scene: Scene, zone: Zone, box: Box, bulletin: Bulletin, board: pygame.Surface
    ) -> None:
        name = bulletin.id.removeprefix(f"{FEED}/")
        if zone.kind == "ticker":
            self._ticker(scene, zone, bulletin, board, name)
            return
        whole = self._style(scene.size)
        style = replace(whole, sizes=whole.sizes.within(box[2:], scene.size))
        moment = Moment(self._now, ZoneInfo(self._source.schedule.timezone))
        try:
            composition = pages(bulletin, (box.width, box.height), style, moment, zone.kind)
        except Quarantine as error:
            self._warn("not-shown", name, str(error), scene)
            return
        if composition.left_out is not None:
            self._warn("not-shown", name, composition.left_out, scene)
        times = times_of(bulletin, composition)
        said = checks.too_long(times)
        if said is not None:
            self._warn("long", name, said, scene)
        for number, page in enumerate(composition.pages):
            surface = board.copy()
            place = surface.subsurface(box)
            for _step in paint(
                self._developed(page, bulletin, name, scene), place, self._fonts, style.theme.ground
            ):
                pass
            broken = checks.broken_words(page)
            if broken is not None:
                self._warn("broken-words", name, broken, scene)
            low = checks.illegible(page, place)
            if low is not None:
                self._warn("contrast", name, low, scene)
            self._save(
                surface,
                scene,
                "page",
                (zone.id, name, str(number + 1)),
                bulletin=name,
                zone=zone.id,
                page=number + 1,
                pages=len(composition.pages),
                stays_s=times[number],
            )

    def _ticker(self, scene: Scene, zone: Zone, bulletin: Bulletin, board: pygame.Surface, name: str) -> None:
        surface = board.copy()
        failed: list[str] = []
        view = BoardView(
            surface,
            self._fonts,
            AtOnce(),
            lambda event: failed.append(event.reason) if isinstance(event, Failed) else None,
            self._look.theme,
            self._look.manner,
        )
        only = replace(zone, bulletins=(bulletin,))
        rest = tuple(one for one in scene.board.zones if one.id != zone.id)
        scene.play(view, replace(scene.board, zones=(*rest, only)), TICKER_IN_S)
        for reason in failed:
            self._warn("not-shown", name, reason, scene)
        if not failed:
            self._save(surface, scene, "page", (zone.id, name, "1"), bulletin=name, zone=zone.id)

    def _developed(self, page: Page, bulletin: Bulletin, name: str, scene: Scene) -> Page:
        found: dict[Wanted, pygame.Surface] = {}
        for wanted in page.photos:
            try:
                if bulletin.video is not None:
                    found[wanted] = poster(bulletin, wanted)
                    continue
                decoded = decode(wanted)
                found[wanted] = pygame.image.frombuffer(decoded.rgb, decoded.size, "RGB")
            except Quarantine as error:
                self._warn("broken", name, checks.told(error, wanted))
                continue
            said = checks.too_small(wanted)
            if said is not None:
                self._warn("small-picture", name, said, scene)
        return page.developed(found)

    # -- a takeover --------------------------------------------------------------------------------

    def _cover(self, takeover: Takeover, orientation: Orientation) -> None:
        size = self._look.sized(orientation)
        style = self._style(size)
        for words in takeover.blocks:
            said = glyphs.unset(" ".join((words.event, words.headline, words.text)), self._fonts)
            if said is not None:
                self._warn(said[0], takeover.id, said[1])
        try:
            composed = compose_takeover(takeover, size, style)
        except Quarantine as error:
            self._warn("not-shown", takeover.id, str(error))
            return
        times = page_times(Seconds(TAKEOVER_PAGE_S * len(composed)), [page.words for page in composed])
        for number, page in enumerate(composed):
            surface = pygame.Surface(size).convert(pygame.display.get_surface())
            for _step in paint(page, surface, self._fonts, alarm_of(takeover).ground):
                pass
            file = self._file(("takeover", orientation, str(number + 1)))
            pygame.image.save(surface, self._out / file)
            self._report.shots.append(
                Shot(
                    file,
                    "takeover",
                    orientation,
                    bulletin=takeover.id,
                    page=number + 1,
                    pages=len(composed),
                    stays_s=times[number],
                )
            )

    # -- inside ------------------------------------------------------------------------------------

    def _save(
        self,
        surface: pygame.Surface,
        scene: Scene,
        kind: Literal["board", "page"],
        name: tuple[str, ...],
        **more: object,
    ) -> None:
        file = self._file((scene.layout.id, scene.orientation, *name))
        pygame.image.save(surface, self._out / file)
        self._report.shots.append(Shot(file, kind, scene.orientation, scene.layout.id, **more))  # type: ignore[arg-type]

    def _file(self, parts: tuple[str, ...]) -> str:
        plain = "-".join(re.sub(r"[^\w.+]", "_", part) for part in parts)
        name, number = f"{plain}.png", 2
        while name in self._names:
            name, number = f"{plain}_{number}.png", number + 1
        self._names.add(name)
        return name

    def _warn(self, kind: checks.Kind, bulletin: str, text: str, scene: Scene | None = None) -> None:
        where = "" if scene is None else f"{scene.layout.id} {scene.orientation}"
        self._report.warnings.append(Remark(kind, bulletin, text, where))
