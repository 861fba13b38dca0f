"""Recurring chores: APScheduler says when, a chore only posts an event.

APScheduler 3 counts every run that a leap of the wall clock has passed over (millions, after three years in
a drawer) and waits for years when the clock is set back. So the trigger here never yields an instant that
lies in the past, and `realign` starts all intervals afresh when the clock has jumped.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger


@dataclass(frozen=True, slots=True)
class ChoreDue:
    """Event: the chore of this name is to be done."""

    name: str


class Every(BaseTrigger):  # type: ignore[misc]  # apscheduler ships no types
    """Fires each `interval_s` seconds, later by up to `jitter_s`; never for an instant that has passed."""

    def __init__(self, interval_s: float, jitter_s: float = 0.0) -> None:
        self.interval_s = interval_s
        self.jitter_s = jitter_s

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Next instant after `now`; called by APScheduler."""
        # spreading a fleet's polls over time is no secret
        wait_s = self.interval_s + random.uniform(0, self.jitter_s)  # noqa: S311
        return now + timedelta(seconds=wait_s)


class Chores:
    """The node's recurring chores. Each posts `ChoreDue(name)`."""

    def __init__(self, post: Callable[[object], None]) -> None:
        self._post = post
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
            timezone="UTC",
        )

    def add(self, name: str, interval_s: float, jitter_s: float = 0.0) -> None:
        """Post `ChoreDue(name)` each `interval_s` (+ up to `jitter_s`) seconds from now on."""
        trigger = Every(interval_s, jitter_s)
        self._scheduler.add_job(self._post, trigger, args=[ChoreDue(name)], id=name, replace_existing=True)

    def start(self) -> None:
        """Begin to post."""
        self._scheduler.start()

    def realign(self) -> None:
        """Start all intervals afresh; to be called when the wall clock has jumped."""
        for job in self._scheduler.get_jobs():
            job.reschedule(job.trigger)

    def stop(self) -> None:
        """Post no more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
