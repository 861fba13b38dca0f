"""What is found on a machine, and what is said of it."""

from pathlib import Path

import pytest

from agent.setup import machine
from agent.setup.machine import look
from agent.setup.questions import device_names
from agent.setup.telling import found
from tests.agent.setup.machines import PI, PI_SOUND, comports, pi_root
from tests.support.pulse import Sink


def test_a_pi_with_modem_and_screen_is_seen_whole(tmp_path: Path) -> None:
    seen = look(pi_root(tmp_path), lambda: list(PI_SOUND), comports)
    assert seen.model == "Raspberry Pi 4 Model B Rev 1.5"
    assert [(chip.name, chip.label) for chip in seen.chips] == [
        ("gpiochip0", "pinctrl-bcm2711"), ("gpiochip1", ""), ("gpiochip10", ""),
    ]  # fmt: skip
    assert seen.screens == ("card1-HDMI-A-2",)
    assert seen.modems == ("SIMCom SIM7600",)
    assert [port.device for port in seen.ports][-4:] == [f"/dev/ttyUSB{n}" for n in range(4)]
    assert seen.notes == ()


def test_an_empty_machine_is_no_error(tmp_path: Path) -> None:
    seen = look(tmp_path, list, list)
    assert (seen.sound, seen.chips, seen.ports, seen.screens) == ((), (), (), ())


def test_a_portaudio_that_crashes_is_a_note(tmp_path: Path) -> None:
    def crash() -> list[machine.SoundDevice]:
        raise ValueError("ended with -11")

    seen = look(tmp_path, crash, list)
    assert seen.sound == ()
    assert seen.notes == ("PortAudio: ended with -11",)
    assert "PortAudio: ended with -11" in found(seen)


def test_a_portaudio_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(machine.sys, "executable", str(program))
    monkeypatch.setattr(machine, "LIST_WITHIN_S", 0.2)
    assert "timed out" in look(tmp_path, comports=list).notes[0]


def test_the_real_list_has_the_sound_server(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sink.env.items():
        monkeypatch.setenv(name, value)
    assert "pulse" in device_names(machine.sound_devices())


def test_cards_are_named_without_their_number_and_plugins_are_left_out() -> None:
    assert device_names(PI.sound) == ["bcm2835 Headphones", "USB Audio Device", "default"]


def test_of_two_equal_cards_the_number_stays() -> None:
    twins = [machine.SoundDevice(f"USB Audio Device: - (hw:{n},0)", 2, 0) for n in (1, 2)]
    assert device_names(twins) == [twin.name for twin in twins]
