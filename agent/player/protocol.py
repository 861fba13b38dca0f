"""What the conductor and the player tell each other: JSON objects, one a line.

Instants (`at`) are seconds on CLOCK_MONOTONIC, which all processes of a machine share; they name the moment
at which a sample reaches the converter, not the moment it is handed over.

Every `perform` that was accepted is answered by exactly one `done`; every cue that was reached by exactly
one `ended`. `started` is said when a sample with sound in it has left: a cue of nothing but silence ends
`failed` and never started.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from playlists.units import DbFs, Decibel, MonotonicS, Seconds

RATE: Final = 48_000
BLOCK: Final = 480
"""Samples in a block: 10 ms."""

NO_TIME: Final = Seconds(0.0)
UNCHANGED: Final = Decibel(0.0)
DEAD_AIR: Final = DbFs(-50.0)
DEAD_AIR_S: Final = Seconds(10.0)
RAMP_S: Final = Seconds(0.05)
FADE_S: Final = Seconds(0.02)

MAX_CUES: Final = 20_000
LOUDEST_DB: Final = Decibel(24.0)
Outcome = Literal["finished", "interrupted", "failed"]


class PlayerError(Exception):
    """Base of the errors of the player."""


class BadMessage(PlayerError, ValueError):  # noqa: N818 - says what is the matter
    """Error raised for a message that breaks the protocol. Remedy: reject; it is ignored and reported."""


@dataclass(frozen=True)
class PcmSource:
    """A file of raw signed 16-bit little-endian mono samples."""

    path: str
    rate: int = RATE


@dataclass(frozen=True)
class ToneSource:
    """A tone that the player makes itself: a name of `agent.tones.TONES`."""

    name: str


@dataclass(frozen=True)
class StreamSource:
    """A stream, carried for exactly `for_s`; the fallback is PCM at 48 kHz, looped."""

    url: str
    for_s: Seconds
    fallback: str | None = None
    key: str = ""
    """Its name in `receive`, `forget` and the `stream` reports."""
    hosts: tuple[str, ...] = ()
    """Whom the configuration allows: it may lead elsewhere than it seems."""
    live: bool = False
    """A voice that must not be late; otherwise a station that must not break off."""
    dead_air_dbfs: DbFs = DEAD_AIR
    """What is below is silence."""
    dead_air_s: Seconds = DEAD_AIR_S
    """So much silence is none of the programme's."""


Source = PcmSource | ToneSource | StreamSource


@dataclass(frozen=True)
class PlayerCue:
    """One piece of a performance: from `seek_s` in its source, for `for_s` of it (None: to its end)."""

    cue: int
    source: Source
    seek_s: Seconds = NO_TIME
    for_s: Seconds | None = None
    gap_before_s: Seconds = NO_TIME
    gain_db: Decibel = UNCHANGED


@dataclass(frozen=True)
class Perform:
    """Sound these cues without a gap from `at`, or as soon as possible.

    What sounds before goes on until the first sample of this one, and fades within 10 ms. With an `at` that
    has passed, the performance begins where it should be by now, so that neighbouring poles stay together.
    With `more`, the performance waits for `append` after its last cue instead of ending.
    """

    performance: str
    cues: tuple[PlayerCue, ...]
    at: MonotonicS | None = None
    gain_db: Decibel = UNCHANGED
    more: bool = False


@dataclass(frozen=True)
class Append:
    """Further cues for a performance that has not ended; `more` as in `Perform`."""

    performance: str
    cues: tuple[PlayerCue, ...]
    more: bool = False


@dataclass(frozen=True)
class Gain:
    """A new gain for what sounds, reached in `ramp_s`."""

    gain_db: Decibel
    ramp_s: Seconds = RAMP_S


@dataclass(frozen=True)
class Stop:
    """End what sounds, and what was to sound."""

    fade_s: Seconds = FADE_S


@dataclass(frozen=True)
class Receive:
    """Begin to receive a stream, so that it is there when a cue with this very key comes."""

    source: StreamSource


@dataclass(frozen=True)
class Forget:
    """A stream that was received ahead is not wanted any more."""

    key: str


@dataclass(frozen=True)
class Open:
    """Open the output ahead of a performance."""


@dataclass(frozen=True)
class Close:
    """Close the output; what sounds is stopped."""


@dataclass(frozen=True)
class Ping:
    """Answered by `pong` with the count of blocks that were put out so far."""

    n: int


@dataclass(frozen=True)
class Quit:
    """End the process."""


Order = Perform | Append | Receive | Forget | Gain | Stop | Open | Close | Ping | Quit


@dataclass(frozen=True)
class Report:
    """Something the player says; `fields` are those of the message besides `event`.

    - `ready`: `output`, `rate`
    - `pong`: `n`, `blocks`
    - `started`: `performance`, `cue`, `at` of the cue's first sample
    - `ended`: `performance`, `cue`, `at`, `played_s`, `level_dbfs` (null: nothing sounded), `outcome`,
      `reason`, `relayed_s` (of a stream: what really came from it; else null), `position_s` (in the source,
      `seek_s` included: where to resume)
    - `done`: `performance`, `at` of its last sample
    - `level`: `performance`, `cue`, `position_s`, `level_dbfs` of the last second (null: digital silence),
      `peak_dbfs`
    - `stream`: `key`, `state`, `reason`. `ready`: its first samples are here, said once. Then, as it is
      heard: `playing`; `stalled` (connected, nothing arrives), `reconnecting` (it is tried again), `silent`
      (dead air), `howling` (acoustic feedback is turned down)
    - `output-open`: `latency_s`
    - `output-lost`: `reason`; it is tried again by itself
    - `output-closed`
    - `put-out`: `at`, `bands`: the shape of what leaves (agent.listener.bands), where a listener wants it
    - `refused`: `reason`, `line`: a message that was ignored
    """

    event: str
    fields: dict[str, Any] = field(default_factory=dict)

    def message(self) -> dict[str, Any]:
        """As it goes over the pipe."""
        return {"event": self.event, **self.fields}
