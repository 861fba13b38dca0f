"""The Vietnamese lunar calendar against days that everybody knows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.lunar import lunar_date

TET = [
    "1995-01-31", "1996-02-19", "1997-02-07", "1998-01-28", "1999-02-16", "2000-02-05", "2001-01-24", "2002-02-12",
    "2003-02-01", "2004-01-22", "2005-02-09", "2006-01-29", "2007-02-17", "2008-02-07", "2009-01-26", "2010-02-14",
    "2011-02-03", "2012-01-23", "2013-02-10", "2014-01-31", "2015-02-19", "2016-02-08", "2017-01-28", "2018-02-16",
    "2019-02-05", "2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17",
    "2027-02-06", "2028-01-26", "2029-02-13", "2030-02-02", "2031-01-23", "2032-02-11", "2033-01-31", "2034-02-19",
    "2035-02-08",
]  # fmt: skip
"""Tết Nguyên đán as it was, and as calendars print it. In 2007 and 2030 it is a day before the Chinese one."""


@pytest.mark.parametrize("day", TET)
def test_tet_falls_on_its_day(day: str) -> None:
    found = lunar_date(date.fromisoformat(day))
    assert found is not None
    assert (found.day, found.month, found.leap, found.year) == (1, 1, False, int(day[:4]))
    eve = lunar_date(date.fromisoformat(day) - timedelta(days=1))
    assert eve is not None
    assert (eve.month, eve.year) == (12, int(day[:4]) - 1)
    assert eve.day in {29, 30}


def test_tet_of_1985_was_a_month_before_the_chinese_one() -> None:
    found = lunar_date(date(1985, 1, 21))
    assert found is not None
    assert (found.day, found.month) == (1, 1)


@pytest.mark.parametrize(
    ("day", "written"),
    [
        (date(2026, 11, 28), "20/10 năm Bính Ngọ"),
        (date(2024, 9, 17), "15/8 năm Giáp Thìn"),  # Trung thu
        (date(2025, 9, 6), "15/7 năm Ất Tỵ"),  # Vu Lan
        (date(2023, 4, 1), "11/2 nhuận năm Quý Mão"),
        (date(2025, 8, 1), "8/6 nhuận năm Ất Tỵ"),
        (date(2027, 2, 6), "1/1 năm Đinh Mùi"),
    ],
)
def test_a_day_is_written_as_on_a_wall_calendar(day: date, written: str) -> None:
    found = lunar_date(day)
    assert found is not None
    assert found.written == written


@given(st.dates(date(1950, 1, 1), date(2099, 12, 30)))
def test_days_follow_each_other(day: date) -> None:
    today, tomorrow = lunar_date(day), lunar_date(day + timedelta(days=1))
    assert today is not None and tomorrow is not None
    if tomorrow.day == 1:
        assert today.day in {29, 30}
    else:
        assert tomorrow == today._replace(day=today.day + 1)


@pytest.mark.parametrize("year", [1899, 2101])
def test_beyond_what_can_be_computed_nothing_is_said(year: int) -> None:
    assert lunar_date(date(year, 6, 1)) is None
