"""Looks at a screen, and what is made of them."""

from __future__ import annotations

from agent.screen.proof import Look, Proof, Verdict
from playlists.units import MonotonicS

LIT = bytes(range(16, 76)) * 3
"""Twenty points, none of them black."""
BLACK = bytes(len(LIT))
OTHER = bytes((value + 120) % 256 for value in LIT)


def look(
    at: float,
    seen: bytes = LIT,
    *,
    meant: bytes | None = None,
    lit: bool = True,
    moving: bytes = b"",
    frames: int = 0,
) -> Look:
    return Look(MonotonicS(at), lit, meant, seen, moving, frames)


def verdicts(*looks: Look) -> list[Verdict]:
    proof = Proof(MonotonicS(0.0))
    return [verdict for one in looks if (verdict := proof.judge(one)) is not None]


def test_a_screen_that_shows_what_was_drawn_is_well() -> None:
    assert verdicts(*(look(at, meant=LIT) for at in range(10))) == []


def test_black_is_told_at_the_second_look_and_taken_back_at_the_first_good_one() -> None:
    found = verdicts(look(10), look(20, BLACK), look(22, BLACK), look(32, BLACK), look(42), look(52))
    assert [(one.state, one.since) for one in found] == [("black", 10.0), ("well", 42.0)]


def test_one_bad_look_is_none() -> None:
    assert verdicts(look(10), look(20, BLACK), look(22), look(32, BLACK), look(34)) == []


def test_a_screen_that_should_be_black_may_be() -> None:
    assert verdicts(look(10, BLACK, lit=False), look(20, BLACK, lit=False)) == []


def test_a_screen_that_shows_something_else_is_frozen() -> None:
    (found,) = verdicts(look(10, OTHER, meant=LIT), look(12, OTHER, meant=LIT))
    assert found.state == "frozen"
    assert found.reason == "100% of the screen shows something other than what was drawn"


def test_a_cursor_over_the_board_or_a_screen_of_few_colours_is_no_fault() -> None:
    spotted = OTHER[:12] + LIT[12:]
    rounded = bytes(value & 0xF8 for value in LIT)
    assert verdicts(*(look(at, spotted, meant=LIT) for at in (10, 20, 30))) == []
    assert verdicts(*(look(at, rounded, meant=LIT) for at in (10, 20, 30))) == []


def test_a_ticker_that_stands_still_is_frozen() -> None:
    still = [look(at, moving=LIT, frames=at * 60) for at in (10, 20, 30)]
    (found,) = verdicts(*still)
    assert (found.state, found.since) == ("frozen", 10.0)
    assert "has not moved in 10.0 s" in found.reason


def test_a_ticker_whose_frames_are_not_presented_is_frozen() -> None:
    (found,) = verdicts(*(look(at, moving=LIT[at:] + LIT[:at], frames=5) for at in (0, 10, 20)))
    assert "0 frames were presented in 10.0 s" in found.reason


def test_a_ticker_that_moves_is_well_also_when_it_has_just_begun() -> None:
    moving = [look(at, moving=LIT[:30] if at % 20 else LIT[30:60], frames=at * 60) for at in (10, 20, 30)]
    assert verdicts(look(0), *moving) == []


def test_frozen_after_black_is_told_too() -> None:
    found = verdicts(
        look(0), look(10, BLACK), look(12, BLACK), look(22, OTHER, meant=LIT), look(24, OTHER, meant=LIT)
    )
    assert [one.state for one in found] == ["black", "frozen"]


def test_a_screen_that_was_pulled_out_is_told_whatever_the_window_holds() -> None:
    gone = [Look(MonotonicS(at), True, LIT, LIT, b"", 0, plugged=False) for at in (20, 22)]
    found = verdicts(look(10), *gone, look(32))
    assert [(one.state, one.since) for one in found] == [("unplugged", 10.0), ("well", 32.0)]


def test_a_screen_that_rests_may_be_pulled_out() -> None:
    assert verdicts(*(Look(MonotonicS(at), False, LIT, LIT, b"", 0, plugged=False) for at in (10, 12))) == []
