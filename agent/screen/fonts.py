"""Finds the board's typeface and measures and renders with it."""

from __future__ import annotations

import copy
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import pygame
import pygame.font

from agent.screen.grid import Box
from agent.screen.theme import Colour

Weight = Literal["regular", "bold"]

CANDIDATES: Final[tuple[tuple[Path, Path], ...]] = tuple(
    (Path(folder, f"{regular}.ttf"), Path(folder, f"{bold}.ttf"))
    for folder, regular, bold in (
        ("/usr/share/fonts/truetype/noto", "NotoSans-Regular", "NotoSans-Bold"),  # fonts-noto-core
        ("/usr/share/fonts/noto", "NotoSans-Regular", "NotoSans-Bold"),
        ("/usr/share/fonts/truetype/be-vietnam-pro", "BeVietnamPro-Regular", "BeVietnamPro-Bold"),
        ("/usr/local/share/fonts", "BeVietnamPro-Regular", "BeVietnamPro-Bold"),
        ("/usr/share/fonts/truetype/dejavu", "DejaVuSans", "DejaVuSans-Bold"),
        ("/usr/share/fonts/truetype/liberation", "LiberationSans-Regular", "LiberationSans-Bold"),
    )
)
"""Pairs of regular and bold, best first."""

PROOF: Final = "ẾễỘựẵơđ"
"""A face without these letters is no face for Vietnamese."""

STACKED_PROOF: Final = "ẾỄỘẴỮỞỆẪựặỵ"
"""The highest and lowest of Vietnamese; at small sizes hinting lifts them above the font's own ascent."""
TALL_PROOF: Final = "Ơ̆Č̆Ê̆Ẵ"
"""Letters of Bahnar, Jarai and their neighbours: marks higher than any in Vietnamese."""

MAX_FACES: Final = 40
MAX_WIDTHS: Final = 500
LONGEST_WORD: Final = 12


class Face:
    """One weight at one size; a `typesetting.Ruler`."""

    def __init__(self, font: pygame.font.Font, *, tall: bool) -> None:
        """`tall` leaves room for marks that rise above the font's own ascent."""
        self._font = font
        self._widths: dict[str, int] = {}
        plain = max(font.get_linesize(), font.get_height())
        above = max(0, font.size(TALL_PROOF if tall else STACKED_PROOF)[1] - font.get_height())
        self.line_height: int = plain + above
        self.ascent: int = font.get_ascent() + above

    def width(self, text: str) -> int:
        """Pixels that `text` takes on one line."""
        width = self._widths.get(text)
        if width is None:
            width = self._font.size(text)[0]
            if len(self._widths) >= MAX_WIDTHS:
                self._widths.clear()
            if len(text) <= LONGEST_WORD:  # words come back at every attempt to fit, lines do not
                self._widths[text] = width
        return width

    def render(self, text: str, colour: Colour, ground: Colour | None = None) -> pygame.Surface:
        """The text as an image: with transparency, or on a ground (faster to copy)."""
        if ground is None:
            return self._font.render(text, True, colour)
        return self._font.render(text, True, colour, ground)

    def draw(self, text: str, colour: Colour, surface: pygame.Surface, box: Box) -> None:
        """Draw the text on its line, `box`, and nowhere else.

        SDL_ttf makes the image higher at its top where marks rise above the ascent: the foot is what all
        lines have in common.
        """
        image = self.render(text, colour)
        cut = max(0, image.get_height() - box.height)
        surface.blit(
            image, (box.x, box.bottom - image.get_height() + cut), (0, cut, image.get_width(), box.height)
        )


class Fonts:
    """The board's typeface, in the sizes that are in use."""

    def __init__(self, candidates: Sequence[tuple[Path, Path]] = CANDIDATES) -> None:
        pygame.font.init()
        self.fault: str | None = None
        """Why the text is not set as it should be; None when all is well."""
        self._paths: dict[Weight, Path | None] = {"regular": None, "bold": None}
        self._faces: OrderedDict[tuple[Weight, int, bool], Face] = OrderedDict()
        self._tall = False
        for regular, bold in candidates:
            if _speaks_vietnamese(regular) and _speaks_vietnamese(bold):
                self._paths = {"regular": regular, "bold": bold}
                break
        else:
            self.fault = (
                "no font for Vietnamese was found (install fonts-noto-core); "
                "the board is set in a built-in font, and letters may be missing"
            )

    def at(self, weight: Weight, size: int) -> Face:
        """The face of a weight at a size in pixels."""
        key = (weight, size, self._tall)
        face = self._faces.get(key)
        if face is None:
            path = self._paths[weight]
            font = pygame.font.Font(path, size)
            if path is None:
                font.bold = weight == "bold"
            face = self._faces[key] = Face(font, tall=self._tall)
            if len(self._faces) > MAX_FACES:
                self._faces.popitem(last=False)
        else:
            self._faces.move_to_end(key)
        return face

    def for_text(self, text: str) -> Fonts:
        """These fonts, with higher lines where the (normalised) text has marks beyond single code points."""
        if not any(map(unicodedata.combining, text)):
            return self
        tall = copy.copy(self)  # the faces are shared
        tall._tall = True
        return tall

    def regular(self, size: int) -> Face:
        """The face of running text."""
        return self.at("regular", size)

    def bold(self, size: int) -> Face:
        """The face of headings."""
        return self.at("bold", size)


def _speaks_vietnamese(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        return None not in pygame.font.Font(path, 16).metrics(PROOF)
    except (pygame.error, OSError):  # damaged: the next candidate may be whole
        return False
