"""One thing to be sounded, from when it is wanted until its last sample: its needs and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from itertools import islice
from typing import Literal

from agent.player.protocol import LOUDEST_DB, PlayerCue, Source
from playlists.alert import Resource
from playlists.arbiter import Rank
from playlists.models.base import BulletinClass
from playlists.models.items import Item, RelayItem, SpeechItem
from playlists.models.schedule import IfLate, OnConflict
from playlists.performance import Cue, lay_out, resume_at, resume_from
from playlists.units import Decibel, MonotonicS, Seconds

Origin = Literal["programme", "announcement", "live", "alert", "local", "self-test"]


@dataclass(frozen=True, slots=True)
class ToneItem:
    """A tone that the node makes itself: always there, whatever else is missing."""

    tone: str


@dataclass(frozen=True, slots=True)
class FileItem:
    """A recording that a technician handed in to be heard once."""

    path: str


@dataclass(frozen=True, slots=True)
class SpokenItem:
    """Words of an alert, and its words in other languages for a node where nobody speaks the first."""

    words: SpeechItem
    instead: tuple[SpeechItem, ...]


@dataclass(frozen=True, slots=True)
class RecordedItem:
    """A recording that came with an alert; its words where it cannot be had in time."""

    recording: Resource
    words: SpeechItem | SpokenItem


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
    text: str | None = None
    """Its words, where they are known."""
    gain_db: float = 0.0
    source: Source | None = None
    length_s: Seconds | None = None
    failure: str | None = None
    """Why nothing will sound; None while it is still being made ready."""
    broken: bool = False
    """The recording is here but cannot be sounded; otherwise it is not here."""
    awaits: str | None = None
    """Why it is not ready yet, where more can be said than that it takes too long."""
    slow: bool = False
    """Making it takes long, and waiting for it is worth while."""

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


OwnItem = ToneItem | FileItem | SpokenItem | RecordedItem
"""What is sounded and stands in no document."""


@dataclass(slots=True)
class Performance:
    """What the voice knows of one thing to be sounded. Times are wall times in UTC unless named otherwise."""

    id: str
    origin: Origin
    class_: BulletinClass
    rank: Rank
    planned: datetime
    items: Sequence[Item | OwnItem]
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
    """Where in the layout it is to begin."""
    in_step_from: datetime | None = None
    """It joins late: it begins where it would be now if it had begun then."""
    broken_off: tuple[int, float] | None = None
    """Where it was interrupted: index of the cue, and position in its source in seconds."""
    since: MonotonicS = MonotonicS(0.0)
    """When it came into its phase."""
    suspended_at: datetime | None = None
    run: int = 0
    """Number of its latest run in the player: it has another one after each interruption."""
    sounded: bool = False
    """Whether anything of it has sounded."""
    heard: bool = False
    """Whether it was told that something of it was heard."""
    has_begun: bool = False
    """Whether its start was told."""
    deaths: int = 0
    """How many players in a row died of it, or beside it, before it sounded."""
    trouble: str | None = None
    """Why an item of it did not sound; the first one's."""
    looked_up: object = None
    """State of the world in which its items were last looked up."""

    def __post_init__(self) -> None:
        if self.rank.id != self.id:
            raise ValueError(f"{self.id}: its rank is that of {self.rank.id}")

    def settle(self) -> None:
        """Lay out the cues; items that failed are left out, those still being made have no length yet."""
        durations = [Seconds(0.0) if sound.failure else sound.length_s for sound in self.sounds]
        length_s = None if self.length_s is None else Seconds(self.length_s)
        self.cues = lay_out(self.items, durations, self.loops, Seconds(self.gap_s), length_s)

    @property
    def settled(self) -> bool:
        """Whether it is known what will become of each item."""
        return bool(self.sounds) and all(sound.settled for sound in self.sounds)

    @property
    def wordless(self) -> str | None:
        """Why nothing but tones of it can sound; None where something can, or may yet."""
        told = [s for item, s in zip(self.items, self.sounds, strict=False) if not isinstance(item, ToneItem)]
        return next((s.failure for s in told), None) if all(s.failure for s in told) else None

    def left(self) -> dict[int, Cue]:
        """What is left to sound, by index in `cues`."""
        if self.broken_off is not None:
            place, source_s = self.broken_off
            over = place >= len(self.cues)
            cues = [] if over else resume_at(self.cues, place, Seconds(source_s))
        else:
            cues = resume_from(self.cues, Seconds(self.position_s))
        by_index = enumerate(cues, start=len(self.cues) - len(cues))
        return {index: cue for index, cue in by_index if not self.sounds[cue.item].failure}

    def catch_up(self, now: MonotonicS) -> None:
        """Before it goes on: what was missed of a station is gone, and it ends when it would have ended."""
        if self.phase is not Phase.SUSPENDED or self.broken_off is None or self.lease_until is not None:
            return
        place, source_s = self.broken_off
        if place < len(self.cues) and isinstance(self.items[self.cues[place].item], RelayItem):
            self.broken_off = (place, source_s + now - self.since)
            self.since = now

    def where_s(self) -> float:
        """Where in the layout it goes on."""
        if self.broken_off is None:
            return self.position_s
        place, source_s = self.broken_off
        # offsets are not known behind an item that was still being made when they were laid out
        return sum(self._takes_s(cue) for cue in self.cues[:place]) + source_s + self._gap_s(place)

    def _gap_s(self, place: int) -> float:
        return self.cues[place].gap_before_s if place < len(self.cues) else 0.0

    def _takes_s(self, cue: Cue) -> float:
        sound = self.sounds[cue.item]
        length_s = cue.length_s if cue.length_s is not None else sound.length_s
        return 0.0 if sound.failure else cue.gap_before_s + (length_s or 0.0)

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
    at: MonotonicS = MonotonicS(0.0)
    """When its first sample is due."""
    for_good: bool = False
    """It was ended and the performance does not go on."""
    sent: int = 0
    """How many of `cues` the player has; the others are still being made."""
    handles_done: int = 0
    """How many of its records are complete."""
    dry_since: MonotonicS | None = None
    """Since when the player has waited for cues that are still being made."""

    @property
    def is_latest(self) -> bool:
        """Whether the performance has not been taken up again since."""
        return self.id == f"{self.performance.id}#{self.performance.run}"

    @property
    def whole(self) -> bool:
        """Whether the player has all of it."""
        return self.sent >= len(self.cues)

    def next_ready(self) -> list[int]:
        """Indices of the cues that can be handed to the player now, in order."""
        ready: list[int] = []
        for index, cue in islice(self.cues.items(), self.sent, None):
            if not self.performance.sounds[cue.item].playable:
                break
            ready.append(index)
        return ready

    def after(self, index: int) -> int | None:
        """Index of the cue that the player has next after this one."""
        return next((i for i in islice(self.cues, self.sent) if i > index), None)

    def where(self, now: MonotonicS) -> tuple[int, float] | None:
        """Cue and position in its source, estimated from when the cue began; None if nothing has sounded."""
        if self.cue is None or self.cue_started is None:
            return self.performance.broken_off
        return self.cue, self.cues[self.cue].seek_s + max(0.0, now - self.cue_started)
