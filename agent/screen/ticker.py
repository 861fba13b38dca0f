"""A line of text that runs through its zone at the pace of the screen.

The text is rendered in pieces of a few hundred pixels, each on the zone's own ground, when it is about to
come into view: a frame is one plain copy into one narrow band, however long the text is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import pygame

from agent.screen.content import Bulletin, Zone
from agent.screen.fonts import Face
from agent.screen.grid import Box
from agent.screen.paint import dot, smooth_rect
from agent.screen.scripts import clusters
from agent.screen.stage import NEVER, Stage
from agent.screen.tape import Piece, Tape
from agent.screen.theme import Colour
from agent.screen.typesetting import Ruler, normalise
from playlists.markup import in_a_row, plain
from playlists.units import MonotonicS, Seconds

FRAMES_PER_S: Final = 60
PIECE_PX: Final = 480


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
        self._begun = now
        self._painted = False
        self._starting = False
        self._counted = 0
        self._load(zone)

    def _measure(self, zone: Zone) -> None:
        stage, box = self._stage, self.box
        self._owned: tuple[pygame.Surface, tuple[pygame.Surface, int, int]] | None = None
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
        self._shades = _shades(min(max(2, line // 2), self._band.width), line, theme.surface)
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
        pieces = cut(texts, self._face, mark_px=self._face.line_height)
        ground = self._stage.style.theme.surface
        self._tape = (
            Tape(pieces, self._band[2:], self._stage.surface, ground, self._render) if pieces else None
        )
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
        fresh = not self._painted
        if fresh:
            self.repaint(now, wall)
            self._starting = True
        elif self._starting:
            # the first picture of a board takes its time: the run begins with the second frame
            self._starting = False
            self._begun = self.next_at = now
        if self._tape is None:
            self.next_at = NEVER
            return [self.box]
        moved = self.run(now, wall)
        return [self.box if fresh else moved]

    @property
    def runs(self) -> bool:
        """Whether it has begun to run: from then on `run` is all that it wants."""
        return self._painted and not self._starting and self._tape is not None

    def run(self, now: MonotonicS, wall: datetime) -> Box:
        """Paint the frame that is due; where."""
        frame = int((now - self._begun) * FRAMES_PER_S + 0.01)
        due = round((self.next_at - self._begun) * FRAMES_PER_S)
        self.late_frames += max(0, frame - due)
        self.next_at = MonotonicS(self._begun + (frame + 1) / FRAMES_PER_S)
        return self._band if self._tape is None else self._draw(self._tape, frame * self._step, now, wall)

    def _draw(self, tape: Tape, run_px: int, now: MonotonicS, wall: datetime) -> Box:
        rounds = run_px // tape.length
        if rounds > self._counted:
            self._counted = rounds
            for bulletin in self._bulletins:
                self._stage.ledger.appear(bulletin.id, now, wall)
        surface, left, top = self._owner()
        x, _, width, _ = self._band
        # it comes in from the right edge once, and then runs round without a gap
        at = tape.view(run_px - width)
        row, rows = tape.ink
        begin, end = self._shades
        surface.blit(tape.surface, (left, top + row), (at, row, width, rows))
        surface.blit(begin, (left, top + row), (0, row, width, rows))
        surface.blit(end, (left + width - end.get_width(), top + row), (0, row, width, rows))
        return Box(x, self._band.y + row, width, rows)

    def _owner(self) -> tuple[pygame.Surface, int, int]:
        """The surface that owns the pixels of the stage's, and where the band lies on it.

        pygame books each copy to a part of a surface in Python's memory, which costs more than the copy.
        """
        surface = self._stage.surface
        if self._owned is None or self._owned[0] is not surface:
            x, y = surface.get_abs_offset()
            self._owned = surface, (surface.get_abs_parent(), x + self._band.x, y + self._band.y)
        return self._owned[1]

    def _render(self, piece: Piece, surface: pygame.Surface, box: Box) -> None:
        theme = self._stage.style.theme
        class_ = self._bulletins[piece.bulletin].class_
        if piece.text:
            colour = theme.accents[class_] if class_ == "emergency" else theme.text
            self._face.draw(piece.text, colour, surface, box)
            return
        radius = max(2, box.height // 9)
        disc = dot(radius, theme.accents[class_])
        surface.blit(disc, (box.x + (box.width - 2 * radius) // 2, (box.height - 2 * radius) // 2))

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
