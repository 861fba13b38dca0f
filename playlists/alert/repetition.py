"""When an alert in force is told again.

At once at first. Then each time the interval has passed since the end of the last telling, as long as there is time
for one before it expires. An exercise is told once. One that somebody stopped by its name is not told again. One of
which nothing could be told is tried again, whatever the interval.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import AwareDatetime

from playlists.alert.message import Alert, Status
from playlists.models.base import Model
from playlists.units import Seconds

TRY_AGAIN_S = Seconds(300.0)
"""After which one is tried again of which nothing could be told, where nothing is to be repeated."""

SHORTEST_S = Seconds(10.0)
"""An alarm tone without words behind it would frighten and tell nothing."""


class Telling(Model):
    """How far an alert has been told."""

    ended: AwareDatetime | None = None
    """When its last telling ended, whole or not; None before that."""
    told: bool = False
    """Once to its end, or as far as somebody let it."""
    hushed: bool = False
    """Somebody asked not to hear it again."""


UNTOLD = Telling()


def next_telling(alert: Alert, telling: Telling, repeat_s: Seconds, now: datetime) -> datetime | None:
    """When the next telling of an alert in force is due (UTC); None for never.

    Args:
        repeat_s: from the end of one telling to the next; 0 tells it once.
        now: an `ended` that lies after it is taken for now: the wall clock was set back.
    """
    if telling.hushed or alert.silent_because is not None:
        return None
    if telling.ended is None:
        return now
    if telling.told and (not repeat_s or alert.status is Status.EXERCISE):
        return None
    due = min(telling.ended, now) + timedelta(seconds=repeat_s or TRY_AGAIN_S)
    return due if due + timedelta(seconds=SHORTEST_S) <= alert.expires else None
