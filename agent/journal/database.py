"""The journal's file: opened, brought to the present schema, and set aside when it is damaged."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from agent.files import sync_directory
from agent.journal import wal
from agent.journal.errors import Technician

FILE: Final = "journal.db"
APPLICATION_ID: Final = 0x6C6F616A  # "loaj"
KEEP_DAMAGED: Final = 2
"""So many damaged journals are kept for a technician; older ones are removed."""

QUICK_CHECK_MAX_BYTES: Final = 20_000_000
"""A bigger file is not read through at start, which must stay short: its damage shows when it is met."""

CORRUPT: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})

_log = logging.getLogger("loa.journal")

Step = Callable[[sqlite3.Connection], None]


class Damaged(Exception):  # noqa: N818 - never leaves this room: the remedy is taken at once
    """Error raised when the file is no journal that can be gone on with."""


def _first_schema(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE journal (epoch TEXT NOT NULL, last INTEGER NOT NULL, stored INTEGER NOT NULL)")
    db.execute("INSERT INTO journal VALUES (?, 0, 0)", (uuid.uuid4().hex,))
    db.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL)")
    db.execute("CREATE INDEX showings ON records (seq) WHERE kind = 'show'")
    db.execute("CREATE TABLE open_plays (handle INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    db.execute("CREATE TABLE commands (id TEXT PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID")
    db.execute("CREATE TABLE receipts (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL)")
    db.execute("CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")


STEPS: Final[Sequence[Step]] = (_first_schema,)
"""Step n brings a file from `user_version` n to n + 1. Files of any age walk up; steps are never changed."""


def open_file(
    directory: Path, now: datetime, steps: Sequence[Step] = STEPS
) -> tuple[sqlite3.Connection, str | None]:
    """Open the journal of `directory`, or a new one in place of a damaged one.

    Returns:
        The connection, and in words what was wrong with the file that was set aside.

    Raises:
        Technician: another process has it open.
        OSError, sqlite3.Error: nothing can be written there.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / FILE
    damage = None
    try:
        db = _open_existing(path, steps) if path.exists() else None
    except Damaged as error:
        aside = set_aside(directory, now)
        damage = f"{path} {error}; set aside as {aside.name}"
        _log.error("journal: %s; a new one begins with a new epoch", damage)
        db = None
    return db or _create(path, steps), damage


def open_in_memory(steps: Sequence[Step] = STEPS) -> sqlite3.Connection:
    """A journal that is gone with the process: better than none where the medium refuses."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _migrate(db, steps)
    return db


def set_aside(directory: Path, now: datetime) -> Path:
    """Move the journal's files out of the way, keep the newest few that lie there, return the new path.

    Raises:
        OSError: they cannot be renamed.
    """
    kept = sorted(directory.glob("damaged-*.db"))
    for old in kept[: max(0, len(kept) - KEEP_DAMAGED + 1)]:
        for part in _parts(old):
            part.unlink(missing_ok=True)
    aside = directory / f"damaged-{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}.db"
    for part, target in zip(_parts(directory / FILE), _parts(aside), strict=True):
        with contextlib.suppress(FileNotFoundError):
            part.rename(target)
    sync_directory(directory)
    return aside


def is_corrupt(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file's content is broken, and not that the medium refuses."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in CORRUPT or code == sqlite3.SQLITE_IOERR_SHORT_READ


def _parts(path: Path) -> list[Path]:
    return [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")]


def _create(path: Path, steps: Sequence[Step]) -> sqlite3.Connection:
    for leftover in _parts(path)[1:]:
        leftover.unlink(missing_ok=True)  # a log without its database would be played into the new one
    db = _connect(path)
    try:
        _migrate(db, steps)
    except BaseException:
        db.close()
        raise
    sync_directory(path.parent)
    return db


def _open_existing(path: Path, steps: Sequence[Step]) -> sqlite3.Connection:
    if path.stat().st_size == 0 and not _parts(path)[1].exists():
        raise Damaged("has zero bytes")
    before = wal.scan(_parts(path)[1])
    if before.problem:
        raise Damaged("is damaged: " + before.problem)
    try:
        db = _connect(path)
    except sqlite3.DatabaseError as error:
        raise _damaged_if_corrupt(error) from error
    try:
        _check(db, path, before, steps)
        _migrate(db, steps)
    except Damaged:
        db.close()
        raise
    except sqlite3.DatabaseError as error:
        db.close()
        raise _damaged_if_corrupt(error) from error
    sync_directory(path.parent)
    return db


def _damaged_if_corrupt(error: sqlite3.Error) -> Exception:
    return Damaged(f"is damaged: {error}") if is_corrupt(error) else error


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.5)
    try:
        # exclusive: no second daemon, and no shared-memory file
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            db.execute("PRAGMA " + pragma)
        # small pages of cache and log: the node has 512 MB, the log is read at the next start
        for pragma in ("cache_size = -1024", "wal_autocheckpoint = 256", "journal_size_limit = 2000000"):
            db.execute("PRAGMA " + pragma)
        db.execute("BEGIN IMMEDIATE")
        db.execute("COMMIT")
    except sqlite3.OperationalError as error:
        db.close()
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Technician(f"{path} is in use by another process: is another agent running?") from error
        raise
    except sqlite3.DatabaseError:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection, path: Path, before: wal.WalScan, steps: Sequence[Step]) -> None:
    _, recovered, _ = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if problem := wal.lost(before, recovered):
        raise Damaged("is damaged: " + problem)
    version = _version(db)
    if not 0 < version <= len(steps):
        raise Damaged(f"has schema {version}, this agent knows 1 to {len(steps)}")
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise Damaged("is a database, but not a journal")
    if path.stat().st_size <= QUICK_CHECK_MAX_BYTES:
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise Damaged(f"is damaged: {verdict}")
    try:
        rows = db.execute("SELECT epoch, last, stored FROM journal").fetchall()
        for table in ("records", "open_plays", "commands", "receipts", "state"):
            db.execute(f"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1)")  # noqa: S608 - names from above
    except sqlite3.OperationalError as error:
        raise Damaged(f"has not the tables of a journal: {error}") from error
    if len(rows) != 1:
        raise Damaged("does not say its epoch")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _migrate(db: sqlite3.Connection, steps: Sequence[Step]) -> None:
    for version in range(_version(db), len(steps)):
        db.execute("BEGIN IMMEDIATE")
        try:
            steps[version](db)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {version + 1}")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
