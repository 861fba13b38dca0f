"""The player may die or hang at any moment: sound comes back, and the log stays true."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.conductor.events import ThreadDied
from agent.conductor.workers import PING_EACH_S, SLOW, UNANSWERED
from tests.agent.conductor.fakes import START, House, monotonic, programme

SOON = START + timedelta(seconds=60)


def music(**parts):
    return programme("music", SOON, "long.mp3", **parts)


@pytest.mark.parametrize("after_s", [-0.6, -0.2, -0.01, 0.02, 0.1, 1.0, 300.0, 599.9, 600.03])
def test_a_player_that_dies_costs_a_second_and_no_record(house: House, after_s: float) -> None:
    house.schedule(music())
    house.run_until(SOON + timedelta(seconds=after_s))
    house.player.kill("ended by SIGKILL")
    house.run_for(700)
    plays = house.plays("music")
    assert plays[-1].outcome in ("finished", "interrupted" if after_s > 599 else "finished")
    heard = sum(h.ended - h.began for h in house.heard("music"))
    assert 600 - 0.3 <= heard <= 600.06  # what had sounded for less than a report takes is repeated
    for before, after in zip(house.heard("music"), house.heard("music")[1:], strict=False):
        assert after.began - before.ended < 2.0
        lost_s = after.position_s - (before.position_s + before.ended - before.began)
        assert -0.05 <= lost_s < 0.2
    assert "player" not in house.faults()
    assert [r.outcome for r in house.records(kind="fault", fault="player")] == [None, None]


def test_relays_open_while_nothing_can_sound_and_close_before_it_does(house: House) -> None:
    house.schedule(music())
    house.run_until(SOON + timedelta(seconds=10))
    house.player.kill("ended by SIGKILL")
    house.run_for(0.48)
    assert not any(relay.is_on for relay in house.relays.values())
    house.run_for(10)
    assert house.heard("music")[-1].relays == {"preamp", "amplifier"}


def test_a_dead_player_costs_nobody_its_turn(house: House) -> None:
    house.schedule(music(), programme("strong", SOON + timedelta(seconds=5), "hour.mp3", priority=9))
    house.run_until(SOON + timedelta(seconds=10))
    house.player.kill("ended by SIGKILL")
    house.run_for(30)
    assert not house.heard("strong")


def test_a_recording_that_kills_players_is_given_up_and_others_are_heard(house: House) -> None:
    house.schedule(programme("bad", SOON, "poison.mp3"), programme("good", SOON + timedelta(seconds=1)))
    house.run_for(120)
    assert house.heard("good")
    assert [r.outcome for r in house.plays("bad")] == ["failed"]
    assert house.player.deaths == 5


def test_a_player_that_hangs_is_killed_after_five_seconds(house: House) -> None:
    house.schedule(music())
    house.run_until(SOON + timedelta(seconds=100))
    house.player.hung = True
    house.run_for(8)
    assert house.player.deaths == 1
    house.run_for(20)
    assert house.heard("music")[-1].ended is None


def test_a_player_that_hangs_at_rest_is_noticed_by_its_silence(house: House) -> None:
    house.player.hung = True
    for _ in range(SLOW + 1):
        house.node.workers.ping()
        house.run_for(PING_EACH_S)
    assert "stuck-player" in house.faults()
    assert SLOW * PING_EACH_S < 10
    assert house.player.deaths == 0, "a card may hold it up for a while"
    for _ in range(UNANSWERED - SLOW):
        house.node.workers.ping()
        house.run_for(PING_EACH_S)
    assert house.player.deaths == 1
    assert house.fed == UNANSWERED
    assert "stuck-player" not in house.faults()


def test_a_player_that_answers_again_is_no_fault_any_more(house: House) -> None:
    house.player.hung = True
    for _ in range(SLOW + 1):
        house.node.workers.ping()
        house.run_for(PING_EACH_S)
    assert "stuck-player" in house.faults()
    house.player.hung = False
    for _ in range(2):
        house.node.workers.ping()
        house.run_for(PING_EACH_S)
    assert "stuck-player" not in house.faults()
    assert house.player.deaths == 0


def test_a_lost_output_is_no_reason_to_kill_the_player(house: House) -> None:
    house.schedule(music())
    house.run_until(SOON + timedelta(seconds=100))
    house.player.lose_output()
    house.run_for(60)
    assert house.player.deaths == 0
    assert "sound-output" in house.faults()
    assert not any(relay.is_on for relay in house.relays.values())
    house.player.regain_output()
    house.run_for(600)
    assert "sound-output" not in house.faults()
    assert [r.outcome for r in house.plays("music")] == ["finished"]


def test_what_is_stopped_before_its_first_sample_leaves_one_record(house: House) -> None:
    house.schedule(music())
    house.run_until(SOON - timedelta(seconds=0.3))
    house.schedule()
    house.run_for(5)
    assert [(r.outcome, r.reason) for r in house.plays("music")] == [("skipped", "no longer in the schedule")]
    assert not house.journal.open_plays()


def test_a_thread_that_died_starves_the_watchdog(house: House) -> None:
    house.node.workers.ping()
    house.conductor.post(ThreadDied("feed-commune", "KeyError()"))
    house.run_for(1)
    house.node.workers.ping()
    assert house.fed == 1
    assert "thread-feed-commune" in house.faults()


def test_the_node_is_ready_once(house: House) -> None:
    house.player.kill("ended by SIGKILL")
    house.run_for(5)
    assert house.ready == 1


def test_planned_sound_waits_for_a_player_that_is_just_born(house: House) -> None:
    house.schedule(programme("news", SOON))
    house.run_until(SOON - timedelta(seconds=0.3))
    house.player.kill("ended by SIGKILL")
    house.run_for(5)
    (heard,) = house.heard("news")
    assert heard.began < monotonic(house, SOON) + 2.0
    assert heard.position_s == 0.0
