"""The arbiter's rules again, slowly: every pair is compared, field by field, and nothing is sorted."""

from __future__ import annotations

from playlists.arbiter import Demand, Rank, State
from playlists.models.base import BulletinClass

STRENGTH = {BulletinClass.ROUTINE: 0, BulletinClass.PRIORITY: 1, BulletinClass.EMERGENCY: 2}


def stronger(a: Rank, b: Rank) -> bool:
    """Whether a beats b, one rule after the other."""
    if a.class_ != b.class_:
        return STRENGTH[a.class_] > STRENGTH[b.class_]
    if a.source != b.source:
        return a.source.name == "LIVE" or b.source.name == "FILLER"
    if a.priority != b.priority:
        return a.priority > b.priority
    if a.place != b.place and a.class_ != BulletinClass.EMERGENCY:
        return a.place < b.place
    if a.level != b.level:
        return a.level > b.level
    if a.start.timestamp() != b.start.timestamp():
        return a.start.timestamp() < b.start.timestamp()
    return a.id < b.id


def decide(demands: list[Demand]) -> tuple[str | None, set[str]]:
    """Who plays, and who is dropped."""
    strongest = None
    for one in demands:
        if all(one is other or stronger(one.rank, other.rank) for other in demands):
            strongest = one
    plays = next((one for one in demands if one.state is State.PLAYING), None)
    if plays is None:
        plays = strongest
    else:
        for one in demands:
            emergency = one.rank.class_ is BulletinClass.EMERGENCY
            over_lower = emergency and plays.rank.class_ is not BulletinClass.EMERGENCY
            if over_lower or (one.on_conflict == "preempt" and stronger(one.rank, plays.rank)):
                plays = strongest
                break
    late = {
        one.id
        for one in demands
        if one.on_conflict == "skip" and one.state is State.WAITING and one is not plays
    }
    return (plays.id if plays else None), late
