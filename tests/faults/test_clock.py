"""The wall clock is set while programmes sound or wait: nothing starts twice, nothing is lost in silence."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.centre import CentreUnderTest
from tests.support.house import TONE_S, House, in_s, media, open_house, wait_until
from tests.support.pulse import Sink

HOUR_S = 3_600.0


@pytest.fixture(scope="module")
def house(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node whose clock can be set."""
    directory = tmp_path_factory.mktemp("adrift")
    run = ("-m", "tests.support.shifted")
    with open_house(centre, sink, directory, id="adrift-01", run=run, ready=False) as house:
        yield house


def set_clock(house: House, by_s: float) -> None:
    """Set the node's clock; returns when it has noticed."""
    before = jumps(house)
    (house.node.directory / "shift").write_text(str(by_s))
    assert house.node.process is not None
    house.node.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: jumps(house) > before, 5, "the jump was noticed")


def jumps(house: House) -> int:
    """How often the node has noticed that its clock was set."""
    return house.node.log.read_text(encoding="utf-8").count("the wall clock jumped")


@pytest.fixture
def right_again(house: House) -> Iterator[House]:
    """The node; its clock is right again afterwards."""
    yield house
    house.quiet()


def test_a_clock_set_forward_starts_what_it_leapt_over_within_its_grace(right_again: House) -> None:
    house = right_again
    missed, lost = in_s(HOUR_S - 30).isoformat(), in_s(HOUR_S / 2).isoformat()
    house.publish(
        {"id": "missed", "start": missed, "if_late": "full", "grace_s": 120, "items": [media("low")]},
        {
            "id": "lost",
            "start": lost,
            "if_late": "full",
            "grace_s": 120,
            "length_s": 7200,
            "items": [media("high")],
        },
    )
    set_clock(house, HOUR_S)
    house.wait_for_moment("sound", "missed", "finished")
    (skipped,) = house.wait_for_records(1, programme="lost")
    assert skipped["outcome"] == "skipped"
    assert house.wait_for_records(1, programme="missed")[0]["outcome"] == "finished"


def test_a_clock_set_back_neither_stops_nor_repeats_what_sounds(right_again: House) -> None:
    house = right_again
    # the node's clock is an hour ahead since the test before
    start = (in_s(1.2) + timedelta(hours=1)).isoformat()
    house.publish({"id": "once", "start": start, "items": [media("low"), media("high"), media("low")]})
    began = time.monotonic()
    house.wait_for_moment("sound", "once", "started")
    set_clock(house, -HOUR_S)
    house.wait_for_moment("sound", "once", "finished")
    (sound,) = house.ears.stretches(began)
    assert sound.seconds == pytest.approx(3 * TONE_S, abs=0.1)
    plays = house.wait_for_records(3, programme="once")
    assert [play["outcome"] for play in plays] == ["finished"] * 3
    assert any("jumped" in record["text"] for record in house.records(kind="system"))
