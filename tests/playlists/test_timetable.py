from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playlists import timetable as module
from playlists.errors import Rejected
from playlists.models.base import BulletinClass, ClockState
from playlists.models.schedule import Schedule
from playlists.timetable import LONGEST_WINDOW, LOOK_AHEAD, FeedSchedule, Occurrence, Timetable
from playlists.units import Level
from tests.playlists.model_timetable import PlainTimetable

SYNCHRONISED = ClockState.SYNCHRONISED
GROUPS = frozenset({"hamlet-3"})


def schedule(*programmes: dict[str, object], timezone: str = "Asia/Ho_Chi_Minh") -> Schedule:
    return Schedule.model_validate(
        {
            "format": "loa.schedule/1",
            "version": 1,
            "published": "2026-11-23T05:00:00+07:00",
            "timezone": timezone,
            "programmes": [
                {"id": f"p{n}", "start": "2026-11-23T05:30:00", "items": [{"media": "media/a.ogg"}], **fields}
                for n, fields in enumerate(programmes)
            ],
        }
    )


def feed(
    schedule: Schedule, ceiling: BulletinClass = BulletinClass.EMERGENCY, level: int = 1
) -> FeedSchedule:
    return FeedSchedule(schedule, Level(level), ceiling)


def timetable(*programmes: dict[str, object], timezone: str = "Asia/Ho_Chi_Minh") -> Timetable:
    return Timetable.build({"commune": feed(schedule(*programmes, timezone=timezone))}, "pole-07", GROUPS)


def local(text: str) -> datetime:
    """An instant by the clock of Vietnam."""
    return datetime.fromisoformat(f"{text}+07:00")


def ids(found: list[Occurrence]) -> list[str]:
    return [o.id for o in found]


WALLS = st.datetimes(datetime.fromisoformat("2026-10-20"), datetime.fromisoformat("2026-11-01")).map(
    lambda moment: moment.replace(microsecond=0)
)
RULES = st.sampled_from(
    (
        None,
        None,
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=WEEKLY;BYDAY=MO,TU,SU",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU;WKST=SU",
        "FREQ=MONTHLY",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=YEARLY",
        "FREQ=HOURLY;INTERVAL=5",
        "FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,30",
        "FREQ=DAILY;COUNT=4",
        "FREQ=DAILY;UNTIL=20261025T020000",
        "FREQ=DAILY;UNTIL=20261025T003000Z",
    )
)
SECONDS = st.sampled_from((0, 1, 120, 600, 4_000, 90_000, 7 * 86_400))


@st.composite
def programmes(draw: st.DrawFn) -> dict[str, object]:
    start = draw(WALLS)
    return {
        "start": start.isoformat() + draw(st.sampled_from(("", "", "", "+07:00", "Z"))),
        "recurrence": draw(RULES),
        "exceptions": [
            (start + timedelta(days=n)).isoformat() for n in draw(st.lists(st.integers(0, 9), max_size=2))
        ],
        "class": draw(st.sampled_from(("routine", "priority", "emergency"))),
        "priority": draw(st.integers(-1, 1)),
        "grace_s": draw(SECONDS),
        "length_s": draw(SECONDS.map(lambda s: s or None)),
        "targets": draw(st.sampled_from((["*"], ["*"], ["pole-07"], ["pole-08", "hamlet-3"], ["pole-08"]))),
    }


@settings(max_examples=120, deadline=None)
@given(
    communes=st.lists(
        st.tuples(
            st.sampled_from(("Asia/Ho_Chi_Minh", "Europe/Berlin", "Australia/Lord_Howe")),
            st.lists(programmes(), max_size=5),
            st.sampled_from(tuple(BulletinClass)),
            st.integers(1, 3),
        ),
        min_size=1,
        max_size=3,
    ),
    moments=st.lists(
        st.datetimes(
            datetime.fromisoformat("2026-10-18"), datetime.fromisoformat("2026-11-15"), timezones=st.just(UTC)
        ),
        min_size=2,
        max_size=6,
    ),
    count=st.integers(0, 12),
)
def test_it_equals_the_plain_slow_model(
    communes: list[tuple[str, list[dict[str, object]], BulletinClass, int]],
    moments: list[datetime],
    count: int,
) -> None:
    feeds = {
        f"feed-{n}": feed(schedule(*some, timezone=zone), ceiling, level)
        for n, (zone, some, ceiling, level) in enumerate(communes)
    }
    horizon = max(moments) + LOOK_AHEAD
    plain = PlainTimetable(feeds, "pole-07", GROUPS, horizon)
    built = Timetable.build(feeds, "pole-07", GROUPS)
    for now, other in zip(moments, moments[1:] + moments[:1], strict=True):  # forwards and backwards
        assert ids(built.upcoming(now, count)) == plain.upcoming(now, count)
        assert ids(built.upcoming(now, 1)) == plain.upcoming(now, 1)
        assert ids(built.current(now, SYNCHRONISED)) == plain.current(now)
        assert ids(built.due(now, other)) == plain.due(now, other)
        change = built.next_change(now)
        for known in plain.due(now, now + timedelta(days=2)):
            found = built.find(known)
            assert found is not None
            assert found.id == known
        if change is not None:
            before = change - timedelta(microseconds=1)
            assert plain.current(before) == plain.current(now)
            assert plain.current(change) != plain.current(now)


