"""Lines and pages. The ruler of these tests gives every cluster ten pixels, so that widths can be counted."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.screen.errors import Quarantine
from agent.screen.scripts import clusters
from agent.screen.typesetting import balance, fit, largest, normalise, paginate, without_orphan, wrap
from agent.screen.units import clings


@dataclass(frozen=True)
class TypewriterRuler:
    size: int = 10

    @property
    def line_height(self) -> int:
        return self.size

    def width(self, text: str) -> int:
        return len(clusters(text)) * self.size


RULER = TypewriterRuler()
LETTERS = "aăâeêioôơuưyđnghtx" + "ếễộựẵởÊỘ" + "0123.,:"
words = st.text(alphabet=LETTERS, min_size=1, max_size=12)
texts = st.lists(words, min_size=1, max_size=60).map(" ".join)
forms = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])


@given(texts, st.integers(120, 900))
def test_every_word_is_kept_in_order_and_every_line_fits(text: str, width: int) -> None:
    text = normalise(text)
    for setter in (wrap, balance, without_orphan):
        lines = setter(text, width, RULER)
        assert " ".join(lines).split() == text.split()
        assert all(RULER.width(line) <= width for line in lines)


@given(texts, st.integers(10, 110))
def test_a_word_wider_than_its_line_is_broken_and_no_letter_is_lost(text: str, width: int) -> None:
    text = normalise(text)
    lines = wrap(text, width, RULER)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(RULER.width(line) <= width for line in lines)


@given(texts, st.integers(120, 900))
def test_a_line_is_full_what_comes_next_would_not_have_fitted(text: str, width: int) -> None:
    lines = wrap(normalise(text), width, RULER)
    clinging = iter(clings(normalise(text).split()))
    bound = [list(islice(clinging, len(line.split()))) for line in lines]
    for number, (line, following) in enumerate(pairwise(lines), 1):
        # a number and its unit come together or not at all
        together = 1 + len(list(takewhile(bool, bound[number][1:])))
        assert RULER.width(f"{line} {' '.join(following.split()[:together])}") > width


def test_what_stays_together_goes_to_the_next_line_together() -> None:
    assert wrap("gió cấp 10 và mưa", 60, RULER) == ["gió", "cấp 10", "và mưa"]


@given(texts, st.integers(120, 900))
def test_a_balanced_heading_has_no_more_lines(text: str, width: int) -> None:
    text = normalise(text)
    assert len(balance(text, width, RULER)) <= len(wrap(text, width, RULER))


@given(texts, forms, st.integers(120, 600))
def test_the_form_in_which_vietnamese_arrives_makes_no_difference(text: str, form: str, width: int) -> None:
    arrived = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    assert wrap(normalise(arrived), width, RULER) == wrap(normalise(text), width, RULER)


@given(st.text(max_size=200))
def test_normalised_text_is_nfc_without_what_no_font_draws(text: str) -> None:
    clean = normalise(text)
    assert unicodedata.is_normalized("NFC", clean)
    assert normalise(clean) == clean
    assert "\n\n\n" not in clean and "  " not in clean
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} and c != "\n" for c in clean)


@given(st.text(alphabet="aeo\u0302\u0303\u0306\u0323\u031b", max_size=40))
def test_no_mark_is_torn_off_its_letter(word: str) -> None:
    parts = clusters(word)
    assert "".join(parts) == word
    assert not any(unicodedata.combining(part[0]) for part in parts[1:])


def test_paragraphs_stay_apart() -> None:
    assert wrap(normalise("một\r\nhai\n\n\n\nba"), 500, RULER) == ["một", "hai", "", "ba"]


@given(st.lists(st.sampled_from(["", "x", "yy"]), min_size=1, max_size=80), st.integers(1, 12))
def test_pages_hold_every_line_in_order_within_their_room(lines: list[str], room: int) -> None:
    pages = paginate(lines, room)
    assert [line for page in pages for line in page if line] == [line for line in lines if line]
    assert all(len(page) <= room for page in pages)


@given(st.integers(2, 9), st.integers(1, 60))
def test_no_page_is_left_with_much_less_than_the_others(room: int, count: int) -> None:
    pages = paginate(["x"] * count, room)
    assert len(pages) == -(-count // room)
    assert max(map(len, pages)) - min(map(len, pages)) < len(pages) + 1


@given(texts, st.integers(150, 800), st.integers(40, 400))
def test_text_fits_its_box_at_the_biggest_size_that_allows_one_page(
    text: str, width: int, height: int
) -> None:
    sizes, smaller = [40, 30, 20, 15], [12, 10, 8]
    text = normalise(text)
    fitted = fit(text, (width, height), sizes, TypewriterRuler, smaller=smaller)
    ruler = TypewriterRuler(fitted.size)
    assert all(len(page) * ruler.line_height <= height for page in fitted.pages)
    assert all(ruler.width(line) <= width for page in fitted.pages for line in page)
    if len(fitted.pages) == 1 and fitted.size in sizes[1:]:
        bigger = TypewriterRuler(sizes[sizes.index(fitted.size) - 1])
        assert len(without_orphan(text, width, bigger)) * bigger.line_height > height
    if len(fitted.pages) > 1:
        assert fitted.size <= sizes[-1], "text is paged at the floor, not before"


def test_a_box_too_small_for_the_smallest_type_is_refused_with_its_size() -> None:
    with pytest.raises(Quarantine, match="3×3 pixels"):
        fit("a", (3, 3), [20], TypewriterRuler, smaller=[12, 8])


@given(texts)
def test_an_orphan_is_spared_only_without_another_line(text: str) -> None:
    text = normalise(text)
    assume(text)
    assert len(without_orphan(text, 400, RULER)) == len(wrap(text, 400, RULER))


@given(st.integers(0, 400), st.integers(1, 400))
def test_the_largest_size_that_fits_is_found_with_few_tries(room: int, most: int) -> None:
    tried = []

    def fits(size: int) -> bool:
        tried.append(size)
        return size <= room

    sizes = range(most, 9, -1)
    assert largest(sizes, fits) == next((size for size in sizes if size <= room), None)
    assert len(tried) <= 10
