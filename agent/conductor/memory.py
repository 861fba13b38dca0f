"""Small things that are to outlive a restart. A journal that fails costs the memory, never the voice."""

from __future__ import annotations

import logging
from typing import Any

from agent.journal import Journal, JournalError

log = logging.getLogger("loa.memory")


class Memory:
    """Keeps values that are ready for JSON, by key, in the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def get(self, key: str) -> Any:
        """What `put` was given last; None where there is nothing, or nothing that can be read."""
        try:
            return self._journal.get(key)
        except (JournalError, ValueError) as error:
            log.warning("%s: what was kept cannot be read and is forgotten: %s", key, error)
            return None

    def put(self, key: str, value: Any) -> bool:
        """Keep `value`; where that fails it is said, forgotten at the next restart, and False."""
        try:
            self._journal.put(key, value)
        except JournalError as error:
            log.warning("%s: it will not outlive a restart: %s", key, error)
            return False
        return True
