"""What the conductor makes of the screen: faults, hours, residents, films with sound."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agent.screenpower import DisplaySwitched
from agent.worker import WorkerSaid, WorkerStarted
from playlists.models.record import Record
from tests.agent.conductor.fakes import START, House, programme
from tests.agent.conductor.test_alarms import FakeScreen, cap, name_of, say
from tests.agent.conductor.test_identity import press

NOTICE = {
    "id": "clinic",
    "title": "Trạm y tế",
    "content": {"text": {"heading": "Lịch tiêm chủng", "body": "Sáng thứ Hai.", "qr": None}},
}
FILM = {
    "id": "film",
    "content": {"video": {"media": "media/film.mp4", "sound": True}},
}


class FakePower:
    """Remembers what the display was told."""

    def __init__(self) -> None:
        self.wanted: list[bool] = []

    def want(self, on: bool) -> None:
        self.wanted.append(on)

    def stop(self) -> None:
        """Nothing to stop."""


@pytest.fixture
def screen() -> FakeScreen:
    return FakeScreen()


@pytest.fixture
def power() -> FakePower:
    return FakePower()


@pytest.fixture
def make(build: Any, screen: FakeScreen, power: FakePower) -> Any:
    def made(screen_keys: str = "", **parts: Any) -> House:
        house: House = build(screen=screen, screen_power=power, screen_keys=screen_keys, **parts)
        house.conductor.post(WorkerStarted("screen", 7))
        say(house, event="ready", driver="offscreen", size=[1280, 720], canvas=[1280, 720])
        return house

    return made


def shows(house: House) -> list[Record]:
    house.node.stage.write_sums(all_of_them=True)
    return house.records(kind="show")


def test_a_screen_that_is_black_or_frozen_is_a_fault_until_it_is_well_or_opened_anew(make: Any) -> None:
    house = make()
    say(house, event="seen", state="black", reason="the screen is black")
    assert house.faults() == {"screen-black"}
    say(house, event="seen", state="frozen", reason="the ticker stands still")
    assert house.faults() == {"screen-frozen"}
    say(house, event="seen", state="well", reason="")
    assert house.faults() == set()
    say(house, event="seen", state="black", reason="the screen is black")
    say(house, event="ready", driver="x11", size=[1280, 720], canvas=[1280, 720])
    assert house.faults() == set()
    assert [record.fault for record in house.records(kind="fault")].count("screen-black") == 4


def test_frames_are_counted_in_the_health(make: Any) -> None:
    house = make()
    say(house, event="pong", n=1, frames=600, late=2)
    now = house.node.wellbeing.build().now.screen
    assert now is not None and (now.frames, now.frames_late) == (600, 2)


def test_outside_its_hours_the_screen_rests_and_sleeps_and_an_emergency_wakes_it(
    make: Any, screen: FakeScreen, power: FakePower
) -> None:
    house = make('on_hours = ["05:00-06:00"]')
    assert screen.ops("rest") == []
    house.run_until(START + timedelta(minutes=60, seconds=1))
    assert [message["resting"] for message in screen.ops("rest")] == [True]
    assert power.wanted == [True, False]
    storm = cap("storm", house)
    house.command("c1", type="alert", cap=storm)
    house.run_for(1)
    assert screen.ops("takeover")
    assert power.wanted[-1] is True
    house.command("c2", type="alert", cap=cap("over", house, "Cancel", names=name_of(storm)))
    house.run_for(1)
    assert power.wanted[-1] is False, "it sleeps again"
    say(house, event="ready", driver="x11", size=[1280, 720], canvas=[1280, 720])
    assert [message["resting"] for message in screen.ops("rest")] == [True, True], "a new screen rests, too"
    house.run_until(START + timedelta(days=1, seconds=1))
    assert screen.ops("rest")[-1]["resting"] is False
    assert power.wanted[-1] is True


def test_a_pole_that_is_asked_for_its_number_at_night_shows_it(make: Any, power: FakePower) -> None:
    button = '[[buttons]]\nname = "who"\npin = 22\nactive = "low"\ndoes = "identify"\n'
    house = make('on_hours = ["05:00-06:00"]', extra=button)
    house.run_until(START + timedelta(minutes=60, seconds=1))
    press(house, "who")
    assert power.wanted[-1] is True
    house.run_for(20)
    assert power.wanted[-1] is False


def test_a_display_that_does_not_obey_is_a_fault(make: Any, power: FakePower) -> None:
    house = make('on_hours = ["05:00-06:00"]')
    house.conductor.post(DisplaySwitched(True, "the television does not answer"))
    house.run_for(0)
    assert house.faults() == {"screen-power"}
    house.conductor.post(DisplaySwitched(True, None))
    house.run_for(0)
    assert house.faults() == set()


def test_without_hours_nobody_touches_the_display(make: Any, power: FakePower) -> None:
    make().run_for(86_400)
    assert power.wanted == []


def test_a_layout_for_how_the_screen_hangs_is_shown(make: Any, screen: FakeScreen) -> None:
    house = make()
    zones = [{"id": "main", "at": [0, 0, 16, 9]}]
    layouts = [{"id": kind, "orientation": kind, "zones": zones} for kind in ("portrait", "landscape")]
    house.schedule(bulletins=[NOTICE], layouts=layouts)
    assert screen.ops("board")[-1]["board"]["layout"] == "landscape"
    say(house, event="ready", driver="x11", size=[1280, 720], canvas=[720, 1280])
    assert screen.ops("board")[-1]["board"]["layout"] == "portrait"


# -- residents ---------------------------------------------------------------------------------------


def test_a_notice_is_read_aloud_and_a_second_press_ends_it(make: Any) -> None:
    house = make(lengths={"Lịch tiêm chủng. Sáng thứ Hai": 30.0})
    house.schedule(bulletins=[NOTICE])
    say(house, event="touched", action="read", bulletin="commune/clinic")
    house.run_for(5)
    (heard,) = house.heard("read/")
    assert heard.relays == {"preamp", "amplifier"}
    say(house, event="touched", action="read", bulletin="commune/clinic")
    house.run_for(5)
    (play,) = house.plays()
    assert (play.outcome, play.reason, play.class_) == ("interrupted", "ended at the board", "routine")
    assert play.played_s is not None and 3 < play.played_s < 6


def test_a_push_button_asks_the_board_for_it(make: Any, screen: FakeScreen) -> None:
    button = '[[buttons]]\nname = "{does}"\npin = {pin}\nactive = "low"\ndoes = "{does}"\n'
    house = make(extra=button.format(does="read", pin=5) + button.format(does="next", pin=6))
    for name in ("read", "next"):
        press(house, name)
    assert [message["action"] for message in screen.ops("act")] == ["read", "next"]


def test_a_notice_is_not_read_aloud_at_night_nor_over_a_programme(make: Any) -> None:
    house = make(policy='allowed_hours = ["05:00-05:10"]', lengths={"long.mp3": 120.0})
    house.schedule(programme("news", START + timedelta(seconds=5), "long.mp3"), bulletins=[NOTICE])
    house.run_for(20)
    say(house, event="touched", action="read", bulletin="commune/clinic")
    house.run_for(1)
    assert house.heard("read/") == []
    house.run_until(START + timedelta(minutes=20))
    say(house, event="touched", action="read", bulletin="commune/clinic")
    house.run_for(30)
    assert house.heard("read/") == []


def test_what_is_not_on_the_board_is_not_read_aloud(make: Any) -> None:
    house = make()
    house.schedule(bulletins=[NOTICE])
    say(house, event="touched", action="read", bulletin="commune/gone")
    say(house, event="touched", action="read", bulletin=None)
    house.run_for(5)
    assert house.player.heard == []


def test_votes_go_up_with_the_showings_of_their_hour(make: Any) -> None:
    house = make()
    house.schedule(bulletins=[NOTICE])
    for action in ("useful", "useful", "useless"):
        say(house, event="touched", action=action, bulletin="commune/clinic")
    message = {"event": "shown", "bulletin": "commune/clinic", "seconds": 60.0, "count": 4}
    house.conductor.post(WorkerSaid("screen", message | {"from": START.isoformat()}))
    house.run_for(0)
    (first,) = shows(house)
    assert (first.bulletin, first.shown, first.shown_s) == ("clinic", 4, 60.0)
    assert (first.useful, first.useless) == (2, 1)


def test_who_was_not_asked_has_not_said_no(make: Any) -> None:
    house = make()
    message = {"event": "shown", "bulletin": "commune/clinic", "seconds": 60.0, "count": 4}
    house.conductor.post(WorkerSaid("screen", message | {"from": START.isoformat()}))
    house.run_for(0)
    (record,) = shows(house)
    assert record.useful is None and record.useless is None


def test_a_notice_without_a_code_of_its_own_gets_one_that_leads_to_the_officer(
    make: Any, screen: FakeScreen
) -> None:
    house = make('feedback_url = "https://xa.example/?loa={node}&tin={bulletin}"')
    own = {"id": "own", "content": {"text": {"heading": "Một", "qr": "https://xa.example/own"}}}
    house.schedule(bulletins=[NOTICE, own])
    zone = screen.ops("board")[-1]["board"]["zones"][0]
    codes = {bulletin["id"]: bulletin["text"]["qr"] for bulletin in zone["bulletins"]}
    assert codes == {
        "commune/clinic": "https://xa.example/?loa=pole-07&tin=commune%2Fclinic",
        "commune/own": "https://xa.example/own",
    }


# -- films with sound --------------------------------------------------------------------------------


def test_a_film_runs_when_its_sound_does_and_its_sound_ends_with_it(make: Any, screen: FakeScreen) -> None:
    house = make(lengths={"film.mp4": 60.0})
    house.schedule(bulletins=[FILM])
    say(house, event="film", bulletin="commune/film", waits=True)
    house.run_for(3)
    (heard,) = house.heard("film/")
    (word,) = screen.ops("film")
    assert word["bulletin"] == "commune/film"
    assert word["at"] == pytest.approx(heard.began, abs=0.1)
    say(house, event="film", bulletin="commune/film", waits=False)
    house.run_for(2)
    (play,) = house.plays()
    assert (play.outcome, play.reason) == ("interrupted", "its film is no longer shown")


def test_a_film_that_may_not_sound_runs_without(make: Any, screen: FakeScreen) -> None:
    house = make(policy='allowed_hours = ["08:00-09:00"]')
    house.schedule(bulletins=[FILM])
    say(house, event="film", bulletin="commune/film", waits=True)
    assert [message["at"] for message in screen.ops("film")] == [None]
    assert house.player.heard == []


def test_a_film_does_not_sound_over_a_programme_and_runs_all_the_same(make: Any, screen: FakeScreen) -> None:
    house = make(lengths={"long.mp3": 120.0})
    house.schedule(programme("news", START + timedelta(seconds=5), "long.mp3"), bulletins=[FILM])
    house.run_for(20)
    say(house, event="film", bulletin="commune/film", waits=True)
    house.run_for(2)
    assert [message["at"] for message in screen.ops("film")] == [None]
    assert house.heard("film/") == []


def test_a_film_without_a_track_to_be_heard_runs_all_the_same(make: Any, screen: FakeScreen) -> None:
    house = make()
    house.library.failures["film.mp4"] = "nothing in it can be decoded as sound"
    house.schedule(bulletins=[FILM])
    say(house, event="film", bulletin="commune/film", waits=True)
    house.run_for(2)
    assert [message["at"] for message in screen.ops("film")] == [None]
