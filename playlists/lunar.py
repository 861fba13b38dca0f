"""The date by the Vietnamese lunar calendar, as it is written on a wall calendar. Pure.

The calendar of Viet Nam counts by the new moons and the sun at 105° E (UTC+7), the Chinese one at 120° E: in 1985,
2007 and 2030 Tết does not fall on the same day. So the libraries for the Chinese calendar that were looked at
(lunardate, LunarCalendar, lunar-python, cnlunar, borax, sxtwl) are none for this purpose. lunar-vn computes by Hồ
Ngọc Đức's method (after Meeus, Astronomical Algorithms) at UTC+7, from 1900 to 2100, and needs nothing else; a
test holds it against the days of Tết of forty years.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100


class Lunar(NamedTuple):
    """A day of the lunar calendar."""

    day: int
    month: int
    leap: bool
    """Whether the month is the second one of its number."""
    year: int
    year_name: str
    """Heavenly stem and earthly branch, like Bính Ngọ."""

    @property
    def written(self) -> str:
        """As on a wall calendar: `19/10 năm Bính Ngọ`."""
        leap = " nhuận" if self.leap else ""
        return f"{self.day}/{self.month}{leap} năm {self.year_name}"


@lru_cache(maxsize=4)
def lunar_date(day: date) -> Lunar | None:
    """The lunar date of a day in Viet Nam; None beyond the years that can be computed."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    from lunar_vn import can_chi, solar_to_lunar  # noqa: PLC0415 - only a board with a clock needs it

    found = solar_to_lunar(day)
    return Lunar(found.day, found.month, found.leap, found.year, can_chi.get_year_can_chi(found.year))
