"""A banner: one strip in the colour of its class, a heading and a few words, as large as it allows."""

from __future__ import annotations

from agent.screen.card import Composition, Style, page_marks, set_lines
from agent.screen.content import Bulletin, TextPart
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page
from agent.screen.typesetting import balance, fit, fit_on_one, normalise
from playlists.markup import in_a_row, plain

BODY_TO_HEADING = 0.62
"""Size of the words below a heading beside the heading's."""


def compose_banner(bulletin: Bulletin, text: TextPart, size: tuple[int, int], style: Style) -> Composition:
    """A text in a strip of `size` pixels; what does not go on one page takes more.

    Raises:
        Quarantine: the strip does not hold a line.
    """
    heading = normalise(text.heading).replace("\n", " ")
    body = in_a_row(normalise(plain(text.body) if text.markup == "markdown" else text.body))
    style = style.for_text(heading, body)
    width, height = size
    ground, ink = style.theme.accents[bulletin.class_], style.theme.on_accents[bulletin.class_]
    radius = min(style.sizes.radius, height // 4, width // 4)
    field = Fill(Box(0, 0, width, height), ground, radius)
    inner = Box(0, 0, width, height).inset(max(6, min(width, height * 3) // 14), max(2, height // 12))
    top = style.sizes.heading_top * 2
    for large in [*style.sizes.steps(top), *style.sizes.below_floor()] if heading and body else ():
        small = max(12, round(large * BODY_TO_HEADING))
        heads = fit_on_one(heading, inner[2:], [large], style.fonts.bold, setter=balance, most_lines=3)
        words = fit_on_one(body, inner[2:], [small], style.fonts.regular, most_lines=3)
        if heads is None or words is None:
            continue
        above = len(heads[1]) * style.fonts.bold(large).line_height
        high = above + len(words[1]) * style.fonts.regular(small).line_height
        if high > inner.height:
            continue
        y = inner.y + (inner.height - high) // 2
        ops: list[Op] = [field, *set_lines(heads[1], (inner.x, y), ("bold", large, ink), style.fonts)]
        ops += set_lines(words[1], (inner.x, y + above), ("regular", small, ink), style.fonts)
        return Composition((Page(tuple(ops), len(f"{heading} {body}".split())),))
    whole = ": ".join(part for part in (heading, body) if part)
    steps = style.sizes.steps(top)
    fitted = fit(whole, inner[2:], steps, style.fonts.bold, smaller=style.sizes.below_floor())
    line = style.fonts.bold(fitted.size).line_height
    pages = []
    for number, lines in enumerate(fitted.pages):
        y = inner.y + (inner.height - line * len(lines)) // 2
        ops = [field, *set_lines(lines, (inner.x, y), ("bold", fitted.size, ink), style.fonts)]
        if len(fitted.pages) > 1:
            foot = Box(inner.x, 0, inner.width, height - max(1, height // 40))
            ops += page_marks(number, len(fitted.pages), foot, style, (ink, ink, ground))
        pages.append(Page(tuple(ops), sum(len(text.split()) for text in lines)))
    return Composition(tuple(pages))
