"""What the conductor and the player tell each other: JSON objects, one a line.

Instants (`at`) are seconds on CLOCK_MONOTONIC, which all processes of a machine share; they name the moment
at which a sample reaches the converter, not the moment it is handed over.

Every `perform` that was accepted is answered by exactly one `done`; every cue that was reached by exactly
one `ended`. `started` is said when a sample with sound in it has left: a cue of nothing but silence ends
`failed` and never started.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from playlists.units import Decibel, MonotonicS, Seconds

RATE: Final = 48_000
BLOCK: Final = 480
"""Samples in a block: 10 ms."""

NO_TIME: Final = Seconds(0.0)
UNCHANGED: Final = Decibel(0.0)
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
    """A station, carried for exactly `for_s`; the fallback is PCM at 48 kHz, looped."""

    url: str
    for_s: Seconds
    fallback: str | None = None


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


Order = Perform | Append | Gain | Stop | Open | Close | Ping | Quit


def encode(order: Order) -> dict[str, Any]:
    """The message for an order."""
    match order:
        case Perform(performance, cues, at, gain_db, more):
            return {
                "op": "perform",
                "performance": performance,
                "at": at,
                "gain_db": gain_db,
                "cues": [_encode_cue(cue) for cue in cues],
                "more": more,
            }
        case Append(performance, cues, more):
            return {
                "op": "append",
                "performance": performance,
                "cues": [_encode_cue(cue) for cue in cues],
                "more": more,
            }
        case Gain(gain_db, ramp_s):
            return {"op": "gain", "gain_db": gain_db, "ramp_s": ramp_s}
        case Stop(fade_s):
            return {"op": "stop", "fade_s": fade_s}
        case Ping(n):
            return {"op": "ping", "n": n}
        case Open() | Close() | Quit():
            return {"op": type(order).__name__.lower()}


def _encode_cue(cue: PlayerCue) -> dict[str, Any]:
    match cue.source:
        case PcmSource(path, rate):
            source: dict[str, Any] = {"pcm": path, "rate": rate}
        case ToneSource(name):
            source = {"tone": name}
        case StreamSource(url, for_s, fallback):
            source = {"stream": url, "for_s": for_s, "fallback": fallback}
    return {
        "cue": cue.cue,
        "source": source,
        "seek_s": cue.seek_s,
        "for_s": cue.for_s,
        "gap_before_s": cue.gap_before_s,
        "gain_db": cue.gain_db,
    }


def decode(message: Mapping[str, Any]) -> Order:
    """The order in a message.

    Raises:
        BadMessage: which field is wrong, and what was expected.
    """
    op = message.get("op")
    read = _READERS.get(op) if isinstance(op, str) else None
    if read is None:
        raise BadMessage(f"op: {op!r:.40} is not one of {', '.join(_READERS)}")
    return read(message)


def _perform(message: Mapping[str, Any]) -> Perform:
    at = message.get("at")
    return Perform(
        _text(message, "performance"),
        _cues(message),
        None if at is None else MonotonicS(_number(message, "at", 0, 1e12)),
        Decibel(_number(message, "gain_db", -200, LOUDEST_DB, 0)),
        message.get("more") is True,
    )


_READERS: Final[dict[str, Callable[[Mapping[str, Any]], Order]]] = {
    "perform": _perform,
    "append": lambda m: Append(_text(m, "performance"), _cues(m), m.get("more") is True),
    "gain": lambda m: Gain(
        Decibel(_number(m, "gain_db", -200, LOUDEST_DB)), Seconds(_number(m, "ramp_s", 0, 60, RAMP_S))
    ),
    "stop": lambda m: Stop(Seconds(_number(m, "fade_s", 0, 60, FADE_S))),
    "open": lambda _: Open(),
    "close": lambda _: Close(),
    "ping": lambda m: Ping(int(_number(m, "n", 0, 2**53))),
    "quit": lambda _: Quit(),
}


def _cues(message: Mapping[str, Any]) -> tuple[PlayerCue, ...]:
    cues = message.get("cues")
    if not isinstance(cues, list) or len(cues) > MAX_CUES:
        raise BadMessage(f"cues: expected a list of at most {MAX_CUES}, got {type(cues).__name__}")
    return tuple(_cue(cue) for cue in cues)


def _cue(cue: Any) -> PlayerCue:
    if not isinstance(cue, dict):
        raise BadMessage(f"cues: expected objects, got {cue!r:.40}")
    return PlayerCue(
        int(_number(cue, "cue", 0, 2**31)),
        _source(cue.get("source")),
        Seconds(_number(cue, "seek_s", 0, 1e7, 0)),
        None if cue.get("for_s") is None else Seconds(_number(cue, "for_s", 0, 1e7)),
        Seconds(_number(cue, "gap_before_s", 0, 1e7, 0)),
        Decibel(_number(cue, "gain_db", -200, LOUDEST_DB, 0)),
    )


def _source(source: Any) -> Source:
    if isinstance(source, dict):
        if "pcm" in source:
            return PcmSource(_text(source, "pcm"), int(_number(source, "rate", 4_000, 192_000, RATE)))
        if "tone" in source:
            return ToneSource(_text(source, "tone"))
        if "stream" in source:
            fallback = source.get("fallback")
            return StreamSource(
                _text(source, "stream"),
                Seconds(_number(source, "for_s", 0, 1e7)),
                None if fallback is None else _text(source, "fallback"),
            )
    raise BadMessage(f"source: expected one of pcm, tone, stream, got {source!r:.60}")


def _number(
    message: Mapping[str, Any], key: str, low: float, high: float, default: float | None = None
) -> float:
    value = message.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadMessage(f"{key}: expected a number, got {value!r:.40}")
    if not low <= value <= high:
        raise BadMessage(f"{key}: {value} is not between {low} and {high}")
    return value


def _text(message: Mapping[str, Any], key: str) -> str:
    value = message.get(key)
    if not isinstance(value, str) or not value:
        raise BadMessage(f"{key}: expected a text, got {value!r:.40}")
    return value


@dataclass(frozen=True)
class Report:
    """Something the player says; `fields` are those of the message besides `event`.

    - `ready`: `output`, `rate`
    - `pong`: `n`, `blocks`
    - `started`: `performance`, `cue`, `at` of the cue's first sample
    - `ended`: `performance`, `cue`, `at`, `played_s`, `level_dbfs` (null: nothing sounded), `outcome`,
      `reason`, `position_s` (in the source, `seek_s` included: where to resume)
    - `done`: `performance`, `at` of its last sample
    - `level`: `performance`, `cue`, `position_s`, `level_dbfs` of the last second (null: digital silence),
      `peak_dbfs`
    - `stream`: `performance`, `cue`, `state` (`playing`, `stalled` or `silent`), `reason`
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
