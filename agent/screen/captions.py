"""Words that are being spoken: a band above the lower edge of the board, large and with high contrast.

The band has one height while it is seen, whatever it holds: two lines. Tickers and clocks along the lower edge
stay free. In a takeover the words are marked where they stand instead (`spoken_pages`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import pygame

from agent.screen.card import Style, set_lines
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page, Text, paint
from agent.screen.protocol import Caption, Takeover
from agent.screen.scripts import ZERO_WIDTH_SPACE
from agent.screen.takeover import alarm_of, compose_takeover
from agent.screen.theme import INK, WHITE
from agent.screen.typesetting import count_words, fit, normalise
from playlists.units import MonotonicS, Seconds

LINES: Final = 2
TYPE_TO_BODY: Final = 0.8
"""Size of the words beside the largest of a notice's text."""
MARKS: Final = ".!?…:;"
"""At the end of what is spoken; a headline is written without."""
LINGER_S: Final = Seconds(1.0)
"""Words that nothing follows stay so long beyond their time."""
EDGE_PART: Final = 0.25
"""What stands along the lower edge takes less than this part of the screen."""


def band_box(screen: tuple[int, int], edge: Iterable[Box], style: Style) -> Box:
    """Where the band goes; `edge` are tickers, clocks, controls: it leaves free those along the lower edge."""
    width, height = screen
    gap = style.sizes.gap
    tall = LINES * style.fonts.bold(_largest(style)).line_height + 2 * _margin(style)
    bottom = height
    for box in sorted(edge, key=lambda box: -box.bottom):
        if box.bottom >= bottom - 2 * gap and height - box.y < height * EDGE_PART:
            bottom = min(bottom, box.y)
    bottom -= gap
    tall = min(tall, bottom - gap)
    return Box(gap, bottom - tall, max(1, width - 2 * gap), max(1, tall))


