"""What the nodes reported, as the centre keeps it: one SQLite file, each record once.

`(node, epoch, seq)` is a record's identity; one that comes twice is kept once. A log is acknowledged only as
far as it is known without a gap, and only after it is on the medium.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from agent.station.errors import Technician
from playlists.models.command import Receipt

SCHEMA: Final = 1
MAX_UPLOADS: Final = 500

_TABLES: Final = """
CREATE TABLE records (
    node TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL, kind TEXT,
    class TEXT, language TEXT, outcome TEXT, played_s REAL, body TEXT NOT NULL,
    PRIMARY KEY (node, epoch, seq)) WITHOUT ROWID;
CREATE INDEX records_at ON records (at);
CREATE TABLE logs (
    node TEXT NOT NULL, epoch TEXT NOT NULL, through INTEGER NOT NULL,
    PRIMARY KEY (node, epoch)) WITHOUT ROWID;
CREATE TABLE receipts (
    node TEXT NOT NULL, command TEXT NOT NULL, at TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
    received REAL NOT NULL, PRIMARY KEY (node, command, at, state)) WITHOUT ROWID;
CREATE INDEX receipts_received ON receipts (received);
CREATE TABLE latest (
    node TEXT NOT NULL, what TEXT NOT NULL, received REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (node, what)) WITHOUT ROWID;
CREATE TABLE heard (node TEXT NOT NULL, hour INTEGER NOT NULL, PRIMARY KEY (node, hour)) WITHOUT ROWID;
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY, node TEXT NOT NULL, kind TEXT NOT NULL, command TEXT, received REAL NOT NULL,
    data BLOB NOT NULL);
