"""The player's orders as JSON objects, and back: what comes over the pipe is looked at field by field."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from agent.player.protocol import (
    DEAD_AIR,
    DEAD_AIR_S,
    FADE_S,
    LOUDEST_DB,
    MAX_CUES,
    RAMP_S,
    RATE,
    Append,
    BadMessage,
    Close,
    Forget,
    Gain,
    Open,
    Order,
    PcmSource,
    Perform,
    Ping,
    PlayerCue,
    Quit,
    Receive,
    Source,
    Stop,
    StreamSource,
    ToneSource,
)
from playlists.units import DbFs, Decibel, MonotonicS, Seconds


def encode(order: Order) -> dict[str, Any]:
    """The message for an order."""
    fields: dict[str, Any] = {}
    match order:
        case Perform(performance, cues, at, gain_db, more):
            fields = {"performance": performance, "at": at, "gain_db": gain_db, "more": more}
            fields["cues"] = [_encode_cue(cue) for cue in cues]
        case Append(performance, cues, more):
            fields = {"performance": performance, "more": more}
            fields["cues"] = [_encode_cue(cue) for cue in cues]
        case Receive(source):
            fields = {"source": _encode_stream(source)}
        case Forget(key):
            fields = {"key": key}
        case Gain(gain_db, ramp_s):
            fields = {"gain_db": gain_db, "ramp_s": ramp_s}
        case Stop(fade_s):
            fields = {"fade_s": fade_s}
        case Ping(n):
            fields = {"n": n}
        case Open() | Close() | Quit():
            pass
    return {"op": type(order).__name__.lower(), **fields}


def _encode_cue(cue: PlayerCue) -> dict[str, Any]:
    match cue.source:
        case PcmSource(path, rate):
            source: dict[str, Any] = {"pcm": path, "rate": rate}
        case ToneSource(name):
            source = {"tone": name}
        case StreamSource():
            source = _encode_stream(cue.source)
    return {
        "cue": cue.cue,
        "source": source,
        "seek_s": cue.seek_s,
        "for_s": cue.for_s,
        "gap_before_s": cue.gap_before_s,
        "gain_db": cue.gain_db,
    }


def _encode_stream(source: StreamSource) -> dict[str, Any]:
    return {
        "stream": source.url,
        "for_s": source.for_s,
        "fallback": source.fallback,
        "key": source.key,
        "hosts": list(source.hosts),
        "live": source.live,
        "dead_air_dbfs": source.dead_air_dbfs,
        "dead_air_s": source.dead_air_s,
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
    "receive": lambda m: Receive(_stream(m.get("source"))),
    "forget": lambda m: Forget(_text(m, "key")),
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
            return _stream(source)
    raise BadMessage(f"source: expected one of pcm, tone, stream, got {source!r:.60}")


def _stream(source: Any) -> StreamSource:
    if not isinstance(source, dict):
        raise BadMessage(f"source: expected a stream, got {source!r:.60}")
    fallback, hosts = source.get("fallback"), source.get("hosts", [])
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
        raise BadMessage(f"hosts: expected a list of texts, got {hosts!r:.60}")
    key = source.get("key", "")
    return StreamSource(
        _text(source, "stream"),
        Seconds(_number(source, "for_s", 0, 1e7)),
        None if fallback is None else _text(source, "fallback"),
        _text(source, "key") if key else "",
        tuple(hosts),
        source.get("live") is True,
        DbFs(_number(source, "dead_air_dbfs", -120, 0, DEAD_AIR)),
        Seconds(_number(source, "dead_air_s", 0, 1e7, DEAD_AIR_S)),
    )


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
