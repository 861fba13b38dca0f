"""Turned, inset and wandering: every pixel of the canvas has its place on the screen, and only there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.screen.errors import Rejected
from agent.screen.fitting import fit_to
from agent.screen.grid import Box
from agent.screen.manner import TURNS, Manner, read_manner

manners = st.builds(
    Manner,
    rotate=st.sampled_from(TURNS),
    overscan_percent=st.floats(0, 10),
    shift_px=st.integers(0, 16),
)


@given(manners, st.tuples(st.integers(320, 2_000), st.integers(240, 2_000)), st.integers(0, 40), st.data())
def test_a_point_that_is_drawn_is_where_it_is_touched(
    manner: Manner, window: tuple[int, int], step: int, data: st.DataObject
) -> None:
    fitting = fit_to(window, manner)
    width, height = fitting.canvas
    point = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    on_window = fitting.place(Box(*point, 1, 1), step)
    assert Box(0, 0, *window).contains(on_window)
    assert fitting.point(on_window[:2], step) == point


@given(manners, st.tuples(st.integers(320, 2_000), st.integers(240, 2_000)), st.integers(0, 40))
def test_the_picture_never_leaves_the_screen_and_moves_by_one_step_at_a_time(
    manner: Manner, window: tuple[int, int], step: int
) -> None:
    fitting = fit_to(window, manner)
    whole = Box(0, 0, *fitting.canvas)
    here, there = fitting.place(whole, step), fitting.place(whole, step + 1)
    assert Box(0, 0, *window).contains(here)
    assert abs(here.x - there.x) <= manner.shift_px and abs(here.y - there.y) <= manner.shift_px
    if manner.shift_px:
        assert {fitting.place(whole, n)[:2] for n in range(11)} == {
            (fitting.margin[0] + x * manner.shift_px, fitting.margin[1] + y * manner.shift_px)
            for x in (-1, 0, 1)
            for y in (-1, 0, 1)
        }, "each place has its share"


def test_a_screen_that_hangs_as_it_is_costs_no_copy() -> None:
    assert fit_to((1920, 1080), Manner()).plain
    assert not fit_to((1920, 1080), Manner(rotate=180)).plain
    assert fit_to((1920, 1080), Manner(rotate=90)).canvas == (1080, 1920)
    assert fit_to((1920, 1080), Manner(overscan_percent=5)).canvas == (1728, 972)


@pytest.mark.parametrize("text", ["", "[1]", '{"rotate": 45}', '{"colour": 1}', '{"rotate": "90"}'])
def test_a_manner_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match="manner"):
        read_manner(text)


@given(manners)
def test_a_manner_comes_over_the_command_line_as_it_was(manner: Manner) -> None:
    assert read_manner(manner.to_json()) == manner
