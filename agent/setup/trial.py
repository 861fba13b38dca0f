"""Tries one answer on the hardware itself: `python -m agent.setup.trial JSON`, a process of its own.

PortAudio, ALSA and SDL write on the terminal, may hang, and hold what they opened: here that costs nothing. The
answer is one line of JSON: `{"ok": …, "facts": {…}}` or `{"ok": false, "error": …}`.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from drivers.errors import DriverError
from drivers.relays import RelayPin, open_relays

CLICK_S: Final = 0.5
SETTLE_S: Final = 0.5
LISTEN_S: Final = 3.0
PAGE_S: Final = 6.0
TONE_GAIN: Final = 0.7


def main(request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what is asked; everything foreseen is an answer."""
    from agent.player.protocol import PlayerError  # noqa: PLC0415
    from agent.screen.errors import ScreenError  # noqa: PLC0415

    tries = {"click": click, "tone": tone, "listen": listen, "page": page}
    try:
        return {"ok": True, "facts": tries[request["what"]](request)}
    except (DriverError, PlayerError, ScreenError, OSError) as error:
        return {"ok": False, "error": str(error)}


def click(request: Mapping[str, Any]) -> dict[str, Any]:
    """Close and open a relay twice; says what its pin said each time."""
    read_back: list[bool] = []
    with _relays([request["relay"]], fake=request["fake"]) as relays:
        for _ in range(2):
            for relay in relays:
                for switch in (relay.on, relay.off):
                    switch()
                    time.sleep(CLICK_S)
                    read_back.append(relay.is_on)
    if read_back != [True, False] * 2:
        raise OSError(f"told on and off, the pin says {read_back}")
    return {"read_back": read_back}


def tone(request: Mapping[str, Any]) -> dict[str, Any]:
    """Sound the chime as the player does, with relays closed in order; says how much the card took, and how loud.

    `gain_db` is that of the chime, `settle_s` the wait after each relay.
    """
    import numpy as np  # noqa: PLC0415

    from agent.player.output import PortAudioOutput  # noqa: PLC0415
    from agent.player.synth import tone as samples_of  # noqa: PLC0415
    from agent.tones import CHIME  # noqa: PLC0415
    from playlists.units import Seconds  # noqa: PLC0415

    gain = 10 ** (request["gain_db"] / 20) if "gain_db" in request else TONE_GAIN
    sound = (samples_of(CHIME) * (32_767 * gain)).astype(np.int16)
    taken, done = 0, threading.Event()

    def render(frames: int, _at: float) -> Any:
        nonlocal taken
        block = np.zeros((frames, 1), dtype=np.int16)
        part = sound[taken : taken + frames]
        block[: len(part), 0] = part
        taken += len(part)
        if not len(part):
            done.set()
        return block

    output = PortAudioOutput(request["device"], Seconds(0.05))
    with _relays(request["relays"], fake=request["fake"]) as relays:
        for relay in relays:
            relay.on()
            time.sleep(request.get("settle_s", SETTLE_S))
        latency_s = output.open(render)
        try:
            done.wait(len(sound) / 48_000 + 5.0)
            time.sleep(latency_s + 0.2)
            lost = output.lost
        finally:
            output.close()
        for relay in reversed(relays):
            relay.off()
    if lost or not done.is_set():
        raise OSError(lost or f"{output.name} took only {taken / 48_000:.1f} s of the tone")
    played = (sound[:taken] / 32_768) ** 2
    return {"seconds": round(taken / 48_000, 1), "sounded_dbfs": _dbfs(float(played.mean()))}


def listen(request: Mapping[str, Any]) -> dict[str, Any]:
    """The loudest tenth of a second and the quietest, in dBFS."""
    from agent.player.alsa import LEAN_ALSA  # noqa: PLC0415
    from drivers.listener import PortAudioMicrophone  # noqa: PLC0415

    powers: list[float] = []
    device = request["device"]
    microphone = PortAudioMicrophone(device, LEAN_ALSA if device == "pulse" else None)
    microphone.open(lambda block, _at: powers.append(float((block**2).mean())))
    try:
        time.sleep(LISTEN_S)
        lost = microphone.lost
    finally:
        microphone.close()
    if lost or not powers:
        raise OSError(f"{microphone.name}: {lost or 'nothing came'}")
    tenths = [sum(powers[i : i + 5]) / len(powers[i : i + 5]) for i in range(0, len(powers), 5)]
    return {"loudest_dbfs": _dbfs(max(tenths)), "quietest_dbfs": _dbfs(min(tenths))}


def page(request: Mapping[str, Any]) -> dict[str, Any]:
    """Show the test page."""
    from agent.screen.display_environment import prepare_environment  # noqa: PLC0415

    prepare_environment(None if request["driver"] in (None, "auto") else request["driver"])
    from agent.setup.page import show  # noqa: PLC0415 - loads pygame, which reads the environment

    size = tuple(request["size"]) if request.get("size") else None
    shown = show(request["rotate"], request.get("seconds", PAGE_S), size)
    return {"driver": shown.driver, "width": shown.size[0], "height": shown.size[1], **shown.bars}


@contextmanager
def _relays(plans: Sequence[Mapping[str, Any]], *, fake: bool) -> Iterator[list[Any]]:
    """Relays, open, in order; whatever happens they are off afterwards."""
    pins = [RelayPin(f"relay {n}", plan["pin"], plan["active_high"]) for n, plan in enumerate(plans, 1)]
    relays = list(open_relays(pins, fake=fake).values())
    try:
        yield relays
    finally:
        for relay in reversed(relays):
            relay.close()


def _dbfs(power: float) -> float:
    return round(10.0 * math.log10(2.0 * max(power, 1e-12)), 1)


if __name__ == "__main__":
    # what libraries print goes where nobody reads it; the answer alone goes out
    answer_to = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    json.dump(main(json.loads(sys.argv[1])), answer_to)
    answer_to.close()
    os._exit(0)  # a library that hangs at its end is not waited for; relays are off by now