class Band:
    """One caption on the board."""

    def __init__(self, caption: Caption, box: Box, style: Style, now: MonotonicS) -> None:
        """Set it.

        Raises:
            Quarantine: the screen does not hold a line of it.
        """
        self.box = box
        self.next_at = now
        self._style = style.for_text(normalise(caption.text))
        self._pages = self._compose(caption.text)
        self._times = _shares(caption.lasts_s, [page.words for page in self._pages])
        self._number = -1
        self.over = False
        self.image = pygame.Surface(box[2:])

    def turn(self, now: MonotonicS) -> None:
        """Paint the next page into `image`; after the last one has had its time, it is `over`."""
        self._number += 1
        if self._number >= len(self._pages):
            self.over = True
            return
        last = self._number == len(self._pages) - 1
        self.next_at = MonotonicS(now + self._times[self._number] + (LINGER_S if last else 0.0))
        for _ in paint(self._pages[self._number], self.image, self._style.fonts, INK):
            pass

    def _compose(self, text: str) -> tuple[Page, ...]:
        style, (width, height) = self._style, self.box[2:]
        margin = _margin(style)
        inner = Box(0, 0, width, height).inset(2 * margin, margin)
        words = normalise(text).replace("\n", " ")
        steps = style.sizes.steps(_largest(style))
        fitted = fit(words, inner[2:], steps, style.fonts.bold, smaller=style.sizes.below_floor())
        line = style.fonts.bold(fitted.size).line_height
        card: list[Op] = [
            Fill(Box(0, 0, width, height), INK),
            # on a dark board it would not be told from the notice that it covers
            Fill(Box(0, 0, width, max(2, style.sizes.gap // 3)), style.theme.accents["priority"]),
        ]
        pages = []
        for lines in fitted.pages:
            top = inner.y + (inner.height - len(lines) * line) // 2
            look = ("bold", fitted.size, WHITE)
            ops = [*card, *set_lines(lines, (inner.x, top), look, style.fonts)]  # type: ignore[arg-type]
            pages.append(Page(tuple(ops), sum(count_words(one) for one in lines)))
        return tuple(pages)


def spoken_pages(
    takeover: Takeover, pages: Sequence[Page], caption: Caption, size: tuple[int, int], style: Style
) -> list[tuple[Page, Seconds]]:
    """The pages of a takeover on which the words stand, with the words marked, and how long each is to stay.

    Words that stand on none, as those of another language, get a page of their own under the same heading.

    Raises:
        Quarantine: the screen does not hold a line of them.
    """
    words = normalise(caption.text).replace("\n", " ")
    found = _find(pages, words.rstrip(MARKS), style.sizes.small)
    if not found:
        own = _own_pages(takeover, words, size, style)
        times = _shares(caption.lasts_s, [page.words for page in own])
        return list(zip(own, times, strict=True))
    alarm = alarm_of(takeover)
    fonts = style.for_text(words).fonts
    marked: list[tuple[Page, int]] = []
    for page, places in found:
        ops: list[Op] = []
        for op in page.ops:
            ops.append(op)
            if isinstance(op, Text) and op in places:
                first, last = places[op]
                face = fonts.at(op.weight, op.size)
                before = face.width(op.text[:first])
                wide = face.width(op.text[first:last])
                box = Box(op.box.x + before, op.box.y, wide, op.box.height)
                ops += [
                    Fill(box.inset(-max(2, op.size // 12), 0), alarm.mark),
                    Text(box, op.text[first:last], op.weight, op.size, alarm.on_mark),
                ]
        letters = sum(last - first for first, last in places.values())
        marked.append((Page(tuple(ops), page.words), letters))
    times = _shares(caption.lasts_s, [letters for _, letters in marked])
    return [(page, lasts_s) for (page, _), lasts_s in zip(marked, times, strict=True)]


def _own_pages(takeover: Takeover, words: str, size: tuple[int, int], style: Style) -> tuple[Page, ...]:
    only = replace(takeover, text=words, more=())
    own = compose_takeover(only, size, style)
    # where there is no room for both, the words go before the heading: that was seen
    return own if len(own) == 1 else compose_takeover(replace(only, event="", headline=""), size, style)


def _find(pages: Sequence[Page], words: str, least: int) -> list[tuple[Page, dict[Text, tuple[int, int]]]]:
    """The pages on which the words stand, with the part of each line that they take.

    What is set no larger than `least` are numbers of pages, which nobody speaks.
    """
    lines: list[tuple[int, Text]] = []
    seen: set[Text] = set()
    for number, page in enumerate(pages):
        for op in page.texts:
            if op.size > least and op not in seen:  # the heading stands on each page
                seen.add(op)
                lines.append((number, op))
    joined = " ".join(op.text for _, op in lines)
    # some scripts write no space where a line has ended
    letters = [at for at, char in enumerate(joined) if char != " "]
    wanted = _without_spaces(words)
    first_letter = _without_spaces(joined).find(wanted) if wanted else -1
    if first_letter < 0:
        return []
    begin, end = letters[first_letter], letters[first_letter + len(wanted) - 1] + 1
    end += len(joined[end:]) - len(joined[end:].lstrip(MARKS))
    starts = itertools.accumulate((len(op.text) + 1 for _, op in lines), initial=0)
    places: dict[int, dict[Text, tuple[int, int]]] = {}
    for (number, op), start in zip(lines, starts, strict=False):
        first, last = max(0, begin - start), min(len(op.text), end - start)
        if first < last:
            places.setdefault(number, {})[op] = (first, last)
    return [(pages[number], found) for number, found in sorted(places.items())]


def _without_spaces(text: str) -> str:
    return text.replace(" ", "").replace(ZERO_WIDTH_SPACE, "")


def _shares(lasts_s: Seconds, sizes: Sequence[int]) -> list[Seconds]:
    total = max(1, sum(sizes))
    return [Seconds(lasts_s * size / total) for size in sizes]


def _largest(style: Style) -> int:
    return max(style.sizes.floor, round(style.sizes.body_top * TYPE_TO_BODY))


def _margin(style: Style) -> int:
    return max(4, style.sizes.gap)
