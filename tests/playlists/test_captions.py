"""Captions hold every word that is spoken, in order, for as long as it is spoken."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.captions import MOST_CHARACTERS, captions, cut
from playlists.units import Seconds

words = st.text(st.sampled_from("abcđêớỹ0129.,;:!?…–'"), min_size=1, max_size=12)
texts = st.lists(words | st.sampled_from(["\n", "\t", "  "]), max_size=80).map(" ".join)
lengths = st.floats(0.5, 120).map(Seconds)


@given(texts)
def test_no_word_is_lost_or_changed(text: str) -> None:
    assert " ".join(cut(text)).split() == text.split()


@given(st.text(max_size=600))
def test_any_text_is_cut_into_parts_that_fit_and_keeps_its_letters(text: str) -> None:
    parts = cut(text)
    assert all(0 < len(part) <= MOST_CHARACTERS for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(st.text(max_size=600), lengths)
def test_times_join_without_a_gap_from_the_beginning_to_the_end(text: str, length_s: Seconds) -> None:
    found = captions(text, length_s)
    for one, following in pairwise(found):
        assert one.ends_s == following.begins_s
    if found:
        assert found[0].begins_s == 0
        assert found[-1].ends_s == pytest.approx(length_s)
    assert all(one.begins_s <= one.ends_s for one in found)


@given(texts, lengths, st.floats(0.5, 2))
def test_a_slower_voice_stretches_all_alike(text: str, length_s: Seconds, slower: float) -> None:
    before, after = captions(text, length_s), captions(text, Seconds(length_s * slower))
    if before and after:
        assert [c.begins_s * slower for c in before] == pytest.approx([c.begins_s for c in after])


def test_sentences_are_parts_and_a_point_in_a_number_ends_none() -> None:
    assert cut("Giá 22.000 đồng. Xin cảm ơn! Hết… Bà con chú ý\nSơ tán ngay") == (
        "Giá 22.000 đồng.",
        "Xin cảm ơn!",
        "Hết…",
        "Bà con chú ý",
        "Sơ tán ngay",
    )


def test_a_long_sentence_is_cut_at_its_marks() -> None:
    long = "Ban công tác mặt trận thôn 5 kính mời đại diện các hộ gia đình đến nhà văn hóa thôn, " * 2
    assert cut(long.strip()) == (long[: len(long) // 2].strip(),) * 2


def test_what_has_no_mark_is_cut_at_a_space_and_a_word_without_end_anywhere() -> None:
    assert all(part.endswith("bà") or part.endswith("con") for part in cut("bà con " * 60))
    assert cut("ơ" * 300) == ("ơ" * 110, "ơ" * 110, "ơ" * 80)


def test_figures_take_the_time_of_the_words_that_they_are_read_as() -> None:
    year, word = captions("2026! một!", Seconds(5))
    assert year.ends_s - year.begins_s > 2 * (word.ends_s - word.begins_s)


@pytest.mark.parametrize("length_s", [0.1, 1_800])
def test_a_text_that_nobody_can_have_spoken_in_that_time_is_not_shown(length_s: float) -> None:
    assert captions("Chương trình ca nhạc theo yêu cầu của bà con.", Seconds(3.5))
    assert captions("Chương trình ca nhạc theo yêu cầu của bà con.", Seconds(length_s)) == ()


def test_nothing_is_said_of_what_cannot_be_spoken() -> None:
    assert captions("", Seconds(5)) == ()
    assert captions("—", Seconds(5)) == ()
    assert captions("Xin chào", Seconds(0)) == ()
