"""The audio side: what wants to sound, what may, what does, and the amplifier around it.

The order at the amplifier is fixed: record written → relay on → settle → audio → tail → relay off.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.clock import Clock
from agent.conductor.amplification import Amplification
from agent.conductor.ledger import Ledger
from agent.conductor.performance import Performance, Phase, Sound
from agent.conductor.playback import Playback
from agent.conductor.rules import Rules
from agent.conductor.sounds import Sounds
from playlists.arbiter import Demand, State, arbitrate
from playlists.models.base import BulletinClass
from playlists.models.record import Outcome
from playlists.units import MonotonicS, Seconds

log = logging.getLogger("loa.voice")

OPEN_LEAD_S = Seconds(0.5)
"""The sound card is opened this long before a planned start, so that the start is exact."""

WAIT_FOR_DECODE_S = Seconds(10.0)
"""A planned start waits so long for a recording that is here but not yet decoded."""

STATES = {
    Phase.WAITING: State.WAITING,
    Phase.PLAYING: State.PLAYING,
    Phase.SUSPENDED: State.SUSPENDED,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a performance: for receipts, health and whoever looks on."""

    state: str
    reason: str | None = None
    at: MonotonicS | None = None
    """When, where it was not just now."""


class Voice:
    """Owns the performances. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        playback: Playback,
        amplification: Amplification,
        sounds: Sounds,
        ledger: Ledger,
        rules: Rules,
        tell: Callable[[Performance, Told], None],
    ) -> None:
        self._clock = clock
        self._playback = playback
        self._amp = amplification
        self._sounds = sounds
        self._ledger = ledger
        self._rules = rules
        self._tell = tell
        self.performances: dict[str, Performance] = {}

    @property
    def playing(self) -> Performance | None:
        """What sounds, or is about to."""
        run = self._playback.current
        return run.performance if run else None

    # ---- what is wanted

    def add(self, p: Performance) -> None:
        """Something new wants to sound: it is made ready now and decided about at the next turn."""
        self.performances.setdefault(p.id, p)

    def withdraw(self, p: Performance, reason: str, outcome: Outcome = "interrupted") -> None:
        """End it where it is; the log says why."""
        if p is self.playing:
            self._playback.leave(reason)
            self._playback.hush()
        elif not p.sounded:
            self._ledger.unsounded(p, outcome if outcome != "interrupted" else "skipped", reason)
        self._remove(p, Told("interrupted" if p.sounded else "failed", reason))

    def finished(self, p: Performance, at: MonotonicS) -> None:
        """Its last sample has left."""
        told = (
            Told("finished", None, at) if p.sounded else Told("failed", "nothing of it could be sounded", at)
        )
        self._remove(p, told)

    def replan(self) -> None:
        """Forget what is only planned: the clock has jumped, and the planner makes it anew."""
        for p in list(self.performances.values()):
            if p.origin == "programme" and not p.sounded and p is not self.playing:
                self.performances.pop(p.id)

    def player_died(self, reason: str) -> None:
        """The player is gone; what sounded goes on where it was as soon as the next one is ready."""
        self._playback.died(reason)

    # ---- a turn

    def turn(self) -> MonotonicS | None:
        """Make true what should be true now; returns when to ask again at the latest."""
        now, mono = self._clock.now(), self._clock.monotonic()
        self._settle(now, mono)
        self._end_what_may_not_go_on(now, mono)
        if self._amp.overrun and self.playing is not None:
            self.withdraw(self.playing, "longest on-time of the amplifier reached")
        busy = self.playing is not None
        due = [p for p in self.performances.values() if self._is_due(p, now, busy=busy)]
        if any(
            p.phase is Phase.PREPARING and p.class_ is BulletinClass.EMERGENCY
            for p in self.performances.values()
        ):
            # it will speak in a moment: nothing lower begins for that moment
            due = [p for p in due if p is self.playing or p.class_ is BulletinClass.EMERGENCY]
        verdict = arbitrate([self._demand(p) for p in due])
        for performance_id, reason in verdict.drop:
            p = self.performances[performance_id]
            self._ledger.unsounded(p, "skipped", reason)
            self._remove(p, Told("failed", reason))
        chosen = self.performances.get(verdict.play) if verdict.play else None
        if chosen is not self.playing and self._playback.ready:
            self._change_over(chosen, now, mono)
        self._follow(now, mono)
        return self._next_wake(now, mono)

    def _demand(self, p: Performance) -> Demand:
        return Demand(p.rank, p.on_conflict, p.since, STATES[p.phase])

    def _is_due(self, p: Performance, now: datetime, *, busy: bool) -> bool:
        if p.phase is Phase.WAITING:
            lead_s = 0.0 if busy else self._lead_s(p, now)
            return p.planned - timedelta(seconds=lead_s) <= now
        return p.phase is not Phase.PREPARING

    def _lead_s(self, p: Performance, now: datetime) -> float:
        return self._amp.lead_s(self._rules.audible(p, now)) + OPEN_LEAD_S

    # ---- getting ready

    def _settle(self, now: datetime, mono: MonotonicS) -> None:
        for p in list(self.performances.values()):
            if p.phase is Phase.PREPARING:
                late_s = (now - p.planned).total_seconds()
                self._look_up(p, late_s)
                if late_s >= -self._lead_s(p, now) and (self._may_begin(p) or late_s >= WAIT_FOR_DECODE_S):
                    self._lay_out(p, late_s, mono)
            elif p is self.playing and not all(sound.settled for sound in p.sounds):
                before = [sound.settled for sound in p.sounds]
                self._look_up(p, (now - p.planned).total_seconds())
                self._report_failures(p, [i for i, was in enumerate(before) if not was])
                self._playback.extend()

    def _look_up(self, p: Performance, late_s: float) -> None:
        due = late_s >= (0.0 if p.origin == "programme" else WAIT_FOR_DECODE_S)
        # a settled sound stays as it is: what plays must not change under the player
        old = p.sounds or [Sound()] * len(p.items)
        p.sounds = [
            sound if sound.settled else self._sounds.find(p, item, urgent=p.origin != "programme", due=due)
            for sound, item in zip(old, p.items, strict=True)
        ]

    @staticmethod
    def _may_begin(p: Performance) -> bool:
        """A programme begins whole; what a person asked for now begins with what is there."""
        return all(sound.settled for sound in p.sounds) or (p.origin != "programme" and p.sounds[0].playable)

    def _lay_out(self, p: Performance, late_s: float, mono: MonotonicS) -> None:
        if late_s >= WAIT_FOR_DECODE_S:
            late = "it could not be made ready in time"
            p.sounds = [sound if sound.settled else sound.failed(late) for sound in p.sounds]
        p.settle()
        self._report_failures(p, list(range(len(p.sounds))))
        p.phase, p.since = Phase.WAITING, mono
        if not p.cues:
            self._remove(p, Told("failed", self._why_nothing(p)))

    def _report_failures(self, p: Performance, items: list[int]) -> None:
        for index in items:
            sound = p.sounds[index]
            if sound.failure is not None:
                self._ledger.unsounded(p, "failed" if sound.broken else "skipped", sound.failure, index)

    @staticmethod
    def _why_nothing(p: Performance) -> str:
        return "; ".join(sound.failure for sound in p.sounds if sound.failure) or "nothing to sound"

    # ---- rules that end things

    def _end_what_may_not_go_on(self, now: datetime, mono: MonotonicS) -> None:
        for p in list(self.performances.values()):
            reason = None
            if p.lease_until is not None and mono >= p.lease_until:
                reason = "lease ended"
            elif p.phase is Phase.PLAYING:
                reason = self._rules.may_not_go_on(p, now)
            elif p.phase is Phase.SUSPENDED:
                reason = self._rules.may_not_resume(p, now)
            elif p.phase is Phase.WAITING and p.planned <= now:
                reason = self._rules.may_not_start(p, now)
            if reason is not None:
                self.withdraw(p, reason)

    # ---- changing over

    def _change_over(self, new: Performance | None, now: datetime, mono: MonotonicS) -> None:
        old = self.playing
        if new is None:
            self._playback.hush()
        else:
            if old is None:
                self._playback.open()
            if not self._begin(new, now, mono):
                return
        if old is not None:
            old.phase, old.since = Phase.SUSPENDED, mono
            old.suspended_at = now
            self._tell(old, Told("interrupted", f"by {new.id}" if new else None))

    def _begin(self, p: Performance, now: datetime, mono: MonotonicS) -> bool:
        """Start or resume `p` in place of what sounds; False when nothing of it was left."""
        ahead_s = (p.planned - now).total_seconds()
        run = self._playback.prepare(p, self._rules.gain_db(p, now), max(p.planned, now))
        if run is None:
            self.withdraw(p, f"late: at {p.where_s():.0f} s it is over")
            return False
        p.ends_by = self._rules.sounding(p, max(now, p.planned))
        if self._amp.overrun:
            # what ran too long has been ended; the amplifier stays down only until something new begins
            self._amp.release(mono)
        self._amp.want(self._rules.audible(p, now), mono)
        # the record has been written and the relays take time: look at the clock again
        mono = self._clock.monotonic()
        planned_at = mono + (p.planned - self._clock.now()).total_seconds() if ahead_s > 0 else mono
        at = max(planned_at, self._amp.ready_at(mono))
        self._playback.leave(f"by {p.id}")
        self._playback.perform(run, MonotonicS(at) if at > mono else None)
        return True

    def _remove(self, p: Performance, told: Told) -> None:
        self.performances.pop(p.id, None)
        self._tell(p, told)

    # ---- following through

    def _follow(self, now: datetime, mono: MonotonicS) -> None:
        playing = self.playing
        if playing is not None:
            self._amp.want(self._rules.audible(playing, now), mono)
            self._playback.follow_gain(self._rules.gain_db(playing, now))
        else:
            self._amp.release(mono)
            self._rules.silent(now)
        self._amp.tick(mono)
        if playing is None and not self._amp.busy:
            self._playback.close()

    def _next_wake(self, now: datetime, mono: MonotonicS) -> MonotonicS | None:
        wakes = [self._amp.next_at, self._playback.watch(mono)]
        instants = [self._rules.next_change(now)]
        for p in self.performances.values():
            instants += [p.planned - timedelta(seconds=self._lead_s(p, now)), p.planned, p.ends_by]
            wakes.append(p.lease_until)
            if p.phase is Phase.PREPARING and p.planned <= now:
                wakes.append(MonotonicS(mono + 0.5))
            if p.phase is Phase.SUSPENDED:
                wakes.append(MonotonicS(mono + 1.0))
        wakes += [MonotonicS(mono + (i - now).total_seconds()) for i in instants if i is not None and i > now]
        return min((wake for wake in wakes if wake is not None), default=None)
