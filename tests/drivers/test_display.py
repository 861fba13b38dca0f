"""Displays that are told to sleep: the commands as they are run, their answers as the programs give them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers import display
from drivers.display import (
    CecPower,
    FakeDisplayPower,
    WlrRandrPower,
    XsetPower,
    open_display,
)
from drivers.errors import Closed, Retry, Technician

Program = Callable[[str, str], Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """A program of this name that writes its words into a file and does what the shell text says."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def make(name: str, does: str) -> Path:
        said = tmp_path / f"{name}.log"
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\necho "$@" >> {said}\n{does}\n')
        path.chmod(0o755)
        said.touch()
        return said

    return make


CEC = """
case "$*" in
  *give-device-power-status*) printf 'REPORT_POWER_STATUS (0x90):\\n\\tpwr-state: %s (0x01)\\n' "$STATE";;
  "-d "*/cec0) printf 'Driver Info:\\n\\tPhysical Address           : 1.0.0.0\\n';;
esac
"""


def test_a_television_is_woken_turned_to_us_and_put_to_sleep_over_cec(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = program("cec-ctl", CEC)
    device = tmp_path / "cec0"
    device.touch()
    television = CecPower(str(device))
    television.switch(True)
    television.switch(False)
    assert [line.removeprefix(f"-d {device}").strip() for line in said.read_text().splitlines()] == [
        "--playback -o loa",
        "--to 0 --image-view-on",
        "",
        "--to 0 --active-source phys-addr=1.0.0.0",
        "--to 0 --standby",
    ]
    for state, on in (("on", True), ("to-on", True), ("standby", False), ("nothing known", None)):
        monkeypatch.setenv("STATE", state)
        assert television.is_on() is on


def test_a_television_that_does_not_answer_is_asked_anew_the_next_time(
    program: Program, tmp_path: Path
) -> None:
    said = program("cec-ctl", 'echo "Tx, Not Acknowledged (4), Max Retries"')
    device = tmp_path / "cec0"
    device.touch()
    television = CecPower(str(device))
    for _ in range(2):
        with pytest.raises(Retry, match="does not answer over CEC"):
            television.switch(False)
    assert said.read_text().count("--playback") == 2, "the cable may have been out"


def test_a_board_without_cec_is_for_a_technician(program: Program) -> None:
    program("cec-ctl", "")
    with pytest.raises(Technician, match="no CEC on this board"):
        CecPower("/nowhere/cec0").switch(True)


def test_a_screen_under_x_sleeps_and_does_not_fall_asleep_by_itself(program: Program) -> None:
    said = program("xset", "[ \"$1\" = q ] && printf 'DPMS is Enabled\\n  Monitor is Off\\n'; exit 0")
    screen = XsetPower()
    screen.switch(False)
    assert screen.is_on() is False
    screen.switch(True)
    assert said.read_text().splitlines() == ["dpms force off", "q", "dpms force on", "s off -dpms"]


WLR = """
[ $# = 0 ] && cat <<END
HDMI-A-1 "Samsung Electric Company SAMSUNG 0x00000F04 (HDMI-A-1)"
  Physical size: 160x90 mm
  Enabled: yes
HDMI-A-2 "Unknown"
  Enabled: no
END
exit 0
"""


def test_every_output_of_a_compositor_is_switched(program: Program) -> None:
    said = program("wlr-randr", WLR)
    screen = WlrRandrPower()
    assert screen.is_on() is True
    screen.switch(False)
    assert said.read_text().splitlines()[-2:] == ["--output HDMI-A-1 --off", "--output HDMI-A-2 --off"]


def test_a_program_that_is_missing_fails_or_hangs_says_what_to_do(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("xset", "echo 'xset:  unable to open display' >&2; exit 1")
    with pytest.raises(Retry, match="unable to open display"):
        XsetPower().switch(True)
    monkeypatch.setattr(display, "COMMAND_S", 0.2)
    program("xset", "exec sleep 5")
    with pytest.raises(Retry, match="did not answer within"):
        XsetPower().switch(True)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Technician, match="apt install x11-xserver-utils"):
        XsetPower().switch(True)


def test_a_fake_remembers_and_fails_like_a_real_one() -> None:
    fake = FakeDisplayPower()
    fake.switch(False)
    assert fake.is_on() is False
    fake.stick()
    fake.switch(True)
    assert fake.is_on() is False, "it has ignored us"
    fake.silence()
    assert fake.is_on() is None
    fake.fail(Retry("no answer"))
    with pytest.raises(Retry):
        fake.is_on()
    with pytest.raises(Retry):
        fake.switch(True)
    fake.heal()
    fake.switch(True)
    assert fake.is_on() is True
    assert fake.orders == [False, True, True]
    fake.close()
    with pytest.raises(Closed):
        fake.switch(True)


def test_the_configuration_names_how() -> None:
    assert open_display("none") is None
    assert [type(open_display(how)) for how in ("cec", "xset", "wlr-randr", "fake")] == [
        CecPower,
        XsetPower,
        WlrRandrPower,
        FakeDisplayPower,
    ]
