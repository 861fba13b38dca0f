"""Relays: each closed and opened once, with what the pin says afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from agent.config.model import Relay
from agent.control.client import ControlError, Denied
from agent.doctor.finding import absent, fault, ok, warning
from agent.tryout.tried import Bench, Tried, on_the_device
from agent.words import _, retell

CLICK_S: Final = 0.6
"""Long enough to be told from the next click."""


def try_relays(bench: Bench) -> Iterator[Tried]:
    """All of them, in the order in which they close."""
    relays = bench.config.relays
    if not relays:
        yield Tried("relay", absent(_("no relays are configured")))
        return
    runs = bench.agent_runs()
    for relay in relays:
        yield _by_the_agent(bench, relay) if runs else _on_the_pin(bench, relay)


def _by_the_agent(bench: Bench, relay: Relay) -> Tried:
    what = f"relay {relay.name}"
    if bench.health()["relays"].get(relay.name):
        return Tried(
            what, warning(_("is on now, and was left alone"), _("try again when nothing sounds: loa now"))
        )
    seen: list[bool | None] = []
    try:
        for on in (True, False):
            bench.ask("relay", name=relay.name, on=on)
            time.sleep(CLICK_S)
            seen.append(bench.health()["relays"].get(relay.name))
    except Denied:
        raise  # an error of who asks, not of the part
    except ControlError as error:
        return Tried(what, fault(retell(str(error)), _("loa doctor relays")))
    if seen != [True, False]:
        text = _("told on and off, it says {said}").format(
            said=", ".join(_("on") if on else _("off") for on in seen)
        )
        return Tried(what, fault(text, _("check wiring and supply of the relay board")), {"read_back": seen})
    return Tried(what, ok(_("clicked on and off, the pin says so")), {"read_back": seen})


def _on_the_pin(bench: Bench, relay: Relay) -> Tried:
    what = f"relay {relay.name}"
    plan = {"pin": relay.pin, "active_high": relay.active == "high"}
    answer = on_the_device({"what": "click", "relay": plan, "fake": bench.config.hardware.gpio == "fake"})
    if not answer["ok"]:
        return Tried(what, fault(str(answer["error"]), _("loa doctor relays")))
    facts = answer["facts"]
    return Tried(what, ok(_("clicked on and off twice, the pin says so")), facts)
