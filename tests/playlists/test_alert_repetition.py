"""When an alert in force is told again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.alert import Kind, Status, Telling, next_telling
from playlists.alert.repetition import SHORTEST_S, TRY_AGAIN_S, UNTOLD
from playlists.units import Seconds
from tests.playlists.test_alert import NOW, message

EACH_S = Seconds(300.0)
STORM = message("storm", expires=NOW + timedelta(hours=1))


def ago(seconds: float, **parts: bool) -> Telling:
    return Telling(ended=NOW - timedelta(seconds=seconds), **{"told": True, **parts})


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_it_is_told_at_once_and_again_after_the_interval_since_its_end() -> None:
    assert next_telling(STORM, UNTOLD, EACH_S, NOW) == NOW
    assert next_telling(STORM, ago(100), EACH_S, NOW) == later(200)
    assert next_telling(STORM, ago(1_000), EACH_S, NOW) == later(-700)


@pytest.mark.parametrize(
    ("telling", "each_s"), [(ago(0), 0.0), (ago(0, hushed=True), 300.0), (Telling(hushed=True), 300.0)]
)
def test_it_is_not_told_again(telling: Telling, each_s: float) -> None:
    assert next_telling(STORM, telling, Seconds(each_s), NOW) is None


def test_no_telling_begins_that_would_be_a_tone_without_words() -> None:
    assert next_telling(STORM, ago(-3_290), EACH_S, later(3_290)) == later(3_590)
    assert next_telling(STORM, ago(-3_291), EACH_S, later(3_291)) is None


def test_an_exercise_is_told_once() -> None:
    drill = STORM.model_copy(update={"status": Status.EXERCISE})
    assert next_telling(drill, UNTOLD, EACH_S, NOW) == NOW
    assert next_telling(drill, ago(10), EACH_S, NOW) is None


@pytest.mark.parametrize("each_s", [0.0, 300.0])
@pytest.mark.parametrize("status", [Status.ACTUAL, Status.EXERCISE])
def test_what_could_not_be_told_is_tried_again(status: Status, each_s: float) -> None:
    alert = STORM.model_copy(update={"status": status})
    assert next_telling(alert, ago(0, told=False), Seconds(each_s), NOW) == later(TRY_AGAIN_S)


@pytest.mark.parametrize(
    "parts", [{"status": Status.TEST}, {"kind": Kind.ACK}, {"scope": "Private"}, {"infos": ()}]
)
def test_what_is_not_told_is_not_repeated(parts: dict[str, object]) -> None:
    assert next_telling(STORM.model_copy(update=parts), UNTOLD, EACH_S, NOW) is None


@given(st.integers(-10_000, 10_000), st.sampled_from((30.0, 300.0, 86_400.0)), st.booleans())
def test_the_next_one_is_never_further_than_the_interval_and_never_after_the_end(
    ended_s: int, each_s: float, told: bool
) -> None:
    due = next_telling(STORM, ago(-ended_s, told=told), Seconds(each_s), NOW)
    if due is not None:
        assert due <= later(each_s)
        assert due + timedelta(seconds=SHORTEST_S) <= STORM.expires
