"""A schedule as large as the contract allows: to activate it, and to ask what plays now and next.

The schedule has 10,000 programmes: daily, weekly on some days, monthly, single ones; of distinct starts, some
since years ago, some with an end, some with exceptions, a few hourly, fortnightly or counted.

- `activate`: from the bytes of `schedule.json` to a timetable that can be asked: JSON, models, names of
  unknown fields, check of the recurrences, timetable. Not included: download and TUF verification.
- `now_next`: what plays now (`current`) and what is next (`upcoming`), at moments of a week in random order,
  as after clock jumps; the timetable remembers of its last answers what it remembers in service.
- `turn`: the same while time runs on in steps of a second, as the conductor asks, with `due` for the second.
- `first_answer`: the very first `current` and `upcoming` after activation.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

from playlists.models.base import BulletinClass, ClockState
from playlists.models.schedule import Schedule, parse_schedule
from playlists.recurrence import check_schedule
from playlists.timetable import FeedSchedule, Timetable
from playlists.units import Level

TARGETS = {"activate_p50_s": 1.0, "now_next_p99_ms": 1.0}

PROGRAMMES = 10_000
RUNS = 5
MOMENTS = 5_000
NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    raw = json.dumps(largest_schedule(), ensure_ascii=False).encode()
    activations, parses, firsts = [], [], []
    for _ in range(RUNS):
        gc.collect()
        begin = time.perf_counter()
        schedule, _unknown = parse_schedule(raw)
        parsed = time.perf_counter()
        check_schedule(schedule)
        timetable = _build(schedule)
        built = time.perf_counter()
        timetable.current(NOW, ClockState.SYNCHRONISED)
        timetable.upcoming(NOW, 5)
        activations.append(built - begin)
        parses.append(parsed - begin)
        firsts.append(time.perf_counter() - built)

    dice = random.Random(1)
    moments = [NOW + timedelta(seconds=dice.uniform(0, 7 * 86_400)) for _ in range(MOMENTS)]
    jumps, playing = [], []
    for moment in moments:
        begin = time.perf_counter()
        found = timetable.current(moment, ClockState.SYNCHRONISED)
        timetable.upcoming(moment, 1)
        jumps.append(time.perf_counter() - begin)
        playing.append(len(found))
    turns = []
    for second in range(MOMENTS):
        moment = NOW + timedelta(seconds=second)
        begin = time.perf_counter()
        timetable.due(moment - timedelta(seconds=1), moment)
        timetable.current(moment, ClockState.SYNCHRONISED)
        timetable.upcoming(moment, 1)
        turns.append(time.perf_counter() - begin)
    starts = len(timetable.due(NOW, NOW + timedelta(days=1)))
    del schedule, timetable
    schedule_mb, timetable_mb, peak_mb = _memory(raw)
    return {
        "programmes": PROGRAMMES,
        "document_mb": round(len(raw) / 1e6, 2),
        "starts_a_day": starts,
        "current_mean": round(statistics.mean(playing), 1),
        "activate_p50_s": round(statistics.median(activations), 3),
        "activate_max_s": round(max(activations), 3),
        "of_it_parse_p50_s": round(statistics.median(parses), 3),
        "first_answer_max_ms": round(max(firsts) * 1e3, 2),
        **_figures("now_next", jumps),
        **_figures("turn", turns),
        "schedule_memory_mb": round(schedule_mb, 1),
        "timetable_memory_mb": round(timetable_mb, 1),
        "activate_peak_memory_mb": round(peak_mb, 1),
    }


def largest_schedule() -> dict[str, object]:
    """A document of 10,000 programmes, always the same."""
    dice = random.Random(2026)
    return {
        "format": "loa.schedule/1",
        "version": 1,
        "published": "2026-11-23T05:00:00+07:00",
        "timezone": "Asia/Ho_Chi_Minh",
        "programmes": [_programme(number, dice) for number in range(PROGRAMMES)],
    }


def _programme(number: int, dice: random.Random) -> dict[str, object]:
    year = dice.choice((2016, 2021, 2025, 2026, 2026))
    day = datetime(year, dice.randint(1, 11), dice.randint(1, 23))  # noqa: DTZ001 - wall time is meant
    start = day + timedelta(seconds=5 * 3_600 + (number * 61_417) % (17 * 3_600))
    weekdays = ",".join(sorted(dice.sample(("MO", "TU", "WE", "TH", "FR", "SA", "SU"), dice.randint(1, 5))))
    kind = dice.choices(
        (
            "single",
            "daily",
            "weekly",
            "monthly",
            "last-weekday",
            "yearly",
            "fortnightly",
            "hourly",
            "counted",
        ),
        (30, 20, 30, 8, 2, 4, 3, 1, 2),
    )[0]
    rule = {
        "daily": "FREQ=DAILY",
        "weekly": f"FREQ=WEEKLY;BYDAY={weekdays}",
        "monthly": "FREQ=MONTHLY",
        "last-weekday": "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "yearly": "FREQ=YEARLY",
        "fortnightly": f"FREQ=WEEKLY;INTERVAL=2;BYDAY={weekdays}",
        "hourly": "FREQ=HOURLY;BYHOUR=6,7,8,16,17,18",
        "counted": f"FREQ=DAILY;COUNT={dice.randint(5, 60)}",
    }.get(kind)
    if kind in ("single", "counted"):
        ahead = timedelta(days=dice.randint(-5, 25))
        start = start.replace(year=2026, month=11, day=23) + ahead
    elif kind in ("daily", "weekly") and dice.random() < 0.4:
        rule = f"{rule};UNTIL=2027{dice.randint(1, 12):02}28T235959"
    fields: dict[str, object] = {
        "id": f"ban-tin-{number}",
        "title": f"Bản tin số {number}",
        "language": dice.choice(("vi", "vi", "vi", "hmn", "tay")),
        "class": dice.choice(("routine", "routine", "priority")),
        "priority": dice.randint(0, 3),
        "start": start.isoformat(),
        "recurrence": rule,
        "items": [{"media": "media/chime.ogg"}, {"media": f"media/ban-tin-{number % 700}.mp3"}],
    }
    if dice.random() < 0.2:
        fields["length_s"] = dice.choice((60, 300, 900))
    if rule is not None and dice.random() < 0.1:
        fields["exceptions"] = [
            (start + timedelta(days=dice.randint(1, 400))).isoformat() for _ in range(dice.randint(1, 5))
        ]
    return fields


def _build(schedule: Schedule) -> Timetable:
    source = FeedSchedule(schedule, Level(1), BulletinClass.EMERGENCY)
    return Timetable.build({"commune": source}, "pole-07", frozenset({"hamlet-3"}))


def _figures(name: str, seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=1_000)
    return {
        f"{name}_p50_ms": round(cuts[499] * 1e3, 3),
        f"{name}_p99_ms": round(cuts[989] * 1e3, 3),
        f"{name}_max_ms": round(max(seconds) * 1e3, 3),
    }


def _memory(raw: bytes) -> tuple[float, float, float]:
    """Memory in MB: of the schedule, of the timetable beside it, and the peak of an activation."""
    gc.collect()
    tracemalloc.start()
    schedule, _unknown = parse_schedule(raw)
    check_schedule(schedule)
    gc.collect()
    after_parse = tracemalloc.get_traced_memory()[0]
    timetable = _build(schedule)
    timetable.current(NOW, ClockState.SYNCHRONISED)
    timetable.upcoming(NOW, 5)
    gc.collect()
    after_build, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return after_parse / 1e6, (after_build - after_parse) / 1e6, peak / 1e6
