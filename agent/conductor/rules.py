"""What may sound now: the node's policy, and the mutes and volumes that officers set by command."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from pydantic import ValidationError

from agent.conductor.performance import Performance
from agent.journal import Journal, JournalError
from playlists.models.base import BulletinClass
from playlists.policy import Controls, Policy, Session
from playlists.units import Decibel, Seconds

log = logging.getLogger("loa.rules")

CONTROLS_KEY = "controls"


class Rules:
    """Answers for performances; keeps the session that sounds and the controls in force."""

    def __init__(self, policy: Policy, zones: tuple[str, ...], journal: Journal) -> None:
        self.policy = policy
        self._journal = journal
        self._session: Session | None = None
        self.controls = self._load(zones)

    # ---- asked by the voice

    def audible(self, p: Performance, now: datetime) -> frozenset[str]:
        """The node's zones in which it may sound now; may be empty."""
        return self.controls.audible(p.class_, p.zones, now)[0]

    def may_not_start(self, p: Performance, now: datetime) -> str | None:
        """The rule that forbids it to start or resume now."""
        _, silent = self.controls.audible(p.class_, p.zones, now)
        return silent or self.policy.may_start(p.class_, now, self._session)

    def may_not_go_on(self, p: Performance, now: datetime) -> str | None:
        """The rule that ends it now although it sounds."""
        _, silent = self.controls.audible(p.class_, p.zones, now)
        if silent is not None:
            return silent
        if p.ends_by is not None and now >= p.ends_by:
            return self.policy.ended_by(self._session.began if self._session else now) or "its time is over"
        return None

    def may_not_resume(self, p: Performance, now: datetime) -> str | None:
        """The rule that drops it because it has been suspended for too long."""
        if p.suspended_at is None:
            return None
        return self.policy.may_resume(p.class_, Seconds((now - p.suspended_at).total_seconds()))

    def gain_db(self, p: Performance, now: datetime) -> float:
        """The gain that hour and officers want."""
        return self.policy.gain_db(p.class_, now) + self.controls.gain_db(p.class_, p.zones, now)

    def sounding(self, p: Performance, now: datetime) -> datetime | None:
        """Count its sound into the session, unless it is an emergency; returns when policy ends it."""
        if p.class_ is BulletinClass.EMERGENCY:
            self.silent(now)  # its minutes are not the session's
        else:
            self._session = Session.sounding(self._session, now)
        return self.policy.must_end_by(p.class_, self._session.began if self._session else now)

    def silent(self, now: datetime) -> None:
        """Nothing sounds."""
        if self._session is not None:
            self._session = self._session.pause(now)

    def next_change(self, now: datetime) -> datetime | None:
        """When an answer given here may change by itself."""
        instants = (self.policy.next_change(now), self.controls.next_change(now))
        return min((i for i in instants if i is not None), default=None)

    # ---- set by officers

    def mute(self, zones: Iterable[str], until: datetime | None, now: datetime) -> None:
        """Mute zones until then; None lifts it."""
        self._keep(self.controls.without_past(now).mute(zones, until))

    def set_volume(self, zones: Iterable[str], gain_db: float, until: datetime | None, now: datetime) -> None:
        """Set the gain of zones."""
        self._keep(self.controls.without_past(now).set_volume(zones, Decibel(gain_db), until))

    def _keep(self, controls: Controls) -> None:
        self.controls = controls
        try:
            self._journal.put(CONTROLS_KEY, controls.model_dump(mode="json"))
        except JournalError as error:
            log.warning("mutes and volumes will not outlive a restart: %s", error)

    def _load(self, zones: tuple[str, ...]) -> Controls:
        stored = self._journal.get(CONTROLS_KEY)
        try:
            kept = Controls.model_validate(stored) if stored else Controls()
        except ValidationError as error:
            log.warning("kept mutes and volumes are unreadable and are dropped: %s", error)
            kept = Controls()
        return kept.model_copy(update={"zones": zones})
