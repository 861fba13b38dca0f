"""Answers are tried for real: a tone at a real sink, a real window, pins that remember what became of them."""

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from agent.config import parse
from agent.control.client import ControlError, NotRunning
from agent.setup import trial, trying
from agent.setup.trials import Click, Listen, Page, Tone
from agent.setup.trying import Tryer, in_a_process
from tests.support.pulse import Sink
from tests.support.screen import grab, xvfb
from tests.support.sound import level_dbfs
from tests.support.wait import wait_until

CONFIG = parse(
    """
    [node]
    id = "a"
    site = "b"
    [audio]
    device = "pulse"
    [screen]
    enabled = true
    [[relays]]
    name = "amp"
    pin = 17
    active = "low"
    """
)


def not_running(_op: str, **_rest: Any) -> dict[str, Any]:
    raise NotRunning("nobody")


class Agent:
    """A running agent, as far as the wizard sees it."""

    def __init__(self, refuses: str = "") -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._refuses = refuses

    def __call__(self, op: str, **rest: Any) -> dict[str, Any]:
        if op != "status":
            if self._refuses:
                raise ControlError(self._refuses)
            file = rest.pop("file", None)
            self.asked.append((op, rest | ({"bytes": len(file.read())} if file else {})))
        return {}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLICK_S", "SETTLE_S"):
        monkeypatch.setattr(trial, name, 0.01)
    monkeypatch.setattr(trying, "CLICK_S", 0.01)


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch) -> MockFactory:
    factory = MockFactory()
    monkeypatch.setattr(Device, "pin_factory", factory)
    return factory


@pytest.mark.parametrize("active_high", [True, False])
def test_a_relay_clicks_twice_and_rests_off(quick: None, pins: MockFactory, active_high: bool) -> None:
    outcome = Tryer(None, not_running, trial.main).try_(Click(17, active_high))
    assert outcome.ok, outcome.text
    levels = [bool(state.state) for state in pins.pin(17).states]
    edges = [level for before, level in pairwise(levels) if level != before]
    assert edges[-4:] == [active_high, not active_high] * 2


def test_a_machine_without_pins_says_so_in_one_line() -> None:
    outcome = Tryer(None, not_running).try_(Click(17, True))
    assert not outcome.ok
    assert "\n" not in outcome.text
    assert "GPIO" in outcome.text


def test_a_tone_is_heard_at_the_sink(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sink.env.items():
        monkeypatch.setenv(name, value)
    with sink.record() as recorder:
        outcome = Tryer(None, not_running, fake=True).try_(Tone("pulse", (Click(17, False),)))
        heard = recorder.finish()
    assert outcome.ok, outcome.text
    assert level_dbfs(heard.samples) > -35


def test_a_microphone_has_a_level(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sink.env.items():
        monkeypatch.setenv(name, value)
    with sink.second("room"):
        monkeypatch.setenv("PULSE_SOURCE", "room.mic")
        outcome = Tryer(None, not_running).try_(Listen("pulse"))
    assert outcome.ok, outcome.text
    assert "dBFS" in outcome.text


def test_a_card_that_is_not_there_is_one_line() -> None:
    for wrong in (Tone("no such card"), Listen("no such card")):
        outcome = Tryer(None, not_running).try_(wrong)
        assert not outcome.ok
        assert "no such card" in outcome.text
        assert "\n" not in outcome.text


def test_the_test_page_points_up_where_the_screen_is_turned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    with xvfb() as display:
        monkeypatch.setenv("DISPLAY", display)
        request = {"what": "page", "rotate": 90, "driver": "x11", "seconds": 4.0}
        answers: list[dict[str, Any]] = []
        thread = threading.Thread(target=lambda: answers.append(in_a_process(request)))
        thread.start()

        def white() -> bool:
            picture = grab(display, tmp_path / "page.png").convert("RGB")
            # turned clockwise, the arrow's head lies at the right edge, half way down
            right, top = picture.getpixel((1280 - 120, 360)), picture.getpixel((640, 60))
            return right == (255, 255, 255) != top

        wait_until(white, 8, "the arrow is on the screen")
        thread.join()
    assert answers[0] == {
        "ok": True,
        "facts": {"driver": "x11", "width": 1280, "height": 720, "bars": 7, "bars_seen": 7},
    }


def test_a_trial_that_hangs_is_given_up_and_one_that_crashes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "TRIAL_WITHIN_S", 0.3)
    hangs = (sys.executable, "-c", "import time; time.sleep(60)")
    outcome = Tryer(None, not_running, lambda request: in_a_process(request, hangs)).try_(Listen("x"))
    assert (outcome.ok, "no answer" in outcome.text) == (False, True)
    monkeypatch.setattr(trying, "TRIAL_WITHIN_S", 20)
    crashes = (sys.executable, "-c", "import os; os.abort()")
    outcome = Tryer(None, not_running, lambda request: in_a_process(request, crashes)).try_(Listen("x"))
    assert (outcome.ok, outcome.text) == (False, "-6")


def test_what_the_agent_holds_is_tried_through_it(quick: None) -> None:
    agent = Agent()
    tryer = Tryer(CONFIG, agent, lambda _request: pytest.fail("the device is the agent's"))
    assert tryer.try_(Click(17, False)).ok
    assert [asked["on"] for op, asked in agent.asked if op == "relay"] == [True, False, True, False]
    assert tryer.try_(Tone("pulse")).ok
    assert agent.asked[-1][0] == "play"
    assert agent.asked[-1][1]["bytes"] > 100_000
    for held in (Click(17, True), Page(90), Tone("other", (Click(17, False),))):
        assert "systemctl stop" in tryer.try_(held).text


def test_what_the_agent_does_not_hold_is_tried_beside_it() -> None:
    asked: list[Any] = []

    def run(request: dict[str, Any]) -> dict[str, Any]:
        json.dumps(request)
        asked.append(request)
        return {"ok": True, "facts": {"loudest_dbfs": -30.0, "quietest_dbfs": -60.0}}

    tryer = Tryer(CONFIG, Agent(), run)
    assert all(tryer.try_(what).ok for what in (Click(27, False), Tone("other"), Listen("pulse")))
    assert [request["what"] for request in asked] == ["click", "tone", "listen"]


def test_the_agents_refusal_is_told() -> None:
    outcome = Tryer(CONFIG, Agent("not now: quiet hours")).try_(Tone("pulse"))
    assert (outcome.ok, "quiet hours" in outcome.text) == (False, True)
