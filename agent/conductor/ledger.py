"""What is written down about each performance: before it sounds, when it sounds, and how it ended.

A journal that cannot be written never stops the voice: the fault is raised and the show goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from agent.clock import Clock
from agent.conductor.performance import Performance, Run
from agent.faults import Faults
from agent.journal import Journal, JournalError
from playlists.models.health import Fault
from playlists.models.record import Outcome, Record
from playlists.units import MonotonicS

log = logging.getLogger("loa.journal")
node_log = logging.getLogger("loa.node")

T = TypeVar("T")


class Ledger:
    """Writes play records and remarks into the journal."""

    def __init__(self, journal: Journal, clock: Clock, faults: Faults) -> None:
        self._journal = journal
        self._clock = clock
        self._faults = faults

    def wall(self, at: MonotonicS) -> datetime:
        """Wall time of a monotonic instant near now."""
        return self._clock.now() - timedelta(seconds=self._clock.monotonic() - at)

    def begin(self, run: Run, index: int, planned: datetime) -> None:
        """Write the open record of one cue; to be called before it can sound."""
        if index in run.handles:
            return
        p = run.performance
        sound = p.sounds[p.cues[index].item]
        record = Record(
            kind="play",
            **p.names(),
            item=p.cues[index].item,
            media=sound.key,
            title=sound.title or p.title or None,
            class_=p.class_,
            language=sound.language or p.language,
            planned=planned,
            zones=tuple(sorted(p.zones)),
            gain_db=round(run.gain_db + sound.gain_db + p.volume_db, 2),
            clock=self._clock.reading(),
        )
        handle = self._try(lambda: self._journal.begin(record))
        if handle is not None:
            run.handles[index] = handle

    def started(self, run: Run, index: int, at: MonotonicS) -> None:
        """The first sample of a cue has left."""
        handle = run.handles.get(index)
        if handle is not None:
            self._try(lambda: self._journal.mark_started(handle, self.wall(at)))

    def complete(self, run: Run, index: int, outcome: Outcome, **fields: Any) -> None:
        """A cue has ended; `fields` are those of `Record`."""
        handle = run.handles.pop(index, None)
        if handle is not None:
            self._try(lambda: self._journal.complete(handle, outcome=outcome, **fields))

    def forget(self, run: Run) -> None:
        """Take back open records of cues that never began to sound."""
        while run.handles:
            _, handle = run.handles.popitem()
            self._try(partial(self._journal.discard, handle))

    def unsounded(self, p: Performance, outcome: Outcome, reason: str, item: int | None = None) -> None:
        """Write that a performance, or one item of it, did not sound, and why."""
        sound = p.sounds[item] if item is not None and item < len(p.sounds) else None
        self.write(
            Record(
                kind="play",
                **p.names(),
                item=item,
                media=sound.key if sound else None,
                title=(sound.title if sound else "") or p.title or None,
                class_=p.class_,
                language=(sound.language if sound else None) or p.language,
                planned=p.planned,
                ended=self._clock.now(),
                played_s=0.0,
                outcome=outcome,
                reason=reason,
                zones=tuple(sorted(p.zones)),
                clock=self._clock.reading(),
                amplifier_on=None,
            )
        )
        fields = {"loa_performance": p.id, "loa_zone": sorted(p.zones)}
        log.info("%s of %s: %s", outcome, p.id, reason, extra=fields)

    def write(self, record: Record) -> None:
        """Append a record; where the journal cannot be written, that is a fault and nothing more."""
        self._try(lambda: self._journal.append(record))

    def remark(self, text: str, kind: str = "system", **fields: Any) -> None:
        """Append a record that says something in words."""
        now = self._clock.now()
        self.write(
            Record.model_validate(
                {"kind": kind, "started": now, "text": text, "clock": self._clock.reading(), **fields}
            )
        )

    def left_out(self, programme: str, reason: str) -> None:
        """A programme, `FEED/NAME`, takes no part in the timetable."""
        node_log.warning("programme %s is left out: %s", programme, reason)
        feed, _, name = programme.partition("/")
        self.remark(f"programme left out: {reason}", feed=feed, programme=name)

    def fault(self, fault: Fault, *, raised: bool) -> None:
        """A fault was raised, or cleared."""
        node_log.log(
            logging.WARNING if raised else logging.INFO,
            "fault %s %s: %s",
            fault.code,
            "raised" if raised else "cleared",
            fault.text,
            extra={"loa_fault": fault.code, "loa_fault_state": "raised" if raised else "cleared"},
        )
        self.write(
            Record(
                kind="fault",
                fault=fault.code,
                started=fault.since,
                ended=None if raised else self._clock.now(),
                text=fault.text,
                clock=self._clock.reading(),
            )
        )

    def _try(self, write: Callable[[], T]) -> T | None:
        try:
            written = write()
        except JournalError as error:
            self._faults.raise_("journal", f"the journal cannot be written, the node plays on: {error}")
            return None
        self._faults.set("journal", self._journal.fault)
        return written
