"""What a technician types, against a running node, a silent socket, and a wrong configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.house import TONES_HZ, House, in_s, media
from tests.support.node import ROOT
from tests.support.sound import sine, write_wav

EXIT_FAILED, EXIT_USAGE, EXIT_NOT_RUNNING = 1, 2, 3


def loa(*words: str, socket: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    where = [f"--socket={socket}"] if socket else []
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", *where, *words],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def told(house: House, *words: str) -> str:
    """What a command that succeeds prints."""
    done = loa(*words, socket=house.node.socket)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_status_tells_a_technician_all_in_one_screen(house: House) -> None:
    text = told(house, "status")
    assert len(text.splitlines()) < 25
    for expected in (house.id, "0007", "connected", "synchronised", "commune", "current", "amplifier off"):
        assert expected in text
    reply = json.loads(told(house, "status", "--json"))
    assert reply["node"]["id"] == house.id
    assert reply["health"]["feeds"]["commune"]["state"] == "current"


def test_now_and_next_tell_what_sounds_and_what_follows(house: House) -> None:
    later = in_s(3_600)
    house.publish(
        {"id": "evening", "title": "Bản tin tối", "start": later.isoformat(), "items": [media("low")]}
    )
    house.announce(media("long"), title="Mời họp thôn")
    assert "Mời họp thôn" in told(house, "now")
    assert json.loads(told(house, "now", "--json"))["audio"]["title"] == "Mời họp thôn"
    assert "Bản tin tối" in told(house, "next", "-n", "3")
    (first, *_) = json.loads(told(house, "next", "--json"))
    assert (first["programme"], first["class"]) == ("evening", "routine")


def test_say_speaks_and_the_log_at_the_centre_has_the_users_name(house: House) -> None:
    began = time.monotonic()
    assert "stop it with" in told(house, "say", "Xin chào bà con", "--language", "vi")
    house.ears.wait_for_sound(began, seconds=0.2)
    (said,) = house.wait_for_records(1, kind="system", text="say by root: 'Xin chào bà con'")
    assert said["started"]


def test_play_sounds_a_file_and_stop_ends_it(house: House, tmp_path: Path) -> None:
    file = write_wav(tmp_path / "hand.wav", sine(TONES_HZ["high"], 20.0))
    began = time.monotonic()
    name = told(house, "play", str(file)).split("playing, as ")[1].split(";")[0]
    house.ears.wait_for_sound(began, seconds=0.5)
    assert told(house, "stop", name) == "stopped\n"
    stopped_at = time.monotonic()
    (sound, *_) = house.ears.stretches(began)
    assert sound.hz == pytest.approx(TONES_HZ["high"], rel=0.005)
    assert sound.ended < stopped_at + 0.1
    assert told(house, "stop") == "nothing of that name sounded\n"


def test_a_relay_is_switched_by_hand(house: House) -> None:
    told(house, "relay", "preamp", "on")
    assert house.node.health()["relays"] == {"preamp": True, "amplifier": False}
    told(house, "relay", "preamp", "off")
    assert house.node.health()["relays"] == {"preamp": False, "amplifier": False}
    unknown = loa("relay", "pramp", "on", socket=house.node.socket)
    assert unknown.returncode == EXIT_FAILED
    assert "known are: preamp, amplifier" in unknown.stderr
    assert loa("relay", "preamp", "maybe", socket=house.node.socket).returncode == EXIT_USAGE


def test_the_log_shows_what_the_centre_has_too(house: House) -> None:
    house.all_is_stored()
    last = house.node.health()["log"]["last"]
    assert json.loads(told(house, "log", "-n", "1", "--json"))[0]["seq"] == last
    assert "0 records wait" in told(house, "status")


def test_a_node_without_a_screen_says_so(house: House, tmp_path: Path) -> None:
    done = loa("screenshot", str(tmp_path / "no.png"), socket=house.node.socket)
    assert done.returncode == EXIT_FAILED
    assert "no screen" in done.stderr
    assert not (tmp_path / "no.png").exists()


def test_without_a_running_agent_every_command_says_how_to_start_it(tmp_path: Path) -> None:
    done = loa("status", socket=tmp_path / "nobody.sock")
    assert done.returncode == EXIT_NOT_RUNNING
    assert "not running" in done.stderr
    assert "systemctl start loa-agent" in done.stderr
    assert done.stdout == ""


def test_a_wrong_configuration_gives_all_errors_at_once_and_nothing_starts(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f"""
[node]
id = "pole 07"
site = "xa-mau"
[paths]
state = "{tmp_path}/state"
runtime = "{tmp_path}/run"
[audio]
latency_ms = 99999
[[relays]]
name = "amp"
pin = 99
active = "low"
[[zones]]
name = "main"
relays = ["ampp"]
[policy]
alowed_hours = ["05:00-21:00"]
"""
    )
    for command in (["run"], ["check-config"]):
        done = loa(*command, "--config", str(config))
        assert done.returncode == EXIT_USAGE
        for expected in ("id", "latency_ms", "pin", "99", "ampp", "alowed_hours", "allowed_hours"):
            assert expected in done.stderr, expected
    assert not (tmp_path / "state").exists()
    assert not (tmp_path / "run").exists()
    listed = json.loads(loa("check-config", "--json", "--config", str(config)).stdout)
    assert not listed["ok"]
    assert len(listed["problems"]) >= 4


def test_a_good_configuration_is_shown_with_its_defaults(house: House) -> None:
    done = loa("check-config", "--json", "--config", str(house.node.config))
    assert done.returncode == 0
    found = json.loads(done.stdout)["config"]
    assert found["amplifier"]["longest_on_s"] == 7_200
    assert found["node"]["id"] == house.id
    missing = loa("check-config", "--config", str(house.node.config.with_name("none.toml")))
    assert missing.returncode == EXIT_USAGE
    assert "none.toml" in missing.stderr
