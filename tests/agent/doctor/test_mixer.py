"""Volumes: what the real amixer lists, what other cards are known to list, and a real sound server's sink."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from agent.doctor.finding import Verdict
from agent.doctor.machine import Machine
from agent.doctor.sound import Control, controls_of, judge_mixer
from tests.support.pulse import Sink

USB = """Simple mixer control 'Speaker',0
  Capabilities: pvolume pswitch pswitch-joined
  Playback channels: Front Left - Front Right
  Limits: Playback 0 - 37
  Mono:
  Front Left: Playback 0 [0%] [-37.00dB] [on]
  Front Right: Playback 28 [76%] [-9.00dB] [on]
Simple mixer control 'Mic',0
  Capabilities: pvolume pvolume-joined cvolume cvolume-joined pswitch pswitch-joined cswitch cswitch-joined
  Playback channels: Mono
  Capture channels: Mono
  Limits: Playback 0 - 31 Capture 0 - 35
  Mono: Playback 16 [52%] [-7.00dB] [off] Capture 25 [71%] [2.00dB] [on]
Simple mixer control 'Auto Gain Control',0
  Capabilities: pswitch pswitch-joined
  Playback channels: Mono
  Mono: Playback [on]
Simple mixer control 'Capture',0
  Capabilities: cvolume cswitch
  Capture channels: Mono
  Limits: Capture 0 - 65536
  Mono: Capture 65536 [100%] [on]
"""


def listed(sink: Sink, home: Path) -> list[Control]:
    (home / ".asoundrc").write_text("ctl.pulse { type pulse }\n")
    env = {**os.environ, **sink.env, "HOME": str(home)}
    done = subprocess.run(
        ["amixer", "-D", "pulse", "scontents"], env=env, capture_output=True, text=True, check=True
    )
    return controls_of("0", done.stdout)


def test_the_real_amixer_is_understood(sink: Sink, tmp_path: Path) -> None:
    sink.control("set-sink-volume", sink.name, "40%")
    try:
        assert listed(sink, tmp_path) == [Control("0", "Master", 40, on=True)]
        sink.control("set-sink-mute", sink.name, "1")
        assert listed(sink, tmp_path) == [Control("0", "Master", 40, on=False)]
    finally:
        sink.control("set-sink-mute", sink.name, "0")
        sink.control("set-sink-volume", sink.name, "100%")


def test_of_two_channels_the_louder_counts_and_what_is_captured_does_not() -> None:
    found = controls_of("1", USB)
    assert found == [
        Control("1", "Speaker", 76, on=True),
        Control("1", "Mic", 52, on=False),
        Control("1", "Auto Gain Control", 100, on=True),
    ]
    assert judge_mixer(found).verdict is Verdict.OK


def test_a_card_without_volumes_is_not_judged() -> None:
    assert controls_of("0", "") == []
    assert judge_mixer(None).verdict is Verdict.ABSENT


def test_a_muted_sink_of_the_sound_server_is_seen(sink: Sink, tmp_path: Path) -> None:
    machine = Machine(tmp_path / "config.toml", tmp_path / "control.sock", env=sink.env)
    sink.control("set-sink-mute", sink.name, "1")
    try:
        found = machine.look("sink")
    finally:
        sink.control("set-sink-mute", sink.name, "0")
    assert found == {"sink": {"name": "sink", "percent": 100, "on": False}}
    assert "pactl set-sink-mute" in judge_mixer([Control("pulse", **found["sink"])]).remedy
