"""What sounded when the agent was killed goes on after its restart, where it would be by now.

Each change-over writes down what sounds, what is suspended, and which commands wait; until then a command that was
let in is kept whole. After a crash of the agent (same boot of the machine, so the monotonic clock has gone on) that
is taken up again. After a power cut it is not: a programme then starts late by its own rules, and a command has
ended, unless nobody had begun with it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from agent.clock import Clock
from agent.conductor.memory import Memory
from agent.conductor.performance import Performance, Phase, Run
from agent.journal import Journal, JournalError
from playlists.models.command import Command
from playlists.units import MonotonicS

log = logging.getLogger("loa.resumption")

KEY = "sounding"
BOOT_KEY = "boot"


@dataclass(frozen=True, slots=True)
class Cut:
    """A performance that was cut off."""

    id: str
    position_s: float
    """Where it is to go on."""
    in_step: bool
    """It sounded: by now it would be further on."""
    command: Command | None


class Resumption:
    """Writes down what sounds, and reads it after a crash."""

    def __init__(self, memory: Memory, journal: Journal, clock: Clock, boot: str) -> None:
        """`boot` names this run of the machine."""
        self._memory = memory
        self._journal = journal
        self._clock = clock
        self._boot = boot
        self._written: list[dict[str, Any]] | None = None
        self.same_boot = memory.get(BOOT_KEY) == boot
        """Whether the machine has run on since the agent last did."""
        memory.put(BOOT_KEY, boot)
        self.held = True
        """What the last run has left is not taken up yet: it is still what is written down."""

    def write(
        self,
        performances: Mapping[str, Performance],
        current: Run | None,
        commands: Mapping[str, Command],
        obeyed: set[str],
    ) -> None:
        """Write down what is to go on after a crash, if that has changed.

        Commands in `obeyed` need not be kept whole any longer; those that were written so are taken out of it.
        """
        entries = [
            {
                "id": p.id,
                "position_s": round(p.where_s(), 3),
                # an announcement of which nothing was heard yet begins at its beginning
                "at": current.at
                if current is not None and current.performance is p and (p.has_begun or command is None)
                else None,
                "command": command.model_dump(mode="json", by_alias=True) if command else None,
            }
            for p in performances.values()
            for command in [commands.get(p.command or "")]
            if command is not None
            or (p.origin == "programme" and p.phase in (Phase.PLAYING, Phase.SUSPENDED))
        ]
        if entries != self._written and not self.held:
            if not self._memory.put(KEY, {"sounding": entries}):
                return  # what was let in stays whole meanwhile
            self._written = entries
        if obeyed and not self.held and self.forget(obeyed):
            obeyed.clear()

    def read(self) -> list[Cut]:
        """What the last run of the agent left."""
        stored = self._memory.get(KEY) or {}
        try:
            return [self._cut(entry) for entry in stored.get("sounding", ())]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.warning("what was cut off cannot be read and does not go on: %s", error)
            return []

    def not_obeyed(self) -> list[Command]:
        """Commands that were let in, and a crash or a power cut came before anybody obeyed; oldest first.

        Nobody sends them again: the broker was told that they had arrived.
        """
        found = []
        try:
            waiting = self._journal.commands_waiting()
        except JournalError as error:
            log.warning("commands that waited for their turn cannot be read: %s", error)
            return []
        for id_, body in waiting.items():
            try:
                found.append(Command.model_validate_json(body))
            except ValueError as error:
                log.warning("command %s waited for its turn and cannot be read: %s", id_, error)
        return sorted(found, key=lambda command: command.issued)

    def forget(self, ids: Collection[str]) -> bool:
        """These commands need not be kept whole any longer; False where that cannot be written down now."""
        try:
            self._journal.commands_obeyed(ids)
        except JournalError as error:
            log.warning("commands %s may be obeyed again after a crash: %s", ", ".join(ids), error)
            return False
        return True

    def _cut(self, entry: Mapping[str, Any]) -> Cut:
        since: MonotonicS | None = entry["at"]
        passed_s = max(0.0, self._clock.monotonic() - since) if since is not None else 0.0
        command = Command.model_validate(entry["command"]) if entry["command"] else None
        return Cut(str(entry["id"]), float(entry["position_s"]) + passed_s, since is not None, command)
