"""`loa test` and `loa doctor` on a node that runs: with a board under X, and with a microphone in a room."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.centre import CentreUnderTest
from tests.support.house import House, open_house
from tests.support.node import ROOT
from tests.support.pulse import Sink
from tests.support.screen import xvfb

MIC = '[listener]\ndevice = "pulse"\n'
HERE = {"timezone", "load", "temperature", "watchdog", "service", "restarts", "system-journal"}
"""Checks of the machine that these tests run on, whatever it is."""


def loa(house: House, *words: str) -> tuple[int, Any]:
    """Run the command as the node's technician; exit code and JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", *words, "--json", "-c", str(house.node.config)],
        cwd=ROOT,
        env={**os.environ, **house.node.settings.env, "LOA_SOCKET": str(house.node.socket)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def tried(house: House, *parts: str) -> tuple[int, dict[str, dict[str, Any]]]:
    code, found = loa(house, "test", *parts)
    return code, {one["part"]: one for one in found}


@pytest.fixture(scope="module")
def board(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory: Path = tmp_path_factory.mktemp("board")
    with xvfb() as display:
        env = {"DISPLAY": display}
        more = {"id": "pole-board", "screen": True, "screen_driver": "x11", "env": env}
        with open_house(centre, sink, directory, ready=False, **more) as house:
            yield house


def test_sound_relays_and_screen_are_tried_through_the_agent(board: House) -> None:
    began = time.monotonic()
    code, found = tried(board, "relay", "screen", "sound")
    assert code == 0, found
    assert found["relay amplifier"]["facts"]["read_back"] == [True, False]
    assert found["screen"]["facts"]["size"] == [1280, 720]
    assert found["screen"]["facts"]["changed"] > 0.3
    facts = found["sound"]["facts"]
    assert (facts["outcome"], facts["amplifier_on"]) == ("finished", True)
    (chime,) = board.ears.stretches(began, apart_s=1.0, threshold=0.003)
    assert 1.0 < chime.seconds < 3.0
    # the agent tells the level at the output, the sink has it
    assert abs(chime.dbfs - facts["sounded_dbfs"]) < 4


def test_the_doctor_finds_a_node_that_runs_well(board: House) -> None:
    code, report = loa(board, "doctor")
    seen = {one["id"]: one for one in report["checks"] if one["verdict"] in ("warning", "fault")}
    assert set(seen) <= HERE, seen
    assert code in (0, 1, 5)
    by_id = {one["id"]: one["verdict"] for one in report["checks"]}
    for check in ("config", "roots", "signatures", "operators", "sound-card", "mixer", "decoder", "voices",
                  "display-driver", "broker", "feeds", "socket", "workers", "faults", "relay-faults"):  # fmt: skip
        assert by_id[check] == "ok", check


def test_what_the_microphone_hears_is_told(
    centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory: Path = tmp_path_factory.mktemp("ear")
    with sink.second("cabinet") as room:
        env = {"PULSE_SOURCE": f"{room.name}.mic"}
        more = {"id": "pole-try", "extra": MIC, "env": env}
        with open_house(centre, sink, directory, ready=False, **more) as house:
            with sink.carry_to(room, 100, -12.0):
                code, found = tried(house, "sound")
            assert (code, found["sound"]["verdict"]) == (5, "warning"), found
            assert "self-test --reference" in found["sound"]["remedy"]
            assert "4 of 4 tones heard" in found["sound"]["text"]
            assert found["sound"]["facts"]["sounded_dbfs"] is not None
            # the horns are cut off: it sounds, and nobody hears it
            code, found = tried(house, "sound")
            assert (code, found["sound"]["verdict"]) == (1, "fault"), found
