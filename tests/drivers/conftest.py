"""GPIO for tests: gpiozero's mock pins, or our stand-in for lgpio below gpiozero's real driver."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.local import LocalPiFactory
from gpiozero.pins.mock import MockFactory

from tests.drivers.kernel import FakeLgpio

PI_3_MODEL_B = 0xA02082


@pytest.fixture
def mock_pins() -> Iterator[MockFactory]:
    """gpiozero's own fake, as the factory of all pins."""
    Device.pin_factory = MockFactory()
    yield Device.pin_factory
    Device.pin_factory.reset()
    Device.pin_factory = None


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLgpio]:
    """A machine that looks like a Pi, with gpiozero's lgpio driver on a stand-in for lgpio."""
    fake = FakeLgpio()
    monkeypatch.setitem(sys.modules, "lgpio", fake)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    monkeypatch.setattr(LocalPiFactory, "_get_revision", lambda _: PI_3_MODEL_B)
    assert Device.pin_factory is None
    yield fake
    if Device.pin_factory is not None:
        Device.pin_factory.close()
    Device.pin_factory = None
    sys.modules.pop("gpiozero.pins.lgpio", None)
