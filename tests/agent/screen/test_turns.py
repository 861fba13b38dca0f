"""What happens in a zone as time goes by: whose turn it is, what changes in its place, what a turn may last."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from zlib import crc32

import numpy as np
import pytest

from agent.screen import aside
from agent.screen.content import Bulletin, CountdownPart, ReadingsPart, TextPart, Value
from agent.screen.grid import Box
from playlists.units import Seconds
from tests.agent.screen.conftest import START, Bench, notice, zone
from tests.support.wait import wait_until

LONG = "Bà con trong xóm chú ý theo dõi và thực hiện theo hướng dẫn của trạm y tế xã. " * 250
"""20,000 letters."""


def weather(value: str | None, minutes: float = 0.5) -> Bulletin:
    at = START - timedelta(minutes=minutes)
    values = (Value("Nhiệt độ", value, "°C", at), Value("Độ ẩm", "82", "%", at))
    return Bulletin("weather", readings=ReadingsPart(values, "Thời tiết"))


def test_twenty_thousand_letters_do_not_hold_the_board_and_are_all_shown(bench: Bench) -> None:
    bench.show(zone(notice("long", "Dài", LONG, duration_s=15), notice("b", duration_s=10)))
    seen: set[int] = set()
    begun = bench.now
    while bench.now < begun + 2_400:
        bench.view.picture_ready(bench.now)  # perhaps the long one has been set aside
        bench.pass_time(5.0)
        seen.add(crc32(bench.surface.get_view("0").raw))
    showings = [one.showing[0] for one in bench.showings() if one.showing]
    assert set(pairwise(showings)) == {("long", "b"), ("b", "long")}
    assert len(showings) > 2 * (bench.now - begun) / 135
    assert sum(one.seconds / max(1, one.count) > 121 for one in bench.shown() if one.bulletin == "long") == 0
    assert len(seen) > 20, "later turns go on where the ones before ended"


def test_while_there_is_an_emergency_only_emergencies_take_turns(bench: Bench) -> None:
    routine = notice("a", duration_s=5)
    bench.show(zone(routine, notice("c", duration_s=5)))
    storm = notice("storm", "Bão", duration_s=5, class_="emergency")
    bench.show(zone(storm, routine, notice("c", duration_s=5)))
    bench.pass_time(30)
    assert [one.showing for one in bench.showings()][-1] == ("storm",)
    assert [one.showing for one in bench.showings()].count(("storm",)) == 1
    bench.show(zone(routine, notice("c", duration_s=5)))
    bench.pass_time(6)
    assert {one.showing for one in bench.showings()[-2:]} == {("a",), ("c",)}


def test_an_emergency_that_cannot_be_drawn_does_not_keep_the_others_away(bench: Bench) -> None:
    broken = Bulletin("storm", "emergency")
    bench.show(zone(broken, notice("a")))
    bench.pass_time(1)
    assert bench.showings()[-1].showing == ("a",)
    assert [name for name, _ in bench.failures()] == ["storm"]


def test_an_age_changes_in_its_place_and_nothing_else_does(bench: Bench) -> None:
    bench.show(zone(weather("17,5")))
    before = bench.pixels()
    painted = len(bench.presented)
    bench.pass_time(29)
    assert len(bench.presented) == painted
    bench.pass_time(2)
    (dirty,) = bench.presented[painted]
    assert dirty.width < bench.surface.get_width() and dirty.height < bench.surface.get_height() / 3
    after = bench.pixels()
    changed = (before != after).any(axis=2)
    assert changed[dirty.y : dirty.bottom, dirty.x : dirty.right].any()
    changed[dirty.y : dirty.bottom, dirty.x : dirty.right] = False
    assert not changed.any()
    assert len(bench.showings()) == 1, "it is the same showing"


def test_a_new_reading_takes_the_place_of_the_old_one_without_a_turn(bench: Bench) -> None:
    bench.show(zone(weather("17,5")))
    painted, showings = len(bench.presented), len(bench.showings())
    box = Box(0, 0, *bench.surface.get_size())
    frames = []
    bench.view.set_board(replace(bench.view._board, zones=(zone(weather("18,0")),)), bench.now)  # type: ignore[type-var, arg-type]
    for _ in range(5):
        bench.pass_time(0.1)
        frames.append(bench.pixels().copy())
    (boxes,) = bench.presented[painted:]
    (dirty,) = boxes
    assert dirty != box and dirty.height < box.height / 3
    assert all(np.array_equal(frame, frames[0]) for frame in frames)
    assert len(bench.showings()) == showings


def test_a_countdown_ticks_and_ends(bench: Bench) -> None:
    part = CountdownPart(START + timedelta(seconds=5), "Đến giờ", "Chúc mừng năm mới")
    bench.show(zone(Bulletin("tet", countdown=part)))
    painted = len(bench.presented)
    bench.pass_time(10)
    assert 5 <= len(bench.presented) - painted <= 6, "a second each, and then it stays"
    assert bench.view.next_at > bench.now + 20


def test_a_countdown_that_is_over_and_says_nothing_then_is_shown_no_more(bench: Bench) -> None:
    part = CountdownPart(START + timedelta(seconds=25), "Còn bao lâu đến Tết")
    bench.show(zone(notice("a", duration_s=10), Bulletin("tet", countdown=part, duration_s=Seconds(60))))
    bench.pass_time(24)
    assert bench.showings()[-1].showing == ("tet",)
    bench.pass_time(1.5)
    assert bench.showings()[-1].showing == ("a",), "at that very moment"
    bench.pass_time(120)
    assert [one.showing for one in bench.showings()].count(("tet",)) == 1
    assert bench.failures() == []


def test_a_countdown_that_is_alone_and_over_leaves_an_empty_zone(bench: Bench) -> None:
    part = CountdownPart(START + timedelta(seconds=5), "Còn bao lâu đến Tết")
    bench.show(zone(Bulletin("tet", countdown=part)))
    bench.pass_time(6)
    assert bench.showings()[-1].showing == ()
    assert bench.view.next_at > bench.now + 20


def test_what_comes_up_is_true_at_that_moment(bench: Bench) -> None:
    """It was painted aside a turn ago, when its age was another."""
    bench.show(zone(notice("a", duration_s=45), weather("17,5")))
    bench.pass_time(46)
    shown = bench.pixels().copy()
    other = zone(weather("17,5"))
    bench.view.set_board(replace(bench.view._board, zones=(other,)), bench.now)  # type: ignore[type-var, arg-type]
    bench.pass_time(0.5)
    assert np.array_equal(shown, bench.pixels())


@pytest.mark.parametrize("order", [("a", "live"), ("live", "a")])
def test_a_countdown_without_a_clock_costs_its_turn_only(bench: Bench, order: tuple[str, str]) -> None:
    live = Bulletin("live", countdown=CountdownPart(START + timedelta(days=2), "Đến"))
    both = {"a": notice("a"), "live": live}
    bench.show(zone(*(both[name] for name in order)), clock_known=False)
    bench.pass_time(20)
    assert bench.showings()[-1].showing == ("a",)
    assert "right time" in bench.failures()[0][1]


def test_a_turn_of_many_pages_counts_as_one_showing(bench: Bench) -> None:
    pages = Bulletin("md", text=TextPart("Dài", "- mục\n" * 60, None, "markdown"), duration_s=Seconds(20))
    bench.show(zone(pages, notice("b", duration_s=5)))
    bench.pass_time(59)
    bench.view.report(bench.now, bench.wall)
    sums = {one.bulletin: one.count for one in bench.shown()}
    assert sums["md"] == sum(one.showing == ("md",) for one in bench.showings())


def test_what_takes_long_to_set_is_set_aside_and_the_ticker_does_not_wait(bench: Bench) -> None:
    short, long = notice("a", duration_s=2), notice("long", "Dài", LONG, duration_s=2)
    bench.show(
        zone(short, long, at=(0, 0, 16, 8)), zone(notice("t", body="Chạy"), at=(0, 8, 16, 1), kind="ticker")
    )
    begun = time.monotonic()
    while bench.view.prepare():
        pass
    assert time.monotonic() - begun < 0.25, "nothing is composed here"
    bench.pass_time(3)
    assert all("long" not in one.showing for one in bench.showings()), "until it is there, what is seen stays"

    def comes() -> bool:
        bench.view.picture_ready(bench.now)
        bench.pass_time(2.5)
        return any("long" in one.showing for one in bench.showings())

    wait_until(comes, 20, "the long one is shown")


def test_what_cannot_be_set_aside_costs_its_turn(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr(aside, "pages", raises)
    bench.show(zone(notice("long", "Dài", LONG), notice("a")))

    def told() -> bool:
        bench.view.picture_ready(bench.now)
        bench.pass_time(0.5)
        return bool(bench.failures())

    wait_until(told, 20, "it is told")
    assert bench.failures() == [("long", "ZeroDivisionError: by hand")]
    assert bench.showings()[-1].showing == ("a",)
