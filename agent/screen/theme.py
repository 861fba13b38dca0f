"""Colours and type sizes of the board. Pure.

Every pair of text and ground that is used keeps a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3); a test
holds this. Sizes follow one scale, derived from the height of the screen: what is legible from the square
depends on the screen, not on the zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from agent.screen.content import CLASSES, ClassName, ThemeName
from agent.screen.protocol import Status

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
    # WCAG 2.2, 1.4.6: at least 7:1 everywhere, for old eyes and for screens in the sun
    "contrast": Theme(
        ground=(0, 0, 0),
        surface=(0, 0, 0),
        text=(255, 255, 255),
        muted=(222, 226, 232),
        accents={"routine": (120, 225, 240), "priority": (255, 214, 0), "emergency": (255, 158, 148)},
        on_accents={"routine": (0, 0, 0), "priority": (0, 0, 0), "emergency": (0, 0, 0)},
    ),
}

OWN_COLOURS: Final = ("ground", "surface", "text", "muted", "routine", "priority", "emergency")
"""Colours that an owner may set; the last three are those of the classes."""
LEGIBLE: Final = 4.5
"""WCAG 2.2, 1.4.3: the least contrast of text to its ground."""
WELL_LEGIBLE: Final = 7.0
"""WCAG 2.2, 1.4.6."""


def read_colour(text: str) -> Colour:
    """A colour written as `#rrggbb`.

    Raises:
        ValueError: it is not written so.
    """
    if len(text) != 7 or text[0] != "#":
        raise ValueError(f"a colour is written #rrggbb, found {text!r:.20}")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def themed(theme: Theme, own: Mapping[str, str]) -> Theme:
    """A theme with an owner's colours in place of its own; text on a class's field is black or white.

    Raises:
        ValueError: a colour is not written as one, or is none of `OWN_COLOURS`.
    """
    if unknown := set(own) - set(OWN_COLOURS):
        raise ValueError(f"no such colour: {', '.join(sorted(unknown))}; there are {', '.join(OWN_COLOURS)}")
    colours = {name: read_colour(text) for name, text in own.items()}
    accents, on_accents = dict(theme.accents), dict(theme.on_accents)
    for class_ in CLASSES:
        if class_ in colours:
            accents[class_] = colours.pop(class_)
            on_accents[class_] = max((WHITE, INK), key=lambda ink: contrast(ink, accents[class_]))
    plain = {name: colours.get(name, getattr(theme, name)) for name in ("ground", "surface", "text", "muted")}
    return Theme(**plain, accents=accents, on_accents=on_accents)


def contrasts(theme: Theme) -> dict[str, float]:
    """Contrast of every pair of colours in which text is set, by what it is."""
    found = {
        "text on surface": contrast(theme.text, theme.surface),
        "muted on surface": contrast(theme.muted, theme.surface),
    }
    for class_ in CLASSES:
        found[f"{class_} on surface"] = contrast(theme.accents[class_], theme.surface)
        found[f"text on {class_}"] = contrast(theme.on_accents[class_], theme.accents[class_])
    return found


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

ALARM_KICKERS: Final[dict[str, dict[ClassName, str]]] = {
    "vi": {"routine": "THÔNG BÁO", "priority": "CẢNH BÁO", "emergency": "CẢNH BÁO KHẨN CẤP"},
    "en": {"routine": "NOTICE", "priority": "WARNING", "emergency": "EMERGENCY WARNING"},
}
"""By language; where nobody has vouched for a translation, the official language speaks."""
DRILL_MARKS: Final[dict[str, dict[Status, str]]] = {
    "vi": {
        "Exercise": "DIỄN TẬP – KHÔNG PHẢI TÌNH HUỐNG THẬT",
        "Test": "THỬ NGHIỆM – KHÔNG PHẢI CẢNH BÁO THẬT",
    },
    "en": {"Exercise": "EXERCISE – THIS IS NOT REAL", "Test": "TEST – THIS IS NOT A REAL WARNING"},
}


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


FAR_CAP_PART: Final = 50 / 535
"""Height of a capital letter in a takeover, at least, as a share of the screen's shorter side.

It is to be read from 10 m. A capital must then be 10 m / 200 = 50 mm high: 17 minutes of arc, where ISO
9241-303 asks for 16 at least, and the rule that signs are made by (1 in 200). The shorter side of a 43"
screen is 535 mm.
"""
CAP_OF_EM: Final = 0.714
"""Height of a capital in Noto Sans, as a share of the type size (its OS/2 table, sCapHeight)."""


def far_size(width: int, height: int) -> int:
    """The smallest type size, in pixels, that is read from 10 m on a 43" screen."""
    return max(14, -int(-min(width, height) * FAR_CAP_PART // CAP_OF_EM))


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
