"""Who has the one output of the node now, who waits, who is dropped, who resumes.

Rules, after contract §2:

- *Rank* is a total order: class, then live over scheduled over filler, then priority (a bigger number
  wins), then feed level, then the earlier start, then the id.
- Where the contract would let the feed level decide, the node may name feeds that come first (`tie_break`):
  the officer of the commune decides whose item waits. It never orders emergencies.
- At most one demand plays.
- A demand of class emergency takes the output from anything of a lower class, whatever its `on_conflict`.
- Otherwise a demand takes the output only if it outranks what plays *and* says `preempt`. `queue` waits.
- `skip` is dropped when the output is taken at the moment it comes.
- Whenever the output is free or changes hands, the strongest of all who want it gets it, whether it waits
  or was suspended: bigger priority wins, always.
- What lost the output is suspended, keeps its position, and resumes as above.

`arbitrate` decides and `settle` says what then is true; neither looks at a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

from playlists.models.base import BulletinClass
from playlists.models.schedule import OnConflict
from playlists.units import Level, MonotonicS, Seconds

FROM_THE_START = Seconds(0.0)
OUTPUT_TAKEN = "skipped: the output was taken by {by}"


class Source(IntEnum):
    """Where a demand comes from; a bigger number wins."""

    FILLER = 0
    """Sounds when nothing else does."""
    SCHEDULED = 1
    """A programme of a timetable."""
    LIVE = 2
    """Asked for by a person now: an announcement, a live broadcast, an alert."""


class State(StrEnum):
    """How a demand stands."""

    WAITING = "waiting"
    PLAYING = "playing"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Rank:
    """What decides between two demands. `start` is an instant and must have an offset.

    `id` has to be unique on the node (`feed/programme@…`, a command's id): it makes the order total.
    `place` is that of its feed among those which the node lets go first (see `place_of`): a smaller one wins.
    """

    class_: BulletinClass
    source: Source
    priority: int
    level: Level
    start: datetime
    id: str
    place: int = 0

    def __post_init__(self) -> None:
        if self.start.tzinfo is None:
            raise ValueError(f"rank of {self.id}: start {self.start.isoformat()} has no offset")

    @property
    def key(self) -> tuple[int, int, int, int, int, datetime, str]:
        """Sorting by it puts the strongest first."""
        # UTC: Python compares two times of one zone by their wall time, which an autumn night has twice
        start = self.start.astimezone(UTC)
        place = 0 if self.class_ is BulletinClass.EMERGENCY else self.place
        return (-self.class_.rank, -self.source, -self.priority, place, -self.level, start, self.id)

    def outranks(self, other: Rank) -> bool:
        """Whether this one is stronger."""
        return self.key < other.key


def place_of(feed: str | None, tie_break: Sequence[str]) -> int:
    """Where a feed stands by the node's own order; what is not named there (a technician, too) comes after."""
    return tie_break.index(feed) if feed in tie_break else len(tie_break)


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that wants the output. `since`: when it came into its present state."""

    rank: Rank
    on_conflict: OnConflict
    since: MonotonicS
    state: State = State.WAITING
    position_s: Seconds = FROM_THE_START
    """How much of it had sounded when it was suspended: where it resumes."""

    @property
    def id(self) -> str:
        """The id of its rank."""
        return self.rank.id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What should be true now. `suspend` loses the output to `play`; `drop` pairs ids with reasons."""

    play: str | None
    suspend: str | None = None
    drop: tuple[tuple[str, str], ...] = ()


def arbitrate(demands: Iterable[Demand]) -> Verdict:
    """Decide who has the output. The order of `demands` does not matter.

    Raises:
        ValueError: two demands share an id, or two of them play.
    """
    ranked = sorted(demands, key=lambda demand: demand.rank.key)
    if len({demand.id for demand in ranked}) < len(ranked):
        raise ValueError(f"two demands share an id: {[demand.id for demand in ranked]}")
    playing = [demand for demand in ranked if demand.state is State.PLAYING]
    if len(playing) > 1:
        raise ValueError(f"more than one plays: {[demand.id for demand in playing]}")
    if not ranked:
        return Verdict(play=None)
    incumbent = playing[0] if playing else None
    changes_hands = incumbent is None or any(_takes_over(demand, incumbent) for demand in ranked)
    winner = incumbent if incumbent is not None and not changes_hands else ranked[0]
    return Verdict(
        play=winner.id,
        suspend=incumbent.id if incumbent is not None and incumbent is not winner else None,
        drop=tuple(
            (demand.id, OUTPUT_TAKEN.format(by=winner.id))
            for demand in ranked
            if demand is not winner and demand.state is State.WAITING and demand.on_conflict == "skip"
        ),
    )


def settle(
    demands: Iterable[Demand], verdict: Verdict, now: MonotonicS, position_s: Seconds
) -> tuple[Demand, ...]:
    """Return the demands as they stand once `verdict` is carried out, the dropped ones gone.

    `position_s` is how far that one has sounded which `verdict.suspend` names.
    """
    dropped = {id_ for id_, _ in verdict.drop}
    return tuple(_settled(d, verdict, now, position_s) for d in demands if d.id not in dropped)


def _settled(demand: Demand, verdict: Verdict, now: MonotonicS, position_s: Seconds) -> Demand:
    if demand.id == verdict.suspend:
        return replace(demand, state=State.SUSPENDED, since=now, position_s=position_s)
    if demand.id == verdict.play and demand.state is not State.PLAYING:
        return replace(demand, state=State.PLAYING, since=now)
    return demand


def _takes_over(demand: Demand, incumbent: Demand) -> bool:
    if not demand.rank.outranks(incumbent.rank):
        return False
    return demand.on_conflict == "preempt" or (
        demand.rank.class_ is BulletinClass.EMERGENCY and incumbent.rank.class_ is not BulletinClass.EMERGENCY
    )
