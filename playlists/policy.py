"""What the node's own rules allow: hours, length of a session, loudness, quiet days, mutes, ceilings.

The rules are the node's configuration and what officers set by command. Only an emergency passes them. Each
refusal is a `Rule`, a string that stands as it is in the play log and in a receipt.

Moments are instants with an offset; the node's zone turns them into wall time. An hour that the clock shows
twice in autumn is judged alike both times, and one that it leaves out in spring never comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, Field, StringConstraints, field_validator

from playlists.hours import hours_contain
from playlists.models.base import BulletinClass, GainDb, Identifier, Model
from playlists.models.schedule import HourRange
from playlists.units import Decibel, Seconds
from playlists.wallclock import minutes_of, wall_instants

SESSION_BREAK = timedelta(seconds=60)
"""A silence this long ends a session; a shorter one, as between two programmes, does not."""

LOOK_AHEAD_DAYS = 8
"""No programme is longer than seven days: an end of hours beyond is nobody's concern."""

EVERYWHERE = "*"

QuietDay = Annotated[str, StringConstraints(pattern=r"^(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
"""`YYYY-MM-DD`, or `MM-DD` for every year."""


class Rule(StrEnum):
    """Why something may not sound now."""

    HOURS = "outside allowed hours"
    QUIET_DAY = "quiet day"
    SESSION = "longest session reached"
    MUTED = "muted"
    NO_ZONE = "no such zone here"
    SUSPENDED_TOO_LONG = "suspended too long"


@dataclass(frozen=True, slots=True)
class Session:
    """Sound of no emergency, uninterrupted: since when, and since when it has paused (UTC)."""

    began: datetime
    quiet_since: datetime | None = None

    @classmethod
    def sounding(cls, last: Session | None, now: datetime) -> Session:
        """The session to which sound that starts now belongs: the last one, if it only drew breath."""
        # within one zone Python adds and subtracts wall times, also across a change of clocks
        now = now.astimezone(UTC)
        if last is None or now < last.began:  # the wall clock was put back: its beginning means nothing now
            return cls(now)
        if last.quiet_since is not None and now - last.quiet_since >= SESSION_BREAK:
            return cls(now)
        return cls(last.began)

    def pause(self, now: datetime) -> Session:
        """The session when its sound stops."""
        return self if self.quiet_since is not None else replace(self, quiet_since=now.astimezone(UTC))


class LoudnessHours(Model):
    """A gain for some hours of the day."""

    hours: HourRange
    gain_db: GainDb


class Policy(Model):
    """The node's rules. `timezone` is its own, whatever zone a schedule is written in."""

    timezone: str = "Asia/Ho_Chi_Minh"
    allowed_hours: tuple[HourRange, ...] = ()
    """None means always."""
    longest_session_s: Annotated[float, Field(gt=0)] | None = None
    loudness: tuple[LoudnessHours, ...] = ()
    """The first range that holds the moment counts; outside of all it is 0 dB."""
    quiet_days: tuple[QuietDay, ...] = ()
    resume_within_s: Annotated[float, Field(ge=0)] = 3_600.0
    tie_break: tuple[Identifier, ...] = ()
    """Feeds that go first, in this order, where class, source and priority are equal (see `arbiter.place_of`)."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is not an IANA time zone") from error
        return name

    def may_start(self, class_: BulletinClass, now: datetime, last: Session | None = None) -> Rule | None:
        """Return the rule that forbids sound to start (or to resume) now, None if it may.

        `last` is the session that sounds or sounded last.
        """
        if class_ is BulletinClass.EMERGENCY:
            return None
        if closed := self._closed(now):
            return closed
        if self.longest_session_s is not None:
            began = Session.sounding(last, now).began
            if now >= began + timedelta(seconds=self.longest_session_s):
                return Rule.SESSION
        return None

    def must_end_by(self, class_: BulletinClass, began: datetime) -> datetime | None:
        """Return the instant (UTC) at which a session that `began` then must be silent.

        None: it need not end within the week. A `began` that is itself not allowed must be silent at once.
        """
        if class_ is BulletinClass.EMERGENCY:
            return None
        return min((end for end, _ in self._ends(began)), default=None)

    def ended_by(self, began: datetime) -> Rule | None:
        """Return the rule behind `must_end_by`, for the play log."""
        return min(self._ends(began), default=(None, None))[1]

    def may_resume(self, class_: BulletinClass, suspended_s: Seconds) -> Rule | None:
        """Return the rule that drops a programme suspended that long, None if it may still resume."""
        if class_ is not BulletinClass.EMERGENCY and suspended_s > self.resume_within_s:
            return Rule.SUSPENDED_TOO_LONG
        return None

    def gain_db(self, class_: BulletinClass, now: datetime) -> Decibel:
        """Return the gain for this hour; an emergency is never turned down."""
        if class_ is not BulletinClass.EMERGENCY:
            wall = now.astimezone(self.zone)
            for part in self.loudness:
                if hours_contain((part.hours,), wall):
                    return Decibel(part.gain_db)
        return Decibel(0.0)

    def next_change(self, now: datetime) -> datetime | None:
        """Return the next instant (UTC) at which hours, quiet day or loudness may differ from now."""
        minutes = minutes_of((*self.allowed_hours, *(part.hours for part in self.loudness)))
        if self.quiet_days:
            minutes |= {0}
        return next(iter(wall_instants(minutes, self.zone, now, days=2)), None) if minutes else None

    @property
    def zone(self) -> ZoneInfo:
        """The node's time zone."""
        return ZoneInfo(self.timezone)

    def _closed(self, now: datetime) -> Rule | None:
        wall = now.astimezone(self.zone)
        if self.quiet_days and not {f"{wall:%Y-%m-%d}", f"{wall:%m-%d}"}.isdisjoint(self.quiet_days):
            return Rule.QUIET_DAY
        return None if hours_contain(self.allowed_hours, wall) else Rule.HOURS

    def _ends(self, began: datetime) -> Iterable[tuple[datetime, Rule]]:
        if self.allowed_hours or self.quiet_days:
            instants = wall_instants(
                minutes_of(self.allowed_hours) | {0}, self.zone, began, days=LOOK_AHEAD_DAYS
            )
            for instant in (began.astimezone(UTC), *instants):
                if closed := self._closed(instant):
                    yield instant, closed
                    break
        if self.longest_session_s is not None:
            yield began.astimezone(UTC) + timedelta(seconds=self.longest_session_s), Rule.SESSION


def above_ceiling(class_: BulletinClass, ceiling: BulletinClass) -> bool:
    """Whether a feed with this ceiling may not claim this class."""
    return class_.rank > ceiling.rank


class VolumeSetting(Model):
    """A gain that an officer set by command, until a moment or until the next such command."""

    gain_db: GainDb
    until: AwareDatetime | None = None


class Controls(Model):
    """Mutes and volumes that officers set by command, by zone. Immutable; kept over a restart as JSON.

    A node without named zones has one, called `*`.
    """

    zones: tuple[Identifier, ...] = ()
    muted_until: Mapping[str, AwareDatetime] = Field(default_factory=dict)
    volumes: Mapping[str, VolumeSetting] = Field(default_factory=dict)

    def meant(self, wanted: Iterable[str]) -> frozenset[str]:
        """The node's own zones among those wanted."""
        here = frozenset(self.zones) or frozenset({EVERYWHERE})
        names = frozenset(wanted)
        return here if EVERYWHERE in names else here & names

    def mute(self, wanted: Iterable[str], until: datetime | None) -> Controls:
        """Mute zones until then; None lifts it."""
        zones = self.meant(wanted)
        kept = {zone: end for zone, end in self.muted_until.items() if zone not in zones}
        return self._with(muted_until=kept | (dict.fromkeys(zones, until) if until is not None else {}))

    def set_volume(self, wanted: Iterable[str], gain_db: Decibel, until: datetime | None) -> Controls:
        """Set the gain of zones, until then or until the next such command."""
        setting = VolumeSetting(gain_db=gain_db, until=until)
        return self._with(volumes={**self.volumes, **dict.fromkeys(self.meant(wanted), setting)})

    def audible(
        self, class_: BulletinClass, wanted: Iterable[str], now: datetime
    ) -> tuple[frozenset[str], Rule | None]:
        """Return the zones in which it may sound now; when there are none, with the rule that says why."""
        zones = self.meant(wanted)
        if not zones:
            return zones, Rule.NO_ZONE
        if class_ is BulletinClass.EMERGENCY:
            return zones, None
        heard = frozenset(zone for zone in zones if not self._muted(zone, now))
        return heard, None if heard else Rule.MUTED

    def gain_db(self, class_: BulletinClass, zones: Iterable[str], now: datetime) -> Decibel:
        """Return the gain to add to the hour's for sound in these zones.

        All zones hear one output: the lowest of their gains counts, so that none is louder than was asked.
        """
        if class_ is BulletinClass.EMERGENCY:
            return Decibel(0.0)
        return Decibel(min((self._volume(zone, now) for zone in self.meant(zones)), default=0.0))

    def next_change(self, now: datetime) -> datetime | None:
        """Return the next instant at which a mute or a volume ends."""
        ends = [*self.muted_until.values(), *(v.until for v in self.volumes.values() if v.until is not None)]
        return min((end for end in ends if end > now), default=None)

    def without_past(self, now: datetime) -> Controls:
        """Return the controls without those that have ended."""
        return self._with(
            muted_until={zone: end for zone, end in self.muted_until.items() if end > now},
            volumes={z: v for z, v in self.volumes.items() if v.until is None or v.until > now},
        )

    def _with(self, **changed: object) -> Controls:
        return self.model_copy(update=changed)

    def _muted(self, zone: str, now: datetime) -> bool:
        until = self.muted_until.get(zone)
        return until is not None and now < until

    def _volume(self, zone: str, now: datetime) -> float:
        setting = self.volumes.get(zone)
        return (
            0.0
            if setting is None or (setting.until is not None and now >= setting.until)
            else setting.gain_db
        )
