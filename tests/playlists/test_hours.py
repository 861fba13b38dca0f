from __future__ import annotations

from datetime import datetime

import pytest

from playlists.hours import hours_contain


@pytest.mark.parametrize(
    ("ranges", "clock", "inside"),
    [
        ((), "03:15", True),
        (("05:00-22:00",), "05:00", True),
        (("05:00-22:00",), "04:59", False),
        (("05:00-22:00",), "21:59", True),
        (("05:00-22:00",), "22:00", False),
        (("22:00-05:00",), "23:59", True),
        (("22:00-05:00",), "00:00", True),
        (("22:00-05:00",), "04:59", True),
        (("22:00-05:00",), "05:00", False),
        (("22:00-05:00",), "12:00", False),
        (("00:00-24:00",), "23:59", True),
        (("22:00-24:00",), "23:59", True),
        (("05:00-05:00",), "05:00", False),
        (("05:00-06:30", "16:30-18:30"), "17:00", True),
        (("05:00-06:30", "16:30-18:30"), "12:00", False),
    ],
)
def test_hours_contain_their_beginning_and_not_their_end(
    ranges: tuple[str, ...], clock: str, inside: bool
) -> None:
    assert hours_contain(ranges, datetime.fromisoformat(f"2026-11-23T{clock}:59")) is inside


def test_each_minute_lies_either_in_a_range_or_in_its_opposite() -> None:
    for minute in range(24 * 60):
        wall = datetime.fromisoformat(f"2026-11-23T{minute // 60:02}:{minute % 60:02}")
        assert hours_contain(("05:30-21:10",), wall) != hours_contain(("21:10-05:30",), wall)
