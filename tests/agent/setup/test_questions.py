"""Which question follows which, and what the answers make of a configuration."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config import Config, parse
from agent.config.editing import change
from agent.setup.machine import Machine
from agent.setup.questions import Interview
from agent.setup.trials import Click, Listen, Page, Tone
from tests.agent.setup.machines import BARE, PI

WIRED = """\
[node]
id = "pole-07"
site = "xa-mau"
public_number = "0007"   # painted in 2026

[audio]
device = "hw:9"

[listener]
device = "USB Audio Device"
self_test_at = "09:00"

[[relays]]
name = "amp"  # the blue board
pin = 22
active = "high"
delay_s = 2.0

[[buttons]]
name = "who"
pin = 17
active = "low"
does = "identify"

[[zones]]
name = "square"
relays = ["amp"]
"""


def interview(text: str = "", machine: Machine = PI) -> Interview:
    return Interview(machine, tomllib.loads(text), "loa-pi.local")


def answer_all(talk: Interview, **answers: str) -> None:
    while (question := talk.question) is not None:
        value = answers.get(question.id.replace("-", "_"), talk.suggestion())
        assert talk.answer(value) is None, question.id


def written(text: str, talk: Interview) -> Config:
    return parse(change(text, talk.changes()))


def test_a_new_node_gets_all_that_was_answered_and_no_more() -> None:
    talk = interview()
    answer_all(talk, id="pole-1", site="xa-mau", number="0001", relays="2", active_2="high", microphone="default",
               screen="yes", rotate="270")  # fmt: skip
    config = written("", talk)
    assert [(relay.name, relay.pin, relay.active) for relay in config.relays] == [
        ("power", 17, "low"), ("amplifier", 27, "high"),
    ]  # fmt: skip
    assert [(zone.name, zone.relays) for zone in config.zones] == [("main", ("power", "amplifier"))]
    assert config.audio.device == "USB Audio Device"
    assert config.listener is not None
    assert config.screen.rotate == 270
    assert "languages" not in change("", talk.changes())


def test_the_hostname_is_the_first_idea_of_a_name() -> None:
    assert interview().suggestion() == "loa-pi"


def test_going_through_again_changes_nothing() -> None:
    talk = interview(WIRED)
    answer_all(talk, screen="no")
    assert talk.changes() == {}


def test_a_new_pin_keeps_the_relays_name_and_comment() -> None:
    talk = interview(WIRED)
    answer_all(talk, relays="1", pin_1="5", screen="no")
    assert change(WIRED, talk.changes()) == WIRED.replace("pin = 22", "pin = 5")


def test_more_relays_go_into_every_zone() -> None:
    talk = interview(WIRED)
    answer_all(talk, relays="2", pin_1="22", pin_2="23")
    assert written(WIRED, talk).zones[0].relays == ("power", "amplifier")


def test_no_relay_leaves_none() -> None:
    talk = interview(WIRED)
    answer_all(talk, relays="0", microphone="none")
    config = written(WIRED, talk)
    assert config.relays == ()
    assert config.zones[0].relays == ()
    assert config.listener is None


def test_a_pin_is_not_offered_twice_nor_that_of_a_button() -> None:
    talk = interview(WIRED)
    offered: dict[str, list[str]] = {}
    while (question := talk.question) is not None:
        offered[question.id] = [option.value for option in question.options]
        talk.answer({"relays": "2", "pin-1": "27"}.get(question.id, talk.suggestion()))
    assert "17" not in offered["pin-1"]
    assert "27" in offered["pin-1"]
    assert "27" not in offered["pin-2"]


@pytest.mark.parametrize(
    ("id_", "value"), [("id", ""), ("id", "cột 7"), ("site", "-x"), ("number", "0" * 65), ("languages", "tiếng"),
                       ("languages", ""), ("relays", "9"), ("pin-1", "28"), ("sound", "other")],
)  # fmt: skip
def test_a_wrong_answer_is_refused_and_the_question_stays(id_: str, value: str) -> None:
    talk = interview()
    while talk.question is not None and talk.question.id != id_:
        talk.answer(talk.suggestion() or "x")
    before = talk.place
    assert talk.answer(value)
    assert talk.place == before


def test_back_shows_what_was_answered() -> None:
    talk = interview()
    talk.answer("pole-1")
    assert talk.back()
    assert talk.suggestion() == "pole-1"
    assert not talk.back()


def test_what_can_be_tried_is_what_was_answered() -> None:
    talk = interview()
    tried: dict[str, Any] = {}
    answers = {"relays": "1", "active-1": "high", "sound": "default", "microphone": "default",
               "screen": "yes", "rotate": "90"}  # fmt: skip
    while (question := talk.question) is not None:
        value = answers.get(question.id, talk.suggestion() or "x")
        tried[question.id] = question.trial(value)
        talk.answer(value)
    relay = Click(17, True)
    assert {name: trial for name, trial in tried.items() if trial} == {
        "active-1": relay, "sound": Tone("default", (relay,)), "microphone": Listen("default"), "rotate": Page(90),
    }  # fmt: skip


def test_a_bare_machine_is_asked_less_and_gets_a_right_configuration() -> None:
    talk = interview(machine=BARE)
    assert talk.place[1] == 7
    answer_all(talk, id="a", site="b")
    assert written("", talk).relays == ()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_answered_forth_and_back_the_configuration_is_right(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(["", WIRED]))
    talk = interview(text, data.draw(st.sampled_from([PI, BARE])))
    for _ in range(data.draw(st.integers(0, 25))):
        question = talk.question
        if question is None or data.draw(st.integers(0, 3)) == 0:
            talk.back()
        elif question.options:
            talk.answer(data.draw(st.sampled_from(question.options)).value)
        else:
            talk.answer(data.draw(st.sampled_from(["pole-1", "vi hmn", "", "x y"])))
    while (question := talk.question) is not None:
        if talk.answer(talk.suggestion()) is not None:
            assert talk.answer("vi") is None
        assert talk.place[0] <= talk.place[1] + 1
    written(text, talk)
