from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from playlists.errors import Rejected
from playlists.models.schedule import Schedule
from playlists.recurrence import MAX_BAD, MAX_PATTERNS, Recurrence, check_schedule
from tests.playlists.model_timetable import plain_starts

SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    SAIGON,
    BERLIN,
    ZoneInfo("America/New_York"),
    ZoneInfo("America/Santiago"),  # the gap is at midnight
    ZoneInfo("Australia/Lord_Howe"),  # half an hour
    ZoneInfo("Pacific/Apia"),  # left out a whole day in 2011
    ZoneInfo("Asia/Kathmandu"),
)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def starts(recurrence: Recurrence, after: datetime, until: datetime) -> list[str]:
    """Starts as wall time with offset, which is how one thinks of them."""
    return [
        moment.astimezone(recurrence.zone).isoformat(timespec="minutes")
        for moment in recurrence.between(after, until)
    ]


def berlin(start: str, rule: str | None, *exceptions: str) -> Recurrence:
    return Recurrence(
        datetime.fromisoformat(start), rule, [datetime.fromisoformat(moment) for moment in exceptions], BERLIN
    )


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def some(values: st.SearchStrategy[object], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(values, min_size=1, max_size=most, unique=True).map(lambda v: ",".join(map(str, v)))


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules that come true now and then: plain dateutil would search long for one that never does."""
    frequency = draw(st.sampled_from(("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")))
    parts = [f"FREQ={frequency}"]
    monthday = st.integers(1, 28) | st.integers(-28, -1)
    day = draw(
        st.sampled_from(("", "", "BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "NUMBERED", "SETPOS"))
    )
    whole = frequency in ("YEARLY", "MONTHLY")
    if day == "BYDAY" or (day in ("NUMBERED", "SETPOS") and not whole):
        parts.append("BYDAY=" + draw(some(st.sampled_from(WEEKDAYS), 7)))
    elif day == "NUMBERED":
        number = st.sampled_from(("1", "+2", "3", "4", "-1", "-2"))
        parts.append("BYDAY=" + draw(some(st.tuples(number, st.sampled_from(WEEKDAYS)).map("".join))))
    elif day == "SETPOS":
        parts.append("BYDAY=" + draw(some(st.sampled_from(WEEKDAYS), 7)))
        parts.append("BYSETPOS=" + draw(some(st.sampled_from((1, 2, 3, -1, -2)))))
    elif day == "BYMONTHDAY":
        parts.append("BYMONTHDAY=" + draw(some(monthday)))
    elif day == "BYYEARDAY":
        parts.append("BYYEARDAY=" + draw(some(st.integers(1, 365) | st.integers(-365, -1), 5)))
    elif day == "BYWEEKNO":
        parts.append("BYWEEKNO=" + draw(some(st.integers(1, 52) | st.integers(-52, -1))))
    if draw(st.booleans()) and frequency != "MONTHLY" and day not in ("BYYEARDAY", "BYWEEKNO"):
        parts.append("BYMONTH=" + draw(some(st.integers(1, 12), 6)))
    # intervals that meet every weekday, hour and month sooner or later
    parts.append(f"INTERVAL={draw(st.sampled_from((1, 1, 5, 11)))}")
    if day in ("BYDAY", "BYWEEKNO") or frequency == "WEEKLY":
        parts.append("WKST=" + draw(st.sampled_from(WEEKDAYS)))
    one_start = day == "SETPOS"
    if draw(st.booleans()):
        parts.append("BYHOUR=" + draw(some(st.integers(0, 23), 1 if one_start else 3)))
    if draw(st.booleans()):
        parts.append("BYMINUTE=" + draw(some(st.integers(0, 59), 1 if one_start else 2)))
    end = draw(st.sampled_from(("", "", "COUNT", "UNTIL", "UNTIL-UTC", "UNTIL-DAY")))
    if end == "COUNT" and frequency != "YEARLY":
        parts.append(f"COUNT={draw(st.integers(1, 40))}")
    elif end.startswith("UNTIL"):
        moment = draw(st.datetimes(wall("2011-01-01T00:00"), wall("2020-01-01T00:00")))
        form = {"UNTIL": "%Y%m%dT%H%M%S", "UNTIL-UTC": "%Y%m%dT%H%M%SZ", "UNTIL-DAY": "%Y%m%d"}[end]
        parts.append(f"UNTIL={moment:{form}}")
    return ";".join(parts)


@st.composite
def moments(draw: st.DrawFn) -> datetime:
    """Starts, often near a change of clocks."""
    day = draw(
        st.sampled_from(
            (
                wall("2011-12-29T00:00"),
                wall("2014-03-30T00:00"),
                wall("2014-10-26T00:00"),
                wall("2014-09-07T00:00"),
                wall("2014-04-06T00:00"),
            )
        )
        | st.datetimes(wall("2011-01-01T00:00"), wall("2016-12-31T00:00"))
    ).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + draw(
        st.sampled_from(tuple(timedelta(minutes=m) for m in (0, 30, 90, 150, 179, 330)))
        | st.timedeltas(timedelta(), timedelta(hours=23, minutes=59)).map(
            lambda t: timedelta(seconds=int(t.total_seconds()))
        )
    )


@settings(max_examples=200, deadline=None)
@given(
    start=moments(),
    rule=st.none() | rules(),
    zone=st.sampled_from(ZONES),
    offset=st.sampled_from((None, None, 0, 7)),
    exceptions=st.lists(st.integers(0, 30), max_size=4),
    ahead=st.timedeltas(timedelta(days=-40), timedelta(days=700)),
    span=st.timedeltas(timedelta(), timedelta(days=60)),
)
@example(wall("2014-03-01T02:30"), "FREQ=DAILY", BERLIN, None, [], timedelta(days=28), timedelta(days=3))
@example(
    wall("2011-12-01T00:00"),
    "FREQ=DAILY",
    ZoneInfo("Pacific/Apia"),
    None,
    [],
    timedelta(days=27),
    timedelta(days=5),
)
def test_it_equals_plain_dateutil(
    start: datetime,
    rule: str | None,
    zone: ZoneInfo,
    offset: int | None,
    exceptions: list[int],
    ahead: timedelta,
    span: timedelta,
) -> None:
    if offset is not None:
        start = (start - timedelta(hours=offset)).replace(tzinfo=UTC).astimezone(zone)
    if rule is not None and "HOURLY" in rule:
        ahead = min(ahead, timedelta(days=90))
    after = start.replace(tzinfo=UTC) + ahead
    until = after + span
    try:
        Recurrence(start, rule, [], zone)
    except Rejected as refusal:
        assume("is not reached" not in str(refusal))  # a rare day and a big COUNT: a bound of its own
        raise
    everything = plain_starts(start, rule, [], zone, until)
    left_out = [everything[-1 - n] for n in exceptions if n < len(everything)]
    expected = [m for m in plain_starts(start, rule, left_out, zone, until) if m > after]
    assert Recurrence(start, rule, left_out, zone).between(after, until) == expected


def test_a_start_in_a_spring_gap_is_moved_by_the_gap_and_not_lost() -> None:
    night = berlin("2026-03-01T02:30:00", "FREQ=DAILY")
    assert starts(night, utc("2026-03-28T00:00"), utc("2026-03-31T00:00")) == [
        "2026-03-28T02:30+01:00",
        "2026-03-29T03:30+02:00",
        "2026-03-30T02:30+02:00",
    ]


def test_two_starts_that_meet_after_a_spring_gap_are_one() -> None:
    both = berlin("2026-03-01T02:00:00", "FREQ=DAILY;BYHOUR=2,3")
    assert starts(both, utc("2026-03-28T12:00"), utc("2026-03-29T12:00")) == ["2026-03-29T03:00+02:00"]


def test_a_start_in_an_autumn_overlap_sounds_once_the_first_time() -> None:
    night = berlin("2026-10-01T02:30:00", "FREQ=DAILY")
    assert starts(night, utc("2026-10-24T12:00"), utc("2026-10-25T12:00")) == ["2026-10-25T02:30+02:00"]


def test_hourly_starts_are_not_doubled_in_an_autumn_overlap() -> None:
    hourly = berlin("2026-10-01T00:00:00", "FREQ=HOURLY")
    found = starts(hourly, utc("2026-10-24T22:30"), utc("2026-10-25T02:30"))
    assert found == ["2026-10-25T01:00+02:00", "2026-10-25T02:00+02:00", "2026-10-25T03:00+01:00"]


def test_a_single_start_in_a_gap_is_not_lost() -> None:
    once = berlin("2026-03-29T02:30:00", None)
    assert starts(once, utc("2026-03-28T00:00"), utc("2026-03-31T00:00")) == ["2026-03-29T03:30+02:00"]


def test_a_rule_that_begins_in_a_gap_repeats_the_wall_time_that_was_written() -> None:
    night = berlin("2026-03-29T02:30:00", "FREQ=DAILY;COUNT=2")
    assert starts(night, utc("2026-03-28T00:00"), utc("2026-04-05T00:00")) == [
        "2026-03-29T03:30+02:00",
        "2026-03-30T02:30+02:00",
    ]


def test_an_offset_picks_the_second_of_two_equal_wall_times() -> None:
    second = berlin("2026-10-25T02:30:00+01:00", None)
    assert second.between(utc("2026-10-25T00:00"), utc("2026-10-25T12:00")) == [utc("2026-10-25T01:30")]


def test_a_start_with_an_offset_repeats_its_wall_time_in_the_zone_of_the_schedule() -> None:
    news = berlin("2026-03-27T04:30:00+00:00", "FREQ=DAILY")
    assert starts(news, utc("2026-03-28T00:00"), utc("2026-03-30T00:00")) == [
        "2026-03-28T05:30+01:00",
        "2026-03-29T05:30+02:00",
    ]


def test_starts_around_midnight_belong_to_their_own_day() -> None:
    late = Recurrence(wall("2026-11-23T00:00"), "FREQ=DAILY", [], SAIGON)
    assert starts(late, utc("2026-11-23T16:59"), utc("2026-11-23T17:00")) == ["2026-11-24T00:00+07:00"]
    assert starts(late, utc("2026-11-23T17:00"), utc("2026-11-24T16:59")) == []


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20261125T053000", "2026-11-25T05:30+07:00"),
        ("20261125T052959", "2026-11-24T05:30+07:00"),
        ("20261124T223000Z", "2026-11-25T05:30+07:00"),
        ("20261124T222959Z", "2026-11-24T05:30+07:00"),
        ("20261125", "2026-11-25T05:30+07:00"),
    ],
)
def test_until_includes_its_moment_in_local_and_in_utc_form(until: str, last: str) -> None:
    news = Recurrence(wall("2026-11-23T05:30"), f"FREQ=DAILY;UNTIL={until}", [], SAIGON)
    assert starts(news, utc("2026-11-01T00:00"), utc("2026-12-20T00:00"))[-1] == last


def test_count_counts_what_an_exception_leaves_out() -> None:
    three = berlin("2026-11-23T05:30:00", "FREQ=DAILY;COUNT=3", "2026-11-24T05:30:00")
    assert starts(three, utc("2026-11-01T00:00"), utc("2027-11-01T00:00")) == [
        "2026-11-23T05:30+01:00",
        "2026-11-25T05:30+01:00",
    ]


def test_an_exception_may_be_written_with_an_offset() -> None:
    news = berlin("2026-11-23T05:30:00", "FREQ=DAILY", "2026-11-24T04:30:00+00:00")
    assert "2026-11-24T05:30+01:00" not in starts(news, utc("2026-11-23T00:00"), utc("2026-11-26T00:00"))


def test_an_exception_in_a_gap_leaves_out_the_moved_start() -> None:
    night = berlin("2026-03-01T02:30:00", "FREQ=DAILY", "2026-03-29T02:30:00")
    assert starts(night, utc("2026-03-28T12:00"), utc("2026-03-29T12:00")) == []


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=7",
    ],
)
def test_a_rule_that_never_comes_true_is_answered_at_once(rule: str) -> None:
    # plain dateutil searches the last three until the year 9999
    never = Recurrence(wall("1970-01-01T00:00"), rule, [], SAIGON)
    assert never.between(utc("2026-01-01T00:00"), utc("2027-12-31T00:00")) == []


def test_a_start_long_ago_costs_no_more_than_a_recent_one() -> None:
    # hypothesis holds the answers equal; here the rule is one that plain dateutil needs minutes for
    old = Recurrence(wall("1970-01-01T05:00"), "FREQ=HOURLY;BYMINUTE=0,15,30,45", [], SAIGON)
    for hour in range(2_000):
        at = utc("2026-11-23T00:00") + timedelta(hours=hour)
        assert len(old.between(at, at + timedelta(hours=1))) == 4


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("", "'' is no part of a recurrence rule"),
        ("RRULE:FREQ=DAILY", "'RRULE:FREQ=DAILY' is no part"),
        ("FREQ=SECONDLY", "FREQ must be one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY; found SECONDLY"),
        ("FREQ=MINUTELY;INTERVAL=30", "found MINUTELY"),
        ("INTERVAL=2", "FREQ must be one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY; found None"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is given twice"),
        ("FREQ=DAILY;BYEASTER=0", "'BYEASTER=0' is no part"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be 1 to 100000; found '0'"),
        ("FREQ=DAILY;INTERVAL=" + "9" * 900, "INTERVAL must be 1 to 100000; found '99999999999999999999'"),
        ("FREQ=DAILY;INTERVAL=٣", "INTERVAL must be 1 to 100000"),
        ("FREQ=DAILY;COUNT=10001", "COUNT must be 1 to 10000; found '10001'"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "COUNT and UNTIL must not be given together"),
        ("FREQ=DAILY;UNTIL=20271301", "UNTIL must look like 20271231"),
        ("FREQ=DAILY;UNTIL=2027W011", "UNTIL must look like 20271231"),
        ("FREQ=WEEKLY;BYDAY=MO,XX", "BYDAY: 'XX' is no weekday"),
        ("FREQ=WEEKLY;BYDAY=2MO", "numbered weekdays are accepted with FREQ=MONTHLY or YEARLY only"),
        ("FREQ=MONTHLY;BYDAY=2MO,TU", "numbered and plain weekdays are not accepted side by side"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH must be 1 to 12; found '13'"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH must be 1 to 12; found '-1'"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must be 1 to 31; found '0'"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR must be 0 to 23; found '24'"),
        ("FREQ=DAILY;BYSECOND=60", "BYSECOND must be 0 to 59; found '60'"),
        ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1", "BYSETPOS is accepted with FREQ=MONTHLY or YEARLY"),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1;BYHOUR=1,2", "BYSETPOS is accepted with one start a day only"),
        ("FREQ=HOURLY;INTERVAL=25", "INTERVAL must be 1 to 24; found '25'"),
        ("FREQ=HOURLY;INTERVAL=12;BYHOUR=6", "INTERVAL never meets BYHOUR"),
        ("FREQ=DAILY;WKST=XX", "WKST must be one of MO"),
        ("FREQ=HOURLY;BYMINUTE=0,10,20,30,40", "means 120 starts a day, at most 96 are accepted"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2", "COUNT=2 is not reached within 30 years"),
    ],
)
def test_a_rule_beyond_the_bounds_is_refused_in_words(rule: str, says: str) -> None:
    with pytest.raises(Rejected) as refusal:
        Recurrence(wall("2026-11-23T05:30"), rule, [], SAIGON)
    assert says in refusal.value.problems[0]


@settings(max_examples=200, deadline=None)
@given(
    rule=st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            (
                "FREQ=DAILY",
                "FREQ=YEARLY",
                "FREQ=HOURLY",
                "BYDAY=MO",
                "BYDAY=-53SU",
                "BYDAY=99MO",
                "BYWEEKNO=53",
                "BYWEEKNO=-53",
                "BYMONTHDAY=-31",
                "BYYEARDAY=-366",
                "COUNT=10000",
                "INTERVAL=100000",
                "BYSETPOS=-366",
                "UNTIL=00010101",
                "UNTIL=99991231T235959Z",
                "WKST=SU",
                "BYHOUR=,",
                "BYDAY=",
                "BYMONTH=2",
            )
        ),
        max_size=6,
    ).map(";".join)
)
def test_no_rule_however_odd_does_anything_but_answer_or_be_refused(rule: str) -> None:
    try:
        recurrence = Recurrence(wall("2000-02-29T05:30"), rule, [], SAIGON)
    except Rejected:
        return
    year = recurrence.between(utc("2024-01-01T00:00"), utc("2025-01-01T00:00"))
    assert year == sorted(set(year))
    assert len(year) <= 366 * 96


def schedule(*programmes: dict[str, object]) -> Schedule:
    return Schedule.model_validate(
        {
            "format": "loa.schedule/1",
            "version": 1,
            "published": "2026-11-23T05:00:00+07:00",
            "programmes": [
                {"id": f"p{n}", "start": "2026-11-23T05:30:00", "items": [{"media": "media/a.ogg"}], **fields}
                for n, fields in enumerate(programmes)
            ],
        }
    )


def test_a_schedule_with_bad_recurrences_is_refused_whole_and_names_each() -> None:
    bad = schedule(
        {"recurrence": "FREQ=DAILY"},
        {"recurrence": "FREQ=SECONDLY"},
        {"start": "0001-01-01T00:00:00+14:00"},
        {"exceptions": ["9999-12-31T23:59:59-12:00"]},
        {"loops": 10_000, "items": [{"media": "media/a.ogg"}] * 3},
    )
    with pytest.raises(Rejected) as refusal:
        check_schedule(bad)
    assert refusal.value.where == "schedule.json"
    assert refusal.value.problems == [
        "programmes.1 (p1): recurrence: FREQ must be one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY; "
        "found SECONDLY (found FREQ=SECONDLY)",
        "programmes.2 (p2): start: must lie in the years 1970 to 2199; found 0001-01-01T00:00:00+14:00",
        "programmes.3 (p3): exceptions: must lie in the years 1970 to 2199; found 9999-12-31T23:59:59-12:00",
        "programmes.4 (p4): items times loops is 30000, at most 20000 are accepted",
    ]


def test_a_schedule_whose_rules_together_cost_too_much_is_refused() -> None:
    costly = schedule(
        *(
            {"recurrence": f"FREQ=DAILY;BYYEARDAY={n % 366 + 1},{n // 366 + 10},{n % 7 + 300}"}
            for n in range(MAX_PATTERNS + 1)
        )
    )
    with pytest.raises(Rejected, match="1001 different sets of days, at most 1000"):
        check_schedule(costly)


def test_a_schedule_with_too_many_starts_a_day_is_refused() -> None:
    with pytest.raises(Rejected, match=r"programmes\.520 .* 50016 starts on one day, at most 50000"):
        check_schedule(schedule(*[{"recurrence": "FREQ=HOURLY;BYMINUTE=0,15,30,45"}] * 600))


def test_of_many_bad_programmes_the_first_are_named() -> None:
    with pytest.raises(Rejected) as refusal:
        check_schedule(schedule(*[{"recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1"}] * 600))
    assert len(refusal.value.problems) == MAX_BAD


def test_an_ordinary_schedule_passes() -> None:
    check_schedule(schedule({"recurrence": "FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20271231T000000"}, {}))
