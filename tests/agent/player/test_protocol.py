"""What goes over the pipe: there and back unchanged, and everything else refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.player.messages import decode, encode
from agent.player.protocol import (
    Append,
    BadMessage,
    Close,
    Gain,
    Open,
    PcmSource,
    Perform,
    Ping,
    PlayerCue,
    Quit,
    Stop,
    StreamSource,
    ToneSource,
)

ORDERS = [
    Perform(
        "commune/morning@1",
        (
            PlayerCue(0, PcmSource("/var/cache/a", 22_050), 1.5, 2.0, 0.25, -3.0),
            PlayerCue(1, ToneSource("chime")),
            PlayerCue(2, StreamSource("http://radio.example/vov1", 900.0, None)),
        ),
        at=12.5,
        gain_db=-6.0,
        more=True,
    ),
    Append("a", (PlayerCue(3, PcmSource("/b")),)),
    Gain(-6.0, 0.5),
    Stop(0.1),
    Open(),
    Close(),
    Ping(7),
    Quit(),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_an_order_survives_the_pipe(order: Any) -> None:
    assert decode(json.loads(json.dumps(encode(order)))) == order


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ({}, "op"),
        ({"op": "sing"}, "op"),
        ({"op": ["perform"]}, "op"),
        ({"op": "perform", "cues": []}, "performance"),
        ({"op": "perform", "performance": "a"}, "cues"),
        ({"op": "perform", "performance": "a", "cues": [3]}, "cues"),
        ({"op": "perform", "performance": "a", "cues": [{"cue": 0}]}, "source"),
        ({"op": "perform", "performance": "a", "cues": [], "at": "soon"}, "at"),
        ({"op": "perform", "performance": "a", "cues": [], "gain_db": float("nan")}, "gain_db"),
        ({"op": "gain", "gain_db": 60}, "gain_db"),
        ({"op": "ping", "n": True}, "n"),
    ],
)
def test_a_bad_message_is_refused_and_the_field_is_named(message: dict[str, Any], names: str) -> None:
    with pytest.raises(BadMessage, match=names):
        decode(message)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["perform", "append", "gain", "stop", "ping", "open"]),
    st.dictionaries(
        st.sampled_from(["performance", "cues", "at", "gain_db", "ramp_s", "fade_s", "n", "more"]),
        json_values,
    ),
)
def test_no_message_does_anything_but_decode_or_be_refused(op: str, rest: dict[str, Any]) -> None:
    try:
        order = decode({"op": op, **rest})
    except BadMessage:
        return
    assert type(order).__name__.lower() == op
