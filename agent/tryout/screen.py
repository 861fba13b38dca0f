"""Screen: a test page, and a look at the pixels that are really there."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Iterator
from typing import Any, Final

from agent.control.client import ControlError, Denied
from agent.doctor.finding import Finding, absent, fault, ok, warning
from agent.tryout.tried import Bench, Tried, on_the_device
from agent.words import _, retell

WIDTH: Final = 320
"""Of the pictures: a page and what was before it differ also when they are small."""
SHOWN_AFTER_S: Final = 2.5
"""A page slides in within a second."""
LEAST_CHANGED: Final = 0.1
SECONDS: Final = 6.0
PAGE_GONE_S: Final = 10.0
VISIBLE: Final = 12
"""Of 255: what scaling leaves differs by less."""


def try_screen(bench: Bench) -> Iterator[Tried]:
    """Through the agent a page over the board; without it the page of the installation."""
    if not bench.config.screen.enabled:
        yield Tried("screen", absent(_("no board is configured")))
    elif bench.agent_runs():
        yield _by_the_agent(bench)
    else:
        yield _on_the_screen(bench)


def _by_the_agent(bench: Bench) -> Tried:
    try:
        _await_the_board(bench)
        before = _pixels(bench)
        bench.ask("test-page")
        time.sleep(SHOWN_AFTER_S)
        after = _pixels(bench)
    except Denied:
        raise  # an error of who asks, not of the part
    except ControlError as error:
        return Tried("screen", fault(retell(str(error)), _("loa doctor screen")))
    health = bench.health()
    showing = health["now"]["screen"] or {}
    blind = [one["text"] for one in health["faults"] if one["code"].startswith("screen-")]
    facts = {
        "changed": round(changed(before, after), 3),
        "colours": after["colours"],
        "size": showing.get("size") or after["size"],
        "driver": showing.get("driver"),
    }
    return Tried("screen", judge_screen(facts, showing.get("takeover"), blind[0] if blind else None), facts)


def _await_the_board(bench: Bench) -> None:
    """A test page that somebody asked for before goes by itself; beside it a second one would change nothing."""
    until = time.monotonic() + PAGE_GONE_S
    while (bench.health()["now"]["screen"] or {}).get("takeover") == "test-page" and time.monotonic() < until:
        time.sleep(0.3)


def judge_screen(facts: dict[str, Any], takeover: str | None, wrong: str | None) -> Finding:
    """What was seen of the page."""
    if wrong is not None:
        return fault(retell(wrong), _("loa doctor screen"))
    if takeover not in (None, "test-page"):
        return warning(_("an alert covers the screen: no test page now"), _("try again when it is over"))
    if facts["colours"] < 3:
        return fault(
            _("the screen has one colour only"),
            _("loa doctor screen; then: sudo systemctl restart loa-agent"),
        )
    if facts["changed"] < LEAST_CHANGED:
        text = _("the test page did not come: {percent:.0f} % of the picture changed")
        return fault(text.format(percent=facts["changed"] * 100), _("sudo systemctl restart loa-agent"))
    text = _("test page on {width}×{height} ({driver}), {percent:.0f} % of the picture changed")
    width, height = facts["size"]
    return ok(text.format(width=width, height=height, driver=facts["driver"], percent=facts["changed"] * 100))


def _pixels(bench: Bench) -> dict[str, Any]:
    """What the screen shows: its size, a small picture, and how many colours that has."""
    from PIL import Image

    reply = bench.ask("screenshot", format="png", width=WIDTH)
    with Image.open(io.BytesIO(base64.b64decode(reply["picture"]))) as picture:
        grey = picture.convert("L")
        # steps of 16: the noise of scaling is no colour
        colours = len({value >> 4 for value in grey.tobytes()})
        return {"size": reply["size"], "grey": grey.tobytes(), "colours": colours}


def changed(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Share of pixels that differ by more than can be seen at a glance."""
    if len(before["grey"]) != len(after["grey"]):
        return 1.0
    pairs = zip(before["grey"], after["grey"], strict=True)
    differ = sum(abs(a - b) > VISIBLE for a, b in pairs)
    return float(differ / len(after["grey"]))


def _on_the_screen(bench: Bench) -> Tried:
    screen = bench.config.screen
    request = {"what": "page", "rotate": screen.rotate, "driver": screen.driver, "seconds": SECONDS}
    answer = on_the_device({**request, "size": screen.size})
    if not answer["ok"]:
        return Tried("screen", fault(retell(str(answer["error"])), _("loa doctor screen")))
    facts = answer["facts"]
    if facts["bars_seen"] < facts["bars"]:
        text = _("only {seen} of {bars} colours of the test page are on the screen")
        finding = fault(text.format(seen=facts["bars_seen"], bars=facts["bars"]), _("loa doctor screen"))
    else:
        text = _("test page on {width}×{height} ({driver}), all colours are there; did the arrow point up?")
        finding = ok(text.format(**facts))
    return Tried("screen", finding, facts)
