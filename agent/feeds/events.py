"""What the feed room tells the conductor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from playlists.models.operators import Operators
from playlists.models.schedule import Schedule


@dataclass(frozen=True)
class FeedRestored:
    """What the disk has kept of the feed is in force again, or there was nothing; once, after the start."""

    feed: str


@dataclass(frozen=True)
class FeedChanged:
    """A verified and valid schedule is in force from now on; the former one of this feed is not."""

    feed: str
    schedule: Schedule
    operators: Operators
    unknown_fields: tuple[str, ...]
    """Fields that this version does not know and ignored; told with each new schedule."""


@dataclass(frozen=True)
class FeedEnded:
    """Nothing of this feed is in force any more: it expired longer ago than the configuration allows."""

    feed: str
    reason: str


@dataclass(frozen=True)
class MediaArrived:
    """A target that the schedule in force needs is on disk, verified."""

    feed: str
    path: str
    sha256: str


@dataclass(frozen=True)
class MediaUnavailable:
    """A target that the schedule in force needs cannot be had for now; told once for each reason."""

    feed: str
    path: str
    reason: str


@dataclass(frozen=True)
class FeedRefused:
    """What came is not trusted or breaks the contract; the last good schedule stays. Once for each reason."""

    feed: str
    reason: str


@dataclass(frozen=True)
class FeedUnreachable:
    """The feed cannot be fetched; the last good schedule stays. Told once until it is reached again."""

    feed: str
    reason: str


@dataclass(frozen=True)
class FeedExpired:
    """The signatures have run out; the last good schedule stays in force until `in_force_until`, if any."""

    feed: str
    reason: str
    in_force_until: datetime | None


@dataclass(frozen=True)
class FeedRecovered:
    """The feed is current again after it was refused, expired or unreachable."""

    feed: str


FeedEvent = (
    FeedRestored
    | FeedChanged
    | FeedEnded
    | MediaArrived
    | MediaUnavailable
    | FeedRefused
    | FeedUnreachable
    | FeedExpired
    | FeedRecovered
)
