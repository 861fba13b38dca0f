"""Finds the board's typeface and measures and renders with it.

What the typeface lacks is set in a font of its script, run by run. SDL_ttf shapes with HarfBuzz, but only as far
as it is told the script (`set_script`): otherwise Khmer and Cham vowels stand where they were typed.
"""

from __future__ import annotations

import copy
import io
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import pygame
import pygame.font
import pygame.freetype

from agent.screen.grid import Box
from agent.screen.scripts import (
    SCRIPTS,
    Script,
    draws_nothing,
    families_of,
    is_letter,
    script_of,
)
from agent.screen.theme import Colour

Weight = Literal["regular", "bold"]

NOTO_FOLDERS: Final = (Path("/usr/share/fonts/truetype/noto"), Path("/usr/share/fonts/noto"))

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

TALL: Final = "tall"
"""Beside tags of scripts: what a line must have room for."""
MAIN: Final = ""
"""The board's own face, among the families of fonts."""

MAX_FACES: Final = 40
MAX_FONTS: Final = 60
MAX_WIDTHS: Final = 500
LONGEST_WORD: Final = 12

Runs = list[tuple[str, str]]
"""Family and text, from left to right."""


class Face:
    """One weight at one size; a `typesetting.Ruler`."""

    def __init__(
        self,
        font: pygame.font.Font,
        fallback: Callable[[str], pygame.font.Font],
        runs: Callable[[str], Runs | None],
        *,
        tall: bool,
        scripts: Sequence[Script] = (),
    ) -> None:
        """Set in `font`, and in the `fallback` of a family where `runs` says so (None: all in `font`).

        `tall` leaves room for marks that rise above the font's own ascent, `scripts` for their letters.
        """
        self._font = font
        self._fallback = fallback
        self._runs = runs
        self._widths: dict[str, int] = {}
        plain = max(font.get_linesize(), font.get_height())
        above = max(0, font.size(TALL_PROOF if tall else STACKED_PROOF)[1] - font.get_height())
        self._foot = font.get_height() - font.get_ascent()
        self.ascent: int = font.get_ascent() + above
        below = plain - font.get_ascent()
        for script in scripts:
            other = fallback(script.family)
            image = other.render(script.proof, True, (255, 255, 255))
            base = _baseline(other, script.proof, image)
            self.ascent = max(self.ascent, base)
            self._foot = max(self._foot, image.get_height() - base)
            below = max(below, self._foot)
        self.line_height: int = self.ascent + below

    def width(self, text: str) -> int:
        """Pixels that `text` takes on one line."""
        width = self._widths.get(text)
        if width is None:
            width = self._measure(text)
            if len(self._widths) >= MAX_WIDTHS:
                self._widths.clear()
            if len(text) <= LONGEST_WORD:  # words come back at every attempt to fit, lines do not
                self._widths[text] = width
        return width

    def _measure(self, text: str) -> int:
        runs = self._runs(text)
        if runs is None:
            return self._font.size(text)[0]
        return sum(self._of(family).size(run)[0] for family, run in runs)

    def _of(self, family: str) -> pygame.font.Font:
        return self._font if family == MAIN else self._fallback(family)

    def draw(self, text: str, colour: Colour, surface: pygame.Surface, box: Box) -> None:
        """Draw the text on its line, `box`, and nowhere else.

        SDL_ttf makes the image higher at its top where marks rise above the ascent: the foot is what all
        lines of the board's own face have in common. Of other scripts the baseline is looked for.
        """
        base = box.bottom - self._foot
        x = box.x
        clip = surface.get_clip()
        surface.set_clip(clip.clip(pygame.Rect(box)))
        for family, run in self._runs(text) or [(MAIN, text)]:
            font = self._of(family)
            image = font.render(run, True, colour)
            if family == MAIN:
                top = base + font.get_height() - font.get_ascent() - image.get_height()
            else:
                top = base - _baseline(font, run, image)
            surface.blit(image, (x, top))
            x += font.size(run)[0]
        surface.set_clip(clip)


