"""A pole says and shows its number on request: at the socket, by a button, by an officer's command."""

from __future__ import annotations

import pytest

from agent.worker import WorkerStarted
from drivers.buttons import FakeButton
from tests.agent.conductor.fakes import House, programme
from tests.agent.conductor.test_alarms import SOON, FakeScreen, cap, say
from tests.agent.conductor.test_commands import ask

BUTTON = '[[buttons]]\nname = "who"\npin = 22\nactive = "low"\ndoes = "identify"\n'


@pytest.fixture
def screen() -> FakeScreen:
    return FakeScreen()


@pytest.fixture
def house(build, screen: FakeScreen) -> House:
    house: House = build(screen=screen, extra=BUTTON)
    house.conductor.post(WorkerStarted("screen", 7))
    say(house, event="ready", driver="offscreen", size=[1280, 720])
    return house


def press(house: House, name: str = "who") -> None:
    button = house.buttons[name]
    assert isinstance(button, FakeButton)
    button.press()
    button.release()
    house.run_for(0)


def words(house: House) -> list[str]:
    return [source.text for _, source in house.library.wanted if hasattr(source, "text")]


def remarks(house: House) -> list[str]:
    return [r.text or "" for r in house.records(kind="system") if "identify" in (r.text or "")]


def test_at_the_socket_it_speaks_in_each_of_its_languages_and_shows_it_for_a_while(
    house: House, screen: FakeScreen
) -> None:
    assert ask(house, "identify") == {"ok": True, "number": "pole-07"}
    house.run_for(5)
    assert words(house) == ["Cụm loa số pole-07.", "Loudspeaker number pole-07."]
    assert len(house.heard("identify/")) == 2
    takeover = screen.ops("takeover")[-1]["takeover"]
    assert (takeover["event"], takeover["headline"], takeover["class"]) == (
        "Cụm loa số",
        "pole-07",
        "routine",
    )
    assert screen.sent[-1]["op"] != "clear"
    house.run_for(15)
    assert screen.ops("clear")
    assert remarks(house) == ["identify by lan: pole-07"]


def test_outside_the_hours_it_is_only_shown(build, screen: FakeScreen) -> None:
    house = build(screen=screen, policy='allowed_hours = ["06:00-07:00"]')
    say(house, event="ready", driver="offscreen", size=[1280, 720])
    reply = ask(house, "identify")
    assert "this is pole-07" in reply["error"]
    assert "outside allowed hours" in reply["error"]
    house.run_for(5)
    assert not house.player.heard
    assert screen.ops("takeover")


def test_a_button_asks_for_it_once_in_a_while(house: House) -> None:
    for _ in range(5):
        press(house)
        house.run_for(3)
    assert len(house.heard("identify/")) == 2
    assert remarks(house) == ["identify by button who"]
    house.run_for(30)
    press(house)
    house.run_for(5)
    assert len(house.heard("identify/")) == 4


def test_a_button_cuts_no_programme_but_shows_the_number(house: House, screen: FakeScreen) -> None:
    house.schedule(programme("music", SOON, "long.mp3"))
    house.run_until(SOON)
    house.run_for(5)
    press(house)
    house.run_for(5)
    (music,) = house.heard("music")
    assert music.ended is None
    assert not house.heard("identify/")
    assert screen.ops("takeover")


def test_an_emergency_covers_the_number_and_an_ended_one_gives_it_no_second_turn(
    house: House, screen: FakeScreen
) -> None:
    ask(house, "identify")
    house.command("c1", type="alert", cap=cap("A1", house, for_s=60))
    assert screen.ops("takeover")[-1]["takeover"]["id"] == "A1"
    house.run_for(20)
    assert screen.ops("takeover")[-1]["takeover"]["id"] == "A1"
    house.run_for(60)
    assert screen.sent[-1]["op"] == "clear"


def test_an_officers_words_leave_room_for_the_number(house: House) -> None:
    house.announce("c1", "Cụm loa số {public_number}.")
    house.run_for(5)
    assert words(house) == ["Cụm loa số pole-07."]
    assert house.receipts("c1") == ["started", "finished"]


def test_buttons_are_let_go_at_the_end(house: House) -> None:
    house.stop()
    with pytest.raises(Exception, match="closed"):
        house.buttons["who"].press()  # type: ignore[attr-defined]


def test_a_test_page_is_shown_in_silence_for_a_moment(house: House, screen: FakeScreen) -> None:
    assert ask(house, "test-page") == {"ok": True}
    takeover = screen.ops("takeover")[-1]["takeover"]
    assert (takeover["id"], takeover["headline"], takeover["status"]) == ("test-page", "pole-07", "Test")
    house.run_for(7)
    assert screen.sent[-1]["op"] != "clear"
    house.run_for(3)
    assert screen.sent[-1]["op"] == "clear"
    assert not house.player.heard
    assert [r.text for r in house.records(kind="system") if "test-page" in (r.text or "")]


def test_an_emergency_covers_the_test_page(house: House, screen: FakeScreen) -> None:
    house.command("c1", type="alert", cap=cap("A1", house, for_s=60))
    ask(house, "test-page")
    house.run_for(2)
    assert screen.ops("takeover")[-1]["takeover"]["id"] == "A1"
