"""What may sound now: the node's policy, and the mutes and volumes that officers set by command."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from agent.conductor.memory import Memory
from agent.conductor.performance import Performance
from agent.player.protocol import LOUDEST_DB
from playlists.arbiter import place_of
from playlists.models.base import BulletinClass
from playlists.policy import Controls, Policy, Session
from playlists.units import Decibel, Seconds

log = logging.getLogger("loa.rules")

CONTROLS_KEY = "controls"
_NEVER = datetime.max.replace(tzinfo=UTC)


class Rules:
    """Answers for performances; keeps the session that sounds and the controls in force."""

    def __init__(self, policy: Policy, zones: tuple[str, ...], memory: Memory) -> None:
        self.policy = policy
        self._memory = memory
        self._session: Session | None = None
        self._change: tuple[datetime, datetime] | None = None
        """When `next_change` was last worked out, and its answer."""
        self.controls = self._load(zones)

    # ---- asked by the voice

    def audible(self, p: Performance, now: datetime) -> frozenset[str]:
        """The node's zones in which it may sound now; may be empty."""
        return self.controls.audible(p.class_, p.zones, now)[0]

    def may_not_sound(self, p: Performance, moment: datetime) -> str | None:
        """The rule that forbids it to start, to resume or to go on at that moment."""
        _, silent = self.controls.audible(p.class_, p.zones, moment)
        return silent or self.policy.may_start(p.class_, moment, self._session)

    def may_not_resume(self, p: Performance, now: datetime) -> str | None:
        """The rule that drops it because it has been suspended for too long, or may not sound now."""
        if p.suspended_at is not None:
            late = self.policy.may_resume(p.class_, Seconds((now - p.suspended_at).total_seconds()))
            if late is not None:
                return late
        return self.may_not_sound(p, now)

    def drops_at(self, p: Performance) -> datetime | None:
        """When it will have been suspended for too long."""
        if p.suspended_at is None or p.class_ is BulletinClass.EMERGENCY:
            return None
        return p.suspended_at + timedelta(seconds=self.policy.resume_within_s, milliseconds=1)

    def gain_db(self, p: Performance, now: datetime) -> float:
        """The gain that hour and officers want."""
        gain_db = self.policy.gain_db(p.class_, now) + self.controls.gain_db(p.class_, p.zones, now)
        return min(gain_db, LOUDEST_DB)

    def place_of(self, feed: str | None) -> int:
        """Where the node's own order puts a feed."""
        return place_of(feed, self.policy.tie_break)

    def sounding(self, p: Performance, now: datetime) -> None:
        """Count its sound into the session, unless it is an emergency."""
        if p.class_ is BulletinClass.EMERGENCY:
            self.silent(now)  # its minutes are not the session's
        else:
            session = Session.sounding(self._session, now)
            if session != self._session:
                self._session, self._change = session, None

    def silent(self, now: datetime) -> None:
        """Nothing sounds."""
        if self._session is not None:
            self._session = self._session.pause(now)

    def jumped(self, by_s: float) -> None:
        """The wall clock was set: a session has lasted no longer for that."""
        self._change = None
        if self._session is not None:
            by = timedelta(seconds=by_s)
            quiet = self._session.quiet_since
            self._session = Session(self._session.began + by, quiet + by if quiet else None)

    def next_change(self, now: datetime) -> datetime | None:
        """When an answer given here may change by itself."""
        if self._change is None or not self._change[0] <= now < self._change[1]:
            instants = [self.policy.next_change(now), self.controls.next_change(now), self._session_ends()]
            later = [instant for instant in instants if instant is not None and instant > now]
            self._change = (now, min(later, default=_NEVER))
        change = self._change[1]
        return None if change == _NEVER else change

    def _session_ends(self) -> datetime | None:
        longest_s = self.policy.longest_session_s
        if self._session is None or longest_s is None:
            return None
        return self._session.began + timedelta(seconds=longest_s)

    # ---- set by officers

    def in_force(self, now: datetime) -> Controls:
        """Mutes and volumes that have not ended."""
        return self.controls.without_past(now)

    def mute(self, zones: Iterable[str], until: datetime | None, now: datetime) -> None:
        """Mute zones until then; None lifts it."""
        self._keep(self.controls.without_past(now).mute(zones, until))

    def set_volume(self, zones: Iterable[str], gain_db: float, until: datetime | None, now: datetime) -> None:
        """Set the gain of zones."""
        self._keep(self.controls.without_past(now).set_volume(zones, Decibel(gain_db), until))

    def _keep(self, controls: Controls) -> None:
        self.controls = controls
        self._change = None
        self._memory.put(CONTROLS_KEY, controls.model_dump(mode="json"))

    def _load(self, zones: tuple[str, ...]) -> Controls:
        stored = self._memory.get(CONTROLS_KEY)
        try:
            kept = Controls.model_validate(stored) if stored else Controls()
        except ValidationError as error:
            log.warning("kept mutes and volumes are unreadable and are dropped: %s", error)
            kept = Controls()
        return kept.model_copy(update={"zones": zones})
