"""What goes up: log records, batches and the acknowledgement (contract §5)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from playlists.models.base import BulletinClass, ClockState, Model

RecordKind = Literal["play", "show", "alert", "command", "fault", "system"]
Outcome = Literal["finished", "interrupted", "skipped", "failed", "lost-power"]


class ClockReading(Model):
    """State of the node's wall clock and its estimated error; null where nobody knows."""

    state: ClockState
    error_s: float | None = None


class Record(Model):
    """One line of the play log. Identity is `(node, epoch, seq)`; a reading that is not there is null."""

    seq: Annotated[int, Field(ge=0)] = 0
    kind: RecordKind
    feed: str | None = None
    programme: str | None = None
    bulletin: str | None = None
    command: str | None = None
    alert: str | None = None
    item: int | None = None
    media: str | None = None
    """`sha256:…` of the recording, or of the words spoken."""
    title: str | None = None
    class_: Annotated[BulletinClass | None, Field(alias="class")] = None
    language: str | None = None
    planned: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    played_s: float | None = None
    relayed_s: float | None = None
    """Of a relayed station or a live broadcast: how much of `played_s` really came from it."""
    outcome: Outcome | None = None
    reason: str | None = None
    zones: tuple[str, ...] | None = None
    gain_db: float | None = None
    clock: ClockReading | None = None
    amplifier_on: bool | None = None
    sounded_dbfs: float | None = None
    heard: bool | None = None
    """Whether what listens heard it; not there where nothing listens, or it could not be told."""
    heard_dbfs: float | None = None
    heard_w: float | None = None
    shown: int | None = None
    """Showings of the bulletin in the hour that begins at `started`."""
    shown_s: float | None = None
    useful: int | None = None
    """How often residents pressed "useful" at the board in that hour; null where nobody pressed anything."""
    useless: int | None = None
    fault: str | None = None
    text: str | None = None


class LogBatch(Model):
    """Records of one epoch, in the order of `seq`, without a hole unless the node says why."""

    epoch: str
    first: int
    last: int
    records: tuple[Record, ...]


class Stored(Model):
    """The centre's word that all records of the epoch up to `through` are stored."""

    epoch: str
    through: int
