"""The listener worker: `python -m agent.listener [DEVICE]`. See `agent.listener.link` for what it speaks.

At rest it is a bare Python: what listening needs is loaded when it is first asked to listen, and a while after
the last sound the process replaces itself with a fresh one (execve keeps its number and its pipes).
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from agent.child import Voice, die_with_parent, take_over_pipes

if TYPE_CHECKING:
    from agent.listener.ears import Ears

TICK_S: Final = 0.1
SMALL_AFTER_S: Final = 30.0


def main() -> NoReturn:
    """Work until stdin ends."""
    stdout = os.dup(1)
    voice = take_over_pipes()
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes our stdin
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    device = sys.argv[1] if len(sys.argv) > 1 else None
    if not _work(device, voice):
        os.dup2(stdout, 1)
        os.execv(sys.executable, [sys.executable, "-m", "agent.listener", *sys.argv[1:]])  # noqa: S606 - ourselves
    # Not by way of atexit: PortAudio may wait there for a microphone that is gone
    sys.stderr.flush()
    os._exit(0)


def _work(device: str | None, voice: Voice) -> bool:
    """Work until stdin ends (True), or until it has been quiet for so long that a fresh process is smaller."""
    ears: Ears | None = None
    rest = b""
    quiet_since = time.monotonic()
    voice.say({"event": "ready"})
    while True:
        busy = ears is not None and ears.listening
        wait_s = TICK_S if busy else None if ears is None else SMALL_AFTER_S
        if select.select([0], [], [], wait_s)[0]:
            data = os.read(0, 65_536)
            if not data:
                return True
            *lines, rest = (rest + data).split(b"\n")
            for line in filter(None, lines):
                ears = ears or _open_ears(device, voice)
                ears.handle(_message(line))
        if ears is not None:
            ears.tick()
            if ears.listening:
                quiet_since = time.monotonic()
            elif not rest and time.monotonic() - quiet_since >= SMALL_AFTER_S:
                return False


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError as error:
        return {"op": f"not JSON: {error}"}
    return message if isinstance(message, dict) else {"op": "not an object"}


def _open_ears(device: str | None, voice: Voice) -> Ears:
    from agent.listener.ears import Ears  # noqa: PLC0415 - numpy and PortAudio: not at rest
    from agent.player.alsa import LEAN_ALSA  # noqa: PLC0415
    from drivers.listener import PortAudioMicrophone  # noqa: PLC0415
    from playlists.units import MonotonicS  # noqa: PLC0415

    microphone = PortAudioMicrophone(device, LEAN_ALSA if device == "pulse" else None)
    return Ears(microphone, voice.say, lambda: MonotonicS(time.monotonic()))


if __name__ == "__main__":
    main()
