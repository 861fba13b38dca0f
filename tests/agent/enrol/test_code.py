"""The code that a technician types on a phone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.enrol.code import ALPHABET, ID_LENGTH, LENGTH, Code, make, read
from agent.enrol.errors import BadCode


def test_codes_differ_and_are_read_back() -> None:
    codes = {str(make()) for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert str(read(code)) == code
        assert len(code) == 19


def test_it_is_read_however_it_is_typed() -> None:
    code = make()
    loose = str(code).replace("-", " ").replace("0", "o").replace("1", "l").lower()
    assert read(f"  {loose} ") == code


@given(st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_letter_is_always_told(place: int, letter: str) -> None:
    letters = make().letters
    if letters[place] != letter:
        with pytest.raises(BadCode, match="mistyped"):
            read(letters[:place] + letter + letters[place + 1 :])


@pytest.mark.parametrize("text", ["", "ABCD", "0" * 17, "U" * 16, "ẤÁ" * 8, "4KQ7-9XW2-MC0T-H8R!"])
def test_what_is_no_code_is_said(text: str) -> None:
    with pytest.raises(BadCode):
        read(text)


def test_the_key_needs_the_whole_code_and_a_log_shows_only_its_name() -> None:
    code = make()
    other = Code(code.letters[:-2] + ("0" if code.letters[-2] != "0" else "1") + code.letters[-1])
    assert code.key() == Code(code.letters).key() != other.key()
    assert code.letters[ID_LENGTH:] not in repr(code)
