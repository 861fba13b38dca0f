"""Says so when an emergency had no words: residents heard a tone, or nothing, and do not know what to do."""

from __future__ import annotations

from agent.conductor.performance import Performance
from agent.faults import Faults
from playlists.models.base import BulletinClass

FAULT = "emergency-unspoken"


class Unspoken:
    """Looks at what became of emergencies. Runs on the conductor's thread only."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def over(self, p: Performance) -> None:
        """A performance has ended; the fault stands until an emergency is spoken again."""
        if p.class_ is not BulletinClass.EMERGENCY or not p.sounds:
            return
        if p.wordless is not None:
            self._faults.raise_(FAULT, f"{p.title or p.id} had no words: {p.wordless}")
        elif p.sounded and p.settled:
            self._faults.clear(FAULT)
