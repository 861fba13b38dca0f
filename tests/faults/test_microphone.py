"""The table of microphones: what is wrong with it × what the node says of its sound. It speaks to the end in each."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.support.centre import CentreUnderTest
from tests.support.house import House, open_house, speech, wait_until
from tests.support.pulse import RATE, Sink
from tests.support.sound import write_wav

ROOM = "yard"
LISTENER = '[listener]\ndevice = "pulse"\n'
DELAY_MS = 150
GAIN_DB = -20.0
WORDS = "Kính mời bà con đến nhà văn hóa thôn lúc mười chín giờ. Đề nghị mỗi hộ cử một người tham dự."
NOISE_DBFS = -40.0


@dataclass
class Scene:
    """A row as it is played: the node, and what lies between its loudspeaker and its microphone."""

    pole: House
    folder: Path

    @contextlib.contextmanager
    def all_is_well(self) -> Iterator[Sink]:
        """The microphone hears the loudspeaker."""
        sink = self.pole.sink
        with sink.second(ROOM) as room, sink.carry_to(room, DELAY_MS, GAIN_DB):
            yield room

    def pull_out(self) -> None:
        """The microphone is gone."""
        sink = self.pole.sink
        modules = sink.control("list", "short", "modules").splitlines()
        sink.control(
            "unload-module", next(line.split("\t")[0] for line in modules if f"sink_name={ROOM}" in line)
        )


Strike = Callable[[], None]
Wrong = Callable[[Scene], contextlib.AbstractContextManager[Strike]]


def nothing_more() -> None:
    """It was wrong from the beginning."""


@contextlib.contextmanager
def it_was_never_there(_scene: Scene) -> Iterator[Strike]:
    """The configuration names one, and there is none."""
    yield nothing_more


@contextlib.contextmanager
def it_is_pulled_out(scene: Scene) -> Iterator[Strike]:
    """While it listens."""
    with scene.all_is_well():
        yield scene.pull_out


@contextlib.contextmanager
def its_process_is_killed(scene: Scene) -> Iterator[Strike]:
    """SIGKILL, while it listens."""
    with scene.all_is_well():
        yield lambda: scene.pole.node.child("listener").kill()


@contextlib.contextmanager
def it_is_deaf(scene: Scene) -> Iterator[Strike]:
    """Nothing gets there: a lead is off, or the loudspeakers are silent."""
    with scene.pole.sink.second(ROOM):
        yield nothing_more


@contextlib.contextmanager
def it_hears_only_noise(scene: Scene) -> Iterator[Strike]:
    """As loud as the loudspeaker would be."""
    noise = np.random.default_rng(3).standard_normal(20 * RATE) * 10 ** (NOISE_DBFS / 20) / np.sqrt(2)
    path = scene.folder / "noise.wav"
    write_wav(path, noise.astype(np.float32))
    sink = scene.pole.sink
    with sink.second(ROOM) as room:
        argv = ["paplay", f"--device={room.name}", str(path)]
        player = subprocess.Popen(argv, env={**os.environ, **sink.env})
        try:
            yield nothing_more
        finally:
            player.kill()
            player.wait(5)


@dataclass(frozen=True)
class Row:
    """What is wrong, the fault that stands while it speaks, and what its record may say of `heard`."""

    wrong: Wrong
    fault: str | None
    heard: tuple[bool | None, ...]

    def __str__(self) -> str:
        return self.wrong.__name__


TABLE = (
    Row(it_was_never_there, "listener", (None,)),
    Row(it_is_pulled_out, "listener", (None, True)),  # what was heard before, was heard
    Row(its_process_is_killed, "listener", (None, True)),
    Row(it_is_deaf, "not-heard", (False,)),
    Row(it_hears_only_noise, None, (None, False)),
)


@pytest.fixture(scope="module")
def pole(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node with a microphone in a room that comes and goes."""
    directory = tmp_path_factory.mktemp("yard")
    env = {"PULSE_SOURCE": f"{ROOM}.mic"}
    with open_house(centre, sink, directory, ready=False, id="pole-yard", extra=LISTENER, env=env) as house:
        yield house


@pytest.fixture
def scene(pole: House, tmp_path: Path) -> Scene:
    """The node, at rest."""
    pole.quiet()
    return Scene(pole, tmp_path)


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_it_speaks_to_the_end_and_never_claims_to_be_heard(row: Row, scene: Scene) -> None:
    pole = scene.pole
    with row.wrong(scene) as strike:
        command = pole.announce(speech(WORDS))
        began = time.monotonic()
        strike()
        if row.fault is not None:
            pole.wait_for_fault(row.fault, 20)
            assert pole.sounds() is not None, f"it is told {time.monotonic() - began:.1f} s after it began"
        assert pole.ended(command).state == "finished"
        assert pole.ears.longest_silence(began + 0.3, began + 2.0) < 0.7
        (play,) = pole.wait_for_records(1, command=command.id, kind="play")
    assert play["outcome"] == "finished"
    assert play["sounded_dbfs"] > -30
    assert play.get("heard") in row.heard
    assert (play.get("heard_dbfs") is not None) == (play.get("heard") is True)
    states = [state for state, _ in pole.receipts(command)]
    assert ("heard" in states) == (play.get("heard") is True)


def test_when_all_is_well_again_it_is_heard_and_no_fault_stands(scene: Scene) -> None:
    pole = scene.pole
    with scene.all_is_well():
        pole.centre.wait_for_receipt(pole.announce(speech(WORDS)), "heard")
        wait_until(
            lambda: not {"listener", "not-heard"} & set(pole.faults()), 5, "no fault of hearing stands"
        )
    pole.quiet()