class Fonts:
    """The board's typeface, in the sizes that are in use, and the fonts that help out."""

    def __init__(
        self,
        candidates: Sequence[tuple[Path, Path]] = CANDIDATES,
        folders: Sequence[Path] = NOTO_FOLDERS,
    ) -> None:
        """`candidates` are pairs of regular and bold; `folders` hold the fonts of other scripts."""
        pygame.font.init()
        self.fault: str | None = None
        """Why the text is not set as it should be; None when all is well."""
        self._paths: dict[Weight, Path | None] = {"regular": None, "bold": None}
        self._faces: OrderedDict[tuple[Weight, int, frozenset[str]], Face] = OrderedDict()
        self._fonts: OrderedDict[tuple[str, Weight, int], pygame.font.Font] = OrderedDict()
        self._files: dict[Path, bytes] = {}
        """Font files, as read: a font that is opened by its path keeps the file open, and each size is a font."""
        self._folders = tuple(folders)
        self._sources: dict[str, str | None] = {}
        """Of each character seen so far the family that has it; None: no font here."""
        self._tables: dict[str, pygame.freetype.Font | None] = {}
        """By family; None where there is no such font here."""
        self._plain: set[str] = {" "}
        """Characters of the board's own face, as far as they were seen."""
        self._room: frozenset[str] = frozenset()
        for regular, bold in candidates:
            if self._speaks_vietnamese(regular) and self._speaks_vietnamese(bold):
                self._paths = {"regular": regular, "bold": bold}
                break
        else:
            self.fault = (
                "no font for Vietnamese was found (install fonts-noto-core); "
                "the board is set in a built-in font, and letters may be missing"
            )

    def at(self, weight: Weight, size: int) -> Face:
        """The face of a weight at a size in pixels."""
        key = (weight, size, self._room)
        face = self._faces.get(key)
        if face is None:
            face = self._faces[key] = Face(
                self._font(MAIN, weight, size),
                lambda family: self._font(family, weight, size),
                self._runs,
                tall=TALL in self._room,
                scripts=[one for one in SCRIPTS if one.tag in self._room and self._path(one.family, weight)],
            )
            if len(self._faces) > MAX_FACES:
                self._faces.popitem(last=False)
        else:
            self._faces.move_to_end(key)
        return face

    def for_text(self, text: str) -> Fonts:
        """These fonts, with lines high enough for what the (normalised) text holds beyond single code points."""
        room = {script.tag for char in set(text) if char > "\u0d7f" and (script := script_of(char))}
        if any(map(unicodedata.combining, text)):
            room.add(TALL)
        if not room:
            return self
        roomy = copy.copy(self)  # the faces are shared
        roomy._room = frozenset(room)
        return roomy

    def lacking(self, text: str) -> tuple[str, ...]:
        """Characters of a text, each once, that no font here has; those that draw nothing are not among them."""
        return tuple(
            char for char in dict.fromkeys(text) if not draws_nothing(char) and self._source(char) is None
        )

    def regular(self, size: int) -> Face:
        """The face of running text."""
        return self.at("regular", size)

    def bold(self, size: int) -> Face:
        """The face of headings."""
        return self.at("bold", size)

    # -- inside ------------------------------------------------------------------------------------

    def _font(self, family: str, weight: Weight, size: int) -> pygame.font.Font:
        key = (family, weight, size)
        font = self._fonts.get(key)
        if font is None:
            path = self._path(family, weight)
            if path is None and family != MAIN:  # it has a single weight, or the file is gone
                path = self._path(family, "regular")
            font = self._fonts[key] = pygame.font.Font(self._file(path), size)
            if path is None or (weight == "bold" and path == self._path(family, "regular")):
                font.bold = weight == "bold"
            script = next((one for one in SCRIPTS if one.family == family), None)
            if script is not None:
                font.set_script(script.tag)
            if len(self._fonts) > MAX_FONTS:
                self._fonts.popitem(last=False)
        else:
            self._fonts.move_to_end(key)
        return font

    def _file(self, path: Path | None) -> io.BytesIO | None:
        """A font's file, read once; None for pygame's own. Objects made of the same bytes share them."""
        if path is None:
            return None
        if path not in self._files:
            self._files[path] = path.read_bytes()
        return io.BytesIO(self._files[path])

    def _path(self, family: str, weight: Weight) -> Path | None:
        if family == MAIN:
            return self._paths[weight]
        name = f"{family}-{weight.capitalize()}.ttf"
        return next((path for folder in self._folders if (path := folder / name).is_file()), None)

    def _runs(self, text: str) -> Runs | None:
        """The text by families, without signs that no font has; None where the board's own face has it all."""
        if self._plain.issuperset(text):
            return None
        runs: list[tuple[str, str]] = []
        left_out = False
        for char in text:
            family = self._family(char, runs[-1][0] if runs else MAIN)
            if family is None:
                left_out = True
                continue
            if left_out and char == " " and runs and runs[-1][1].endswith(" "):
                continue  # the space before what is left out is enough
            left_out = False
            if runs and runs[-1][0] == family:
                runs[-1] = (family, runs[-1][1] + char)
            else:
                runs.append((family, char))
        return None if self._plain.issuperset(text) else runs

    def _family(self, char: str, before: str) -> str | None:
        """Which family a character is set in, in a run of the family `before`; None: it is left out."""
        if char in "\u200c\u200d" or char == " ":
            return before  # joiners shape their neighbours, and a space parts no run
        if draws_nothing(char) and char not in "\u00a0\u202f":
            return None
        family = self._source(char)
        if family is None and is_letter(char):
            return MAIN  # its empty box: somebody should see that a letter is missing
        return family

    def _source(self, char: str) -> str | None:
        if char not in self._sources:
            found = next((family for family in (MAIN, *families_of(char)) if self._has(family, char)), None)
            self._sources[char] = found
            if found == MAIN:
                self._plain.add(char)
        return self._sources[char]

    def _has(self, family: str, char: str) -> bool:
        if family not in self._tables:
            path = self._path(family, "regular")
            self._tables[family] = self._table(path) if path is not None or family == MAIN else None
        table = self._tables[family]
        return table is not None and table.get_metrics(char) != [None]

    def _table(self, path: Path | None) -> pygame.freetype.Font | None:
        """What says which characters a font has: `pygame.font` measures its empty box for those that it lacks."""
        pygame.freetype.init()
        try:
            return pygame.freetype.Font(self._file(path), 16)
        except (pygame.error, OSError):  # damaged: as if it were not there
            return None

    def _speaks_vietnamese(self, path: Path) -> bool:
        try:
            pygame.font.Font(self._file(path), 16)
        except (pygame.error, OSError):  # missing or damaged: the next candidate may be whole
            self._files.pop(path, None)
            return False
        table = self._table(path)
        return table is not None and None not in table.get_metrics(PROOF)


def _baseline(font: pygame.font.Font, text: str, image: pygame.Surface) -> int:
    """Rows of SDL_ttf's image of a text above its baseline.

    The image grows at its top for what rises above the ascent, and at its foot for what hangs below the
    descent, and does not say how much of each. A line under the text, which stands at a known distance from the
    baseline, tells.
    """
    if image.get_height() == font.get_height():
        return font.get_ascent()
    lined = _underlined(font, text)
    lined.blit(image, (0, 0), special_flags=pygame.BLEND_RGBA_SUB)
    plain = _underlined(font, "-")
    plain.blit(font.render("-", True, (255, 255, 255)), (0, 0), special_flags=pygame.BLEND_RGBA_SUB)
    return lined.get_bounding_rect().bottom - (plain.get_bounding_rect().bottom - font.get_ascent())


def _underlined(font: pygame.font.Font, text: str) -> pygame.Surface:
    font.underline = True
    try:
        return font.render(text, True, (255, 255, 255))
    finally:
        font.underline = False
