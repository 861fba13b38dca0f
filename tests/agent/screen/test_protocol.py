from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.screen import content, protocol
from agent.screen.errors import Rejected
from agent.screen.reading import read_message
from playlists.units import Seconds

BOARD: dict[str, Any] = {
    "layout": "default",
    "grid": [16, 9],
    "timezone": "Asia/Ho_Chi_Minh",
    "zones": [
        {
            "id": "main",
            "kind": "bulletins",
            "at": [0, 0, 16, 8],
            "bulletins": [
                {
                    "id": "a",
                    "class": "priority",
                    "duration_s": 9,
                    "weight": 2,
                    "text": {"heading": "H", "body": "B", "qr": None},
                },
                {"id": "b", "image": {"path": "/x.png", "fit": "cover", "caption": ""}},
                {"id": "c", "video": {"path": "/x.mp4"}},
            ],
        },
        {"id": "clock", "kind": "clock", "at": [0, 8, 16, 1]},
    ],
}


def through_the_pipe(message: dict[str, Any]) -> protocol.Message:
    return read_message(json.loads(json.dumps(message)))


def test_a_board_arrives_as_it_was_sent() -> None:
    message = through_the_pipe(protocol.board_message(BOARD))
    assert isinstance(message, protocol.SetBoard)
    main, clock = message.board.zones
    assert (message.board.grid, main.at, clock.kind) == ((16, 9), (0, 0, 16, 8), "clock")
    assert [b.id for b in main.bulletins] == ["a", "b", "c"]
    assert main.bulletins[0].text == content.TextPart("H", "B", None)
    assert (main.bulletins[0].class_, main.bulletins[0].weight) == ("priority", 2)
    assert main.bulletins[1].image == content.ImagePart("/x.png", "cover", "")
    assert message.board.clock_known


def test_other_messages_arrive_as_they_were_sent() -> None:
    takeover = protocol.Takeover("t", "emergency", "Bão", "Bão số 9", "Ở trong nhà.", "Exercise")
    assert through_the_pipe(protocol.takeover_message(takeover)) == protocol.TakeOver(takeover)
    picture = protocol.picture_message("r", Path("/p/x.png"), 640)
    assert through_the_pipe(picture) == protocol.TakePicture("r", Path("/p/x.png"), 640)
    assert through_the_pipe(protocol.ping_message(7)) == protocol.Ping(7)
    assert through_the_pipe(protocol.clear_message()) == protocol.Clear()
    caption = protocol.Caption("Sơ tán ngay!", Seconds(2.5))
    assert through_the_pipe(protocol.caption_message(caption)) == protocol.SetCaption(caption)
    assert through_the_pipe(protocol.caption_message(None)) == protocol.SetCaption(None)
    assert through_the_pipe(protocol.quit_message()) == protocol.Quit()


def broken(path: list[Any], value: Any) -> dict[str, Any]:
    board = json.loads(json.dumps(BOARD))
    part = board
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return protocol.board_message(board)


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ({"op": "dance"}, "op: one of board"),
        ({}, "op: one of board"),
        ({"op": "board", "board": 3}, "board: an object, found 3"),
        (broken(["grid"], [16]), r"board.grid: 2 whole numbers, found \[16\]"),
        (broken(["grid"], [0, 9]), "board.grid: 1 to 64"),
        (broken(["timezone"], "Asia/Nowhere"), "board.timezone: an IANA time zone, found 'Asia/Nowhere'"),
        (broken(["timezone"], "../../etc"), "board.timezone"),
        (broken(["zones", 0, "at"], [0, 0, 17, 9]), r"board.zones\[0\].at: .* lies outside the grid"),
        (
            broken(["zones", 0, "bulletins", 0, "weight"], 0),
            r"bulletins\[0\].weight: a number from 1 to 100, found 0",
        ),
        (
            broken(["zones", 0, "bulletins", 0, "class"], "loud"),
            r"bulletins\[0\].class: one of routine, priority",
        ),
        (broken(["zones", 0, "bulletins", 0, "text"], "x"), r"bulletins\[0\].text: an object, found 'x'"),
        (broken(["zones"], [BOARD["zones"][1]] * 33), "board.zones: at most 32, found 33"),
        ({"op": "picture", "request": "r", "path": "/x.exe"}, "path: ends in .png or .jpg, found 'x.exe'"),
        ({"op": "ping", "n": True}, "n: a number"),
    ],
)
def test_a_broken_message_is_refused_with_field_and_finding(message: dict[str, Any], complaint: str) -> None:
    with pytest.raises(Rejected, match=complaint):
        read_message(message)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["op", "board", "takeover", "n", "path", "request", "width"]), json_values
    )
)
def test_no_message_raises_anything_but_a_refusal(message: dict[str, Any]) -> None:
    for op in ("board", "takeover", "caption", "picture", "ping"):
        try:
            read_message({**message, "op": op})
        except Rejected as refusal:
            assert str(refusal)


@pytest.mark.parametrize(
    "event",
    [
        protocol.Ready("x11", (1920, 1080)),
        protocol.Ready(None, None, "no screen", Seconds(2.0)),
        protocol.Showing("default", ("a", "b"), None),
        protocol.Shown("a", "2026-11-23T00:00:00+07:00", Seconds(59.5), 4),
        protocol.Pong(3, 100, 1),
        protocol.PictureTaken("r", "/x.png", (640, 360)),
        protocol.Failed(None, "why"),
    ],
)
def test_an_event_arrives_as_it_was_sent(event: protocol.Event) -> None:
    assert protocol.read_event(json.loads(json.dumps(protocol.event_message(event)))) == event


@pytest.mark.parametrize(
    "message", [{"event": "sneeze"}, {"event": "pong"}, {"event": "shown", "bulletin": "a"}, {}]
)
def test_an_event_that_is_not_understood_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match="is not understood"):
        protocol.read_event(message)
