from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.models.items import MediaItem
from playlists.performance import MAX_CUES, SHORTEST_S, Cue, lay_out, resume_at, resume_from, total_s
from playlists.units import Seconds


def laid(
    *durations: float | None, loops: int = 1, gap: float = 0.0, length: float | None = None
) -> list[Cue]:
    return lay_out(
        [MediaItem(media=f"media/{n}.ogg") for n in range(len(durations))],
        [None if d is None else Seconds(d) for d in durations],
        loops,
        Seconds(gap),
        None if length is None else Seconds(length),
    )


def plan(cues: list[Cue]) -> list[tuple[int, float | None, float | None, float | None]]:
    """(item, begins at, begins in the item at, sounds for)"""
    return [(cue.item, cue.offset_s, cue.seek_s, cue.for_s) for cue in cues]


def test_items_follow_each_other_with_a_gap_between_any_two() -> None:
    cues = laid(3, 60, loops=2, gap=5)
    assert plan(cues) == [(0, 0, 0, 3), (1, 8, 0, 60), (0, 73, 0, 3), (1, 81, 0, 60)]
    assert [cue.gap_before_s for cue in cues] == [0, 5, 5, 5]
    assert [cue.loop for cue in cues] == [0, 0, 1, 1]
    assert total_s(cues) == 141


def test_a_length_ends_the_last_item_early() -> None:
    assert plan(laid(3, 60, length=40)) == [(0, 0, 0, 3), (1, 3, 0, 37)]


def test_a_length_repeats_the_items_until_it_is_full_whatever_loops_says() -> None:
    cues = laid(20, loops=1, gap=5, length=60)
    assert plan(cues) == [(0, 0, 0, 20), (0, 25, 0, 20), (0, 50, 0, 10)]
    assert total_s(cues) == 60
    assert laid(20, loops=9, gap=5, length=60) == cues


def test_a_length_that_ends_in_a_gap_begins_nothing_more() -> None:
    assert plan(laid(20, gap=5, length=25)) == [(0, 0, 0, 20)]


def test_what_cannot_be_played_is_left_out_with_its_gap() -> None:
    assert plan(laid(0, 10, 0, 20, gap=5)) == [(1, 0, 0, 10), (3, 15, 0, 20)]
    assert laid(0, 0, loops=3) == []
    assert laid(0, length=60) == []
    assert laid() == []
    assert total_s([]) == 0


def test_after_an_item_of_unknown_length_nothing_has_an_offset() -> None:
    cues = laid(3, None, 10, loops=2)
    assert [cue.offset_s for cue in cues] == [0, 3, None, None, None, None]
    assert total_s(cues) is None


def test_with_an_item_of_unknown_length_a_length_does_not_repeat() -> None:
    assert [cue.item for cue in laid(3, None, 10, length=600)] == [0, 1, 2]


def test_a_layout_is_bounded() -> None:
    assert len(laid(0.01, length=7 * 86_400)) == MAX_CUES
    assert len(laid(*[1.0] * 1_000, loops=10_000)) == MAX_CUES


def test_as_many_durations_as_items_are_wanted() -> None:
    with pytest.raises(ValueError, match="zip"):
        lay_out([MediaItem(media="media/a.ogg")], [], 1, Seconds(0), None)


def test_resuming_in_an_item_seeks_in_it() -> None:
    assert plan(resume_from(laid(3, 60, 20, gap=5), Seconds(30))) == [(1, 8, 22, 38), (2, 73, 0, 20)]


def test_resuming_in_a_gap_keeps_the_rest_of_the_gap() -> None:
    left = resume_from(laid(3, 60, gap=5), Seconds(4))
    assert plan(left) == [(1, 8, 0, 60)]
    assert left[0].gap_before_s == 4


def test_resuming_after_the_end_leaves_nothing() -> None:
    assert resume_from(laid(3, 60), Seconds(63)) == []


def test_resuming_beyond_an_item_of_unknown_length_seeks_in_it() -> None:
    assert plan(resume_from(laid(3, None, 10), Seconds(100))) == [(1, 3, 97, None), (2, None, 0, 10)]


def test_resuming_where_the_player_was_cut_off_needs_no_lengths() -> None:
    assert plan(resume_at(laid(None, None, 10), 1, Seconds(7))) == [(1, None, 7, None), (2, None, 0, 10)]
    assert plan(resume_at(laid(None, 10, 20), 1, Seconds(9.999))) == [(2, None, 0, 20)]


lengths = st.floats(0.02, 500, allow_nan=False)


@given(
    durations=st.lists(lengths, min_size=1, max_size=6),
    loops=st.integers(1, 4),
    gap=st.floats(0, 30),
    length=st.none() | st.floats(5, 2_000),
    share=st.floats(0, 1.1),
)
def test_resuming_repeats_nothing_and_loses_at_most_a_block(
    durations: list[float], loops: int, gap: float, length: float | None, share: float
) -> None:
    cues = laid(*durations, loops=loops, gap=gap, length=length)
    total = total_s(cues)
    assert total is not None
    assert length is None or total <= length + 1e-9
    position = total * share
    left = resume_from(cues, Seconds(position))
    # played as one would: from the position on, each gap and each rest in turn
    clock, sounding = position, 0.0
    for cue in left:
        assert cue.offset_s is not None
        assert cue.for_s is not None
        clock += cue.gap_before_s
        assert clock == pytest.approx(cue.offset_s + cue.seek_s, abs=SHORTEST_S + 1e-6)
        clock += cue.for_s
        sounding += cue.for_s
    before = sum(
        min(max(position - cue.offset_s, 0), cue.length_s)
        for cue in cues
        if cue.offset_s is not None and cue.length_s is not None
    )
    whole = sum(cue.length_s for cue in cues if cue.length_s is not None)
    assert before + sounding <= whole + 1e-6
    assert before + sounding >= whole - SHORTEST_S - 1e-6


@given(
    durations=st.lists(lengths, min_size=1, max_size=5),
    gap=st.floats(0, 5),
    length=st.floats(1, 3_000),
)
def test_a_filled_length_is_full_but_for_a_gap_or_a_block(
    durations: list[float], gap: float, length: float
) -> None:
    cues = laid(*durations, gap=gap, length=length)
    total = total_s(cues)
    assert total is not None
    assert len(cues) == MAX_CUES or length - gap - SHORTEST_S - 1e-6 <= total <= length + 1e-6
