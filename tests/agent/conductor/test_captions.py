"""The screen is told what is spoken, in step with the sound, and told at once when it is silent."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from agent.worker import WorkerDied, WorkerStarted
from tests.agent.conductor.fakes import START, House, programme
from tests.agent.conductor.test_alarms import SOON, FakeScreen, cap, say

WORDS = "Kính mời bà con đi họp. Nội dung là làm đường mới. Xin cảm ơn."


@pytest.fixture
def screen() -> FakeScreen:
    return FakeScreen()


@pytest.fixture
def house(build, screen: FakeScreen) -> House:
    house: House = build(screen=screen)
    house.library.lengths[WORDS] = 9.0
    house.conductor.post(WorkerStarted("screen", 7))
    say(house, event="ready", driver="offscreen", size=[1280, 720])
    return house


def shown(screen: FakeScreen) -> list[str | None]:
    return [message["caption"] and message["caption"]["text"] for message in screen.ops("caption")]


def seen_while(house: House, screen: FakeScreen, seconds: float) -> list[tuple[float, str | None]]:
    """Seconds from now at which captions came, to a twentieth."""
    found: list[tuple[float, str | None]] = []
    for step in range(int(seconds * 20)):
        before = len(screen.ops("caption"))
        house.run_for(0.05)
        found += [(step / 20, words) for words in shown(screen)[before:]]
    return found


SENTENCES = ["Kính mời bà con đi họp.", "Nội dung là làm đường mới.", "Xin cảm ơn.", None]


def test_each_sentence_is_shown_while_it_is_spoken_and_then_nothing(house: House, screen: FakeScreen) -> None:
    house.announce("c1", WORDS)
    seen = seen_while(house, screen, 12)
    assert [words for _, words in seen] == SENTENCES
    (heard,) = house.heard("c1")
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(seen)]
    assert sum(gaps) == pytest.approx(heard.ended - heard.began, abs=0.11)
    lasts = [message["caption"]["lasts_s"] for message in screen.ops("caption")[:3]]
    assert lasts == pytest.approx(gaps, abs=0.11)


def test_a_recording_with_its_words_is_captioned_and_one_without_is_not(
    house: House, screen: FakeScreen
) -> None:
    house.feeds.texts["news.mp3"] = WORDS
    house.library.lengths.update({"news.mp3": 9.0, "music.mp3": 9.0})
    house.schedule(programme("news", SOON, "music.mp3", "news.mp3", "music.mp3"))
    house.run_until(SOON)
    house.run_for(8.5)
    assert shown(screen) == []
    house.run_for(30)
    assert shown(screen) == SENTENCES


def test_what_is_interrupted_leaves_at_once_and_comes_back_where_it_was(
    house: House, screen: FakeScreen
) -> None:
    house.announce("c1", WORDS)
    house.run_for(4.5)
    assert shown(screen)[-1] == SENTENCES[1]
    house.announce("c2", "Sơ tán ngay!", **{"class": "emergency"})
    house.run_for(1)
    assert shown(screen)[-1] == "Sơ tán ngay!"
    house.run_for(1.5)
    assert shown(screen)[-1] == SENTENCES[1]
    house.run_for(10)
    assert shown(screen)[-1] is None
    assert [words for words in shown(screen) if words] == [
        *SENTENCES[:2],
        "Sơ tán ngay!",
        *SENTENCES[1:3],
    ]


@pytest.mark.parametrize("how", ["stop", "player dies"])
def test_when_the_sound_is_gone_so_are_the_words(house: House, screen: FakeScreen, how: str) -> None:
    house.announce("c1", WORDS)
    house.run_for(2)
    if how == "stop":
        house.command("s1", type="stop")
    else:
        house.conductor.post(WorkerDied("player", "ended by SIGKILL"))
    house.run_for(0.01)
    assert shown(screen)[-1] is None


def test_a_screen_that_is_started_again_is_told_what_is_spoken_now(house: House, screen: FakeScreen) -> None:
    house.announce("c1", WORDS)
    house.run_for(2)
    house.conductor.post(WorkerDied("screen", "ended by SIGKILL"))
    house.run_for(0.1)
    screen.sent.clear()
    house.conductor.post(WorkerStarted("screen", 8))
    say(house, event="ready", driver="offscreen", size=[1280, 720])
    house.run_for(0.1)
    assert shown(screen) == SENTENCES[:1]


def test_the_words_of_an_alert_follow_its_takeover(house: House, screen: FakeScreen) -> None:
    house.command("c1", type="alert", cap=cap("A1", house))
    house.run_for(20)
    ops = [message["op"] for message in screen.sent]
    assert ops.index("takeover") < ops.index("caption")
    assert "Bão" in (shown(screen)[0] or "")
    assert shown(screen)[-1] is None


def test_a_node_without_a_screen_speaks_all_the_same(build) -> None:
    house = build()
    house.announce("c1", WORDS)
    house.run_for(5)
    assert house.receipts("c1") == ["started", "finished"]


def test_at_rest_the_screen_is_told_nothing(house: House, screen: FakeScreen) -> None:
    house.run_for(100)
    assert house.clock.now() > START
    messages: list[Any] = screen.ops("caption")
    assert messages == []
