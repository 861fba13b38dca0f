"""What sounded when the agent was killed goes on after its restart, where it would be by now.

Each change-over writes down what sounds and what is suspended. After a crash of the agent (same boot of the
machine) that is taken up again; after a power cut it is not: a programme then starts late by its own rules.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.clock import Clock
from agent.conductor.performance import Performance, Phase
from agent.journal import Journal, JournalError
from playlists.models.command import Command

log = logging.getLogger("loa.resumption")

KEY = "sounding"
LONGEST_S = 3_600.0
"""What was cut off longer ago than this is not taken up again."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A performance that was cut off, and where it would be now."""

    id: str
    position_s: float
    command: Command | None


class Resumption:
    """Writes down what sounds, and reads it after a crash."""

    def __init__(self, journal: Journal, clock: Clock, boot: str) -> None:
        self._journal = journal
        self._clock = clock
        self._boot = boot
        self._written: list[dict[str, Any]] | None = None

    def write(self, performances: dict[str, Performance], commands: dict[str, Command]) -> None:
        """Write down what sounds and what is suspended, if that has changed."""
        entries = []
        for p in performances.values():
            if p.phase not in (Phase.PLAYING, Phase.SUSPENDED) or p.origin not in (
                "programme",
                "announcement",
            ):
                continue
            command = commands.get(p.command) if p.command else None
            entries.append(
                {
                    "id": p.id,
                    "phase": p.phase.value,
                    "run": p.runs,
                    "position_s": round(p.where_s(), 3),
                    "command": command.model_dump(mode="json", by_alias=True) if command else None,
                }
            )
        if entries == self._written:
            return
        self._written = entries
        stored = {"boot": self._boot, "at": self._clock.now().isoformat(), "sounding": entries}
        try:
            self._journal.put(KEY, stored if entries else {})
        except JournalError as error:
            log.warning("after a crash nothing would be taken up again: %s", error)

    def read(self) -> Iterator[Cut]:
        """What the last run of the agent left sounding or suspended."""
        stored = self._journal.get(KEY) or {}
        if stored.get("boot") != self._boot:
            return
        away_s = (self._clock.now() - datetime.fromisoformat(stored["at"])).total_seconds()
        if not 0 <= away_s <= LONGEST_S:
            return
        for entry in stored["sounding"]:
            passed_s = away_s if entry["phase"] == Phase.PLAYING.value else 0.0
            command = Command.model_validate(entry["command"]) if entry["command"] else None
            yield Cut(entry["id"], entry["position_s"] + passed_s, command)
