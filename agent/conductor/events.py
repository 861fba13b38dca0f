"""Events of the conductor's own; the other rooms define theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody asked the daemon to end: a signal, or the `restart` command."""

    why: str
    then: Literal["exit", "restart"] = "exit"


@dataclass(frozen=True, slots=True)
class ThreadDied:
    """A thread ended of a mistake of ours."""

    name: str
    error: str
