"""What an officer should know of a page before residents see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pygame

from agent.screen.paint import Page, Text
from agent.screen.pictures import FORMATS, Wanted
from agent.screen.theme import LEGIBLE, Colour, contrast
from agent.words import _
from playlists.units import Seconds

Kind = Literal[
    "long",
    "contrast",
    "glyph",
    "language",
    "small-picture",
    "broken-words",
    "broken",
    "not-shown",
    "note",
]

MOST_PAGES: Final = 4
LONGEST_STAY_S: Final = Seconds(60.0)
MOST_ENLARGED: Final = 1.5
"""A picture that is enlarged more than this is soft to everybody's eyes."""
_ORIENTATION: Final = 0x0112
_LYING: Final = frozenset({5, 6, 7, 8})
"""EXIF 2.32, 4.6.4 A: values of the orientation that swap width and height."""


@dataclass(frozen=True)
class Remark:
    """One thing that its author may want to change."""

    kind: Kind
    bulletin: str
    text: str
    where: str = ""
    """Layout and orientation; empty where it is so everywhere."""


def too_long(times: Sequence[Seconds]) -> str | None:
    """Whether a bulletin has more pages, or takes longer, than people stand before a board."""
    stay_s = sum(times)
    if len(times) > MOST_PAGES or (len(times) > 1 and stay_s > LONGEST_STAY_S):
        return _("it is long: {pages} pages that take {seconds} s; say it in fewer words").format(
            pages=len(times), seconds=round(stay_s)
        )
    return None


def broken_words(page: Page) -> str | None:
    """The first word that goes on in the next line because it is longer than a line."""
    line = next((line for line in page.texts if line.broken), None)
    if line is None:
        return None
    return _("a word does not go on one line: “{text}”").format(text=shortened(line.text.split()[-1]))


def illegible(page: Page, painted: pygame.Surface) -> str | None:
    """The line that stands out least from what is behind it, where that is too little (WCAG 2.2, 1.4.3)."""
    worst = min(
        ((_contrast(line, painted), line) for line in page.texts), default=None, key=lambda pair: pair[0]
    )
    if worst is None or worst[0] >= LEGIBLE:
        return None
    return _("low contrast: {ratio}:1, at least {least}:1 is legible: “{text}”").format(
        ratio=round(worst[0], 1), least=LEGIBLE, text=shortened(worst[1].text)
    )


def _contrast(line: Text, painted: pygame.Surface) -> float:
    """Of a line to what is behind it."""
    box = painted.get_rect().clip(line.box)
    if not box.width or not box.height:
        return 21.0
    behind = _commonest(painted.subsurface(box))
    return contrast(line.colour, behind)


def _commonest(part: pygame.Surface) -> Colour:
    """The colour that most of a picture has: behind text, the ground."""
    small = pygame.transform.scale(part, (min(64, part.get_width()), min(16, part.get_height())))
    data = pygame.image.tobytes(small, "RGB")
    counts: dict[bytes, int] = {}
    for at in range(0, len(data), 3):
        counts[data[at : at + 3]] = counts.get(data[at : at + 3], 0) + 1
    found = max(counts, key=lambda colour: counts[colour])
    return found[0], found[1], found[2]


def too_small(wanted: Wanted) -> str | None:
    """Whether a picture has too few pixels for its place; nothing of one that cannot be read."""
    size = _upright_size(wanted)
    if size is None:
        return None
    width, height = size
    across, down = wanted.size[0] / width, wanted.size[1] / height
    enlarged = max(across, down) if wanted.fit == "cover" else min(across, down)
    if enlarged <= MOST_ENLARGED:
        return None
    least = f"{round(width * enlarged)}×{round(height * enlarged)}"
    return _(
        "picture {name} has {width}×{height} pixels and is enlarged {times} times; {least} would be sharp"
    ).format(name=_name(wanted), width=width, height=height, times=round(enlarged, 1), least=least)


def _upright_size(wanted: Wanted) -> tuple[int, int] | None:
    """Width and height, as people see it, of the part that is wanted; None if it cannot be read."""
    from PIL import Image  # noqa: PLC0415 - as in `agent.screen.pictures`

    try:
        with Image.open(wanted.path, formats=FORMATS) as image:
            width, height = image.size
            if image.getexif().get(_ORIENTATION) in _LYING:
                width, height = height, width
    except Exception:  # noqa: BLE001 - a hostile file makes a decoder raise anything; it is said to be broken elsewhere
        return None
    return width, max(1, round(height * (wanted.crop[1] - wanted.crop[0])))


def told(error: Exception, wanted: Wanted) -> str:
    """Why a picture cannot be shown, with the name that its author gave it."""
    return str(error).replace(str(wanted.path), _name(wanted)).replace(wanted.path.name, _name(wanted))


def _name(wanted: Wanted) -> str:
    """As the author calls it: a published file has its digest before its name."""
    digest, _dot, rest = wanted.path.name.partition(".")
    return rest if len(digest) == 64 else wanted.path.name


def shortened(text: str) -> str:
    """Enough of a line to find it by."""
    return text if len(text) <= 40 else text[:39] + "…"


def merged(warnings: Iterable[Remark]) -> list[Remark]:
    """The same said of several layouts is said once."""
    by_text: dict[tuple[str, str, str], list[str]] = {}
    for one in warnings:
        by_text.setdefault((one.kind, one.bulletin, one.text), []).append(one.where)
    return [
        Remark(kind, bulletin, text, ", ".join(dict.fromkeys(filter(None, places))))  # type: ignore[arg-type]
        for (kind, bulletin, text), places in by_text.items()
    ]
