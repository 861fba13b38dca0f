from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest

from agent.screenpower import DisplaySwitched, ScreenPower
from drivers.display import FakeDisplayPower
from drivers.errors import Retry


@pytest.fixture
def events() -> queue.SimpleQueue[Any]:
    return queue.SimpleQueue()


@pytest.fixture
def power(events: queue.SimpleQueue[Any]) -> Iterator[ScreenPower]:
    power = ScreenPower(FakeDisplayPower(), events.put, settles_s=0.0, again_s=0.05)
    yield power
    power.stop()


def test_a_display_that_obeys_is_told_once(power: ScreenPower, events: queue.SimpleQueue[Any]) -> None:
    power.want(False)
    assert events.get(timeout=10) == DisplaySwitched(False, None)
    power.want(True)
    assert events.get(timeout=10) == DisplaySwitched(True, None)
    assert power.display.orders == [False, True]  # type: ignore[attr-defined]


def test_one_that_does_not_obey_is_reported_and_told_again_until_it_does(
    power: ScreenPower, events: queue.SimpleQueue[Any]
) -> None:
    fake = power.display
    assert isinstance(fake, FakeDisplayPower)
    fake.stick()
    power.want(False)
    assert events.get(timeout=10) == DisplaySwitched(False, "it was told to sleep and did not")
    fake.fail(Retry("the television does not answer"))
    while events.get(timeout=10).reason != "the television does not answer":
        pass
    fake.heal()
    while events.get(timeout=10) != DisplaySwitched(False, None):
        pass
    assert fake.on is False


def test_one_that_does_not_say_how_it_is_is_believed(
    power: ScreenPower, events: queue.SimpleQueue[Any]
) -> None:
    fake = power.display
    assert isinstance(fake, FakeDisplayPower)
    fake.silence()
    power.want(False)
    assert events.get(timeout=10) == DisplaySwitched(False, None)
