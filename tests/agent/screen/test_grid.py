from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.screen.content import Zone
from agent.screen.grid import Box, place

GRID = (16, 9)
zones = st.builds(
    lambda n, x, y, w, h: Zone(f"z{n}", "bulletins", (x, y, min(w, 16 - x), min(h, 9 - y))),
    st.integers(0, 10**6), st.integers(0, 15), st.integers(0, 8), st.integers(1, 16), st.integers(1, 9),
)  # fmt: skip


@given(
    st.lists(zones, max_size=12),
    st.sampled_from([(1920, 1080), (1080, 1920), (800, 480), (1366, 768)]),
    st.integers(0, 16),
)
def test_zones_lie_on_the_screen_and_never_over_each_other(
    zones: list[Zone], screen: tuple[int, int], gap: int
) -> None:
    placed, refused = place(zones, GRID, screen, gap)
    whole = Box(0, 0, *screen).inset(gap)
    for n, (_, box) in enumerate(placed):
        assert whole.contains(box)
        for _, other in placed[:n]:
            assert not box.overlaps(other)
            beside_x = box.x - other.right >= gap or other.x - box.right >= gap
            beside_y = box.y - other.bottom >= gap or other.y - box.bottom >= gap
            assert beside_x or beside_y, "neighbours keep the gap"
    assert len(placed) + len(refused) == len(zones)


def test_the_later_of_two_zones_in_one_place_is_left_out() -> None:
    first, second = Zone("a", "bulletins", (0, 0, 8, 9)), Zone("b", "bulletins", (7, 0, 2, 2))
    placed, refused = place([first, second], GRID, (1280, 720), 8)
    assert [zone for zone, _ in placed] == [first]
    assert refused == [(second, first)]


@given(st.integers(0, 16))
def test_a_grid_without_gaps_covers_the_screen(gap: int) -> None:
    cells = [Zone(f"{x}-{y}", "bulletins", (x, y, 1, 1)) for x in range(16) for y in range(9)]
    placed, _ = place(cells, GRID, (1366, 768), gap)
    area = sum((box.width + gap) * (box.height + gap) for _, box in placed)
    assert area == (1366 - gap) * (768 - gap)
