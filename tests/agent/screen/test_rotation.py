from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agent.screen.rotation import READING_WORDS_PER_S, SHORTEST_PAGE_S, next_turn, page_times
from playlists.units import Seconds

zones = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3), st.integers(1, 9), min_size=1, max_size=8
)


def turns(weights: list[tuple[str, int]], count: int, credit: dict[str, int] | None = None) -> list[str]:
    dealt, credit = [], credit or {}
    for _ in range(count):
        step = next_turn(weights, credit)
        assert step is not None
        dealt.append(step[0])
        credit = step[1]
    return dealt


@given(zones, st.integers(1, 3))
def test_every_round_gives_each_bulletin_as_many_turns_as_it_weighs(
    zone: dict[str, int], rounds: int
) -> None:
    total = sum(zone.values())
    dealt = turns(list(zone.items()), total * rounds)
    for start in range(0, total * rounds, total):
        assert Counter(dealt[start : start + total]) == zone


@given(zones)
def test_turns_are_spread_evenly(zone: dict[str, int]) -> None:
    """The plain model: of the first n turns a bulletin has its share, give or take its neighbours."""
    total = sum(zone.values())
    dealt = turns(list(zone.items()), total)
    for n in range(1, total + 1):
        seen = Counter(dealt[:n])
        for name, weight in zone.items():
            assert abs(seen[name] - n * weight / total) < max(1, len(zone) - 1)


@given(zones)
def test_equal_bulletins_come_one_after_the_other(zone: dict[str, int]) -> None:
    names = list(zone)
    assert turns([(name, 1) for name in names], 2 * len(names)) == names * 2


@given(zones, st.dictionaries(st.text("xyz", min_size=1, max_size=2), st.integers(-20, 20)))
def test_credit_of_bulletins_that_are_gone_is_forgotten(zone: dict[str, int], old: dict[str, int]) -> None:
    step = next_turn(list(zone.items()), old)
    assert step is not None
    assert set(step[1]) == set(zone)
    assert turns(list(zone.items()), sum(zone.values()), old) == turns(list(zone.items()), sum(zone.values()))


def test_an_empty_zone_gives_no_turn() -> None:
    assert next_turn([], {"a": 1}) is None


@given(st.floats(1, 3_600), st.lists(st.integers(0, 400), min_size=2, max_size=20))
def test_every_page_stays_long_enough_to_be_read(duration: float, words: list[int]) -> None:
    times = page_times(Seconds(duration), words)
    assert all(
        time >= SHORTEST_PAGE_S and time >= n / READING_WORDS_PER_S
        for time, n in zip(times, words, strict=True)
    )
    assert sum(times) >= duration * (1 - 1e-9) or not sum(words)


def test_a_turn_of_one_page_lasts_as_the_bulletin_says() -> None:
    assert page_times(Seconds(7.5), [1_000]) == [7.5]