@settings(max_examples=50, deadline=None)
@given(
    some=st.lists(programmes(), min_size=1, max_size=5),
    cuts=st.lists(st.integers(0, 4 * 86_400), max_size=20),
)
def test_windows_that_tile_time_give_each_start_exactly_once(
    some: list[dict[str, object]], cuts: list[int]
) -> None:
    built = timetable(*some, timezone="Europe/Berlin")
    begin = datetime(2026, 10, 23, tzinfo=UTC)  # the clocks go back in the third night
    edges = [begin, *(begin + timedelta(seconds=s) for s in sorted(cuts)), begin + timedelta(days=4)]
    tiles = [name for a, b in pairwise(edges) for name in ids(built.due(a, b))]
    assert tiles == ids(built.due(edges[0], edges[-1]))


def test_nothing_is_lost_or_doubled_at_midnight() -> None:
    built = timetable({"start": "2026-11-01T00:00:00", "recurrence": "FREQ=DAILY"})
    assert ids(built.due(local("2026-11-22T23:59:59"), local("2026-11-24T00:00:00"))) == [
        "commune/p0@20261122T170000Z",
        "commune/p0@20261123T170000Z",
    ]
    assert built.due(local("2026-11-23T00:00:00"), local("2026-11-23T23:59:59")) == []


