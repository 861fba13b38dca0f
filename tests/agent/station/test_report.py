"""The day's report, from what nodes reported."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from agent.station import officer
from agent.station.archive import Archive
from agent.station.folder import Folder
from agent.station.report import ZONE, report

DAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 5, 30, tzinfo=ZONE)


def play(seq: int, minutes: float = 1.0, outcome: str = "finished", at=MORNING, **fields) -> dict:
    base = {
        "seq": seq,
        "kind": "play",
        "programme": "news",
        "class": "routine",
        "language": "vi",
        "started": at.isoformat(),
        "played_s": minutes * 60,
        "outcome": outcome,
        "clock": {"state": "synchronised", "error_s": 0.01},
    }
    return base | fields


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path / "station.db")
    yield archive
    archive.close()


def add(archive: Archive, node: str, *records: dict, now=MORNING) -> None:
    archive.add_batch(node, "e", records[0]["seq"], records[-1]["seq"], records, now)


def test_minutes_are_summed_by_class_and_language(archive):
    add(
        archive,
        "pole-07",
        play(1, 10),
        play(2, 2.5, language="hmn"),
        play(3, 5),
        play(4, 1, **{"class": "emergency"}),
        {"seq": 5, "kind": "show", "bulletin": "b", "started": MORNING.isoformat(), "shown": 40},
        {"seq": 6, "kind": "show", "bulletin": "b", "started": MORNING.isoformat(), "shown": 2},
    )
    found = report(archive, DAY)
    assert [(m.class_, m.language, m.minutes, m.plays) for m in found.minutes] == [
        ("emergency", "vi", 1.0, 1),
        ("routine", "hmn", 2.5, 1),
        ("routine", "vi", 15.0, 2),
    ]
    assert found.shown == {"b": 42}


def test_completion_and_failures_say_what_did_not_end_and_why(archive):
    add(
        archive,
        "pole-07",
        play(1),
        play(2, 0.5, "interrupted", reason="alert storm"),
        play(3, 0, "failed", reason="decodes to nothing", item=2, started=None, planned=MORNING.isoformat()),
        play(4, 0.2, "lost-power"),
    )
    found = report(archive, DAY)
    assert found.completed_percent == 25.0
    assert found.outcomes == {"failed": 1, "finished": 1, "interrupted": 1, "lost-power": 1}
    assert ("failed", "decodes to nothing", 2) in [(f.outcome, f.reason, f.item) for f in found.failures]
    assert len(found.failures) == 3


def test_a_day_is_a_day_of_the_commune_not_of_greenwich(archive):
    midnight = datetime(2026, 11, 23, tzinfo=ZONE)
    moments = [midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=24, seconds=-1)]
    moments.append(midnight + timedelta(hours=24))
    add(archive, "pole-07", *(play(n, at=at.astimezone(UTC)) for n, at in enumerate(moments, 1)))
    assert report(archive, DAY).nodes[0].plays == 2


def test_a_node_of_which_nothing_was_heard_that_day_is_silent(archive):
    add(archive, "pole-07", play(1))
    archive.set_latest("pole-07", "health", "{}", MORNING + timedelta(hours=3))
    archive.set_latest("pole-08", "status", '{"state": "offline"}', MORNING - timedelta(days=3))
    found = report(archive, DAY)
    assert found.silent == ["pole-08"]
    assert [(n.node, n.heard_hours, n.state) for n in found.nodes] == [
        ("pole-07", 2, None),
        ("pole-08", 0, "offline"),
    ]


def test_plays_timed_by_a_doubtful_clock_are_counted(archive):
    add(archive, "pole-07", play(1), play(2, clock={"state": "unset", "error_s": None}), play(3, clock=None))
    assert report(archive, DAY).nodes[0].doubtful_plays == 2


def test_a_day_without_anything_has_no_percentage(archive):
    found = report(archive, DAY)
    assert (found.completed_percent, found.minutes, found.silent) == (None, [], [])


def test_alerts_and_refused_commands_are_counted(archive):
    at = MORNING.isoformat()
    add(
        archive,
        "pole-07",
        {"seq": 1, "kind": "alert", "alert": "storm-12", "started": at},
        {"seq": 2, "kind": "command", "command": "c", "started": at, "reason": "refused: replayed"},
        {"seq": 3, "kind": "command", "command": "d", "started": at, "outcome": "finished"},
    )
    found = report(archive, DAY)
    assert (found.alerts, found.refused_commands) == (["storm-12"], 1)


def test_records_that_make_no_sense_do_not_spoil_the_report(archive):
    add(
        archive,
        "pole-07",
        {"seq": 1, "kind": "play", "started": MORNING.isoformat(), "played_s": "x", "clock": 3},
    )
    found = report(archive, DAY)
    assert found.nodes[0].plays == 1
    assert found.minutes == []


def test_the_officer_reads_it_as_tables_and_a_script_as_json(tmp_path):
    app = typer.Typer()
    officer.register(app)
    nothing = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert nothing.exit_code == 1 and "nothing was collected yet" in nothing.output
    archive = Archive(Folder(tmp_path).database)
    add(archive, "pole-07", play(1, 10), play(2, 0, "failed", reason="no voice for hmn"))
    archive.set_latest("pole-08", "status", "{}", MORNING - timedelta(days=3))
    console = Console(record=True, width=120)
    for table in officer.tables(report(archive, DAY)):
        console.print(table)
    archive.close()
    text = console.export_text()
    assert "50.0 % completed" in text and "no voice for hmn" in text and "SILENT" in text
    result = CliRunner().invoke(app, ["report", str(tmp_path), "--day", "2026-11-23", "--json"])
    document = json.loads(result.output)
    assert document["minutes"] == [{"language": "vi", "minutes": 10.0, "plays": 1, "class": "routine"}]
    assert CliRunner().invoke(app, ["report", str(tmp_path), "--day", "today"]).exit_code == 1
    assert CliRunner().invoke(app, ["receipts", str(tmp_path), "--json"]).output.strip() == "[]"
