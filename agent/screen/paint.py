"""What a page is made of, and how it gets onto a surface: in steps, so that no ticker beside it waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pygame

from agent.screen.fonts import Fonts, Weight
from agent.screen.grid import Box
from agent.screen.pictures import Wanted
from agent.screen.theme import Colour


@dataclass(frozen=True)
class Fill:
    """A field of one colour; `radius` rounds its corners, or only the right or left ones."""

    box: Box
    colour: Colour
    radius: int = 0
    rounded: str = "both"


@dataclass(frozen=True)
class Stripes:
    """A band of slanting stripes: this is not the real thing."""

    box: Box
    colour: Colour
    ground: Colour


@dataclass(frozen=True)
class Text:
    """One line of text; `box` is all that it may touch."""

    box: Box
    text: str
    weight: Weight
    size: int
    colour: Colour
    broken: bool = False
    """Whether its last word goes on in the next line."""


@dataclass(frozen=True)
class Stamp:
    """An image that fills its box; a smaller one is enlarged by whole pixels (QR codes)."""

    box: Box
    surface: pygame.Surface


@dataclass(frozen=True)
class Photo:
    """A picture on disk, in the middle of its box: it is decoded only when its page is due."""

    box: Box
    wanted: Wanted


Op = Fill | Stripes | Text | Stamp | Photo


@dataclass(frozen=True)
class Page:
    """One page of a bulletin, or of a takeover, in the coordinates of its zone."""

    ops: tuple[Op, ...]
    words: int = 0
    """How many are to be read."""

    @property
    def photos(self) -> list[Wanted]:
        """Pictures that must be decoded before it is painted."""
        return [op.wanted for op in self.ops if isinstance(op, Photo)]

    def developed(self, pictures: Mapping[Wanted, pygame.Surface]) -> Page:
        """The page with these pictures in it; one that is not given leaves its place empty."""
        return replace(
            self, ops=tuple(_stamped(op, pictures) if isinstance(op, Photo) else op for op in self.ops)
        )

    @property
    def texts(self) -> list[Text]:
        """Its lines of text."""
        return [op for op in self.ops if isinstance(op, Text)]


def paint(page: Page, surface: pygame.Surface, fonts: Fonts, ground: Colour) -> Iterator[None]:
    """Paint a page over the whole of `surface`; yields between steps of a few milliseconds at most."""
    surface.fill(ground)
    yield
    for op in page.ops:
        match op:
            case Fill():
                _fill(op, surface)
            case Stripes():
                _stripes(op, surface)
            case Text():
                fonts.at(op.weight, op.size).draw(op.text, op.colour, surface, op.box)
            case Stamp():
                stamp = op.surface
                if stamp.get_size() != op.box[2:]:
                    stamp = pygame.transform.scale(stamp, op.box[2:])
                surface.blit(stamp, op.box[:2])
            case Photo():
                pass  # its picture is not there
        yield


def _stamped(photo: Photo, pictures: Mapping[Wanted, pygame.Surface]) -> Op:
    picture = pictures.get(photo.wanted)
    if picture is None:
        return photo
    width, height = picture.get_size()
    box = photo.box
    return Stamp(
        Box(box.x + (box.width - width) // 2, box.y + (box.height - height) // 2, width, height), picture
    )


def _fill(op: Fill, surface: pygame.Surface) -> None:
    if not op.radius:
        surface.fill(op.colour, op.box)
        return
    left = op.radius if op.rounded in {"both", "left"} else 0
    right = op.radius if op.rounded in {"both", "right"} else 0
    smooth_rect(surface, op.box, op.colour, left, right)


def smooth_rect(surface: pygame.Surface, box: Box, colour: Colour, left: int, right: int) -> None:
    """A rectangle with rounded left and right corners, their edges smoothed (pygame's own are jagged)."""
    middle = Box(box.x + left, box.y, box.width - left - right, box.height)
    surface.fill(colour, middle)
    for radius, x in ((left, box.x), (right, box.right - right)):
        if not radius:
            continue
        surface.fill(colour, Box(x, box.y + radius, radius, box.height - 2 * radius))
        disc = _disc(radius, colour)
        from_x = 0 if x == box.x else radius
        surface.blit(disc, (x, box.y), (from_x, 0, radius, radius))
        surface.blit(disc, (x, box.bottom - radius), (from_x, radius, radius, radius))


def _disc(radius: int, colour: Colour) -> pygame.Surface:
    times = 4
    big = pygame.Surface((2 * radius * times, 2 * radius * times), pygame.SRCALPHA)
    big.fill((*colour, 0))
    pygame.draw.circle(big, colour, (radius * times, radius * times), radius * times)
    return pygame.transform.smoothscale(big, (2 * radius, 2 * radius))


def dot(radius: int, colour: Colour) -> pygame.Surface:
    """A smooth disc on a transparent ground."""
    return _disc(radius, colour)


def _stripes(op: Stripes, surface: pygame.Surface) -> None:
    surface.fill(op.ground, op.box)
    before = surface.get_clip()
    surface.set_clip(op.box)
    x, y, width, height = op.box
    step = max(8, height * 2)
    for left in range(x - height, x + width, step):
        corners = [
            (left, y + height),
            (left + height, y),
            (left + height + step // 2, y),
            (left + step // 2, y + height),
        ]
        pygame.draw.polygon(surface, op.colour, corners)
    surface.set_clip(before)
