"""What the uplink posts to the conductor."""

from __future__ import annotations

from dataclasses import dataclass

from playlists.models.command import Command, RefusalReason


@dataclass(frozen=True, slots=True)
class CommandVerified:
    """A command passed the gate. The receipts `received` and `verified` are under way already."""

    command: Command


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """A command did not pass; its receipt and its log record are written already."""

    reason: RefusalReason
    text: str
    command_id: str | None
    """What the sender wrote: unless the signature was good, anybody may have written it."""


@dataclass(frozen=True, slots=True)
class FeedHint:
    """Somebody says that a feed has a new version; anybody can say so."""

    feed: str
    version: int | None


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The broker has let us in."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The link to the broker broke."""

    reason: str
