"""What may sound when: hours, sessions, loudness, quiet days, mutes, against a slow plain model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from playlists.models.base import BulletinClass
from playlists.policy import (
    LOOK_AHEAD_DAYS,
    SESSION_BREAK,
    Controls,
    LoudnessHours,
    Policy,
    Rule,
    Session,
    above_ceiling,
)
from playlists.units import Decibel, Seconds
from tests.playlists import plain_policy

ROUTINE, PRIORITY, EMERGENCY = BulletinClass
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
COMMUNE = Policy(allowed_hours=("05:00-06:30", "10:30-11:00", "16:30-18:30"), longest_session_s=3_600)


def at(text: str, zone: ZoneInfo = HANOI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


clock_times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from((0, 1, 15, 30, 59)))
hour_ranges = st.builds("{}-{}".format, clock_times, clock_times | st.just("24:00"))
zones = st.sampled_from(
    # no change · changes at 02:00 · at midnight · by half an hour · a whole day left out in 2011
    ("Asia/Ho_Chi_Minh", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia")
)
days_of_change = st.sampled_from(
    (
        "2026-03-29",
        "2026-10-25",
        "2026-03-08",
        "2026-11-01",
        "2026-04-05",
        "2026-10-04",
        "2011-12-29",
        "2026-02-28",
    )
)
moments = st.builds(
    lambda day, offset: datetime.fromisoformat(f"{day}T00:00:00+00:00") + offset,
    days_of_change,
    st.timedeltas(timedelta(hours=-36), timedelta(hours=36)),
)
quiet_days = st.lists(st.sampled_from(("2026-03-29", "10-25", "04-05", "01-01", "11-02")), max_size=2).map(
    tuple
)
hours = st.lists(hour_ranges, max_size=3).map(tuple)
not_emergency = st.sampled_from((ROUTINE, PRIORITY))


@given(zones, hours, quiet_days, moments, not_emergency)
def test_nothing_starts_outside_its_hours(
    zone: str, ranges: tuple[str, ...], quiet: tuple[str, ...], moment: datetime, class_: BulletinClass
) -> None:
    policy = Policy(timezone=zone, allowed_hours=ranges, quiet_days=quiet)
    allowed = plain_policy.is_open(plain_policy.open_minutes(ranges), quiet, ZoneInfo(zone), moment)
    assert (policy.may_start(class_, moment) is None) == allowed


@settings(max_examples=60)
@given(zones, hours, quiet_days, moments, not_emergency)
def test_what_sounds_is_ended_at_the_end_of_hours(
    zone: str, ranges: tuple[str, ...], quiet: tuple[str, ...], moment: datetime, class_: BulletinClass
) -> None:
    policy = Policy(timezone=zone, allowed_hours=ranges, quiet_days=quiet)
    expected = plain_policy.first_closed(ranges, quiet, ZoneInfo(zone), moment, LOOK_AHEAD_DAYS)
    assert policy.must_end_by(class_, moment.astimezone(ZoneInfo(zone))) == expected


@given(zones, hours, st.lists(hour_ranges, max_size=2), quiet_days, moments)
def test_nothing_changes_before_the_next_change(
    zone: str, ranges: tuple[str, ...], louder: list[str], quiet: tuple[str, ...], moment: datetime
) -> None:
    policy = Policy(
        timezone=zone,
        allowed_hours=ranges,
        quiet_days=quiet,
        loudness=tuple(LoudnessHours(hours=r, gain_db=n + 1) for n, r in enumerate(louder)),
    )
    change = policy.next_change(moment)
    now = policy.may_start(ROUTINE, moment), policy.gain_db(ROUTINE, moment)
    if change is not None:
        assert change > moment
    end = change or moment + timedelta(days=2)
    for minute in range(0, int((end - moment).total_seconds() // 60), 7):
        later = moment + timedelta(minutes=minute)
        assert (policy.may_start(ROUTINE, later), policy.gain_db(ROUTINE, later)) == now


@given(zones, hours, quiet_days, moments)
def test_an_emergency_passes_everything(
    zone: str, ranges: tuple[str, ...], quiet: tuple[str, ...], moment: datetime
) -> None:
    policy = Policy(
        timezone=zone,
        allowed_hours=ranges,
        quiet_days=quiet,
        longest_session_s=1,
        resume_within_s=0,
        loudness=(LoudnessHours(hours="00:00-24:00", gain_db=-60),),
    )
    muted = (
        Controls(zones=("square",))
        .mute(["*"], moment + timedelta(days=1))
        .set_volume(["*"], Decibel(-60.0), None)
    )
    assert policy.may_start(EMERGENCY, moment, Session(moment - timedelta(hours=9))) is None
    assert policy.must_end_by(EMERGENCY, moment) is None
    assert policy.may_resume(EMERGENCY, Seconds(1e9)) is None
    assert policy.gain_db(EMERGENCY, moment) == 0
    assert muted.audible(EMERGENCY, ["*"], moment) == (frozenset({"square"}), None)
    assert muted.gain_db(EMERGENCY, ["*"], moment) == 0


@pytest.mark.parametrize(
    ("wall", "rule"),
    [
        ("2026-11-23T04:59:59", Rule.HOURS),
        ("2026-11-23T05:00:00", None),
        ("2026-11-23T06:29:59", None),
        ("2026-11-23T06:30:00", Rule.HOURS),
        ("2026-11-23T10:45:00", None),
        ("2026-11-23T18:30:00", Rule.HOURS),
    ],
)
def test_a_commune_keeps_its_hours(wall: str, rule: Rule | None) -> None:
    assert COMMUNE.may_start(ROUTINE, at(wall)) == rule
    assert COMMUNE.may_start(PRIORITY, at(wall)) == rule


def test_the_node_judges_by_its_own_zone_whatever_zone_the_moment_is_in() -> None:
    assert COMMUNE.may_start(ROUTINE, datetime(2026, 11, 22, 22, 30, tzinfo=UTC)) is None
    assert COMMUNE.may_start(ROUTINE, datetime(2026, 11, 23, 5, 30, tzinfo=UTC)) == Rule.HOURS


def test_hours_may_cross_midnight() -> None:
    night = Policy(allowed_hours=("22:00-02:00",))
    assert night.may_start(ROUTINE, at("2026-11-23T23:59:00")) is None
    assert night.may_start(ROUTINE, at("2026-11-24T01:59:00")) is None
    assert night.may_start(ROUTINE, at("2026-11-24T02:00:00")) == Rule.HOURS
    assert night.must_end_by(ROUTINE, at("2026-11-23T23:00:00")) == at("2026-11-24T02:00:00")


def test_a_quiet_day_begins_at_its_midnight() -> None:
    policy = Policy(allowed_hours=("22:00-02:00",), quiet_days=("2026-11-24", "02-17"))
    assert policy.must_end_by(ROUTINE, at("2026-11-23T23:00:00")) == at("2026-11-24T00:00:00")
    assert policy.ended_by(at("2026-11-23T23:00:00")) == Rule.QUIET_DAY
    assert policy.may_start(ROUTINE, at("2026-11-24T23:00:00")) == Rule.QUIET_DAY
    assert policy.may_start(ROUTINE, at("2031-02-17T23:00:00")) == Rule.QUIET_DAY


def test_the_end_of_hours_comes_once_when_the_clock_is_put_back_over_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    policy = Policy(timezone="Europe/Berlin", allowed_hours=("01:00-02:30",))
    assert policy.must_end_by(ROUTINE, at("2026-10-25T01:00:00", berlin)) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


def test_hours_whose_end_the_clock_leaves_out_end_when_it_is_put_forward() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    policy = Policy(timezone="Europe/Berlin", allowed_hours=("01:00-02:30",))
    assert policy.must_end_by(ROUTINE, at("2026-03-29T01:00:00", berlin)) == datetime(
        2026, 3, 29, 1, 0, tzinfo=UTC
    )


def test_what_starts_in_the_second_pass_of_an_hour_ends_in_it() -> None:
    policy = Policy(timezone="Europe/Berlin", allowed_hours=("01:00-02:30",))
    second_pass = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert policy.may_start(ROUTINE, second_pass) is None
    assert policy.must_end_by(ROUTINE, second_pass) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_hours_without_an_end_need_not_end_within_the_week() -> None:
    assert (
        Policy(allowed_hours=("05:00-12:00", "12:00-05:00")).must_end_by(ROUTINE, at("2026-11-23T06:00:00"))
        is None
    )


def test_at_a_change_the_next_one_is_told() -> None:
    loud = Policy(loudness=(LoudnessHours(hours="21:00-06:00", gain_db=-9),))
    assert loud.next_change(at("2026-11-23T21:00:00")) == at("2026-11-24T06:00:00")
    quiet = Policy(quiet_days=("11-24",))
    assert quiet.next_change(at("2026-11-23T21:00:00")) == at("2026-11-24T00:00:00")


def test_a_session_ends_after_its_longest_length() -> None:
    assert COMMUNE.must_end_by(ROUTINE, at("2026-11-23T17:00:00")) == at("2026-11-23T18:00:00")
    assert COMMUNE.ended_by(at("2026-11-23T17:00:00")) == Rule.SESSION
    assert COMMUNE.must_end_by(ROUTINE, at("2026-11-23T06:00:00")) == at("2026-11-23T06:30:00")
    assert COMMUNE.ended_by(at("2026-11-23T06:00:00")) == Rule.HOURS


def test_a_session_is_as_long_when_the_clock_is_put_back_in_it() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    policy = Policy(timezone="Europe/Berlin", longest_session_s=3_600)
    began = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).astimezone(berlin)
    session = Session.sounding(None, began)
    assert policy.must_end_by(ROUTINE, began) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    for minutes, rule in ((59, None), (60, Rule.SESSION)):
        now = datetime(2026, 10, 25, 0, 30, tzinfo=UTC) + timedelta(minutes=minutes)
        assert policy.may_start(ROUTINE, now.astimezone(berlin), session) == rule


def test_a_session_is_not_renewed_by_the_breath_between_two_programmes() -> None:
    first = Session.sounding(None, at("2026-11-23T16:30:00"))
    paused = first.pause(at("2026-11-23T17:29:30")).pause(at("2026-11-23T17:29:59"))
    assert Session.sounding(paused, at("2026-11-23T17:30:10")) == first
    assert COMMUNE.may_start(ROUTINE, at("2026-11-23T17:29:50"), paused) is None
    assert COMMUNE.may_start(ROUTINE, at("2026-11-23T17:30:00"), paused) == Rule.SESSION


def test_a_real_break_begins_a_new_session() -> None:
    paused = Session.sounding(None, at("2026-11-23T16:30:00")).pause(at("2026-11-23T17:30:00"))
    later = at("2026-11-23T17:30:00") + SESSION_BREAK
    assert COMMUNE.may_start(ROUTINE, later, paused) is None
    assert Session.sounding(paused, later) == Session(later)


def test_a_clock_put_back_does_not_stretch_a_session() -> None:
    began = Session.sounding(None, at("2026-11-23T17:00:00"))
    assert Session.sounding(began, at("2026-11-23T16:40:00")) == Session(at("2026-11-23T16:40:00"))


def test_without_rules_everything_may_sound() -> None:
    free = Policy()
    assert free.may_start(ROUTINE, at("2026-11-23T03:15:00")) is None
    assert free.must_end_by(ROUTINE, at("2026-11-23T03:15:00")) is None
    assert free.ended_by(at("2026-11-23T03:15:00")) is None
    assert free.next_change(at("2026-11-23T03:15:00")) is None
    assert free.gain_db(ROUTINE, at("2026-11-23T03:15:00")) == 0


def test_loudness_follows_the_hour() -> None:
    policy = Policy(loudness=(LoudnessHours(hours="21:00-06:00", gain_db=-9),))
    assert policy.gain_db(ROUTINE, at("2026-11-23T20:59:59")) == 0
    assert policy.gain_db(ROUTINE, at("2026-11-23T21:00:00")) == -9
    assert policy.next_change(at("2026-11-23T20:00:00")) == at("2026-11-23T21:00:00")
    assert policy.gain_db(PRIORITY, at("2026-11-24T05:59:59")) == -9


def test_a_programme_suspended_too_long_is_not_resumed() -> None:
    policy = Policy(resume_within_s=1_800)
    assert policy.may_resume(ROUTINE, Seconds(1_800.0)) is None
    assert policy.may_resume(ROUTINE, Seconds(1_800.5)) == Rule.SUSPENDED_TOO_LONG


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("allowed_hours", ["5:00-6:00"]),
        ("quiet_days", ["2026-13-01"]),
        ("quiet_days", ["1/1"]),
        ("longest_session_s", 0),
        ("resume_within_s", -1),
        ("timezone", "Asia/Nowhere"),
    ],
)
def test_rules_that_make_no_sense_are_not_accepted(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        Policy.model_validate({field: value})


@pytest.mark.parametrize(
    ("class_", "ceiling", "above"),
    [
        (EMERGENCY, PRIORITY, True),
        (PRIORITY, ROUTINE, True),
        (PRIORITY, PRIORITY, False),
        (ROUTINE, EMERGENCY, False),
    ],
)
def test_a_feed_claims_no_class_above_its_ceiling(
    class_: BulletinClass, ceiling: BulletinClass, above: bool
) -> None:
    assert above_ceiling(class_, ceiling) is above


class TestControls:
    """Mutes and volumes that officers set by command."""

    NOW = at("2026-11-23T17:00:00")
    LATER = at("2026-11-23T18:00:00")
    NODE = Controls(zones=("square", "market"))

    def test_a_mute_silences_its_zones_until_it_ends(self) -> None:
        controls = self.NODE.mute(["market"], self.LATER)
        assert controls.audible(ROUTINE, ["*"], self.NOW) == ({"square"}, None)
        assert controls.audible(ROUTINE, ["market"], self.NOW) == (frozenset(), Rule.MUTED)
        assert controls.audible(ROUTINE, ["market"], self.LATER) == ({"market"}, None)
        assert controls.next_change(self.NOW) == self.LATER

    def test_a_mute_is_lifted_zone_by_zone(self) -> None:
        controls = self.NODE.mute(["*"], self.LATER).mute(["square"], None)
        assert controls.audible(PRIORITY, ["*"], self.NOW) == ({"square"}, None)
        assert controls.mute(["*"], None) == self.NODE

    def test_a_node_without_named_zones_is_muted_whole(self) -> None:
        controls = Controls().mute(["*"], self.LATER)
        assert controls.audible(ROUTINE, ["*"], self.NOW) == (frozenset(), Rule.MUTED)
        assert Controls().audible(ROUTINE, ["*"], self.NOW) == ({"*"}, None)

    def test_zones_of_another_node_are_not_meant(self) -> None:
        controls = self.NODE.mute(["harbour"], self.LATER)
        assert controls == self.NODE
        assert controls.audible(ROUTINE, ["harbour"], self.NOW) == (frozenset(), Rule.NO_ZONE)
        assert controls.audible(EMERGENCY, ["harbour"], self.NOW) == (frozenset(), Rule.NO_ZONE)

    def test_a_volume_holds_until_its_end_or_the_next_command(self) -> None:
        controls = self.NODE.set_volume(["*"], Decibel(-6.0), self.LATER)
        assert controls.gain_db(ROUTINE, ["*"], self.NOW) == -6
        assert controls.gain_db(ROUTINE, ["*"], self.LATER) == 0
        assert controls.next_change(self.NOW) == self.LATER
        lasting = controls.set_volume(["*"], Decibel(3.0), None)
        assert lasting.gain_db(ROUTINE, ["square"], self.LATER + timedelta(days=365)) == 3
        assert lasting.next_change(self.NOW) is None

    def test_zones_with_different_volumes_get_the_lowest(self) -> None:
        controls = self.NODE.set_volume(["square"], Decibel(-6.0), None)
        assert controls.gain_db(ROUTINE, ["*"], self.NOW) == -6
        assert controls.gain_db(ROUTINE, ["market"], self.NOW) == 0

    def test_controls_survive_a_restart_and_forget_what_is_past(self) -> None:
        controls = self.NODE.mute(["market"], self.LATER).set_volume(["square"], Decibel(-3.0), self.LATER)
        again = Controls.model_validate_json(controls.model_dump_json())
        assert again == controls
        assert again.without_past(self.LATER) == self.NODE
        assert again.without_past(self.NOW) == controls
