"""The documents of one verified state of a feed: fetched, checked, and the media they need looked up."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from agent.feeds.errors import Quarantine, Rejected
from agent.feeds.trust import Snapshot, Target
from playlists.errors import PlaylistsError
from playlists.models.base import MAX_DOCUMENT_BYTES, MAX_MEDIA_BYTES
from playlists.models.operators import FORMAT as OPERATORS_FORMAT
from playlists.models.operators import Operators, parse_operators
from playlists.models.schedule import Bulletin, Programme, Schedule, parse_schedule
from playlists.recurrence import check_schedule

SCHEDULE = "schedule.json"
OPERATORS = "operators.json"

Fetch = Callable[[Target], bytes]


@dataclass(frozen=True)
class Documents:
    """All that a feed says, ready to be put in force."""

    schedule: Schedule
    operators: Operators
    unknown_fields: tuple[str, ...]
    media: dict[str, Target]
    """What the schedule needs, in the order in which it should be fetched: higher classes first."""
    missing: dict[str, str]
    """What the schedule needs and the feed does not have: path → why."""
    raw: dict[str, bytes]
    """The documents by SHA-256 in hex."""

    def says_the_same(self, other: Documents) -> bool:
        """Whether both consist of the same documents; the media behind them may differ."""
        return self.raw.keys() == other.raw.keys()


def read(snapshot: Snapshot, fetch: Fetch) -> Documents:
    """Read schedule and operators, and look up what they need.

    Args:
        snapshot: what the feed's keys vouch for.
        fetch: gives a target's content; its length and hash are checked here.

    Raises:
        Quarantine: a document is missing, too big, or breaks the contract; all of them are refused.
        Rejected: content is not what was signed.
        Retry: from `fetch`.
    """
    raw: dict[str, bytes] = {}
    target = snapshot.find(SCHEDULE)
    if target is None:
        raise Quarantine(f"the feed has no {SCHEDULE}")
    content = _content(target, fetch, raw)
    try:
        schedule, unknown = parse_schedule(content)
        check_schedule(schedule)
        target = snapshot.find(OPERATORS)
        operators = (
            Operators(format=OPERATORS_FORMAT)
            if target is None
            else parse_operators(_content(target, fetch, raw))
        )
    except PlaylistsError as error:
        raise Quarantine(str(error)) from error
    media, missing = _look_up(snapshot, schedule)
    return Documents(schedule, operators, tuple(unknown), media, missing, raw)


def _content(target: Target, fetch: Fetch, raw: dict[str, bytes]) -> bytes:
    if target.length > MAX_DOCUMENT_BYTES:
        raise Quarantine(
            f"{target.path}: is {target.length} bytes, at most {MAX_DOCUMENT_BYTES} are accepted"
        )
    content = fetch(target)
    found = hashlib.sha256(content).hexdigest()
    if len(content) != target.length or found != target.sha256:
        raise Rejected(
            f"{target.path}: {len(content)} bytes with hash {found} came, "
            f"{target.length} bytes with hash {target.sha256} were signed"
        )
    raw[target.sha256] = content
    return content


def _look_up(snapshot: Snapshot, schedule: Schedule) -> tuple[dict[str, Target], dict[str, str]]:
    parts: list[Programme | Bulletin] = [*schedule.programmes, *schedule.bulletins]
    parts.sort(key=lambda part: -part.class_.rank)
    media: dict[str, Target] = {}
    missing: dict[str, str] = {}
    for path in dict.fromkeys(path for part in parts for path in sorted(part.media())):
        target = snapshot.find(path)
        if target is None:
            missing[path] = "is not among the feed's targets"
        elif target.length > MAX_MEDIA_BYTES:
            missing[path] = f"is {target.length} bytes, at most {MAX_MEDIA_BYTES} are accepted"
        else:
            media[path] = target
    return media, missing
