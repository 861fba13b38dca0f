"""A damaged file is set aside, reported, and replaced; a medium that refuses never stops the node."""

import os
import shutil
import sqlite3
import time
from datetime import UTC, datetime

import pytest

from agent.journal import Journal, Retry, database, medium
from playlists.models.record import Record

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def fill(directory, count: int = 50) -> tuple[str, Journal]:
    journal = Journal.open(directory, max_mb=50)
    for n in range(count):
        journal.append(Record(kind="system", text=f"record {n}"))
    return journal.epoch, journal


def crashed_copy(source, target):
    """What a power cut would leave: the files as they are while the journal is open."""
    shutil.copytree(source, target)
    return target


def assert_begins_anew(directory, old_epoch: str) -> str:
    journal = Journal.open(directory, max_mb=50)
    try:
        assert journal.damage is not None
        assert journal.epoch != old_epoch
        assert [path.suffix for path in directory.glob("damaged-*")].count(".db") == 1
        report = journal.batch(0, 10).records
        assert len(report) == 1 and report[0].kind == "system" and "set aside" in report[0].text
        assert journal.reset_at is not None
        assert journal.append(Record(kind="system")).seq == 2
        return journal.damage
    finally:
        journal.close()


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 8192, b"not a database, just a text" * 500, b"SQLite format 3\x00"]
)
def test_a_file_that_is_no_database_is_set_aside(tmp_path, content):
    (tmp_path / database.FILE).write_bytes(content)
    assert_begins_anew(tmp_path, "")


def test_a_database_of_something_else_is_set_aside(tmp_path):
    with sqlite3.connect(tmp_path / database.FILE) as db:
        db.execute("CREATE TABLE cats (name TEXT)")
        db.execute("PRAGMA user_version = 1")
    db.close()
    assert "not a journal" in assert_begins_anew(tmp_path, "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("PRAGMA user_version = 99", "has schema 99, this agent knows 1 to 1"),
        ("DROP TABLE records", "no such table: records"),
        ("DELETE FROM journal", "does not say its epoch"),
    ],
)
def test_a_journal_with_the_wrong_schema_is_set_aside(tmp_path, change, words):
    epoch, journal = fill(tmp_path)
    journal.close()
    with sqlite3.connect(tmp_path / database.FILE) as db:
        db.execute(change)
    db.close()
    assert words in assert_begins_anew(tmp_path, epoch)


def test_pages_overwritten_with_garbage_are_found_at_start(tmp_path):
    epoch, journal = fill(tmp_path, 400)
    journal.close()
    path = tmp_path / database.FILE
    data = bytearray(path.read_bytes())
    data[8192:24576] = os.urandom(16384)
    path.write_bytes(data)
    assert_begins_anew(tmp_path, epoch)


