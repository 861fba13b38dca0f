"""Readings: what is written on the board, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playlists.errors import Rejected
from playlists.models.readings import MAX_READINGS_BYTES, Reading, parse_readings


def document(**reading: Any) -> bytes:
    return json.dumps(
        {"format": "loa.readings/1", "readings": [{"id": "t", "name": "Nhiệt độ", **reading}]}
    ).encode()


@pytest.mark.parametrize(
    ("value", "decimals", "written"),
    [
        (17.5, None, "17,5"),
        (17.0, None, "17"),
        (17, 1, "17,0"),
        (3.4242, None, "3,424"),
        (-2.5, None, "\u22122,5"),
        (0, None, "0"),
        (100, None, "100"),
        (2666666.45, None, "2.666.666,45"),
        (-1013, 0, "\u22121.013"),
        ("Đông Bắc cấp 3", None, "Đông Bắc cấp 3"),
        ("", None, None),
        (None, 2, None),
    ],
)
def test_a_value_is_written_as_in_vietnamese(value: Any, decimals: int | None, written: str | None) -> None:
    assert Reading(id="t", name="N", value=value, decimals=decimals).written == written


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"not JSON", "is not JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"format": "loa.readings/2"}', "format: 'loa.readings/1' is understood here"),
        (document(at="2026-11-28T13:30:00"), "at: "),
        (document(value=[1]), "value"),
        (document(value=float("nan")), "value"),
        (document(unit="x" * 17), "unit: "),
        (b" " * (MAX_READINGS_BYTES + 1), "bytes"),
        (document().replace(b"}]}", b'}, {"id": "t", "name": "x"}]}'), "'t' is used twice"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Rejected, match=r"media/w\.json") as error:
        parse_readings(raw, "media/w.json")
    assert reason in str(error.value)
