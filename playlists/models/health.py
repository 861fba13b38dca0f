"""What goes up: status and health (contract §5). A reading that is not there is null, never 0."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from playlists.models.base import Model
from playlists.models.record import ClockReading


class Status(Model):
    """Whether the node is connected; also its will."""

    state: Literal["online", "offline"]
    epoch: str
    boot: str
    agent: str
    since: datetime


class Position(Model):
    """WGS 84, in degrees."""

    lat: float
    lon: float


class Readings(Model):
    """What the board under the agent says of itself."""

    cpu_temperature_c: float | None = None
    under_voltage: bool | None = None
    disk_free_mb: float | None = None
    memory_available_mb: float | None = None
    uptime_s: float | None = None


class FeedHealth(Model):
    """How one feed stands."""

    version: int | None = None
    state: Literal["current", "expired", "unreachable", "refused", "none"]
    checked: datetime | None = None
    reason: str | None = None


class StreamNow(Model):
    """How the stream stands that sounds: `opening`, `playing`, `stalled` (connected, nothing arrives), `reconnecting`
    (it is tried again), `silent` (dead air), `howling` (acoustic feedback is turned down)."""

    state: str
    reason: str | None = None


class AudioNow(Model):
    """What sounds."""

    programme: str | None = None
    command: str | None = None
    alert: str | None = None
    title: str | None = None
    item: int | None = None
    level_dbfs: float | None = None
    heard: bool | None = None
    """Whether the microphone hears it; null where nothing listens, or it cannot be told."""
    heard_dbfs: float | None = None
    stream: StreamNow | None = None


class ScreenNow(Model):
    """What the board shows."""

    layout: str | None = None
    showing: tuple[str, ...] = ()
    takeover: str | None = None
    driver: str | None = None
    size: tuple[int, int] | None = None
    frames: int | None = None
    """Frames presented since the screen was opened; it stands still with a still board."""
    frames_late: int | None = None
    """Of these, frames of a ticker that came after their time or not at all."""


class Now(Model):
    """What plays and shows."""

    audio: AudioNow | None = None
    screen: ScreenNow | None = None


class VolumeNow(Model):
    """A loudness that an officer set, and until when; null: until the next such command."""

    gain_db: float
    until: datetime | None = None


class Fault(Model):
    """Something a technician should know, since when."""

    code: str
    since: datetime
    text: str


SelfTestVerdict = Literal["good", "weaker", "changed", "silent", "clipped", "unclear", "no-reference"]
"""`unclear`: too much noise. `no-reference`: all tones came back, and there is nothing to compare them with."""


class ToneHeard(Model):
    """One tone of a self-test. `change_db` is against the reference; null where it was not heard or has none."""

    hz: float
    heard_dbfs: float | None = None
    change_db: float | None = None


class SelfTest(Model):
    """What came of the last self-test."""

    at: datetime
    verdict: SelfTestVerdict
    change_db: float | None = None
    text: str = ""
    tones: tuple[ToneHeard, ...] = ()


class LogState(Model):
    """How far the centre has the log."""

    stored_through: int
    last: int


class Health(Model):
    """A node's health, each minute and at once when it changes."""

    at: datetime
    clock: ClockReading
    public_number: str | None = None
    """The number painted on the pole: what a resident who calls can read."""
    position: Position | None = None
    readings: Readings
    feeds: dict[str, FeedHealth]
    now: Now
    relays: dict[str, bool]
    muted: dict[str, datetime] = Field(default_factory=dict)
    """Zones that officers muted, and until when."""
    volumes: dict[str, VolumeNow] = Field(default_factory=dict)
    """Zones whose loudness officers set."""
    faults: tuple[Fault, ...]
    log: LogState
    self_test: SelfTest | None = None