def test_a_truncated_file_is_found_at_start(tmp_path):
    epoch, journal = fill(tmp_path, 400)
    journal.close()
    path = tmp_path / database.FILE
    os.truncate(path, path.stat().st_size // 2)
    assert_begins_anew(tmp_path, epoch)


def test_a_log_of_garbage_is_set_aside_with_its_database(tmp_path):
    epoch, journal = fill(tmp_path / "live")
    copy = crashed_copy(tmp_path / "live", tmp_path / "copy")
    journal.close()
    wal = copy / (database.FILE + "-wal")
    wal.write_bytes(os.urandom(wal.stat().st_size))
    assert "garbage" in assert_begins_anew(copy, epoch)
    assert len(list(copy.glob("damaged-*"))) == 2


def test_finished_transactions_lost_from_the_middle_of_the_log_are_noticed(tmp_path):
    epoch, journal = fill(tmp_path / "live")
    copy = crashed_copy(tmp_path / "live", tmp_path / "copy")
    journal.close()
    wal = copy / (database.FILE + "-wal")
    data = bytearray(wal.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100] = os.urandom(100)
    wal.write_bytes(data)
    assert "transactions are gone" in assert_begins_anew(copy, epoch)


def test_an_unfinished_transaction_at_the_end_of_the_log_is_no_damage(tmp_path):
    epoch, journal = fill(tmp_path / "live")
    last = journal.last
    copy = crashed_copy(tmp_path / "live", tmp_path / "copy")
    journal.close()
    wal = copy / (database.FILE + "-wal")
    os.truncate(wal, wal.stat().st_size - 100)
    journal = Journal.open(copy, max_mb=50)
    assert (journal.damage, journal.epoch, journal.last) == (None, epoch, last - 1)
    journal.close()


def test_a_log_that_a_crash_left_is_taken_over_whole(tmp_path):
    epoch, journal = fill(tmp_path / "live")
    copy = crashed_copy(tmp_path / "live", tmp_path / "copy")
    journal.close()
    journal = Journal.open(copy, max_mb=50)
    assert (journal.damage, journal.epoch, journal.last) == (None, epoch, 50)
    journal.close()


def test_only_the_newest_damaged_files_are_kept(tmp_path):
    for _ in range(5):
        (tmp_path / database.FILE).write_bytes(b"junk" * 1000)
        Journal.open(tmp_path, max_mb=50).close()
    assert len(list(tmp_path.glob("damaged-*.db"))) == database.KEEP_DAMAGED


def test_damage_met_while_the_node_runs_carries_open_plays_into_a_new_epoch(tmp_path):
    epoch, journal = fill(tmp_path, 600)
    handle = journal.begin(Record(kind="play", programme="news"))
    journal._medium.read("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / database.FILE
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    journal._medium._db.execute("PRAGMA shrink_memory")  # what is cached would hide the damage
    done = journal.complete(handle, outcome="finished")
    assert journal.epoch != epoch
    assert "set aside" in journal.damage
    records = journal.batch(0, 100).records
    assert records[-1] == done
    assert done.programme == "news"
    assert sum("set aside" in (record.text or "") for record in records) == 1
    assert journal.fault is None
    journal.close()


def full(journal: Journal, pages: int = 0) -> None:
    """Fill the disk: SQLite gives SQLITE_FULL beyond so many more pages; a negative number frees it again."""
    count = journal._medium.read("PRAGMA page_count")[0][0]
    limit = 2**30 if pages < 0 else count + pages
    journal._medium.read(f"PRAGMA max_page_count = {limit}")


BIG = "x" * 6_000


def test_on_a_full_disk_nothing_is_raised_and_all_follows_when_there_is_room(tmp_path, monkeypatch):
    monkeypatch.setattr(medium, "RETRY_AFTER_S", 0.0)
    _, journal = fill(tmp_path, 10)
    before = journal.begin(Record(kind="play", programme="before"))
    full(journal)
    during = journal.begin(Record(kind="play", programme="during", text=BIG))
    assert "full" in journal.fault
    assert journal.append(Record(kind="system", text="waits")).seq == 0
    assert journal.complete(before, outcome="finished").seq == 0
    assert journal.batch(10, 100) is None, "what is not on disk is not sent"
    assert journal.remember_command("c", NOW, NOW)
    assert not journal.remember_command("c", NOW, NOW), "a replay is known although it is not on disk"
    full(journal, -1)
    done = journal.complete(during, outcome="finished")
    assert journal.fault is None
    assert [record.text or record.programme for record in journal.batch(10, 9).records] == [
        "waits",
        "before",
        BIG,
    ]
    assert done.seq == journal.last == 13
    assert not journal.remember_command("c", NOW, NOW)
    journal.close()


def test_beyond_the_bound_of_memory_writes_are_refused_counted_and_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(medium, "RETRY_AFTER_S", 0.0)
    monkeypatch.setattr(medium, "MAX_WAITING", 5)
    _, journal = fill(tmp_path, 10)
    full(journal)
    for n in range(5):
        journal.append(Record(kind="system", text=f"{n}" + BIG))
    for _ in range(3):
        with pytest.raises(Retry, match="5 wait already"):
            journal.append(Record(kind="system", text="lost"))
    full(journal, -1)
    done = journal.append(Record(kind="system", text="after"))
    texts = [record.text[:12] for record in journal.batch(10, 99).records]
    assert texts == [
        "0xxxxxxxxxxx",
        "1xxxxxxxxxxx",
        "2xxxxxxxxxxx",
        "3xxxxxxxxxxx",
        "4xxxxxxxxxxx",
        "journal: 3 w",
        "after",
    ]
    assert done.seq == journal.last
    journal.close()


def test_a_full_disk_is_not_asked_at_every_write(tmp_path):
    _, journal = fill(tmp_path, 10)
    full(journal)
    journal.append(Record(kind="system", text=BIG))
    began = time.monotonic()
    for _ in range(1_000):
        journal.append(Record(kind="system", text="y"))
    assert time.monotonic() - began < 2
    full(journal, -1)
    journal.close()
    journal = Journal.open(tmp_path, max_mb=50)
    assert journal.last == 10 + 1 + 1_000, "closing writes what waits"
    journal.close()


def test_where_nothing_can_be_written_the_journal_lives_in_memory_and_says_so(tmp_path):
    (tmp_path / "occupied").write_text("a file, not a folder")
    journal = Journal.open(tmp_path / "occupied", max_mb=50)
    assert "memory only" in journal.fault
    assert journal.append(Record(kind="system")).seq == 1
    assert journal.batch(0, 10) is not None
    assert "memory only" in journal.fault
    journal.close()


def test_an_older_schema_walks_up_with_its_records(tmp_path):
    epoch, journal = fill(tmp_path, 5)
    journal.close()

    def newer(db: sqlite3.Connection) -> None:
        db.execute("ALTER TABLE records ADD COLUMN weight INTEGER NOT NULL DEFAULT 7")

    db, damage = database.open_file(tmp_path, datetime.now(UTC), (*database.STEPS, newer))
    assert damage is None
    assert db.execute("PRAGMA user_version").fetchone() == (2,)
    assert db.execute("SELECT count(*), sum(weight) FROM records").fetchone() == (5, 35)
    assert db.execute("SELECT epoch FROM journal").fetchone() == (epoch,)
    db.close()


def test_a_step_that_fails_leaves_the_old_schema_whole(tmp_path):
    _, journal = fill(tmp_path, 5)
    journal.close()

    def broken(db: sqlite3.Connection) -> None:
        db.execute("DROP TABLE records")
        raise sqlite3.OperationalError("the step broke")

    with pytest.raises(sqlite3.OperationalError, match="broke"):
        database.open_file(tmp_path, datetime.now(UTC), (*database.STEPS, broken))
    journal = Journal.open(tmp_path, max_mb=50)
    assert (journal.damage, journal.last) == (None, 5)
    journal.close()
