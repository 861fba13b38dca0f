"""The player worker: `python -m agent.player --output portaudio --device pulse`.

It is started by the daemon and speaks JSON lines (agent.player.protocol); started by hand, it does so with
you.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from pathlib import Path
from typing import NoReturn

from agent.child import die_with_parent, take_over_pipes

SOUND_NICENESS = -11
"""What sound servers take for themselves."""


def main() -> NoReturn:
    """Run the player until stdin ends."""
    parser = argparse.ArgumentParser(prog="agent.player")
    parser.add_argument("--output", choices=("portaudio", "file"), default="portaudio")
    parser.add_argument("--device", help="a device's name, or the path of the file")
    parser.add_argument("--latency-ms", type=float, default=20.0)
    parser.add_argument("--tap", action="store_true", help="tell what leaves, for a listener")
    parser.add_argument("--log-level", default="INFO")
    args = parser.parse_args()
    if args.output == "file" and not args.device:
        parser.error("--output file needs --device PATH")
    voice = take_over_pipes()
    die_with_parent()
    # Sound that comes late is a gap for a whole village. Where this is not permitted, the unit's Nice= counts.
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, SOUND_NICENESS)
    gc.disable()  # while modules load, collections cost time and find nothing
    # Loaded only now: stdout is out of the libraries' reach
    from agent.player.output import FileOutput, Output, PortAudioOutput  # noqa: PLC0415
    from agent.player.worker import Player, log_to_stderr, stop_on_sigterm  # noqa: PLC0415
    from playlists.units import Seconds  # noqa: PLC0415

    gc.enable()
    log_to_stderr(args.log_level)
    stop_on_sigterm()
    output: Output
    if args.output == "file":
        output = FileOutput(Path(args.device))
    else:
        output = PortAudioOutput(args.device, Seconds(args.latency_ms / 1000))
    tap = None
    if args.tap:
        from agent.player.tap import Tap  # noqa: PLC0415

        tap = Tap()
    Player(output, voice, tap).run()
    # Not by way of atexit: PortAudio may wait there for a card that is gone
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
