"""The medium under the journal: transactions that are durable when they return, or wait until they can be.

Writes are lists of SQL statements with their values, so that one that the medium refuses can wait in memory
and be committed later, in order, together with what follows.
"""

from __future__ import annotations

import errno
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from agent.journal import database
from agent.journal.errors import Retry
from playlists.models.record import Record

MAX_WAITING: Final = 2_000
RETRY_AFTER_S: Final = 2.0
RESET_AT: Final = "reset-at"
"""Key of the moment at which memory was lost: commands issued before it cannot be told from replays."""

MAX_REPLACED: Final = 3
"""A medium that damages more files than this in one life of the process is given up."""

_log = logging.getLogger("loa.journal")

Statement = tuple[str, Sequence[Any]]
Write = list[Statement]
Now = Callable[[], datetime]


def body_of(record: Record) -> str:
    """A record as it is kept: JSON without its number and without what is null."""
    return record.model_dump_json(exclude={"seq"}, exclude_none=True, by_alias=True)


def adding(record: Record) -> Write:
    """Statements that give `record` the next number and add it."""
    return [
        ("UPDATE journal SET last = last + 1", ()),
        ("INSERT INTO records SELECT last, ?, ? FROM journal", (record.kind, body_of(record))),
    ]


def reporting(text: str, now: datetime) -> Write:
    """Statements that add a `system` record."""
    return adding(Record(kind="system", started=now, text="journal: " + text))


class Medium:
    """One SQLite file. Not thread-safe: the journal holds a lock around it."""

    @classmethod
    def open(cls, directory: Path, now: Now) -> Self:
        """Open the file of `directory`; where nothing can be written, one in memory.

        Raises:
            Technician: another process holds it.
        """
        try:
            db, damage = database.open_file(directory, now())
        except (OSError, sqlite3.Error) as error:
            fault = f"the journal in {directory} cannot be written ({error}): it is kept in memory only"
            _log.error("%s", fault)
            return cls(directory, database.open_in_memory(), now, damage=None, fault=fault)
        return cls(directory, db, now, damage=damage, fault=None)

    def __init__(
        self, directory: Path, db: sqlite3.Connection, now: Now, *, damage: str | None, fault: str | None
    ) -> None:
        """See `open`."""
        self.fault = fault
        self.damage = damage
        self.open_plays: dict[int, Record] = {}
        """Plays that are open now: they are carried over into a file that replaces a damaged one."""
        self._directory = directory
        self._db = db
        self._now = now
        self._in_memory = fault is not None
        self._waiting: list[Write] = []
        self._lost = 0
        self._replaced = 0
        self._try_again_at = 0.0
        self.epoch, self.last, self.stored = self._numbers()
        for handle, body in self.read("SELECT handle, body FROM open_plays ORDER BY handle"):
            self.open_plays[handle] = Record.model_validate_json(body)
        if damage:
            self.write(self._after_damage(damage))

    @property
    def waits(self) -> bool:
        """Whether writes wait in memory."""
        return bool(self._waiting)

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query on what is on the medium.

        Raises:
            Retry: the medium refuses.
        """
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            if database.is_corrupt(error) and not self._in_memory:
                self._replace(error)
                return self._db.execute(sql, values).fetchall()
            if _refuses(error):
                raise Retry(f"the journal cannot be read: {error}") from error
            raise

    def write(self, write: Write) -> bool:
        """Commit `write` after all that waits; True when it is on the medium, False when it waits.

        Raises:
            Retry: it cannot wait either, and is lost.
        """
        if len(self._waiting) >= MAX_WAITING and not self._commit():
            self._lost += 1
            raise Retry(f"{self.fault}; {MAX_WAITING} wait already, so this one is lost")
        self._waiting.append(write)
        return self._commit(newest=1)

    def flush(self) -> None:
        """Commit what waits, if the medium takes it now."""
        if self._waiting:
            self._commit()

    def close(self) -> None:
        """Try a last time to commit what waits, and close."""
        self._try_again_at = 0.0
        self.flush()
        if self._waiting:
            _log.error("journal: %d writes are lost: %s", len(self._waiting), self.fault)
        self._db.close()

    def _commit(self, newest: int = 0) -> bool:
        """Commit what waits; the last `newest` of it have a caller who derives their numbers from `last`."""
        if time.monotonic() < self._try_again_at:
            return False
        report = f"{self._lost} writes were lost while the medium refused them"
        lost = [reporting(report, self._now())] if self._lost else []
        place = len(self._waiting) - newest
        try:
            self._transaction([*self._waiting[:place], *lost, *self._waiting[place:]])
        except sqlite3.Error as error:
            if database.is_corrupt(error) and not self._in_memory:
                self._replace(error)
                return not self._waiting
            if not _refuses(error):
                del self._waiting[place:]
                raise
            self._refused(error)
            return False
        if len(self._waiting) > 1:
            _log.warning("journal: %d writes that waited are on the medium", len(self._waiting) - 1)
        self._waiting.clear()
        self._lost, self._try_again_at = 0, 0.0
        self.fault = self.fault if self._in_memory else None
        return True

    def _transaction(self, writes: Iterable[Write]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for write in writes:
                for sql, values in write:
                    self._db.execute(sql, values)
            numbers = self._numbers()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self.epoch, self.last, self.stored = numbers

    def _refused(self, error: sqlite3.Error) -> None:
        if self.fault is None:
            _log.error("journal: the medium refuses (%s): records wait in memory", error)
        self.fault = f"the journal cannot be written ({error}): records wait in memory"
        self._try_again_at = time.monotonic() + RETRY_AFTER_S

    def _replace(self, error: sqlite3.Error) -> None:
        """Set the file aside while the node runs; what is known in memory goes on in the new one."""
        reason = f"{self._directory / database.FILE} is damaged: {error}"
        _log.error("journal: %s; a new one begins with a new epoch", reason)
        self._db.close()
        self._replaced += 1
        try:
            if self._replaced > MAX_REPLACED:
                raise OSError(errno.EIO, f"{self._replaced} files were damaged since the start")
            aside = database.set_aside(self._directory, self._now())
            self._db, _ = database.open_file(self._directory, self._now())
            damage = f"{reason}; set aside as {aside.name}"
        except (OSError, sqlite3.Error) as failure:
            damage = f"{reason}, and no new one can be written ({failure}): it is kept in memory only"
            self.fault, self._in_memory = damage, True
            self._db = database.open_in_memory()
        self.damage = damage
        self.epoch, self.last, self.stored = self._numbers()
        opened: Write = [
            ("INSERT OR REPLACE INTO open_plays VALUES (?, ?)", (handle, body_of(record)))
            for handle, record in self.open_plays.items()
        ]
        self._waiting = [opened, self._after_damage(damage), *self._waiting]
        self._commit()

    def _after_damage(self, damage: str) -> Write:
        now = self._now()
        mark = ("INSERT OR REPLACE INTO state VALUES (?, ?)", (RESET_AT, json.dumps(now.isoformat())))
        return [mark, *reporting(damage, now)]

    def _numbers(self) -> tuple[str, int, int]:
        epoch, last, stored = self._db.execute("SELECT epoch, last, stored FROM journal").fetchone()
        return str(epoch), int(last), int(stored)


def _refuses(error: sqlite3.Error) -> bool:
    """Whether the medium refuses (full, read-only, input/output …), and the statement was not wrong."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR
