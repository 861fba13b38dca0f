"""What residents can press on the glass: a bar below the largest zone, there only where touch is configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pygame

from agent.screen.card import set_lines
from agent.screen.content import Zone
from agent.screen.fonts import Weight
from agent.screen.grid import Box
from agent.screen.paint import Fill, Op, Page, paint
from agent.screen.protocol import Action
from agent.screen.stage import NEVER, Stage
from agent.screen.typesetting import balance, fit_on_one
from agent.screen.wishes import Wishes
from agent.screen.wording import language_name
from playlists.units import MonotonicS, Seconds

BAR_PART: Final = 0.085
"""Height of the bar as a share of the screen's: a finger finds 40 mm of a 43" screen."""
PRESSED_S: Final = Seconds(0.4)
LABELS: Final[dict[str, dict[Action, str]]] = {
    "vi": {
        "back": "Trước",
        "next": "Tiếp",
        "read": "Nghe đọc",
        "language": "Ngôn ngữ",
        "useful": "Hữu ích",
        "useless": "Chưa hữu ích",
    },
    "en": {
        "back": "Back",
        "next": "Next",
        "read": "Read aloud",
        "language": "Language",
        "useful": "Useful",
        "useless": "Not useful",
    },
}
"""By the language that a resident has chosen; in the official one, where nobody vouches for a translation."""
SIGNS: Final[dict[Action, str]] = {
    "back": "◀",
    "next": "▶",
    "read": "🔊",
    "language": "🌏",
    "useful": "👍",
    "useless": "👎",
}
"""Beside a label, for who does not read its language; left out where no font has it."""
STACKED_PART: Final = 0.6
"""On a button that is so high beside its width the sign stands above the label."""


@dataclass(frozen=True)
class Button:
    """One thing to press, in the coordinates of the screen."""

    action: Action
    box: Box


class ControlsArea:
    """The bar. It is an `Area`, and shows what the wishes are."""

    def __init__(self, box: Box, wishes: Wishes, stage: Stage, now: MonotonicS) -> None:
        self.zone = Zone("controls", "controls", (0, 0, 1, 1))
        self.box = box
        self.next_at = now
        self.showing: tuple[str, ...] = ()
        self._stage = stage
        self._pressed: Action | None = None
        self._wishes = wishes
        self.buttons = self._lay_out()

    def at(self, point: tuple[int, int]) -> Action | None:
        """What is pressed at a point of the screen."""
        return next((b.action for b in self.buttons if pygame.Rect(b.box).collidepoint(point)), None)

    def press(self, action: Action, now: MonotonicS) -> None:
        """Show that it was pressed."""
        self._pressed, self.next_at = action, now

    def changed(self, now: MonotonicS) -> None:
        """The zone has other bulletins: perhaps in other languages."""
        self.buttons = self._lay_out()
        self.next_at = now

    def advance(self, now: MonotonicS, wall: datetime) -> list[Box]:
        self.restore(now, wall)
        self.next_at = NEVER
        if self._pressed is not None:
            self._pressed = None
            self.next_at = MonotonicS(now + PRESSED_S)
        return [self.box]

    def repaint(self, now: MonotonicS, wall: datetime) -> None:
        self.restore(now, wall)

    def restore(self, now: MonotonicS, wall: datetime) -> None:
        style = self._stage.style
        bar = pygame.Surface(self.box[2:]).convert(self._stage.surface)
        ops: list[Op] = []
        size = self._type_size()
        for button in self.buttons:
            ops += self._face_of(button, size)
        for _ in paint(Page(tuple(ops)), bar, style.fonts, style.theme.ground):
            pass
        self._stage.surface.blit(bar, self.box[:2])

    def prepare(self) -> bool:
        return False

    def shift(self, seconds: Seconds) -> None:
        self.next_at = MonotonicS(self.next_at + seconds)

    def close(self, now: MonotonicS) -> None:
        """Nothing of it is counted."""

    def _type_size(self) -> int:
        """The largest at which every label goes on its button: all have the same."""
        sizes = self._stage.style.sizes
        steps = [*sizes.steps(sizes.floor), *sizes.below_floor()]
        fitted = [self._set(button, steps) for button in self.buttons]
        return min((one[0] for one in fitted if one is not None), default=steps[-1])

    def _set(self, button: Button, steps: Sequence[int]) -> tuple[int, list[str]] | None:
        words = self._words(button)
        fonts = self._stage.style.fonts.for_text(words)
        room = button.box.inset(button.box.height // 8, button.box.height // 16)
        most_lines = 3 if "\n" in words else 2
        return fit_on_one(words, room[2:], steps, fonts.bold, setter=balance, most_lines=most_lines)

    def _face_of(self, button: Button, size: int) -> list[Op]:
        style, down = self._stage.style, button.action == self._pressed
        theme = style.theme
        inside = Box(
            button.box.x - self.box.x, button.box.y - self.box.y, button.box.width, button.box.height
        )
        ground, colour = theme.surface, theme.text
        if down:
            ground, colour = theme.accents["routine"], theme.on_accents["routine"]
        radius = min(style.sizes.radius, inside.height // 3)
        ops: list[Op] = [Fill(inside, ground, radius)]
        if theme.surface == theme.ground and not down:
            edge = max(2, inside.height // 30)
            ops = [Fill(inside, theme.muted, radius), Fill(inside.inset(edge, edge), ground, radius)]
        fitted = self._set(button, [size])
        if fitted is not None:
            fonts = style.fonts.for_text(self._words(button))
            face = fonts.bold(size)
            top = inside.y + (inside.height - len(fitted[1]) * face.line_height) // 2
            for number, line in enumerate(fitted[1]):
                x = inside.x + (inside.width - face.width(line)) // 2
                for part, weight in _parts(line, SIGNS[button.action]):
                    at = (x, top + number * face.line_height)
                    ops += set_lines([part], at, (weight, size, colour), fonts)
                    x += face.width(part)
        return ops

    def _words(self, button: Button) -> str:
        """Its label, and its sign."""
        label, sign = self._label(button.action), SIGNS[button.action]
        if self._stage.style.fonts.lacking(sign):
            return label
        if button.box.height > STACKED_PART * button.box.width:
            return f"{sign}\n{label}"
        return f"{label} {sign}" if button.action == "next" else f"{sign} {label}"

    def _label(self, action: Action) -> str:
        language = self._wishes.language
        if action == "language" and language is not None:
            return language_name(language)
        return LABELS.get((language or "vi").partition("-")[0], LABELS["vi"])[action]

    def _lay_out(self) -> tuple[Button, ...]:
        actions: list[Action] = ["back", "next", "read", "useful", "useless"]
        if len(self._wishes.target.languages) > 1:
            actions.insert(3, "language")
        gap = self._stage.style.sizes.gap
        width = (self.box.width - gap * (len(actions) - 1)) / len(actions)
        return tuple(
            Button(
                action,
                Box(
                    round(self.box.x + number * (width + gap)),
                    self.box.y,
                    max(1, round(width)),
                    self.box.height,
                ),
            )
            for number, action in enumerate(actions)
        )


def _parts(line: str, sign: str) -> list[tuple[str, Weight]]:
    """A line's words in bold, and its sign in regular: no font has signs in bold, and thickened they run together."""
    before, found, after = line.partition(sign)
    parts: list[tuple[str, Weight]] = [(before, "bold"), (found, "regular"), (after, "bold")]
    return [(part, weight) for part, weight in parts if part]


def with_controls(box: Box, screen_height: int, gap: int) -> tuple[Box, Box]:
    """A zone's box made smaller, and the bar below it."""
    height = max(32, round(screen_height * BAR_PART))
    above = Box(box.x, box.y, box.width, max(1, box.height - height - gap))
    return above, Box(box.x, above.bottom + gap, box.width, height)
