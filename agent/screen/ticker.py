"""A line of text that runs through its zone at the pace of the screen.

The text is rendered in pieces of a few hundred pixels, each on the zone's own ground, when it is about to
come into view: a frame is two or three plain copies into one narrow band, however long the text is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Final

import pygame

from agent.screen.content import Bulletin, Zone
from agent.screen.fonts import Face
from agent.screen.grid import Box
from agent.screen.paint import dot, smooth_rect
from agent.screen.scripts import clusters
from agent.screen.stage import NEVER, Stage
from agent.screen.theme import Colour
from agent.screen.typesetting import Ruler, normalise
from playlists.markup import in_a_row, plain
from playlists.units import MonotonicS, Seconds

FRAMES_PER_S: Final = 60
PIECE_PX: Final = 480
AHEAD_PX: Final = 240
"""A piece is rendered when it is so far from coming into view."""


@dataclass(frozen=True)
class Piece:
    """A stretch of the strip: some words of one bulletin, or (without text) the mark before it."""

    text: str
    width: int
    bulletin: int


def cut(texts: list[str], ruler: Ruler, mark_px: int, piece_px: int = PIECE_PX) -> list[Piece]:
    """Cut normalised texts into pieces of about `piece_px` pixels, at spaces; a mark goes before each text.

    Joined, the pieces of a text are that text and a closing space, whatever its length.
    """
    pieces: list[Piece] = []
    for number, text in enumerate(texts):
        pieces.append(Piece("", mark_px, number))
        pieces += [Piece(part, ruler.width(part), number) for part in _parts(text, ruler, piece_px)]
    return pieces


def _parts(text: str, ruler: Ruler, piece_px: int) -> Iterator[str]:
    part = ""
    for word in text.split(" "):
        if part and ruler.width(part) >= piece_px:
            yield part
            part = ""
        if len(word) > 60:  # no space for long: cut between letters instead
            for cluster in clusters(word):
                part += cluster
                if len(part) > 40:
                    yield part
                    part = ""
        else:
            part += word
        part += " "
    yield part


def ticker_text(bulletin: Bulletin) -> str | None:
    """What of a bulletin runs through a ticker; None when it has no text."""
    text = bulletin.text
    if text is None:
        return None
    body = plain(text.body) if text.markup == "markdown" else text.body
    parts = [in_a_row(normalise(part)) for part in (text.heading, body)]
    return ": ".join(part for part in parts if part) or None


class TickerArea:
    """Runs the texts of its bulletins through its box, one after the other, for ever."""

    def __init__(self, zone: Zone, box: Box, stage: Stage, now: MonotonicS) -> None:
        self.zone = zone
        self.box = box
        self.next_at = now
        self.late_frames = 0
        self._stage = stage
        self._cache: OrderedDict[int, pygame.Surface] = OrderedDict()
        self._begun = now
        self._painted = False
        self._starting = False
        self._counted = 0
        self._load(zone)

    def _measure(self, zone: Zone) -> None:
        stage, box = self._stage, self.box
        theme, sizes = stage.style.theme, stage.style.sizes
        self._face = self._choose_face(zone)
        line = min(self._face.line_height, box.height)
        self._edge = min(sizes.radius, box.height // 4, box.width // 4)
        inset = self._edge // 2
        self._emblem = _emblem(stage.emblem, box)
        head = 0 if self._emblem is None else self._emblem.get_width() + box.height // 4
        self._band = Box(
            box.x + inset + head, box.y + (box.height - line) // 2, box.width - 2 * inset - head, line
        )
        self._shades = _shades(max(2, line // 2), line, theme.surface)
        self._step = max(1, round(line / 22))

    def _choose_face(self, zone: Zone) -> Face:
        sizes = self._stage.style.sizes
        steps = [*sizes.steps(round(sizes.floor * 1.25)), *sizes.below_floor()]
        fonts = self._stage.style.fonts.for_text("".join(filter(None, map(ticker_text, zone.bulletins))))
        return next(
            (f for f in map(fonts.regular, steps) if f.line_height <= self.box.height), fonts.regular(12)
        )

    def _load(self, zone: Zone) -> None:
        self._measure(zone)
        self._bulletins: list[Bulletin] = []
        texts: list[str] = []
        for bulletin in zone.bulletins:
            text = ticker_text(bulletin)
            if text is None:
                self._stage.fail(bulletin.id, "a ticker runs text only, and this bulletin has none")
            else:
                self._bulletins.append(bulletin)
                texts.append(text)
        self._pieces = cut(texts, self._face, mark_px=self._face.line_height)
        self._starts = list(accumulate((piece.width for piece in self._pieces), initial=0))
        self._length = max(1, self._starts[-1])
        self._cache.clear()
        self._counted = 0

    @property
    def showing(self) -> tuple[str, ...]:
        return tuple(bulletin.id for bulletin in self._bulletins) if self._painted else ()

    def change(self, zone: Zone, now: MonotonicS) -> None:
        """Take new bulletins; an unchanged ticker runs on."""
        same = zone.bulletins == self.zone.bulletins
        self.zone = zone
        if not same:
            self.close(now)
            self._load(zone)
            self._begun, self._painted, self.next_at = now, False, now

    def advance(self, now: MonotonicS, wall: datetime) -> list[Box]:
        dirty = [self._band]
        if not self._painted:
            self.repaint(now, wall)
            dirty = [self.box]
            self._starting = True
        elif self._starting:
            # the first picture of a board takes its time: the run begins with the second frame
            self._starting = False
            self._begun = self.next_at = now
        if not self._pieces:
            self.next_at = NEVER
            return dirty
        frame = int((now - self._begun) * FRAMES_PER_S + 0.01)
        due = round((self.next_at - self._begun) * FRAMES_PER_S)
        self.late_frames += max(0, frame - due)
        self._draw(frame, now, wall)
        self.next_at = MonotonicS(self._begun + (frame + 1) / FRAMES_PER_S)
        return dirty

    def _draw(self, frame: int, now: MonotonicS, wall: datetime) -> None:
        # it comes in from the right edge once, and then runs round without a gap
        position = frame * self._step - self._band.width
        rounds = max(0, position + self._band.width) // self._length
        if rounds > self._counted:
            self._counted = rounds
            for bulletin in self._bulletins:
                self._stage.ledger.appear(bulletin.id, now, wall)
        surface, band = self._stage.surface, self._band
        surface.set_clip(band)
        x = -position if position < 0 else -(position % self._length)
        if x > 0:
            surface.fill(self._stage.style.theme.surface, (band.x, band.y, x, band.height))
        self._blit_from(x)
        surface.blit(self._shades[0], (band.x, band.y))
        surface.blit(self._shades[1], (band.right - self._shades[1].get_width(), band.y))
        surface.set_clip(None)

    def _blit_from(self, x: int) -> None:
        surface, band = self._stage.surface, self._band
        number = 0
        while x < band.width + AHEAD_PX:
            width = self._pieces[number].width
            if x + width > 0:
                image = self._image(number)
                if x < band.width:
                    surface.blit(image, (band.x + x, band.y))
            x += width
            number += 1
            if number == len(self._pieces):
                number = 0

    def _image(self, number: int) -> pygame.Surface:
        image = self._cache.get(number)
        if image is None:
            image = self._cache[number] = self._render(self._pieces[number])
            # what one view needs, and some more: short pieces are small ones
            most = 4 + 2 * (self._band.width + AHEAD_PX) // max(1, self._length // len(self._pieces))
            while len(self._cache) > most:
                self._cache.popitem(last=False)
        return image

    def _render(self, piece: Piece) -> pygame.Surface:
        theme = self._stage.style.theme
        class_ = self._bulletins[piece.bulletin].class_
        if piece.text:
            colour = theme.accents[class_] if class_ == "emergency" else theme.text
            image = pygame.Surface((piece.width, self._band.height)).convert(self._stage.surface)
            image.fill(theme.surface)
            self._face.draw(piece.text, colour, image, Box(0, 0, *image.get_size()))
            return image
        mark = pygame.Surface((piece.width, self._band.height)).convert(self._stage.surface)
        mark.fill(theme.surface)
        radius = max(2, self._band.height // 9)
        disc = dot(radius, theme.accents[class_])
        mark.blit(disc, ((piece.width - 2 * radius) // 2, (self._band.height - 2 * radius) // 2))
        return mark

    def restore(self, now: MonotonicS, wall: datetime) -> None:
        surface, theme = self._stage.surface, self._stage.style.theme
        surface.fill(theme.ground, self.box)
        smooth_rect(surface, self.box, theme.surface, self._edge, self._edge)
        if self._emblem is not None:
            top = self.box.y + (self.box.height - self._emblem.get_height()) // 2
            surface.blit(self._emblem, (self.box.x + self.box.height // 6, top))

    def repaint(self, now: MonotonicS, wall: datetime) -> None:
        self.restore(now, wall)
        for bulletin in self._bulletins:
            self._stage.ledger.appear(bulletin.id, now, wall)
        self._painted = True

    def prepare(self) -> bool:
        return False

    def shift(self, seconds: Seconds) -> None:
        self._begun = MonotonicS(self._begun + seconds)
        self.next_at = MonotonicS(self.next_at + seconds)

    def close(self, now: MonotonicS) -> None:
        for bulletin in self._bulletins:
            self._stage.ledger.vanish(bulletin.id, now)


def _emblem(emblem: pygame.Surface | None, box: Box) -> pygame.Surface | None:
    """The emblem as high as it goes in a ticker's box; None in one too small for it and some words."""
    if emblem is None:
        return None
    height = box.height * 3 // 4
    width = emblem.get_width() * height // emblem.get_height()
    if height < 12 or width > box.width // 4:
        return None
    return pygame.transform.smoothscale(emblem, (max(1, width), height))


def _shades(width: int, height: int, colour: Colour) -> tuple[pygame.Surface, pygame.Surface]:
    """Soft edges, left and right: the text fades instead of being cut."""
    left = pygame.Surface((width, height), pygame.SRCALPHA)
    for x in range(width):
        left.fill((*colour, 255 - 255 * x // width), (x, 0, 1, height))
    return left, pygame.transform.flip(left, True, False)
