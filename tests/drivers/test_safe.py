"""The program that runs when the daemon is gone."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from drivers.relays import GpioRelay, RelayPin
from drivers.safe import main
from tests.drivers.kernel import FakeLgpio

CONFIG = """\
[[relays]]
name = "amplifier"
pin = 17
active = "low"

[[relays]]
name = "horn"
pin = 27
active = "high"
"""


def config(folder: Path, text: str) -> str:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_all_relays_of_a_configuration_are_off_afterwards(
    mock_pins: MockFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, level in ((17, False), (27, True)):
        pin = mock_pins.pin(number)
        pin.output_with_state(level)  # as a killed daemon left them: both relays closed
    assert main(["--config", config(tmp_path, CONFIG)]) == 0
    assert mock_pins.pin(17).state is True
    assert mock_pins.pin(27).state is False
    assert capsys.readouterr().out == (
        "relay 'amplifier' on GPIO17 is off (high)\nrelay 'horn' on GPIO27 is off (low)\n"
    )


def test_a_line_that_the_kernel_left_driven_is_switched_off(kernel: FakeLgpio) -> None:
    relay = GpioRelay(RelayPin("amplifier", 17, active_high=False))
    relay.on()
    kernel.die(persist=True)
    del relay  # what follows is another process
    gc.collect()
    Device.pin_factory.close()
    Device.pin_factory = None
    wire = kernel.lines[17].wire
    assert wire[-1] is False, "the relay is on, and nobody is there"
    assert main(["17:low"]) == 0
    kernel.die(persist=True)
    assert wire[-1] is True


def test_a_mistake_elsewhere_in_the_configuration_leaves_no_relay_on(
    mock_pins: MockFactory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '[nonsense]\nx = 1\n[[relays]]\nname = "broken"\npin = "17"\n' + CONFIG
    mock_pins.pin(27).output_with_state(True)
    assert main(["--config", config(tmp_path, text)]) == 1
    assert mock_pins.pin(27).state is False
    assert "[[relays]] number 1 has no usable pin and active level" in capsys.readouterr().err


def test_one_relay_that_fails_does_not_keep_the_others_on(
    kernel: FakeLgpio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel.busy.add(17)
    assert main(["--config", config(tmp_path, CONFIG)]) == 1
    assert kernel.lines[27].wire[-1] is False
    assert "relay may still be on: relay 'amplifier' on GPIO17" in capsys.readouterr().err


def test_a_configuration_that_cannot_be_read_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(tmp_path / "none.toml")]) == 1
    assert "cannot be read, no relay is known" in capsys.readouterr().err
    assert main(["--config", config(tmp_path, "[[relays]\n")]) == 1


def test_a_node_with_fake_pins_has_nothing_to_switch(tmp_path: Path) -> None:
    assert main(["--config", config(tmp_path, '[hardware]\ngpio = "fake"\n' + CONFIG)]) == 0


@pytest.mark.parametrize("arguments", [[], ["17"], ["17:off"], ["x:low"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_it_runs_as_a_program_without_the_daemon_or_its_models() -> None:
    program = "import sys, drivers.safe; print({'agent', 'pydantic', 'playlists'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
