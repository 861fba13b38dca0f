"""What the board shows when, against a slow plain model."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playlists.board import LONGEST_FILM_S, BoardNow, Orientation, board_at
from playlists.models.base import BulletinClass, ClockState
from playlists.models.schedule import Schedule
from playlists.timetable import FeedSchedule
from playlists.units import Level
from tests.playlists import plain_board

NOON = datetime.fromisoformat("2026-11-23T12:00:00+07:00")
GROUPS = frozenset({"hamlet-3"})
FULL = {"id": "full", "zones": [{"id": "main", "at": [0, 0, 16, 9]}]}


def bulletin(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "content": {"text": {"heading": name}}} | fields


def feed(
    *bulletins: dict[str, Any],
    layouts: tuple[dict[str, Any], ...] = (),
    level: int = 1,
    ceiling: BulletinClass = BulletinClass.EMERGENCY,
    timezone: str = "Asia/Ho_Chi_Minh",
) -> FeedSchedule:
    schedule = Schedule.model_validate(
        {
            "format": "loa.schedule/1",
            "version": 1,
            "published": NOON,
            "timezone": timezone,
            "bulletins": bulletins,
            "layouts": layouts,
        }
    )
    return FeedSchedule(schedule, Level(level), ceiling)


def board(
    feeds: dict[str, FeedSchedule], now: datetime = NOON, clock: ClockState = ClockState.SYNCHRONISED
) -> tuple[BoardNow, datetime | None]:
    return board_at(feeds, now, clock, "pole-07", GROUPS, "Asia/Ho_Chi_Minh")


def showing(
    *bulletins: dict[str, Any], now: datetime = NOON, clock: ClockState = ClockState.SYNCHRONISED
) -> list[str]:
    return [
        id_.removeprefix("commune/") for id_ in board({"commune": feed(*bulletins)}, now, clock)[0].showing
    ]


wall_times = st.builds(
    lambda day, minute: (datetime.fromisoformat(day) + timedelta(minutes=minute)).isoformat(),
    st.sampled_from(("2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25")),
    st.integers(0, 1_439),
)
hour_ranges = st.builds(
    "{:02}:{:02}-{:02}:{:02}".format,
    st.integers(0, 23),
    st.sampled_from((0, 30)),
    st.integers(0, 24),
    st.sampled_from((0, 30)),
).map(lambda text: text.replace("-24:30", "-24:00"))
feeds_of_a_node = st.dictionaries(
    st.sampled_from(("commune", "province", "ward")),
    st.builds(
        lambda parts, level, ceiling, timezone: feed(
            *(bulletin(f"b{n}", **part) for n, part in enumerate(parts)),
            layouts=(FULL,),
            level=level,
            ceiling=ceiling,
            timezone=timezone,
        ),
        st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "class": st.sampled_from(BulletinClass),
                    "valid_from": wall_times,
                    "valid_until": wall_times,
                    "hours": st.lists(hour_ranges, max_size=2),
                    "targets": st.sampled_from((["*"], ["pole-07"], ["hamlet-3", "x"], ["pole-08"])),
                },
            ),
            max_size=4,
        ),
        st.integers(0, 1),
        st.sampled_from(BulletinClass),
        st.sampled_from(("Asia/Ho_Chi_Minh", "Europe/Berlin")),
    ),
    min_size=1,
)
moments = st.builds(
    lambda day, minutes: datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minutes),
    st.sampled_from(("2026-03-28", "2026-10-24")),
    st.integers(0, 3 * 1_440),
)


@given(feeds_of_a_node, moments, st.sampled_from(ClockState))
def test_the_board_is_that_of_the_plain_model(
    feeds: dict[str, FeedSchedule], now: datetime, clock: ClockState
) -> None:
    expected = plain_board.showing(feeds, now, clock, {"pole-07", "hamlet-3"})
    assert list(board(feeds, now, clock)[0].showing) == expected


@settings(max_examples=60)
@given(feeds_of_a_node, moments, st.sampled_from(ClockState))
def test_the_board_does_not_change_before_it_says_so(
    feeds: dict[str, FeedSchedule], now: datetime, clock: ClockState
) -> None:
    shown, change = board(feeds, now, clock)
    assert change is None or change > now
    horizon = min(change or now + timedelta(days=4), now + timedelta(days=4))
    steps = int((horizon - now) / timedelta(minutes=1))
    for step in range(0, steps, max(1, steps // 40)):
        assert board(feeds, now + timedelta(minutes=step), clock)[0] == shown
    assert board(feeds, horizon - timedelta(seconds=1), clock)[0] == shown


@given(feeds_of_a_node, moments)
def test_the_order_of_feeds_does_not_matter(feeds: dict[str, FeedSchedule], now: datetime) -> None:
    assert board(dict(reversed(feeds.items())), now) == board(feeds, now)


def test_a_bulletin_is_shown_from_its_first_second_until_its_end() -> None:
    dated = bulletin("b", valid_from="2026-11-23T12:00:00", valid_until="2026-11-23T13:00:00")
    hour, second = timedelta(hours=1), timedelta(seconds=1)
    assert showing(dated, now=NOON - second) == []
    assert showing(dated, now=NOON) == showing(dated, now=NOON + hour - second) == ["b"]
    assert showing(dated, now=NOON + hour) == []
    feeds = {"commune": feed(dated)}
    assert board(feeds, NOON - hour)[1] == NOON
    assert board(feeds, NOON)[1] == NOON + hour
    assert board(feeds, NOON + hour)[1] is None


def test_times_are_wall_times_of_the_schedule_not_of_the_node() -> None:
    dated = bulletin("b", valid_from="2026-11-23T12:00:00", hours=["12:00-13:00"])
    feeds = {"tokyo": feed(dated, timezone="Asia/Tokyo")}
    in_tokyo = datetime.fromisoformat("2026-11-23T12:00:00+09:00")
    assert board(feeds, in_tokyo)[0].showing == ("tokyo/b",)
    assert board(feeds, NOON)[0].showing == ()


def test_hours_come_every_day() -> None:
    evening = bulletin("b", hours=["19:00-05:00"])
    assert showing(evening) == []
    assert showing(evening, now=NOON + timedelta(hours=7)) == ["b"]
    assert board({"commune": feed(evening)})[1] == NOON + timedelta(hours=7)


def test_after_the_last_hours_of_the_day_the_next_change_is_tomorrow() -> None:
    day = bulletin("b", hours=["05:00-22:00"])
    assert board({"commune": feed(day)}, NOON + timedelta(hours=11))[1] == NOON + timedelta(hours=17)


def test_with_an_unset_clock_only_undated_bulletins_are_shown() -> None:
    bulletins = (
        bulletin("always"),
        bulletin("from", valid_from="2026-01-01T00:00:00"),
        bulletin("until", valid_until="2027-01-01T00:00:00"),
        bulletin("hours", hours=["00:00-24:00"]),
    )
    assert showing(*bulletins, clock=ClockState.UNSET) == ["always"]
    assert showing(*bulletins, clock=ClockState.RESTORED) == ["always", "from", "until", "hours"]
    assert board({"commune": feed(*bulletins)}, clock=ClockState.UNSET)[1] is None


def test_bulletins_for_other_nodes_are_not_shown() -> None:
    targets = (["*"], ["pole-07"], ["pole-08"], ["hamlet-3"], ["hamlet-4"])
    bulletins = [bulletin(f"b{n}", targets=target) for n, target in enumerate(targets)]
    assert showing(*bulletins) == ["b0", "b1", "b3"]


def test_emergencies_come_first_then_the_higher_feed() -> None:
    commune = feed(bulletin("a"), bulletin("b", **{"class": "emergency"}), layouts=(FULL,))
    province = feed(bulletin("c"), bulletin("d", **{"class": "priority"}), level=3)
    shown, _ = board({"commune": commune, "province": province})
    assert shown.showing == ("commune/b", "province/d", "province/c", "commune/a")


def test_what_a_feed_may_not_claim_is_left_out_and_said() -> None:
    shown, _ = board(
        {"commune": feed(bulletin("b", **{"class": "emergency"}), ceiling=BulletinClass.PRIORITY)}
    )
    assert shown.showing == ()
    assert shown.left_out == (
        ("commune/b", "above ceiling: class emergency from a feed that may claim priority"),
    )


def test_a_bulletin_without_a_place_is_left_out_and_said() -> None:
    shown, _ = board({"commune": feed(bulletin("b", zone="roof"))})
    assert shown.left_out == (("commune/b", "the layout has no zone 'roof'"),)


def test_a_video_is_told_with_the_time_that_its_bulletin_gives_it_or_enough_for_a_whole_film() -> None:
    film = {"content": {"video": {"media": "media/film.mp4", "fit": "cover", "sound": True}}}
    shown, _ = board({"commune": feed(bulletin("b") | film)})
    (told,) = shown.to_json()["zones"][0]["bulletins"]
    assert told["video"] == {"path": "media/film.mp4", "fit": "cover", "caption": "", "sound": True}
    assert told["duration_s"] == LONGEST_FILM_S
    shown, _ = board({"commune": feed(bulletin("b", duration_s=20) | film)})
    assert shown.to_json()["zones"][0]["bulletins"][0]["duration_s"] == 20


def layouts_at(
    now: str, *layouts: dict[str, Any], hung: Orientation | None = None, clock: str = "synchronised"
) -> tuple[str, datetime | None]:
    moment = datetime.fromisoformat(f"2026-11-23T{now}+07:00")
    found, change = board_at(
        {"commune": feed(layouts=layouts)},
        moment,
        ClockState(clock),
        "pole-07",
        GROUPS,
        "Asia/Ho_Chi_Minh",
        hung,
    )
    return found.layout, change


def test_a_layout_with_hours_stands_in_for_the_default_at_those_hours() -> None:
    layouts = (
        FULL | {"id": "market", "hours": ["05:00-08:00"]},
        FULL | {"id": "other"},
        FULL | {"id": "default"},
    )
    assert layouts_at("04:59", *layouts) == ("default", datetime.fromisoformat("2026-11-23T05:00:00+07:00"))
    assert layouts_at("05:00", *layouts) == ("market", datetime.fromisoformat("2026-11-23T08:00:00+07:00"))
    assert layouts_at("08:00", *layouts)[0] == "default"
    assert layouts_at("05:00", *layouts, clock="unset") == ("default", None)


def test_of_layouts_that_fit_the_hour_the_first_is_taken_and_without_any_the_built_in_one() -> None:
    early, late = FULL | {"id": "a", "hours": ["05:00-09:00"]}, FULL | {"id": "b", "hours": ["08:00-10:00"]}
    assert layouts_at("08:30", early, late)[0] == "a"
    assert layouts_at("08:30", late, early)[0] == "b"
    name, change = layouts_at("12:00", early, late)
    assert (name, change) == ("built-in", datetime.fromisoformat("2026-11-24T05:00:00+07:00"))


def test_a_layout_for_screens_that_hang_otherwise_is_passed_over() -> None:
    tall, wide = (
        FULL | {"id": "tall", "orientation": "portrait"},
        FULL | {"id": "wide", "orientation": "landscape"},
    )
    assert layouts_at("12:00", tall, wide, hung="landscape")[0] == "wide"
    assert layouts_at("12:00", tall, wide, hung="portrait")[0] == "tall"
    assert layouts_at("12:00", tall, wide)[0] == "built-in", "it is not known how the screen hangs"
    assert layouts_at("12:00", tall, FULL, hung="landscape")[0] == "full"


def test_without_a_layout_there_is_one_with_notices_ticker_and_clock() -> None:
    shown, _ = board({"commune": feed(bulletin("a"), bulletin("t", zone="ticker"))})
    assert shown.grid == (16, 9)
    assert [(part.zone.id, part.zone.kind) for part in shown.zones] == [
        ("main", "bulletins"), ("ticker", "ticker"), ("clock", "clock"),
    ]  # fmt: skip
    assert [[one.bulletin.id for one in part.bulletins] for part in shown.zones] == [["a"], ["t"], []]
    assert board({})[0].layout == "built-in"


@pytest.mark.parametrize(("ids", "chosen"), [(("a", "default"), "default"), (("a", "b"), "a")])
def test_the_layout_is_the_default_or_else_the_first(ids: tuple[str, ...], chosen: str) -> None:
    assert board({"commune": feed(layouts=tuple(FULL | {"id": id_} for id_ in ids))})[0].layout == chosen


def test_the_layout_is_that_of_the_highest_feed_that_has_one() -> None:
    feeds = {
        "commune": feed(layouts=(FULL,)),
        "ward": feed(layouts=(FULL | {"id": "low"},), level=0),
        "province": feed(level=3),
    }
    assert board(feeds)[0].layout == "full"


def test_the_screen_is_told_all_it_needs_to_draw() -> None:
    shown, _ = board(
        {
            "commune": feed(
                bulletin("a", duration_s=20, weight=2, language="hmn")
                | {
                    "content": {"text": {"heading": "Họp thôn", "body": "19 giờ", "qr": "https://xa.example"}}
                },
                bulletin("p")
                | {"content": {"image": {"media": "media/poster.png", "fit": "cover", "caption": "Hội"}}},
                layouts=(FULL,),
            )
        }
    )
    told = shown.to_json()
    assert json.loads(json.dumps(told)) == told
    assert told == {
        "layout": "full",
        "grid": [16, 9],
        "timezone": "Asia/Ho_Chi_Minh",
        "zones": [
            {
                "id": "main",
                "kind": "bulletins",
                "at": [0, 0, 16, 9],
                "bulletins": [
                    {
                        "id": "commune/a", "feed": "commune", "class": "routine", "language": "hmn",
                        "duration_s": 20.0, "weight": 2,
                        "text": {
                            "heading": "Họp thôn", "body": "19 giờ", "markup": "plain",
                            "qr": "https://xa.example",
                        },
                    },
                    {
                        "id": "commune/p", "feed": "commune", "class": "routine", "language": "vi",
                        "duration_s": 15.0, "weight": 1,
                        "image": {"path": "media/poster.png", "fit": "cover", "caption": "Hội"},
                    },
                ],
            }
        ],
    }  # fmt: skip


def test_ten_thousand_bulletins_are_one_board() -> None:
    many = feed(
        *(bulletin(f"b{n}", hours=["05:00-22:00"], valid_until="2026-12-01T00:00:00") for n in range(10_000))
    )
    shown, change = board({"commune": many})
    assert len(shown.showing) == 10_000
    assert change == NOON + timedelta(hours=10)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            {"text": {"body": "**a**", "markup": "markdown"}},
            {"text": {"heading": "", "body": "**a**", "markup": "markdown", "qr": None}},
        ),
        (
            {"text": {"body": "a", "markup": "asciidoc"}},
            {"text": {"heading": "", "body": "a", "markup": "plain", "qr": None}},
        ),
        (
            {"table": {"rows": [["a", "b"]], "head": ["A", "B"]}},
            {"table": {"heading": "", "head": ["A", "B"], "rows": [["a", "b"]], "note": "", "qr": None}},
        ),
        (
            {"document": {"pages": [{"media": "media/p.png", "size": [10, 20], "gaps": [0.5]}]}},
            {
                "document": {
                    "pages": [{"path": "media/p.png", "size": [10, 20], "gaps": [0.5]}],
                    "caption": "",
                }
            },
        ),
        (
            {"readings": {"media": "media/w.json", "show": ["t"]}},
            {"readings": {"path": "media/w.json", "heading": "", "show": ["t"], "stale_after_s": 10_800.0}},
        ),
        (
            {"countdown": {"to": "2027-02-06T00:00:00"}},
            {"countdown": {"to": "2027-02-05T17:00:00+00:00", "heading": "", "after": ""}},
        ),
    ],
)
def test_every_kind_of_content_is_told(content: dict[str, Any], told: dict[str, Any]) -> None:
    shown, _ = board({"commune": feed(bulletin("a") | {"content": content}, layouts=(FULL,))})
    (found,) = shown.to_json()["zones"][0]["bulletins"]
    assert {key: found[key] for key in told} == told
    assert json.loads(json.dumps(found)) == found


def test_a_kind_of_content_that_is_not_known_leaves_out_its_bulletin_only() -> None:
    strange = bulletin("strange") | {"content": {"hologram": {"depth": 3}}}
    shown, _ = board({"commune": feed(strange, bulletin("a"), layouts=(FULL,))})
    assert shown.showing == ("commune/a",)
    assert shown.left_out == (
        ("commune/strange", "its content is of a kind that this version does not know"),
    )


def test_a_kind_that_is_known_is_shown_whatever_else_a_newer_centre_says_beside_it() -> None:
    both = bulletin("a") | {"content": {"hologram": {"depth": 3}, "text": {"body": "b"}}}
    assert showing(both) == ["a"]


def test_nothing_is_counted_down_without_a_clock() -> None:
    tet = bulletin("tet") | {"content": {"countdown": {"to": "2027-02-06T00:00:00"}}}
    assert showing(tet, bulletin("a"), clock=ClockState.UNSET) == ["a"]


def test_a_screen_in_portrait_without_a_layout_gets_one_that_stands() -> None:
    shown, _ = board_at({}, NOON, ClockState.SYNCHRONISED, "pole-07", GROUPS, "Asia/Ho_Chi_Minh", "portrait")
    columns, rows = shown.grid
    assert rows > columns
    assert {part.zone.id for part in shown.zones} == {"main", "ticker", "clock"}


@pytest.mark.parametrize(
    ("hangs", "layout"), [("portrait", "tall"), ("landscape", "default"), (None, "default")]
)
def test_a_layout_that_is_made_for_the_screen_goes_before_the_one_for_all(
    hangs: Orientation | None, layout: str
) -> None:
    zones = [{"id": "main", "at": [0, 0, 1, 1]}]
    layouts = (
        {"id": "default", "grid": [1, 1], "zones": zones},
        {"id": "tall", "grid": [1, 1], "orientation": "portrait", "zones": zones},
    )
    shown, _ = board_at(
        {"commune": feed(layouts=layouts)},
        NOON,
        ClockState.SYNCHRONISED,
        "pole-07",
        GROUPS,
        "Asia/Ho_Chi_Minh",
        hangs,
    )
    assert shown.layout == layout
