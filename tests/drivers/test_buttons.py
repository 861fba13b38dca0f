"""Buttons: one press, one call."""

from __future__ import annotations

import pytest
from gpiozero.pins.mock import MockFactory

from drivers.buttons import ButtonPin, FakeButton, GpioButton, open_buttons
from drivers.errors import Closed, Technician


@pytest.mark.parametrize("pull", ["up", "down"])
def test_a_press_is_told_once(mock_pins: MockFactory, pull: str) -> None:
    presses: list[str] = []
    button = GpioButton(ButtonPin("call", 22, pull), presses.append)  # type: ignore[arg-type]
    pin = mock_pins.pin(22)
    push, let_go = (pin.drive_low, pin.drive_high) if pull == "up" else (pin.drive_high, pin.drive_low)
    assert presses == []
    push()
    assert button.is_down
    assert presses == ["call"]
    let_go()
    assert not button.is_down
    push()
    assert presses == ["call", "call"]


def test_the_pin_takes_out_the_bouncing(mock_pins: MockFactory) -> None:
    button = GpioButton(ButtonPin("call", 22, debounce_s=0.2), print)
    assert mock_pins.pin(22).bounce == 0.2
    button.close()


def test_a_closed_button_tells_nothing(mock_pins: MockFactory) -> None:
    presses: list[str] = []
    button = GpioButton(ButtonPin("call", 22), presses.append)
    pin = mock_pins.pin(22)
    button.close()
    button.close()
    pin.drive_low()
    assert presses == []


def test_a_button_on_a_pin_that_is_taken_needs_a_technician(mock_pins: MockFactory) -> None:
    button = GpioButton(ButtonPin("call", 22), print)
    with pytest.raises(Technician, match="button 'door' on GPIO22"):
        GpioButton(ButtonPin("door", 22), print)
    button.close()


def test_a_fake_button_behaves_like_a_real_one() -> None:
    presses: list[str] = []
    button = FakeButton("call", presses.append)
    button.press()
    button.press()
    assert button.is_down
    button.release()
    button.press()
    assert presses == ["call", "call"]
    button.close()
    with pytest.raises(Closed, match="button 'call' is used after it was closed"):
        button.press()


def test_where_one_of_several_cannot_be_opened_none_is_held(mock_pins: MockFactory) -> None:
    taken = GpioButton(ButtonPin("door", 23), print)
    with pytest.raises(Technician):
        open_buttons([ButtonPin("call", 22), ButtonPin("who", 23)], print, fake=False)
    again = open_buttons([ButtonPin("call", 22)], print, fake=False)
    for button in (taken, *again.values()):
        button.close()
