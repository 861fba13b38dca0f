"""Relays: off before anybody asks, off when nobody is left to ask, and honest in between."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from drivers.errors import Closed, DriverError, Retry, Technician
from drivers.relays import EDGES_KEPT, FakeRelay, GpioRelay, RelayPin, open_relays
from tests.drivers.kernel import FakeLgpio

HIGH = RelayPin("amplifier", 17, active_high=True)
LOW = RelayPin("amplifier", 17, active_high=False)
BOTH = pytest.mark.parametrize("plan", [HIGH, LOW], ids=["active-high", "active-low"])


def levels(factory: MockFactory, pin: int = 17) -> list[bool]:
    return [state.state for state in factory.pin(pin).states]


@BOTH
def test_a_relay_is_off_from_the_start_and_follows_orders(mock_pins: MockFactory, plan: RelayPin) -> None:
    relay = GpioRelay(plan)
    pin = mock_pins.pin(17)
    assert pin.function == "output"
    assert pin.state is not plan.active_high
    assert not relay.is_on
    relay.on()
    assert relay.is_on
    assert pin.state is plan.active_high
    relay.off()
    assert not relay.is_on
    assert pin.state is not plan.active_high


@BOTH
def test_closing_a_relay_switches_it_off_first(mock_pins: MockFactory, plan: RelayPin) -> None:
    relay = GpioRelay(plan)
    relay.on()
    relay.close()
    assert levels(mock_pins)[-1] is not plan.active_high
    relay.close()


@BOTH
def test_on_the_wire_no_pulse_ever_closes_the_relay_at_start(kernel: FakeLgpio, plan: RelayPin) -> None:
    GpioRelay(plan)
    wire = kernel.lines[17].wire
    assert wire[-1] is not plan.active_high
    assert plan.active_high not in wire, "not even for a moment"


@BOTH
@pytest.mark.parametrize("persist", [False, True], ids=["kernel-takes-lines-back", "kernel-leaves-lines"])
def test_after_close_and_exit_the_wire_is_held_at_off(
    kernel: FakeLgpio, plan: RelayPin, persist: bool
) -> None:
    relay = GpioRelay(plan)
    relay.on()
    relay.close()
    wire = kernel.lines[17].wire
    assert wire[-1] is (not plan.active_high), "still driven or pulled, not floating"
    kernel.die(persist=persist)
    assert wire[-1] is (not plan.active_high)


@BOTH
def test_after_gpiozero_has_cleaned_up_the_wire_is_held_at_off(kernel: FakeLgpio, plan: RelayPin) -> None:
    relay = GpioRelay(plan)
    relay.on()
    relay.close()
    Device.pin_factory.close()
    assert kernel.lines[17].wire[-1] is (not plan.active_high)


@BOTH
def test_an_exit_that_nobody_prepared_switches_off(kernel: FakeLgpio, plan: RelayPin) -> None:
    relay = GpioRelay(plan)
    relay.on()
    Device.pin_factory.close()  # as gpiozero does at the exit of the interpreter
    assert kernel.lines[17].wire[-2:] == [plan.active_high, not plan.active_high]


@BOTH
def test_a_killed_process_leaves_the_wire_pulled_to_off(kernel: FakeLgpio, plan: RelayPin) -> None:
    relay = GpioRelay(plan)
    relay.on()
    kernel.die(persist=False)
    assert kernel.lines[17].wire[-2:] == [plan.active_high, not plan.active_high]


def test_a_relay_can_be_opened_again_after_it_was_closed(kernel: FakeLgpio) -> None:
    GpioRelay(LOW).close()
    relay = GpioRelay(LOW)
    relay.on()
    assert kernel.lines[17].wire[-1] is False


def test_the_pins_come_from_lgpio_and_nothing_else(kernel: FakeLgpio) -> None:
    GpioRelay(HIGH)
    assert type(Device.pin_factory).__name__ == "LGPIOFactory"


def test_a_pin_that_another_program_holds_needs_a_technician(kernel: FakeLgpio) -> None:
    kernel.busy.add(17)
    with pytest.raises(Technician, match="relay 'amplifier' on GPIO17: another program holds the pin"):
        GpioRelay(HIGH)


def test_missing_rights_need_a_technician(kernel: FakeLgpio) -> None:
    kernel.permitted = False
    with pytest.raises(Technician, match=r"no access to /dev/gpiochip\*.*is the user in group gpio"):
        GpioRelay(HIGH)


def test_a_pin_that_does_not_take_its_level_is_reported(kernel: FakeLgpio) -> None:
    relay = GpioRelay(HIGH)
    kernel.shorted.add(17)
    with pytest.raises(Retry, match="the pin did not take the level, is it shorted"):
        relay.on()
    assert not relay.is_on


def test_a_pin_cannot_be_opened_twice(mock_pins: MockFactory) -> None:
    with GpioRelay(HIGH), pytest.raises(Technician, match=r"GPIO17: .*already in use"):
        GpioRelay(RelayPin("other", 17, active_high=True))


def test_a_machine_without_pins_is_told_what_to_configure(
    kernel: FakeLgpio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "lgpio", kernel)
    with pytest.raises(Technician, match=r'no Raspberry Pi.*set \[hardware\] gpio = "fake"'):
        GpioRelay(HIGH)


def test_a_machine_without_lgpio_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(Technician, match="install python3-lgpio"):
        GpioRelay(HIGH)


def test_fakes_do_not_load_gpiozero() -> None:
    program = "import sys, drivers.relays as r; r.FakeRelay('a').on(); print('gpiozero' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_fake_records_when_its_contact_moved() -> None:
    relay = FakeRelay("amplifier")
    before, wall = time.monotonic(), datetime.now(UTC)
    relay.on()
    relay.on()
    relay.off()
    assert [edge.on for edge in relay.edges] == [True, False]
    first, second = relay.edges
    assert before <= first.monotonic_s <= second.monotonic_s <= time.monotonic()
    assert wall <= first.wall <= second.wall <= datetime.now(UTC)


def test_closing_a_fake_that_is_on_is_recorded_as_an_edge() -> None:
    relay = FakeRelay("amplifier")
    relay.on()
    relay.close()
    assert [edge.on for edge in relay.edges] == [True, False]


def test_a_fake_that_runs_for_weeks_forgets_its_oldest_edges() -> None:
    relay = FakeRelay("amplifier")
    for _ in range(EDGES_KEPT):
        relay.on()
        relay.off()
    assert len(relay.edges) == EDGES_KEPT


def test_a_stuck_contact_stays_and_says_so() -> None:
    relay = FakeRelay("amplifier")
    relay.on()
    relay.stick()
    relay.off()
    assert relay.is_on
    relay.heal()
    relay.off()
    assert not relay.is_on


def test_a_fake_raises_what_it_was_told_to_raise_until_it_is_healed() -> None:
    relay = FakeRelay("amplifier")
    relay.fail(Technician("coil is burnt"))
    with pytest.raises(Technician, match="coil is burnt"):
        relay.on()
    assert not relay.is_on
    relay.heal()
    relay.on()
    assert relay.is_on


@pytest.mark.parametrize("kind", ["fake", "gpio"])
def test_use_after_close_is_refused(kind: str, mock_pins: MockFactory) -> None:
    relay = FakeRelay("amplifier") if kind == "fake" else GpioRelay(HIGH)
    with relay:
        relay.on()
    with pytest.raises(Closed, match="relay 'amplifier' is used after it was closed"):
        relay.on()
    with pytest.raises(Closed):
        relay.off()
    with pytest.raises(Closed):
        assert relay.is_on


def test_a_relay_that_will_not_switch_off_counts_as_closed_and_says_why() -> None:
    relay = FakeRelay("amplifier")
    relay.fail(Retry("no answer"))
    with pytest.raises(Retry, match="no answer"):
        relay.close()
    relay.close()


def test_if_one_relay_cannot_be_opened_none_is(kernel: FakeLgpio) -> None:
    kernel.busy.add(27)
    with pytest.raises(DriverError):
        open_relays([LOW, RelayPin("horn", 27, active_high=False)])
    assert kernel.lines[17].wire[-1] is True
    kernel.busy.clear()
    assert set(open_relays([LOW, RelayPin("horn", 27, active_high=False)])) == {"amplifier", "horn"}


def test_fake_relays_are_opened_by_name() -> None:
    relays = open_relays([LOW, RelayPin("horn", 27, active_high=True)], fake=True)
    assert all(isinstance(relay, FakeRelay) for relay in relays.values())
    assert list(relays) == ["amplifier", "horn"]
