"""Pages that are pictures: a picture with its caption, a printed notice page by page, a film's first look."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.screen.card import Composition, Style, set_lines
from agent.screen.content import Bulletin, ClassName, DocumentPart, ImagePart, Sheet, VideoPart
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page, Photo
from agent.screen.pictures import Wanted
from agent.screen.typesetting import count_words, fit_on_one, normalise

OVERLAP: Final = 0.06
"""A page that can only be cut through its print shows so much of each part twice, as a share of the part."""
LEAST_PART: Final = 0.55
"""A part is cut at a gap if it is at least this full then."""


def compose_image(bulletin: Bulletin, image: ImagePart, size: tuple[int, int], style: Style) -> Composition:
    """A picture and its caption in a zone of `size`."""
    box, band = picture_boxes(image.caption, size, style)
    ground = style.theme.ground
    ops: list[Op] = [Photo(box, Wanted(Path(image.path), (box.width, box.height), image.fit, ground))]
    words = 0
    if band is not None:
        lines, words = _caption(bulletin.class_, image.caption, band, style)
        ops += lines
    elif bulletin.class_ != "routine":
        ops.append(
            Fill(Box(0, 0, size[0], max(4, style.sizes.gap // 2)), style.theme.accents[bulletin.class_])
        )
    return Composition((Page(tuple(ops), words),))


def compose_film(bulletin: Bulletin, video: VideoPart, size: tuple[int, int], style: Style) -> Composition:
    """The page that a film is drawn on: like a picture, which the film's first frame stands for."""
    return compose_image(bulletin, ImagePart(video.path, video.fit, video.caption), size, style)


def compose_document(
    bulletin: Bulletin, document: DocumentPart, size: tuple[int, int], style: Style
) -> Composition:
    """A printed notice: its pages as wide as the zone, in parts where they are too high for it."""
    box, band = picture_boxes(document.caption or " ", size, style, always=True)
    room = box.inset(style.sizes.gap)
    parts = [(sheet, crop) for sheet in document.sheets for crop in parts_of(sheet, room[2:])]
    pages = []
    for number, (sheet, crop) in enumerate(parts):
        width, height = sheet.size if sheet.size[1] else (room.width, room.height)
        high = height * (crop[1] - crop[0])
        scale = min(room.width / width, room.height / high)
        fitted = (max(1, round(width * scale)), max(1, round(high * scale)))
        place = Box(room.x + (room.width - fitted[0]) // 2, room.y + (room.height - fitted[1]) // 2, *fitted)
        wanted = Wanted(Path(sheet.path), fitted, "contain", (255, 255, 255), crop)
        ops: list[Op] = [Photo(place, wanted)]
        if band is not None:
            mark = f"{number + 1} / {len(parts)}" if len(parts) > 1 else ""
            ops += _caption(bulletin.class_, document.caption, band, style, mark)[0]
        pages.append(Page(tuple(ops)))
    return Composition(tuple(pages))


def parts_of(sheet: Sheet, room: tuple[int, int]) -> list[tuple[float, float]]:
    """From where to where a page is shown, one after the other, as shares of its height.

    As wide as the room, a page is often too high for it: then it is cut where nothing is printed, or, where it is
    printed all over, with an overlap in which every line is whole once.
    """
    width, height = sheet.size
    if not width or not height or width / height >= room[0] / room[1]:
        return [(0.0, 1.0)]
    share = room[1] / (room[0] * height / width)
    if share >= 0.9:
        return [(0.0, 1.0)]  # a little narrower than the room, and whole
    cuts = list(_cuts(sheet.gaps, share))
    if cuts:
        return cuts
    step = share * (1 - OVERLAP)
    count = math.ceil((1 - share) / step) + 1
    each = (1 - share) / (count - 1)
    return [(number * each, number * each + share) for number in range(count)]


def _cuts(gaps: tuple[float, ...], share: float) -> Iterator[tuple[float, float]]:
    """Parts of at most `share` that all end at gaps; none, if there are too few gaps."""
    found: list[tuple[float, float]] = []
    top = 0.0
    while top + share < 1.0:
        fitting = [gap for gap in gaps if top + share * LEAST_PART <= gap <= top + share]
        if not fitting:
            return
        found.append((top, fitting[-1]))
        top = fitting[-1]
    yield from [*found, (top, 1.0)]


def picture_boxes(
    caption: str, size: tuple[int, int], style: Style, *, always: bool = False
) -> tuple[Box, Box | None]:
    """Where a picture goes, and the band of its caption below it, if it has one (or `always`) that fits."""
    whole = Box(0, 0, *size)
    caption = normalise(caption).replace("\n", " ")
    style = style.for_text(caption)
    line = style.fonts.regular(style.sizes.floor).line_height
    if (not caption and not always) or size[1] < 4 * line:
        return whole, None
    text_width = style.fonts.regular(style.sizes.floor).width(caption)
    lines = 1 if text_width <= size[0] - 4 * style.sizes.gap else 2
    height = lines * line + style.sizes.gap
    return Box(0, 0, size[0], size[1] - height), Box(0, size[1] - height, size[0], height)


def _caption(
    class_: ClassName, caption: str, band: Box, style: Style, mark: str = ""
) -> tuple[list[Op], int]:
    """The band below a picture, `mark` at its right end; and how many words are in it."""
    words = normalise(caption).replace("\n", " ")
    style = style.for_text(words)
    ops: list[Op] = [
        Fill(band, style.theme.surface),
        Fill(Box(band.x, band.y, max(4, style.sizes.gap // 2), band.height), style.theme.accents[class_]),
    ]
    room = band.inset(style.sizes.gap * 2, style.sizes.gap // 2)
    if mark:
        face = style.fonts.regular(style.sizes.small)
        wide = face.width(mark)
        at = (room.right - wide, room.y + (room.height - face.line_height) // 2)
        ops += set_lines([mark], at, ("regular", style.sizes.small, style.theme.muted), style.fonts)
        room = Box(room.x, room.y, room.width - wide - style.sizes.gap * 2, room.height)
    steps = [*style.sizes.steps(style.sizes.floor), *style.sizes.below_floor()]
    fitted = fit_on_one(words, room[2:], steps, style.fonts.regular) if words else None
    if fitted is None:
        return ops, 0
    block = len(fitted[1]) * style.fonts.regular(fitted[0]).line_height
    top = room.y + (room.height - block) // 2
    ops += set_lines(fitted[1], (room.x, top), ("regular", fitted[0], style.theme.text), style.fonts)
    return ops, count_words(words)
