"""Both faces of the wizard, driven as a technician does."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from agent import words
from agent.config import ConfigError, Problem
from agent.setup.fullscreen import Wizard
from agent.setup.plain import converse
from agent.setup.questions import Interview
from agent.setup.trials import Click
from agent.setup.trying import Outcome
from tests.agent.setup.machines import PI


class Tries:
    """Remembers what was tried."""

    def __init__(self) -> None:
        self.tried: list[Any] = []

    def try_(self, trial: Any) -> Outcome:
        self.tried.append(trial)
        return Outcome(True, "it has clicked")


def review(changes: Mapping[str, Any]) -> list[str]:
    return [f"+{key} = {value}" for key, value in changes.items()]


def refuse(_changes: Mapping[str, Any]) -> list[str]:
    raise ConfigError("config.toml", [Problem("[node]", "id", None, "is wrong")])


def talk() -> Interview:
    return Interview(PI, {"node": {"id": "pole-07", "site": "xa-mau"}})


# ---- plain


def plain(*lines: str, review_: Any = review) -> tuple[bool, list[str], Interview, Tries]:
    interview, tries, out = talk(), Tries(), []
    waiting: Iterator[str] = iter(lines)

    def read(prompt: str) -> str:
        out.append(prompt)
        try:
            return next(waiting)
        except StopIteration:
            raise EOFError from None

    agreed = converse(interview, tries, review_, read, out.append)  # type: ignore[arg-type]  # a tryer of our own
    return agreed, out, interview, tries


def test_enter_takes_every_suggestion() -> None:
    agreed, out, interview, _ = plain(*[""] * 20)
    assert agreed
    assert interview.answers["relays"] == "1"
    assert any("Raspberry Pi 4" in line for line in out)
    assert '+relays."amplifier".pin = 17' in out


def test_numbers_answer_pins_as_they_are_and_lists_by_place() -> None:
    _, _, interview, _ = plain("", "", "0007", "", "2", "5", "2", "6", "1", "1", "2", *[""] * 9)
    said = interview.answers
    assert (said["number"], said["relays"], said["pin-1"], said["active-1"], said["pin-2"]) == (
        "0007",
        "2",
        "5",
        "high",
        "6",
    )
    assert said["sound"] == "bcm2835 Headphones"
    assert said["microphone"] == "USB Audio Device"


def test_an_answer_is_tried_and_nothing_else_is_settled() -> None:
    _, out, _, tries = plain("", "", "", "", "1", "17", "!2", "!", "2", *[""] * 9)
    assert tries.tried == [Click(17, True), Click(17, False)]
    assert "✓ it has clicked" in out


def test_back_goes_back_and_wrong_answers_are_told() -> None:
    agreed, out, interview, _ = plain("", "no site", "xa-kim", "<", "<", "pole-9", *[""] * 20)
    assert agreed
    assert any(line.startswith("! it begins with a letter") for line in out)
    assert interview.answers["id"] == "pole-9"
    assert interview.answers["site"] == "xa-kim"


def test_nobody_there_writes_nothing() -> None:
    with pytest.raises(EOFError):
        plain("", "")


def test_what_is_not_right_is_told_and_asked_again() -> None:
    with pytest.raises(EOFError):
        plain(*[""] * 11, review_=refuse)


# ---- full screen


def drive(
    script: Callable[[Wizard, Pilot[bool], Tries], Any],
    size: tuple[int, int] = (60, 20),
    review_: Any = review,
) -> Any:
    tries = Tries()

    async def run() -> Any:
        wizard = Wizard(talk(), tries, review_)  # type: ignore[arg-type]  # a tryer of our own
        async with wizard.run_test(size=size) as pilot:
            await script(wizard, pilot, tries)
        return wizard.return_value

    return asyncio.run(run())


def text(wizard: Wizard, id_: str) -> str:
    return str(wizard.query_one(id_, Static).content)


@pytest.mark.parametrize("size", [(60, 20), (120, 40)])
def test_enter_walks_to_the_difference_and_writes(size: tuple[int, int]) -> None:
    async def script(wizard: Wizard, pilot: Pilot[bool], _: Tries) -> None:
        assert "Raspberry Pi 4" in text(wizard, "#said")
        while wizard._interview.question is not None:
            await pilot.press("enter")
        assert "+screen.enabled = True" in text(wizard, "#lines")
        await pilot.press("enter")

    assert drive(script, size) is True


def test_text_is_typed_and_options_are_chosen_with_the_arrows() -> None:
    async def script(wizard: Wizard, pilot: Pilot[bool], _: Tries) -> None:
        await pilot.press("enter", "enter", *"0007", "enter", "enter")
        assert wizard._interview.question.id == "relays"  # type: ignore[union-attr]
        await pilot.press("down", "enter")
        assert wizard._interview.answers["number"] == "0007"
        assert wizard._interview.answers["relays"] == "2"
        await pilot.press("escape")
        assert wizard.query_one(OptionList).highlighted == 2

    drive(script)


def test_a_wrong_text_is_told_and_stays() -> None:
    async def script(wizard: Wizard, pilot: Pilot[bool], _: Tries) -> None:
        await pilot.press("slash", "x", "enter")
        assert text(wizard, "#said").startswith("✗")
        assert wizard.query_one(Input).value == "/x"  # what is typed takes the place of the suggestion

    drive(script)


def test_the_marked_answer_is_tried_while_the_screen_lives() -> None:
    async def script(wizard: Wizard, pilot: Pilot[bool], tries: Tries) -> None:
        await pilot.press(*["enter"] * 6)
        assert wizard._interview.question.id == "active-1"  # type: ignore[union-attr]
        await pilot.press("down", "ctrl+t")
        await wizard.workers.wait_for_complete()
        await pilot.pause()
        assert tries.tried == [Click(17, True)]
        assert text(wizard, "#said") == "✓ it has clicked"

    drive(script)


def test_leaving_writes_nothing() -> None:
    async def script(_: Wizard, pilot: Pilot[bool], __: Tries) -> None:
        await pilot.press("enter", "ctrl+q")

    assert drive(script) is False


def test_what_is_not_right_cannot_be_written() -> None:
    async def script(wizard: Wizard, pilot: Pilot[bool], _: Tries) -> None:
        while wizard._interview.question is not None:
            await pilot.press("enter")
        assert "is wrong" in text(wizard, "#lines")
        await pilot.press("enter")
        assert wizard._interview.question is not None
        await pilot.press("ctrl+q")

    assert drive(script, review_=refuse) is False


@pytest.mark.parametrize("language", ["en", "vi"])
def test_no_question_needs_more_than_a_phone_shows(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    words.choose(language)

    async def script(wizard: Wizard, pilot: Pilot[bool], _: Tries) -> None:
        while (question := wizard._interview.question) is not None:
            ask = wizard.query_one("#ask")
            assert ask.size.height <= 5, question.text
            assert ask.virtual_size.height <= ask.size.height, question.text
            answers = wizard.query_one("#choices") if question.options else wizard.query_one("#typed")
            assert answers.size.height >= min(3, len(question.options) or 1), question.text
            await pilot.press("enter")

    try:
        drive(script)
    finally:
        words.choose("en")
