"""The fake microphone is like a real one, its faults included; the real one is tried at a sound server."""

import os
import subprocess
import sys

import numpy as np
import pytest

from drivers.errors import Closed, Retry
from drivers.listener import FakeMicrophone, Room, Samples
from tests.support.node import ROOT
from tests.support.pulse import private_sink
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


HEARD_BY_A_CHILD = """
import time
from agent.player.alsa import LEAN_ALSA
from drivers.errors import Retry
from drivers.listener import PortAudioMicrophone

microphone = PortAudioMicrophone("pulse", LEAN_ALSA)
try:
    print("open", microphone.open(lambda block, at: None), flush=True)
except Retry as error:
    print("refused", error, flush=True)
else:
    while microphone.lost is None:
        time.sleep(0.05)
    print("lost", microphone.lost, flush=True)
"""


def test_what_goes_out_is_not_taken_for_what_a_microphone_hears() -> None:
    """A sound server without a microphone gives the output's own sound, also in place of one that is pulled out."""
    with private_sink() as sink:
        argv = [sys.executable, "-c", HEARD_BY_A_CHILD]
        env = {**os.environ, **sink.env}
        done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
        assert done.stdout.startswith("refused portaudio:pulse cannot be used")
        assert "gives back what goes to the output pole" in done.stdout
        with (
            sink.second("room") as room,
            subprocess.Popen(
                argv,
                env={**env, "PULSE_SOURCE": f"{room.name}.mic"},
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            ) as child,
        ):
            try:
                assert child.stdout is not None
                assert child.stdout.readline() == "open 48000\n"
                module = next(
                    line.split("\t")[0]
                    for line in sink.control("list", "short", "modules").splitlines()
                    if "sink_name=room" in line
                )
                sink.control("unload-module", module)
                assert "gives back what goes to the output pole" in child.stdout.readline()
            finally:
                child.kill()
