"""What residents ask of the board: the page before, another language, a vote."""

from __future__ import annotations

import pygame
import pytest

from agent.screen.board import BoardView
from agent.screen.content import Board, Bulletin, TextPart
from agent.screen.controls import SIGNS
from agent.screen.fonts import Fonts
from agent.screen.manner import Manner
from agent.screen.paint import Text
from agent.screen.pictures import Pictures
from agent.screen.protocol import Touched
from playlists.units import MonotonicS, Seconds
from tests.agent.screen.conftest import Bench, notice, zone


def ask(bench: Bench, action: str) -> tuple[str, int]:
    """Press it; the bulletin and the page that are on show then."""
    bench.view.act(action, bench.now)  # type: ignore[arg-type]
    bench.pass_time(0.5)
    turn = bench.view._areas[0]._turn  # type: ignore[union-attr]
    assert turn is not None
    return turn.bulletin.id, turn.number


def counted(bench: Bench) -> dict[str, int]:
    bench.view.report(bench.now, bench.wall)
    return {one.bulletin: one.count for one in bench.shown()}


def paged(name: str) -> Bulletin:
    text = TextPart("Dài", "- mục\n" * 60, None, "markdown")
    return Bulletin(name, text=text, duration_s=Seconds(60))


def test_back_on_the_first_page_goes_to_the_bulletin_before(bench: Bench) -> None:
    bench.show(zone(notice("a"), paged("long"), notice("c")))
    assert ask(bench, "next") == ("long", 0)
    assert ask(bench, "back") == ("a", 0)
    assert ask(bench, "back") == ("a", 0), "nothing was before it: nothing happens"
    bench.pass_time(10)
    assert bench.showings()[-1].showing == ("c",), "going back cost nobody a turn"
    assert counted(bench) == {"a": 2, "long": 1, "c": 1}


def test_back_within_a_bulletin_is_the_same_showing(bench: Bench) -> None:
    bench.show(zone(notice("a"), paged("long"), notice("c")))
    assert ask(bench, "next") == ("long", 0)
    for _ in range(3):
        assert ask(bench, "next") == ("long", 1)
        assert ask(bench, "back") == ("long", 0)
    assert ask(bench, "back") == ("a", 0)
    assert counted(bench) == {"a": 2, "long": 1}


def test_back_goes_through_what_was_on_show_to_the_first(bench: Bench) -> None:
    bench.show(zone(notice("a"), paged("long"), notice("c")))
    pages = [("a", 0), ask(bench, "next")]
    while pages[-1][0] != "c":
        pages.append(ask(bench, "next"))
    assert len(pages) > 3
    assert ask(bench, "back") == ("long", 0), "a bulletin begins with its first page"
    assert ask(bench, "back") == ("a", 0)


def test_back_waits_for_nothing_that_was_withdrawn(bench: Bench) -> None:
    bench.show(zone(notice("a"), notice("b"), notice("c")))
    ask(bench, "next")
    ask(bench, "next")
    bench.show(zone(notice("a"), notice("c")))
    assert ask(bench, "back") == ("a", 0)


def test_a_button_asks_for_a_language_and_after_two_minutes_all_are_shown_again(bench: Bench) -> None:
    bulletins = [notice("a", "Một"), notice("b", "One", language="en"), notice("c", "Hai")]
    bench.show(zone(*bulletins))
    bench.view.act("next", bench.now)
    bench.pass_time(0.2)
    assert bench.showings()[-1].showing == ("b",)
    bench.view.act("language", bench.now)
    bench.pass_time(40)
    assert {s.showing for s in bench.showings()[2:]} == {("a",), ("c",)}
    count = len(bench.showings())
    bench.pass_time(130)
    assert ("b",) in {s.showing for s in bench.showings()[count:]}


def test_a_vote_by_a_button_is_told_with_what_is_on_show_and_counts_once(bench: Bench) -> None:
    bench.show(zone(notice("a")))
    for _ in range(4):
        bench.view.act("useful", bench.now)
        bench.pass_time(1.0)
    told = [event for event in bench.events if isinstance(event, Touched)]
    assert [(event.action, event.bulletin) for event in told] == [("useful", "a")] * 2


def test_buttons_are_in_the_language_that_was_chosen_and_name_it_as_its_speakers_do(
    bench: Bench, fonts: Fonts
) -> None:
    pictures = Pictures(lambda: None)
    bench.view = BoardView(
        bench.surface, fonts, pictures, bench.events.append, "dark", Manner(touch=True, transitions=False)
    )
    languages = ("en", "tyz", "rad")
    bench.show(zone(notice("a"), *(notice(name, language=name) for name in languages)))
    controls = bench.view._controls
    assert controls is not None
    said = []
    for _ in range(5):
        ask(bench, "language")
        said.append((controls._label("language"), controls._label("next")))
    pictures.close()
    assert said == [
        ("Tiếng Việt", "Tiếp"),
        ("English", "Next"),
        ("Tày", "Tiếp"),
        ("Êđê", "Tiếp"),
        ("Ngôn ngữ", "Tiếp"),
    ]


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (1080, 1920)])
def test_each_button_has_its_sign_and_its_label_inside_whatever_the_language(
    fonts: Fonts, size: tuple[int, int]
) -> None:
    pictures = Pictures(lambda: None)
    view = BoardView(pygame.Surface(size), fonts, pictures, lambda _: None, "light", Manner(touch=True))
    view.set_board(Board("b", (16, 9), (zone(notice("a"), notice("b", language="km")),)), MonotonicS(0.0))
    controls = view._controls
    pictures.close()
    assert controls is not None and len(controls.buttons) == len(SIGNS)
    for number, language in enumerate((None, "km", "tyz", "en")):
        controls._wishes.language = language
        for button in controls.buttons:
            inside = pygame.Rect(button.box).move(-controls.box.x, -controls.box.y)
            texts = [op for op in controls._face_of(button, controls._type_size()) if isinstance(op, Text)]
            assert all(inside.contains(pygame.Rect(op.box)) for op in texts), number
            said = "".join(op.text for op in texts).replace(" ", "")
            assert SIGNS[button.action] in said
            assert controls._label(button.action).replace(" ", "") in said


def test_what_is_on_show_in_the_language_that_is_asked_for_stays_and_is_no_new_showing(bench: Bench) -> None:
    bench.show(zone(notice("a"), notice("b", language="en"), notice("c")))
    assert ask(bench, "language") == ("a", 0)
    assert ask(bench, "language") == ("b", 0)
    assert ask(bench, "language") == ("b", 0)
    assert counted(bench) == {"a": 1, "b": 1}
