"""Colours and type sizes of the board. Pure.

Every pair of text and ground that is used keeps a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3); a test
holds this. Sizes follow one scale, derived from the height of the screen: what is legible from the square
depends on the screen, not on the zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from agent.screen.protocol import ClassName, Status, ThemeName

Colour = tuple[int, int, int]

SCALE_RATIO: Final = 1.125
"""One step of the type scale: a major second."""

SMALLEST_PART: Final = 0.65
"""How far the sizes of a small zone may go below those of the whole screen."""

WHITE: Final[Colour] = (255, 255, 255)
INK: Final[Colour] = (14, 20, 30)


@dataclass(frozen=True)
class Theme:
    """What the board is painted with."""

    ground: Colour
    """Behind and between the zones."""
    surface: Colour
    """A zone's card."""
    text: Colour
    muted: Colour
    accents: dict[ClassName, Colour]
    """The colour of a class, as text and marks on `surface`."""
    on_accents: dict[ClassName, Colour]
    """Text on a field of the class's colour."""


THEMES: Final[dict[ThemeName, Theme]] = {
    "dark": Theme(
        ground=(8, 13, 23),
        surface=(18, 27, 43),
        text=(242, 246, 252),
        muted=(164, 178, 199),
        accents={"routine": (92, 200, 214), "priority": (250, 188, 66), "emergency": (255, 122, 112)},
        on_accents={"routine": INK, "priority": INK, "emergency": INK},
    ),
    "light": Theme(
        ground=(221, 228, 236),
        surface=(255, 255, 255),
        text=(18, 28, 42),
        muted=(82, 96, 113),
        accents={"routine": (7, 102, 121), "priority": (140, 84, 0), "emergency": (181, 18, 27)},
        on_accents={"routine": WHITE, "priority": WHITE, "emergency": WHITE},
    ),
}


@dataclass(frozen=True)
class Alarm:
    """What a takeover is painted with."""

    ground: Colour
    text: Colour
    muted: Colour
    mark: Colour
    """The field of its mark (kicker), and the marking band of an exercise or test."""
    on_mark: Colour


ALARMS: Final[dict[ClassName, Alarm]] = {
    "emergency": Alarm((158, 12, 24), WHITE, (255, 219, 217), WHITE, (158, 12, 24)),
    "priority": Alarm((122, 66, 0), WHITE, (255, 231, 196), WHITE, (122, 66, 0)),
    "routine": Alarm((6, 74, 94), WHITE, (205, 237, 244), WHITE, (6, 74, 94)),
}
"""By class; red is for a real emergency alone."""

DRILL: Final = Alarm((24, 34, 52), WHITE, (196, 208, 226), (255, 200, 61), INK)
"""An exercise or a test: never red, whatever its class."""

KICKERS: Final[dict[ClassName, str]] = {
    "routine": "THÔNG BÁO",
    "priority": "ƯU TIÊN",
    "emergency": "KHẨN CẤP",
}
ALARM_KICKERS: Final[dict[ClassName, str]] = {
    "routine": "THÔNG BÁO",
    "priority": "CẢNH BÁO",
    "emergency": "CẢNH BÁO KHẨN CẤP",
}
DRILL_MARKS: Final[dict[Status, str]] = {
    "Exercise": "DIỄN TẬP – KHÔNG PHẢI TÌNH HUỐNG THẬT",
    "Test": "THỬ NGHIỆM – KHÔNG PHẢI CẢNH BÁO THẬT",
}
SCAN_ME: Final = "Quét mã QR"


@dataclass(frozen=True)
class Sizes:
    """Type and space for one screen, all in pixels."""

    floor: int
    """The smallest size of running text; what does not fit at it is paged."""
    body_top: int
    heading_top: int
    kicker: int
    small: int
    gap: int
    """Between zones."""
    radius: int
    """Of a card's corners."""

    def within(self, zone: tuple[int, int], screen: tuple[int, int]) -> Sizes:
        """For a zone that is a part of the screen: its text may be smaller, by a third at most."""
        share = (zone[0] * zone[1]) / (screen[0] * screen[1])
        factor = max(SMALLEST_PART, min(1.0, share**0.5 * 1.1))
        return replace(
            self,
            floor=max(14, round(self.floor * factor)),
            kicker=max(12, round(self.kicker * factor)),
            small=max(12, round(self.small * factor)),
        )

    def steps(self, top: int) -> list[int]:
        """The type scale from `top` down to the floor, biggest first."""
        return list(_scale(max(top, self.floor), self.floor))

    def below_floor(self) -> list[int]:
        """For a zone too small for the floor: better small than missing."""
        return list(_scale(int(self.floor / SCALE_RATIO), 12))


def sizes_for(width: int, height: int) -> Sizes:
    """Type and space for a screen; a tall one is judged by its width."""
    unit = min(height, width * 0.75) / 1080
    return Sizes(
        floor=max(14, round(40 * unit)),
        body_top=max(16, round(72 * unit)),
        heading_top=max(18, round(112 * unit)),
        kicker=max(12, round(30 * unit)),
        small=max(12, round(28 * unit)),
        gap=max(2, round(14 * unit)),
        radius=max(2, round(18 * unit)),
    )


def _scale(top: int, floor: int) -> Iterator[int]:
    size = float(top)
    while round(size) > floor:
        yield round(size)
        size /= SCALE_RATIO
    yield floor


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance of sRGB)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