def test_a_start_in_a_spring_gap_is_due_once_after_it() -> None:
    rule = {"start": "2026-03-01T02:30:00", "recurrence": "FREQ=DAILY;BYHOUR=2,3"}
    built = timetable(rule, timezone="Europe/Berlin")
    night = built.due(datetime(2026, 3, 29, 0, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert ids(night) == ["commune/p0@20260329T013000Z"]
    assert ids(built.upcoming(datetime(2026, 3, 29, 0, tzinfo=UTC), 2)) == [
        "commune/p0@20260329T013000Z",
        "commune/p0@20260330T003000Z",
    ]


def test_of_starts_at_one_instant_the_higher_rank_comes_first() -> None:
    feeds = {
        "commune": feed(
            schedule(
                {"id": "b"},
                {"id": "a"},
                {"id": "bigger", "priority": 5},
                {"id": "urgent", "class": "priority"},
            ),
            level=1,
        ),
        "province": feed(schedule({"id": "above"}), level=2),
    }
    found = Timetable.build(feeds, "pole-07", GROUPS).upcoming(local("2026-11-23T05:00:00"), 9)
    assert [o.programme.id for o in found] == ["urgent", "bigger", "above", "a", "b"]


def test_only_what_is_meant_for_this_node_is_planned() -> None:
    built = timetable(
        {"targets": ["pole-07"]},
        {"targets": ["hamlet-3"]},
        {"targets": ["pole-08", "hamlet-4"]},
        {"targets": []},
    )
    found = built.upcoming(local("2026-11-23T05:00:00"), 9)
    assert [o.programme.id for o in found] == ["p0", "p1"]
    assert built.refused == []


def test_a_class_above_the_ceiling_of_its_feed_is_left_out_and_reported() -> None:
    source = feed(schedule({}, {"class": "emergency"}), BulletinClass.PRIORITY)
    built = Timetable.build({"commune": source}, "pole-07", GROUPS)
    assert [o.programme.id for o in built.upcoming(local("2026-11-23T05:00:00"), 9)] == ["p0"]
    assert built.refused == [("commune/p1", "class emergency is above the feed's ceiling priority")]


def test_with_an_unset_clock_nothing_is_current() -> None:
    built = timetable({})
    at = local("2026-11-23T05:30:01")
    assert built.current(at, ClockState.UNSET) == []
    assert ids(built.current(at, ClockState.RESTORED)) == ["commune/p0@20261122T223000Z"]


def test_what_is_inside_its_length_stays_current_when_its_grace_is_over() -> None:
    built = timetable({"length_s": 1_800, "grace_s": 60}, {"grace_s": 60})
    at = local("2026-11-23T05:31:00")
    assert [o.programme.id for o in built.current(at, SYNCHRONISED)] == ["p0", "p1"]
    at += timedelta(microseconds=1)
    assert [o.programme.id for o in built.current(at, SYNCHRONISED)] == ["p0"]
    assert built.current(local("2026-11-23T06:00:00"), SYNCHRONISED) == []


@pytest.mark.parametrize(
    ("if_late", "late_s", "position_s"),
    [
        ("join", 0, 0),
        ("join", 0.9, 0),
        ("join", 60, 60),
        ("join", 120, 120),
        ("join", 121, None),
        ("full", 60, 0),
        ("full", 121, None),
        ("skip", 0.9, 0),
        ("skip", 2, None),
        ("join", -1, None),
    ],
)
def test_a_late_start_follows_if_late_within_its_grace(
    if_late: str, late_s: float, position_s: float | None
) -> None:
    (planned,) = timetable({"if_late": if_late, "grace_s": 120}).upcoming(local("2026-11-23T05:00:00"), 1)
    assert planned.enter_at(planned.planned + timedelta(seconds=late_s)) == position_s


def test_what_is_over_is_not_joined() -> None:
    (planned,) = timetable({"length_s": 30}).upcoming(local("2026-11-23T05:00:00"), 1)
    assert planned.enter_at(planned.planned + timedelta(seconds=29)) == 29
    assert planned.enter_at(planned.planned + timedelta(seconds=30)) is None


def test_the_next_change_is_a_start_or_the_end_of_what_is_current() -> None:
    built = timetable({"length_s": 600, "grace_s": 0}, {"start": "2026-11-23T05:35:00", "grace_s": 0})
    assert built.next_change(local("2026-11-23T05:00:00")) == local("2026-11-23T05:30:00")
    assert built.next_change(local("2026-11-23T05:30:00")) == local("2026-11-23T05:35:00")
    assert built.next_change(local("2026-11-23T05:36:00")) == local("2026-11-23T05:40:00")
    assert built.next_change(local("2026-11-23T05:40:00")) is None


def test_a_start_that_a_new_schedule_dropped_is_not_found() -> None:
    built = timetable({}, {"recurrence": "FREQ=DAILY", "exceptions": ["2026-11-24T05:30:00"]})
    assert built.find("commune/p0@20261122T223000Z") is not None
    assert built.find("commune/p1@20261124T223000Z") is not None
    for gone in (
        "commune/p1@20261123T223000Z",
        "commune/p0@20261122T223001Z",
        "commune/p9@20261122T223000Z",
        "province/p0@20261122T223000Z",
        "commune/p0@yesterday",
        "commune/p0",
        "",
    ):
        assert built.find(gone) is None


def test_a_window_that_is_a_clock_jump_is_refused() -> None:
    built = timetable({"recurrence": "FREQ=HOURLY"})
    now = local("2026-11-23T05:00:00")
    assert built.due(now, now - timedelta(days=1_000)) == []
    with pytest.raises(ValueError, match="clock jump"):
        built.due(now, now + LONGEST_WINDOW + timedelta(seconds=1))


def test_after_a_clock_jump_the_same_questions_re_plan() -> None:
    built = timetable({"recurrence": "FREQ=DAILY"})
    for now in ("2026-11-23T05:30:10", "2031-05-01T05:30:10", "2026-11-23T05:30:10", "1970-01-02T00:00:00"):
        at = local(now)
        late = [o.enter_at(at) for o in built.current(at, SYNCHRONISED)]
        assert late == ([10] if at.year > 1970 else [])
        ahead = built.upcoming(at, 1)
        assert [o.planned - at < timedelta(days=1) for o in ahead] == ([True] if at.year > 1970 else [])


def test_programmes_that_are_over_or_yet_to_begin_cost_nothing() -> None:
    # were each of their days looked at, this would take minutes
    some = [
        {"start": "2020-01-01T05:30:00", "recurrence": f"FREQ=DAILY;UNTIL=202101{day:02}T000000Z"}
        for day in range(1, 28)
    ] + [{"start": "2028-01-01T05:30:00", "recurrence": "FREQ=WEEKLY;BYDAY=MO"}]
    built = timetable(*some)
    begin = local("2022-01-01T00:00:00")
    for day in range(1_000):
        assert built.upcoming(begin + timedelta(days=day), 1) == []


def test_what_it_remembers_is_bounded_and_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [{"recurrence": f"FREQ=HOURLY;BYMINUTE={minute},{minute + 30}"} for minute in range(20)]
    begin = local("2026-11-24T00:00:00")
    hours = [begin + timedelta(hours=n) for n in range(72)]
    whole = ids(timetable(*rules).due(begin, begin + timedelta(hours=72)))
    assert len(whole) == 72 * 40
    monkeypatch.setattr(module, "MAX_REMEMBERED", 1_000)  # a day has 960
    built = timetable(*rules)
    assert [name for at in hours for name in ids(built.due(at, at + timedelta(hours=1)))] == whole
    for shelf in built._shelves.values():
        assert sum(len(times) for times, _ in shelf.days.values()) <= 1_000


def test_a_schedule_that_was_not_checked_is_refused_by_name() -> None:
    with pytest.raises(Rejected, match=r"commune/p0: recurrence: FREQ must be one of"):
        timetable({"recurrence": "FREQ=SECONDLY"})
