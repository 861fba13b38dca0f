"""The journal: a play log that is written before the sound, and the node's other small memories.

Every write is one SQLite transaction, on the medium when the call returns (WAL, `synchronous=FULL`).
Numbers are given when a record is finished, so the log of an epoch has no hole and `(node, epoch, seq)`
names a record for ever.

**When the medium refuses** (full, read-only, input/output errors) nothing is raised: writes wait in memory,
up to `medium.MAX_WAITING`, `fault` says why, and they follow, in order, as soon as the medium takes them.
Records that wait have `seq` 0 and are not sent: what the centre acknowledges must have been on disk. Only
beyond that bound does a write raise `Retry`; what is lost is counted and reported by a `system` record.

**When the file is damaged**, at start or later, it is set aside, an empty one with a new epoch takes its
place, and a `system` record says so.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from agent.journal.bound import keep_bound
from agent.journal.errors import Retry
from agent.journal.medium import RESET_AT, Medium, Now, Write, adding, body_of
from playlists.models.command import Receipt
from playlists.models.record import LogBatch, Record

MAX_RECEIPTS: Final = 1_000
CHECK_BOUND_EVERY: Final = 64
WAITING: Final = "command:"
"""What the state of a command begins with that was let in and not obeyed yet: its id follows."""
KEEP_STORED: Final = 300
"""So many numbers that the centre has stay here, for whoever looks at the node; they are never sent again."""

_log = logging.getLogger("loa.journal")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """One node's journal. Thread-safe: one connection, one lock. Get one by `Journal.open`."""

    @classmethod
    def open(cls, directory: Path, max_mb: float, now: Now = _utc_now) -> Self:
        """Open the journal in `directory`; it takes at most about `max_mb` (of 1,000,000 bytes) there.

        A damaged file is set aside (see `damage`). Where nothing can be written at all, the journal lives
        in memory until the next start (see `fault`): the node plays on.

        Raises:
            Technician: another process holds it.
        """
        return cls(Medium.open(directory, now), max_mb, now)

    def __init__(self, medium: Medium, max_mb: float, now: Now = _utc_now) -> None:
        """See `open`."""
        self._medium = medium
        self._max_bytes = int(max_mb * 1_000_000)
        self._now = now
        self._lock = threading.RLock()
        self._unchecked = 0
        self._notify: Callable[[], None] | None = None
        self._commands: dict[str, float] = {}
        self._left = list(medium.open_plays.items())
        self._handle = max(medium.open_plays, default=0)

    # -- identity and condition ----------------------------------------------------------------

    @property
    def epoch(self) -> str:
        """Names this run of numbers; changes when the file is replaced, also while the node runs."""
        return self._medium.epoch

    @property
    def last(self) -> int:
        """The number of the newest record on the medium; 0 before the first."""
        return self._medium.last

    @property
    def stored_through(self) -> int:
        """All up to this number are stored at the centre; the last `KEEP_STORED` of them are still here."""
        return self._medium.stored

    @property
    def fault(self) -> str | None:
        """Why writes wait in memory; None while all is on the medium."""
        return self._medium.fault

    @property
    def damage(self) -> str | None:
        """What was wrong with the last file that was set aside since this process began, and its new name."""
        return self._medium.damage

    @property
    def reset_at(self) -> datetime | None:
        """When memory was last lost by damage: commands issued before cannot be told from replays."""
        text = self.get(RESET_AT)
        return datetime.fromisoformat(text) if text else None

    def listen(self, notify: Callable[[], None]) -> None:
        """Have `notify` called, on the writer's thread, after records were added. It must not block."""
        self._notify = notify

    # -- the play log --------------------------------------------------------------------------

    def begin(self, record: Record) -> int:
        """Write down, before the sound, what is about to play; the handle stands for it until `complete`.

        Raises:
            Retry: neither disk nor memory has room.
        """
        with self._lock:
            self._handle += 1
            self._medium.open_plays[self._handle] = record
            self._medium.write(
                [("INSERT OR REPLACE INTO open_plays VALUES (?, ?)", (self._handle, body_of(record)))]
            )
            return self._handle

    def mark_started(self, handle: int, started: datetime) -> None:
        """Write down the instant of the first sample.

        Raises:
            KeyError: no such open play.
            Retry: neither disk nor memory has room; it is remembered until `complete`.
        """
        with self._lock:
            record = self._medium.open_plays[handle].model_copy(update={"started": started})
            self._medium.open_plays[handle] = record
            self._medium.write(
                [("UPDATE open_plays SET body = ? WHERE handle = ?", (body_of(record), handle))]
            )

    def complete(self, handle: int, **fields: Any) -> Record:
        """Finish an open play with what became of it (fields of `Record`): it gets its number.

        Raises:
            KeyError: no such open play.
            TypeError: a field that `Record` has not.
            Retry: neither disk nor memory has room; the play is no longer open here.
        """
        unknown = fields.keys() - Record.model_fields.keys()
        if unknown:
            raise TypeError(f"a record has no field {', '.join(sorted(unknown))}")
        with self._lock:
            record = Record.model_validate(self._medium.open_plays[handle].model_dump() | fields)
            del self._medium.open_plays[handle]
            self._left = [(left, play) for left, play in self._left if left != handle]
            return self._add([record], [("DELETE FROM open_plays WHERE handle = ?", (handle,))])[0]

    def discard(self, handle: int) -> None:
        """Forget an open play that never sounded and of which there is nothing to say.

        Raises:
            KeyError: no such open play.
            Retry: neither disk nor memory has room.
        """
        with self._lock:
            del self._medium.open_plays[handle]
            self._left = [(left, play) for left, play in self._left if left != handle]
            self._medium.write([("DELETE FROM open_plays WHERE handle = ?", (handle,))])

    def append(self, record: Record) -> Record:
        """Add a finished record; what is returned has its number, or 0 while it waits in memory.

        Raises:
            Retry: neither disk nor memory has room: the record is lost, counted, and reported later.
        """
        return self._add([record])[0]

    def append_all(self, records: Iterable[Record]) -> list[Record]:
        """Add finished records in one transaction.

        Raises:
            Retry: neither disk nor memory has room.
        """
        return self._add(list(records))

    def open_plays(self) -> list[tuple[int, Record]]:
        """Plays that a crash or a power cut left open before this start, and nobody completed yet."""
        with self._lock:
            return list(self._left)

    # -- the way to the centre -----------------------------------------------------------------

    def batch(self, after_seq: int, limit: int) -> LogBatch | None:
        """Up to `limit` records that follow `after_seq`; None when there are none.

        The batch claims all numbers from `after_seq` + 1 on: those of them that it lacks were dropped at the
        bound, or were already acknowledged.

        Raises:
            Retry: the medium cannot be read now.
        """
        with self._lock:
            self._medium.flush()
            rows = self._medium.read(
                "SELECT seq, body FROM records WHERE seq > ? ORDER BY seq LIMIT ?",
                (max(after_seq, self.stored_through), limit),
            )
            epoch = self.epoch
        if not rows:
            return None
        records = _records(rows)
        return LogBatch(epoch=epoch, first=after_seq + 1, last=records[-1].seq, records=records)

    def newest(self, count: int) -> tuple[Record, ...]:
        """The newest `count` records that are still here, stored at the centre or not, oldest first.

        Raises:
            Retry: the medium cannot be read now.
        """
        with self._lock:
            self._medium.flush()
            rows = self._medium.read("SELECT seq, body FROM records ORDER BY seq DESC LIMIT ?", (count,))
        return _records(reversed(rows))

    def stored(self, through: int, epoch: str | None = None) -> None:
        """Take the centre's word that all up to `through` are stored, and let go all but the newest.

        A number that was never given, or another epoch, is ignored: it is not ours.
        """
        with self._lock:
            if (epoch is not None and epoch != self.epoch) or not self.stored_through < through <= self.last:
                return
            self._medium.write(
                [
                    ("DELETE FROM records WHERE seq <= ?", (through - KEEP_STORED,)),
                    ("UPDATE journal SET stored = ?", (through,)),
                ]
            )

    def keep_receipt(self, receipt: Receipt) -> None:
        """Put a receipt into the outbox, which holds the newest `MAX_RECEIPTS`.

        Raises:
            Retry: neither disk nor memory has room.
        """
        with self._lock:
            self._medium.write(
                [
                    ("INSERT INTO receipts (body) VALUES (?)", (receipt.model_dump_json(),)),
                    ("DELETE FROM receipts WHERE id <= (SELECT max(id) FROM receipts) - ?", (MAX_RECEIPTS,)),
                ]
            )

    def receipts(self, after_id: int, limit: int) -> list[tuple[int, Receipt]]:
        """The oldest receipts in the outbox, beyond `after_id`.

        Raises:
            Retry: the medium cannot be read now.
        """
        with self._lock:
            rows = self._medium.read(
                "SELECT id, body FROM receipts WHERE id > ? ORDER BY id LIMIT ?", (after_id, limit)
            )
        return [(int(number), Receipt.model_validate_json(body)) for number, body in rows]

    def receipts_sent(self, numbers: Iterable[int]) -> None:
        """Take receipts out of the outbox: the broker has them.

        Raises:
            Retry: neither disk nor memory has room: they will be sent again.
        """
        with self._lock:
            self._medium.write([("DELETE FROM receipts WHERE id = ?", (number,)) for number in numbers])

    # -- small memories ------------------------------------------------------------------------

    def remember_command(
        self, command_id: str, expires: datetime, now: datetime, body: str | None = None
    ) -> bool:
        """Remember a command until a day after its expiry, by the time `now`.

        With `body` it is also kept whole until `commands_obeyed`: no crash in between may lose it.

        Returns:
            False if it is known already: a replay.

        Raises:
            Retry: it cannot be remembered, neither on disk nor in memory: do not obey it.
        """
        with self._lock:
            if self._knows(command_id):
                return False
            forget = now.timestamp() - 86_400
            keep = "INSERT OR REPLACE INTO state VALUES (?, ?)"
            waiting = [(keep, (WAITING + command_id, body))] if body is not None else []
            self._medium.write(
                [
                    ("DELETE FROM commands WHERE expires < ?", (forget,)),
                    ("INSERT OR IGNORE INTO commands VALUES (?, ?)", (command_id, expires.timestamp())),
                    *waiting,
                ]
            )
            self._commands = {known: until for known, until in self._commands.items() if until >= forget}
            self._commands[command_id] = expires.timestamp()
            return True

    def commands_waiting(self) -> dict[str, str]:
        """Commands that were let in and have not been obeyed: their ids and bodies.

        Raises:
            Retry: the medium cannot be read now.
        """
        with self._lock:
            rows = self._medium.read("SELECT key, value FROM state WHERE key GLOB ?", (WAITING + "*",))
        return {str(key).removeprefix(WAITING): str(body) for key, body in rows}

    def commands_obeyed(self, ids: Iterable[str]) -> None:
        """These commands need not be kept whole any longer.

        Raises:
            Retry: neither disk nor memory has room.
        """
        with self._lock:
            self._medium.write([("DELETE FROM state WHERE key = ?", (WAITING + id_,)) for id_ in ids])

    def get(self, key: str) -> Any:
        """A small piece of state as `put` was given it, or None.

        Raises:
            Retry: the medium cannot be read now.
        """
        with self._lock:
            rows = self._medium.read("SELECT value FROM state WHERE key = ?", (key,))
        return json.loads(rows[0][0]) if rows else None

    def put(self, key: str, value: Any) -> None:
        """Keep a small piece of state, ready for JSON, over restarts; None removes it.

        Raises:
            Retry: neither disk nor memory has room.
        """
        with self._lock:
            if value is None:
                self._medium.write([("DELETE FROM state WHERE key = ?", (key,))])
            else:
                body = json.dumps(value, ensure_ascii=False)
                self._medium.write([("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, body))])

    def flush(self) -> None:
        """Bring what waits in memory to the medium, if it takes it now; `fault` says how that went."""
        with self._lock:
            self._medium.flush()

    def close(self) -> None:
        """Write what waits, and close. Open plays stay open: the next start finds them."""
        with self._lock:
            self._medium.close()

    # -- inside --------------------------------------------------------------------------------

    def _knows(self, command_id: str) -> bool:
        if command_id in self._commands:
            return True
        try:
            return bool(self._medium.read("SELECT 1 FROM commands WHERE id = ?", (command_id,)))
        except Retry as error:
            # an emergency must not wait for a card that cannot be read: this process's own memory has to do
            _log.error("replays from before this start cannot be told: %s", error)
            return False

    def _add(self, records: list[Record], before: Write | None = None) -> list[Record]:
        with self._lock:
            write = list(before or [])
            for record in records:
                write += adding(record)
            on_medium = self._medium.write(write)
            first = self.last - len(records) + 1
            numbered = [
                record.model_copy(update={"seq": first + place if on_medium else 0})
                for place, record in enumerate(records)
            ]
            self._unchecked += len(records)
            if on_medium and self._unchecked >= CHECK_BOUND_EVERY:
                self._unchecked = 0
                self._keep_bound()
        if self._notify is not None:
            self._notify()
        return numbered

    def _keep_bound(self) -> None:
        try:
            keep_bound(self._medium, self._max_bytes, self._now())
        except Retry as error:
            # the records are safe; the bound is looked at again a little later
            _log.warning("journal: its size cannot be looked at: %s", error)


def _records(rows: Iterable[tuple[Any, ...]]) -> tuple[Record, ...]:
    return tuple(Record.model_validate(json.loads(body) | {"seq": seq}) for seq, body in rows)
