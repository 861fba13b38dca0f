"""The listener, as the conductor has it: a child that is kept alive, told what goes out, and says what was heard.

JSON lines, instants (`at`, `until`) on CLOCK_MONOTONIC. To the listener:

- `{"op": "listen", "path_gain_db"}`: open the microphone; what it usually hears of the output, null: not known
- `{"op": "put-out", "at", "bands"}`: what leaves the output, as `agent.listener.bands` writes it
- `{"op": "measure", "id", "tones": [{"at", "hz", "length_s"}]}`: look for these tones, once they have sounded
- `{"op": "rest"}`: close the microphone

From it:

- `ready`, and `alive` each two seconds while it is to listen
- `open`: `microphone`, `rate`; `lost`: `reason` (it is tried again)
- `verdict`, each half second while output and microphone are both known: `until`, `heard` (true, false or null),
  `level_dbfs`, `correlation`, `delay_s`, `sound_s`
- `measured`: `id`, and either `reason` or `delay_s`, `clipped` and `tones` (`hz`, `level_dbfs`, `noise_dbfs`)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.worker import WorkerEvent, WorkerLink

NAME: Final = "listener"


@dataclass(frozen=True, slots=True)
class FromListener:
    """Event: what the listener's link tells."""

    event: WorkerEvent


def listener_argv(device: str | None) -> list[str]:
    """The command of a listener worker."""
    return [sys.executable, "-m", "agent.listener", *([] if device is None else [device])]


def listener_link(argv: Sequence[str], post: Callable[[Any], None]) -> WorkerLink:
    """A listener and the way to it; what it tells is posted as `FromListener`."""
    env = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return WorkerLink(NAME, argv, lambda event: post(FromListener(event)), env)
