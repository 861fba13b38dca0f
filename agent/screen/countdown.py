"""How long it still is to an instant, in figures as large as they go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from agent.screen.card import Composition, Moment, Style, below, card, fit_head, kicker, moved, set_lines
from agent.screen.content import Bulletin, CountdownPart
from agent.screen.errors import Quarantine
from agent.screen.paint import Op, Page, Text
from agent.screen.typesetting import fit_on_one, normalise
from agent.screen.wording import Wording, wording

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)


def compose_countdown(
    bulletin: Bulletin, countdown: CountdownPart, size: tuple[int, int], style: Style, moment: Moment
) -> Composition:
    """How long it still is, in figures as large as they go.

    Raises:
        Quarantine: the zone does not hold it, or the node does not know the time.
    """
    if not moment.known:
        raise Quarantine("without the right time nothing is counted down")
    left, words = countdown.to - moment.wall, wording(bulletin.language)
    over = left <= timedelta(0)
    heading = normalise(countdown.heading).replace("\n", " ")
    big, small, fresh_until = _left(countdown.to, moment.wall, words)
    if over:
        big, small, fresh_until = normalise(countdown.after) or heading or "00:00", "", None
        heading = heading if big != heading else ""
    style = style.for_text(heading, big, small)
    inner, drawn = card(bulletin.class_, size, style)
    word, column = kicker(bulletin, inner, style)
    sizes, fonts = style.sizes, style.fonts
    steps = [*sizes.steps(round(sizes.heading_top * 0.8)), *sizes.below_floor()]
    head = fit_head(heading, column, steps, style, share=0.34, lines=2) if heading else None
    top = below(head, column)
    room = (column.width, column.bottom - top)
    figures = _widest(big) if not over else big
    large = [*sizes.steps(round(sizes.heading_top * 3)), *sizes.below_floor()]
    lines = 3 if over else 1
    fitted = None
    for share in (0.7, 1.0):
        if share == 1.0:
            small = ""
        fitted = fit_on_one(figures, (room[0], round(room[1] * share)), large, fonts.bold, most_lines=lines)
        if fitted is not None:
            break
    if fitted is None:
        raise Quarantine(f"its box of {room[0]}×{room[1]} pixels does not hold what is counted down")
    accent = style.theme.accents[bulletin.class_]
    face = fonts.bold(fitted[0])
    shown = fitted[1] if over else [big]
    below_it = fit_on_one(
        _widest(small),
        (room[0], room[1] - len(shown) * face.line_height),
        [s for s in sizes.steps(sizes.body_top) if s <= fitted[0]] or [sizes.small],
        fonts.regular,
        most_lines=1,
    )
    texts: list[Text] = set_lines(shown, (column.x, top), ("bold", fitted[0], accent), fonts)
    bottom = top + len(shown) * face.line_height
    if small and below_it is not None:
        texts += set_lines([small], (column.x, bottom), ("regular", below_it[0], style.theme.text), fonts)
        bottom += fonts.regular(below_it[0]).line_height
    drop = max(0, round((column.bottom - bottom) * 0.42))
    ops: list[Op] = [*drawn]
    ops += [moved(op, drop) for op in (*word, *(head.lines if head is not None else ()), *texts)]
    count = len(f"{heading} {big} {small}".split())
    return Composition((Page(tuple(ops), count),), fresh_until=fresh_until)


def is_over(bulletin: Bulletin, wall: datetime) -> bool:
    """Whether it counts down to what has come, and has nothing to say after it: then it is not shown."""
    part = bulletin.countdown
    return part is not None and not normalise(part.after) and wall >= part.to


def _left(to: datetime, wall: datetime, words: Wording) -> tuple[str, str, datetime | None]:
    """What is still left, in large and in small; and when that changes."""
    left = max(timedelta(0), to - wall)
    if left <= HOUR:
        seconds = -(-left // timedelta(seconds=1))  # what is begun counts: it ends with the instant itself
        return f"{seconds // 60:02}:{seconds % 60:02}", "", to - timedelta(seconds=max(0, seconds - 1))
    minutes = -(-left // MINUTE)
    days, hours = minutes // 1440, minutes % 1440 // 60
    changes_at = to - (minutes - 1) * MINUTE
    rest = words.hours_left.format(hours, minutes % 60)
    return (words.days_left.format(days), rest, changes_at) if days else (rest, "", changes_at)


def _widest(text: str) -> str:
    """The same with figures that are all as wide as a 0, and always two of them: its size does not jump."""
    zeros = "".join("0" if char.isdigit() else char for char in text)
    return " ".join("00" if word == "0" else word for word in zeros.split(" "))
