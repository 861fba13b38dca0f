"""What the centre stores: each record once, acknowledged only as far as there is no gap."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.station.archive import Archive
from agent.station.errors import Technician
from playlists.models.command import Receipt

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def records(first: int, last: int) -> list[dict]:
    return [{"seq": n, "kind": "play", "programme": f"p{n}"} for n in range(first, last + 1)]


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path / "station.db")
    yield archive
    archive.close()


def add(archive: Archive, first: int, last: int, epoch: str = "e", node: str = "pole-07") -> int:
    return archive.add_batch(node, epoch, first, last, records(first, last), NOW)


def test_a_batch_that_comes_twice_is_kept_once(archive):
    assert add(archive, 1, 5) == 5
    assert add(archive, 1, 5) == 5
    assert add(archive, 3, 8) == 8
    assert [r["seq"] for r in archive.records()] == list(range(1, 9))


def test_nothing_behind_a_gap_is_acknowledged_until_it_is_filled(archive):
    assert add(archive, 1, 5) == 5
    assert add(archive, 11, 15) == 5
    assert add(archive, 6, 10) == 10
    assert add(archive, 11, 15) == 15


def test_a_batch_that_claims_numbers_without_records_is_believed(archive):
    assert archive.add_batch("pole-07", "e", 1, 9, records(7, 9), NOW) == 9


def test_logs_of_other_epochs_and_nodes_are_other_logs(archive):
    assert add(archive, 1, 5) == 5
    assert add(archive, 1, 3, epoch="f") == 3
    assert add(archive, 1, 2, node="pole-08") == 2
    assert add(archive, 9, 9, node="pole-08") == 2
    assert len(archive.records()) == 11


def test_records_of_newer_agents_are_kept_as_they_are(archive):
    strange = {
        "seq": 1,
        "kind": "smell",
        "started": 7,
        "class": ["x"],
        "played_s": "long",
        "future": {"a": 1},
    }
    archive.add_batch("pole-07", "e", 1, 1, [strange], NOW)
    assert archive.records() == [{"node": "pole-07", "epoch": "e", **strange}]


def test_a_database_of_another_schema_is_left_alone(tmp_path):
    archive = Archive(tmp_path / "station.db")
    archive._db.execute("PRAGMA user_version = 9")
    archive.close()
    with pytest.raises(Technician, match="schema 9"):
        Archive(tmp_path / "station.db")
    (tmp_path / "junk.db").write_bytes(b"junk" * 1_000)
    with pytest.raises(Technician, match=r"junk\.db"):
        Archive(tmp_path / "junk.db")


def test_receipts_are_kept_once_in_order_and_found_by_command(archive):
    for state in ("received", "verified", "verified", "finished"):
        archive.add_receipt("pole-07", Receipt(command="c1", state=state, at=NOW), NOW)
    archive.add_receipt("pole-08", Receipt(command="c2", state="refused", reason="replayed", at=NOW), NOW)
    assert len(archive.receipts()) == 4
    assert {r["state"] for r in archive.receipts("c1")} == {"received", "verified", "finished"}
    assert archive.receipts("c2")[0]["reason"] == "replayed"


def test_only_the_newest_uploads_stay(archive, monkeypatch):
    monkeypatch.setattr("agent.station.archive.MAX_UPLOADS", 3)
    for n in range(6):
        archive.add_upload("pole-07", "screenshot", f"c{n}", b"%d" % n, NOW)
    assert [archive.upload(f"c{n}") for n in range(6)] == [None, None, None, b"3", b"4", b"5"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 8)), max_size=25))
def test_through_is_never_beyond_what_is_stored(tmp_path_factory, batches):
    archive = Archive(tmp_path_factory.mktemp("archive") / "station.db")
    have, through = set(), 0
    for first, more in batches:
        have.update(range(first, first + more + 1))
        answer = add(archive, first, first + more)
        assert answer >= through
        assert set(range(1, answer + 1)) <= have
        through = answer
    assert [r["seq"] for r in archive.records()] == sorted(have)
    archive.close()
