"""The node's own rules, as they are heard: each on a pole of its own, and recorded at its sink.

The hours turn at full minutes. So that nobody waits for one, the pole's village lies where it is just before nine in
the evening: a time zone of its own, compiled by zic.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.centre import CentreUnderTest
from tests.support.house import LONG_HZ, TONES_HZ, House, in_s, media, monotonic_of, open_house, wait_until
from tests.support.listening import Stretch
from tests.support.pulse import Sink

URGENT = {"class": "emergency"}
QUIETER_DB = -12.0
UP_WITHIN_S = 30.0
"""A node is started, and has what it is to play, well before it strikes nine."""

AT_THE_MINUTE_S = 0.3
LONGEST_S = 10.0


def evening(directory: Path, until_nine_s: float) -> tuple[dict[str, str], datetime]:
    """The environment of a node for which it strikes nine then, and when that is."""
    nine = (datetime.now(UTC) + timedelta(seconds=until_nine_s)).replace(microsecond=0)
    behind = nine - nine.replace(hour=21, minute=0, second=0)
    offset_s = -int(behind.total_seconds())
    hours, rest = divmod(abs(offset_s), 3_600)
    sign = "-" if offset_s < 0 else ""
    source = directory / "zone"
    directory.mkdir(parents=True, exist_ok=True)
    source.write_text(f"Zone Test/Village {sign}{hours}:{rest // 60:02}:{rest % 60:02} - LMT\n")
    subprocess.run(["zic", "-d", str(directory / "zones"), str(source)], check=True)
    return {"PYTHONTZPATH": str(directory / "zones")}, nine


def heard(house: House, since: float, hz: float) -> Stretch:
    """The last stretch of this tone."""
    found = [one for one in house.ears.stretches(since, apart_s=0.3) if abs(one.hz - hz) < 5]
    assert found, f"{hz} Hz was not heard"
    return found[-1]


def refused(house: House, rule: str) -> None:
    """An announcement is refused by this rule, the log says so, and nothing is heard of it."""
    began = time.monotonic()
    command = house.command("announce", items=[media("high")])
    ended = house.ended(command)
    assert (ended.state, ended.reason) == ("refused", f"policy: {rule}")
    (record,) = house.wait_for_records(1, kind="command", command=command.id)
    assert rule in record["text"]
    assert house.moments("sound", after=began) == []
    assert house.moments("relay", after=began) == []


def emergency(house: House) -> Stretch:
    """An emergency passes, and is heard at its full loudness."""
    began = time.monotonic()
    command = house.announce(media("low"), **URGENT)
    assert house.ended(command).state == "finished"
    sound = heard(house, began, TONES_HZ["low"])
    (play,) = house.wait_for_records(1, kind="play", command=command.id)
    assert peak(sound) == pytest.approx(0.5 * 10 ** (play["gain_db"] / 20), rel=0.05)
    return sound


def peak(sound: Stretch, first_s: float = 0.2, last_s: float = 0.8) -> float:
    return float(sound.part(first_s, last_s).max())


@pytest.fixture
def opened(tmp_path: Path, centre: CentreUnderTest, sink: Sink) -> Iterator[tuple[House, datetime]]:
    """A pole that may speak until nine, and at half its loudness (and half again) from eight on."""
    env, nine = evening(tmp_path, UP_WITHIN_S)
    with open_house(
        centre,
        sink,
        tmp_path / "node",
        id="strict-01",
        env=env,
        timezone="Test/Village",
        allowed_hours=("05:00-21:00",),
        loudness=f'[{{ hours = "20:00-05:00", gain_db = {QUIETER_DB} }}]',
    ) as house:
        yield house, nine


def test_at_the_end_of_the_allowed_hours_it_falls_silent_and_only_an_emergency_is_heard(
    opened: tuple[House, datetime],
) -> None:
    house, nine = opened
    at = monotonic_of(nine)
    start = nine - timedelta(seconds=6)
    wait_until(lambda: time.monotonic() > at - 9, UP_WITHIN_S, "it is just before nine")
    house.publish(
        {"id": "evening", "start": start.isoformat(), "items": [media("long")]},
        {"id": "night", "start": (nine + timedelta(seconds=1)).isoformat(), "items": [media("high")]},
    )
    house.wait_for_moment("sound", "evening", "interrupted")
    sound = heard(house, at - 8, LONG_HZ)
    assert sound.began == pytest.approx(at - 6, abs=0.05)
    assert sound.ended == pytest.approx(at, abs=AT_THE_MINUTE_S)
    (play,) = house.wait_for_records(1, kind="play", programme="evening")
    assert (play["outcome"], play["reason"]) == ("interrupted", "outside allowed hours")
    assert play["played_s"] == pytest.approx(6.0, abs=AT_THE_MINUTE_S)
    (skipped,) = house.wait_for_records(1, kind="play", programme="night")
    assert (skipped["outcome"], skipped["reason"]) == ("skipped", "outside allowed hours")
    refused(house, "outside allowed hours")
    assert house.ears.stretches(at + AT_THE_MINUTE_S) == []

    # what the hour turned down was turned down in the recording, and the emergency was not
    assert peak(sound, 1.0, 2.0) == pytest.approx(0.5 * 10 ** (play["gain_db"] / 20), rel=0.05)
    emergency(house)


def test_when_the_hour_s_loudness_changes_what_sounds_is_turned_down_with_it(
    centre: CentreUnderTest, sink: Sink, tmp_path: Path
) -> None:
    env, nine = evening(tmp_path, UP_WITHIN_S)
    with open_house(
        centre,
        sink,
        tmp_path / "node",
        id="strict-02",
        env=env,
        timezone="Test/Village",
        loudness=f'[{{ hours = "21:00-05:00", gain_db = {QUIETER_DB} }}]',
        policy=f"longest_session_s = {LONGEST_S}",
    ) as house:
        at = monotonic_of(nine)
        start = nine - timedelta(seconds=5)
        wait_until(lambda: time.monotonic() > at - 8, UP_WITHIN_S, "it is just before nine")
        house.publish({"id": "news", "start": start.isoformat(), "items": [media("long")]})
        house.wait_for_moment("sound", "news", "interrupted", timeout_s=25)
        sound = heard(house, at - 7, LONG_HZ)
        before, after = peak(sound, 2.0, 4.0), peak(sound, 7.0, 9.0)
        assert after / before == pytest.approx(10 ** (QUIETER_DB / 20), rel=0.05)

        # and the session ends where the rule says
        assert sound.seconds == pytest.approx(LONGEST_S, abs=0.2)
        (play,) = house.wait_for_records(1, kind="play", programme="news")
        assert (play["outcome"], play["reason"]) == ("interrupted", "longest session reached")
        refused(house, "longest session reached")
        emergency(house)
        refused(house, "longest session reached")


def test_on_a_quiet_day_only_an_emergency_is_heard(
    centre: CentreUnderTest, sink: Sink, tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    days = [f"{today + timedelta(days=number):%m-%d}" for number in (-1, 0, 1, 2)]
    with open_house(
        centre, sink, tmp_path, id="strict-03", timezone="UTC", policy=f"quiet_days = {days}"
    ) as house:
        began = time.monotonic()
        house.publish({"id": "news", "start": in_s(1.3).isoformat(), "items": [media("high")]})
        (skipped,) = house.wait_for_records(1, kind="play", programme="news")
        assert (skipped["outcome"], skipped["reason"]) == ("skipped", "quiet day")
        refused(house, "quiet day")
        sound = emergency(house)
        assert [one.hz for one in house.ears.stretches(began)] == [pytest.approx(sound.hz, abs=3)]
