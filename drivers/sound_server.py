"""What PulseAudio, or PipeWire in its place, does with a stream of ours behind ALSA's back.

A server without a microphone records the output itself, and a stream whose microphone is pulled out is moved there
(seen with PulseAudio 16.1): the node would hear itself and call it proof.
"""

from __future__ import annotations

import logging
from typing import Final

log = logging.getLogger("loa.listener")

_NAME: Final = "loa-listener"


def recorded_output(process: int) -> str | None:
    """The output whose own sound a stream of this process records; None: none, or no server is there.

    It takes a millisecond or two, and waits for a server that does not answer.
    """
    try:
        import pulsectl  # noqa: PLC0415 - it loads libpulse, which a node without a sound server need not have
    except OSError:
        return None
    try:
        with pulsectl.Pulse(_NAME, connect=False) as server:
            server.connect(autospawn=False)
            for stream in server.source_output_list():
                if stream.proplist.get("application.process.id") == str(process):
                    output = server.source_info(stream.source).monitor_of_sink_name
                    if output is not None:
                        return str(output)
    except pulsectl.PulseError as error:  # no server, or the stream was moved or ended between two questions
        log.debug("the sound server was not asked: %s", error)
    return None
