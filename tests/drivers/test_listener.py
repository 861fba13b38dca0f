"""The fake microphone is like a real one, its faults included."""

import numpy as np
import pytest

from drivers.errors import Closed, Retry
from drivers.listener import FakeMicrophone, Room, Samples
from tests.support.sound import level_dbfs, sine

RATE = 48_000


def test_a_room_makes_it_softer_and_later() -> None:
    click = np.zeros(RATE, dtype=np.float32)
    click[100] = 0.5
    heard = Room(gain_db=-20, delay_s=0.25, noise_dbfs=None).carry(click, RATE)
    assert int(np.argmax(np.abs(heard))) == 100 + RATE // 4
    assert np.max(np.abs(heard)) == pytest.approx(0.05, rel=0.01)


@pytest.mark.parametrize("part", ["noise_dbfs", "wind_dbfs", "hum_dbfs"])
def test_what_else_is_heard_has_its_level(part: str) -> None:
    room = Room(deaf=True, **{"noise_dbfs": None, part: -30.0})
    assert level_dbfs(room.carry(np.zeros(4 * RATE, dtype=np.float32), RATE)) == pytest.approx(-30, abs=1.0)


def test_driven_too_hard_it_clips() -> None:
    heard = Room(gain_db=0, driven_db=30).carry(sine(500, 1.0), RATE)
    assert np.max(np.abs(heard)) <= 1.0
    assert np.mean(np.abs(heard) > 0.99) > 0.5


def test_blocks_come_with_their_instants_while_it_is_open() -> None:
    heard: list[tuple[Samples, float]] = []
    microphone = FakeMicrophone(Room(gain_db=-6, delay_s=0.1, noise_dbfs=None))
    with pytest.raises(Closed):
        microphone.put_out(sine(500, 0.1), 1.0)
    assert microphone.open(lambda block, at: heard.append((block, at))) == RATE
    microphone.put_out(sine(500, 0.1), 1.0)
    microphone.put_out(np.zeros(RATE // 10, dtype=np.float32), 1.1)
    assert [at for _, at in heard] == [1.0, 1.1]
    assert level_dbfs(heard[0][0]) < -60
    assert level_dbfs(heard[1][0]) == pytest.approx(-12, abs=0.5), "what was on its way comes a block later"
    microphone.close()
    assert microphone.lost is None


def test_unplugged_it_says_nothing_more_and_cannot_be_opened_until_it_is_back() -> None:
    heard: list[float] = []
    microphone = FakeMicrophone(Room())
    microphone.open(lambda _block, at: heard.append(at))
    microphone.unplug()
    microphone.put_out(sine(500, 0.1), 1.0)
    assert not heard
    assert microphone.lost
    microphone.close()
    with pytest.raises(Retry, match="no such device"):
        microphone.open(lambda _block, at: heard.append(at))
    microphone.plug_in()
    microphone.open(lambda _block, at: heard.append(at))
    microphone.put_out(sine(500, 0.1), 2.0)
    assert heard == [2.0]
    assert microphone.lost is None
