"""One thing to be sounded, from when it is wanted until its last sample: its needs and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Literal

from agent.player.protocol import LOUDEST_DB, PlayerCue, Source
from playlists.arbiter import Rank
from playlists.models.base import BulletinClass
from playlists.models.items import Item
from playlists.models.schedule import IfLate, OnConflict
from playlists.performance import Cue, lay_out, total_s
from playlists.units import Decibel, MonotonicS, Seconds

Origin = Literal["programme", "announcement", "live", "alert", "local"]


@dataclass(frozen=True, slots=True)
class ToneItem:
    """A tone that the node makes itself: always there, whatever else is missing."""

    tone: str


@dataclass(frozen=True, slots=True)
class FileItem:
    """A file that a technician wants to hear."""

    path: str


class Phase(Enum):
    """Where a performance stands."""

    PREPARING = "preparing"
    WAITING = "waiting"
    PLAYING = "playing"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Sound:
    """One item, as far as it could be made ready: a stored recording, a stream, or a reason why not."""

    key: str | None = None
    """`sha256:…` of the recording or of the words; goes into the log."""
    title: str = ""
    language: str | None = None
    gain_db: float = 0.0
    source: Source | None = None
    length_s: Seconds | None = None
    failure: str | None = None
    """Why nothing will sound; None while it is still being made ready."""
    broken: bool = False
    """The recording is here but cannot be sounded; otherwise it is not here."""

    @property
    def playable(self) -> bool:
        """Whether the player can sound it now."""
        return self.source is not None

    def ready(self, source: Source, length_s: Seconds) -> Sound:
        """This one, with what the player is to read."""
        return replace(self, source=source, length_s=length_s)

    def failed(self, reason: str, *, broken: bool = False) -> Sound:
        """This one, with the reason why nothing will sound."""
        return replace(self, failure=reason, broken=broken)

    @property
    def settled(self) -> bool:
        """Whether it is known what will become of it."""
        return self.playable or self.failure is not None


@dataclass(slots=True)
class Performance:
    """What the voice knows of one thing to be sounded. Times are wall times in UTC unless named otherwise."""

    id: str
    origin: Origin
    class_: BulletinClass
    rank: Rank
    planned: datetime
    items: Sequence[Item | ToneItem | FileItem]
    title: str = ""
    language: str = "vi"
    zones: frozenset[str] = frozenset({"*"})
    on_conflict: OnConflict = "queue"
    volume_db: float = 0.0
    loops: int = 1
    gap_s: float = 0.0
    length_s: float | None = None
    if_late: IfLate = "full"
    grace_s: float = 0.0
    feed: str | None = None
    programme: str | None = None
    command: str | None = None
    alert: str | None = None
    lease_until: MonotonicS | None = None
    """A live broadcast ends here unless it is renewed."""

    phase: Phase = Phase.PREPARING
    sounds: list[Sound] = field(default_factory=list)
    cues: list[Cue] = field(default_factory=list)
    position_s: float = 0.0
    """Where in the layout it is to begin, or go on."""
    since: MonotonicS = MonotonicS(0.0)
    """When it came into its phase."""
    suspended_at: datetime | None = None
    ends_by: datetime | None = None
    """When policy ends it."""
    runs: int = 0
    """How often it has been handed to the player: once, and once more after each interruption."""
    sounded: bool = False
    """Whether anything of it has sounded."""

    def __post_init__(self) -> None:
        if self.rank.id != self.id:
            raise ValueError(f"{self.id}: its rank is that of {self.rank.id}")

    def settle(self) -> None:
        """Lay out the cues once every item is settled; items that failed are left out."""
        durations = [sound.length_s if sound.playable else Seconds(0.0) for sound in self.sounds]
        length_s = None if self.length_s is None else Seconds(self.length_s)
        self.cues = lay_out(self.items, durations, self.loops, Seconds(self.gap_s), length_s)

    @property
    def total_s(self) -> float | None:
        """How long the whole layout lasts; None when it is open-ended."""
        return total_s(self.cues)

    def player_cue(self, index: int, cue: Cue) -> PlayerCue:
        """One cue as the player wants it."""
        sound = self.sounds[cue.item]
        if sound.source is None:
            raise ValueError(f"{self.id}: item {cue.item} was laid out and is not playable")
        gain_db = Decibel(min(sound.gain_db + self.volume_db, LOUDEST_DB))
        return PlayerCue(index, sound.source, cue.seek_s, cue.for_s, cue.gap_before_s, gain_db)

    def names(self) -> dict[str, str | None]:
        """The ids under which the log and the centre know it."""
        return {"feed": self.feed, "programme": self.programme, "command": self.command, "alert": self.alert}


@dataclass(slots=True)
class Run:
    """One stretch of a performance in the player, from a start or a resumption to its end or interruption."""

    performance: Performance
    id: str
    gain_db: float
    cues: dict[int, Cue]
    """What is left to sound, by index in the performance's cues."""
    handles: dict[int, int] = field(default_factory=dict)
    """Open play records by cue index."""
    cue: int | None = None
    """Index of the cue that sounds."""
    cue_started: MonotonicS | None = None
    reason: str | None = None
    """Why it was ended before its end."""

    def position_s(self, now: MonotonicS) -> float:
        """Where in the performance's layout it is, estimated from when the cue began."""
        if self.cue is None or self.cue_started is None:
            return self.performance.position_s
        cue = self.cues[self.cue]
        return (cue.offset_s or 0.0) + cue.seek_s + max(0.0, now - self.cue_started)