"""


class Archive:
    """The centre's database. Thread-safe."""

    def __init__(self, path: Path) -> None:
        """Open `path`, or make it.

        Raises:
            Technician: it is damaged, of another schema, or cannot be written. Nothing is changed then.
        """
        self.path = path
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self._db.executescript(f"BEGIN;{_TABLES}PRAGMA user_version = {SCHEMA};COMMIT;")
            elif version != SCHEMA:
                raise Technician(f"{path}: has schema {version}, this station knows {SCHEMA}")
        except sqlite3.Error as error:
            raise Technician(f"{path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    # -- what comes in: on the medium when a call returns; all raise sqlite3.Error when it refuses ------

    def add_batch(
        self,
        node: str,
        epoch: str,
        first: int,
        last: int,
        records: Iterable[Mapping[str, Any]],
        now: datetime,
    ) -> int:
        """Keep the records of a batch that claims `first` to `last`.

        Returns:
            The number up to which the log of this epoch is stored without a gap.
        """
        rows = [_row(node, epoch, record, now) for record in records]
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("INSERT OR IGNORE INTO records VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
                found = self._db.execute(
                    "SELECT through FROM logs WHERE node = ? AND epoch = ?", (node, epoch)
                ).fetchone()
                through = int(found[0]) if found else 0
                if first <= through + 1:
                    through = max(through, last)
                self._db.execute("INSERT OR REPLACE INTO logs VALUES (?, ?, ?)", (node, epoch, through))
                self._hear(node, now)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            return through

    def add_receipt(self, node: str, receipt: Receipt, now: datetime) -> None:
        """Keep a receipt, once."""
        values = (
            node,
            receipt.command,
            receipt.at.isoformat(),
            receipt.state,
            receipt.reason,
            now.timestamp(),
        )
        self._put(node, now, "INSERT OR IGNORE INTO receipts VALUES (?,?,?,?,?,?)", values)

    def set_latest(self, node: str, what: str, body: str, now: datetime) -> None:
        """Keep a node's newest `status` or `health`."""
        values = (node, what, now.timestamp(), body)
        self._put(node, now, "INSERT OR REPLACE INTO latest VALUES (?,?,?,?)", values)

    def add_upload(self, node: str, kind: str, command: str | None, data: bytes, now: datetime) -> None:
        """Keep a picture or log lines; of all nodes' together the newest `MAX_UPLOADS`."""
        values = (node, kind, command, now.timestamp(), data)
        statement = "INSERT INTO uploads (node, kind, command, received, data) VALUES (?,?,?,?,?)"
        with self._lock:
            self._put(node, now, statement, values)
            self._db.execute(
                "DELETE FROM uploads WHERE id <= (SELECT max(id) FROM uploads) - ?", (MAX_UPLOADS,)
            )

    # -- what is read ---------------------------------------------------------------------------------

    def through(self, node: str, epoch: str) -> int:
        """The number up to which a log is stored without a gap."""
        rows = self.rows("SELECT through FROM logs WHERE node = ? AND epoch = ?", (node, epoch))
        return int(rows[0][0]) if rows else 0

    def count(self, node: str, epoch: str, first: int, last: int) -> int:
        """How many records of these numbers are kept."""
        values = (node, epoch, first, last)
        found = self.rows(
            "SELECT count(*) FROM records WHERE node = ? AND epoch = ? AND seq BETWEEN ? AND ?", values
        )
        return int(found[0][0])

    def records(
        self, since: float = 0.0, until: float = 1e12, node: str | None = None
    ) -> list[dict[str, Any]]:
        """Log records of [since, until), seconds since 1970, with `node` and `epoch`, in order of time."""
        rows = self.rows(
            "SELECT node, epoch, body FROM records WHERE at >= ? AND at < ? AND node = coalesce(?, node)"
            " ORDER BY at, node, epoch, seq",
            (since, until, node),
        )
        return [{"node": name, "epoch": epoch, **json.loads(body)} for name, epoch, body in rows]

    def receipts(self, command: str | None = None, limit: int = 1_000) -> list[dict[str, Any]]:
        """The newest receipts, oldest first; of one command where it is named."""
        rows = self.rows(
            "SELECT node, command, state, reason, at FROM (SELECT * FROM receipts WHERE command ="
            " coalesce(?, command) ORDER BY received DESC, at DESC LIMIT ?) ORDER BY at, received",
            (command, limit),
        )
        return [dict(zip(("node", "command", "state", "reason", "at"), row, strict=True)) for row in rows]

    def latest(self, what: str) -> dict[str, dict[str, Any]]:
        """Each node's newest `status` or `health`."""
        rows = self.rows("SELECT node, body FROM latest WHERE what = ? ORDER BY node", (what,))
        return {node: json.loads(body) for node, body in rows}

    def upload(self, command: str) -> bytes | None:
        """What a command brought up: a picture, or log lines."""
        rows = self.rows("SELECT data FROM uploads WHERE command = ? ORDER BY id DESC LIMIT 1", (command,))
        return bytes(rows[0][0]) if rows else None

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    # -- inside ---------------------------------------------------------------------------------------

    def _put(self, node: str, now: datetime, statement: str, values: Sequence[Any]) -> None:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.execute(statement, values)
                self._hear(node, now)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _hear(self, node: str, now: datetime) -> None:
        self._db.execute("INSERT OR IGNORE INTO heard VALUES (?, ?)", (node, int(now.timestamp() // 3_600)))


def _row(node: str, epoch: str, record: Mapping[str, Any], now: datetime) -> tuple[Any, ...]:
    texts = [value if isinstance(value := record.get(k), str) else None for k in _TEXTS]
    played_s = record.get("played_s")
    played_s = float(played_s) if isinstance(played_s, int | float) and 0 <= played_s < 1e7 else None
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return node, epoch, record["seq"], _moment(record, now), *texts, played_s, body


_TEXTS: Final = ("kind", "class", "language", "outcome")


def _moment(record: Mapping[str, Any], now: datetime) -> float:
    """When it was: its start, else its plan, else its end; of a record without times, when it came."""
    for name in ("started", "planned", "ended"):
        try:
            moment = datetime.fromisoformat(record.get(name) or "")
        except (ValueError, TypeError):
            continue
        if moment.tzinfo is not None:
            return moment.timestamp()
    return now.timestamp()
