"""The endless strip of a ticker, beside a plain model that knows the colour of every column."""

from __future__ import annotations

import pygame
from hypothesis import given
from hypothesis import strategies as st

from agent.screen.grid import Box
from agent.screen.tape import AHEAD_PX, Piece, Tape

GROUND = (9, 8, 7)
VIEW = (150, 2)


def colour(piece: int, column: int) -> tuple[int, int, int]:
    return (100 + piece, column // 256, column % 256)


def paint(piece: Piece, surface: pygame.Surface, box: Box) -> None:
    for column in range(piece.width):
        surface.fill(colour(piece.bulletin, column), (box.x + column, 0, 1, box.height))


def model(widths: list[int], position: int) -> tuple[int, int, int]:
    if position < 0:
        return GROUND
    at = position % sum(widths)
    for piece, width in enumerate(widths):
        if at < width:
            return colour(piece, at)
        at -= width
    raise AssertionError("beyond the last piece")


def tape(widths: list[int]) -> Tape:
    pieces = [Piece("x", width, number) for number, width in enumerate(widths)]
    return Tape(pieces, VIEW, pygame.Surface((1, 1), 0, 32), GROUND, paint)


steps = st.one_of(st.integers(0, 40), st.integers(-400, 5_000))


@given(st.lists(st.integers(1, 90), min_size=1, max_size=6), st.lists(steps, min_size=1, max_size=60))
def test_a_view_shows_its_stretch_of_the_pieces_however_it_came_there(
    widths: list[int], walk: list[int]
) -> None:
    strip = tape(widths)
    position = -VIEW[0]
    for step in walk:
        position = max(-VIEW[0], position + step)
        x = strip.view(position)
        for column in (0, 1, VIEW[0] // 2, VIEW[0] - 1):
            assert strip.surface.get_at((x + column, 1))[:3] == model(widths, position + column)


@given(st.lists(st.integers(1, 90), min_size=1, max_size=400))
def test_it_lies_on_a_surface_no_larger_than_two_views_and_a_piece(widths: list[int]) -> None:
    assert tape(widths).surface.get_width() == 2 * VIEW[0] + AHEAD_PX + max(widths)


def test_each_piece_is_rendered_once_a_round() -> None:
    rendered: list[int] = []
    pieces = [Piece("x", 100, number) for number in range(20)]
    strip = Tape(
        pieces, VIEW, pygame.Surface((1, 1), 0, 32), GROUND, lambda piece, *_: rendered.append(piece.bulletin)
    )
    for position in range(-VIEW[0], 2_000 - VIEW[0] - AHEAD_PX + 1, 3):
        strip.view(position)
    assert rendered == list(range(20))


def test_the_rows_that_were_drawn_on_are_known_and_only_become_more() -> None:
    drawn = {0: Box(0, 4, 5, 2), 1: Box(2, 3, 5, 1), 2: Box(0, 0, 0, 0)}

    def some(piece: Piece, surface: pygame.Surface, box: Box) -> None:
        x, y, width, height = drawn[piece.bulletin]
        surface.fill((200, 0, 0), (box.x + x, y, width, height))

    pieces = [Piece("x", 600, number) for number in (2, 0, 1)]
    strip = Tape(pieces, (VIEW[0], 10), pygame.Surface((1, 1), 0, 32), GROUND, some)
    seen = []
    for position in range(-VIEW[0], 2_000, 10):
        strip.view(position)
        seen.append(strip.ink)
    assert list(dict.fromkeys(seen)) == [(0, 0), (4, 2), (3, 3)]
