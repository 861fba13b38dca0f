"""The audio side: what wants to sound, what may, what does, and the amplifier around it.

The order at the amplifier is fixed: record written → relay on → settle → audio → tail → relay off.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Literal

from agent.clock import Clock
from agent.conductor.amplification import Amplification
from agent.conductor.ledger import Ledger
from agent.conductor.performance import Performance, Phase
from agent.conductor.playback import Playback
from agent.conductor.readying import WAIT_FOR_DECODE_S, Readying
from agent.conductor.rules import Rules
from agent.conductor.sounds import Sounds
from playlists.arbiter import Demand, State, arbitrate
from playlists.models.base import BulletinClass
from playlists.models.record import Outcome
from playlists.units import MonotonicS, Seconds

log = logging.getLogger("loa.voice")

OPEN_LEAD_S = Seconds(0.5)
"""The sound card is opened this long before a planned start, so that the start is exact."""

WAIT_FOR_DECODE = timedelta(seconds=WAIT_FOR_DECODE_S)

NEIGHBOUR_S = Seconds(0.15)
"""What may not wait is dropped only if the output is still taken so long after its planned start."""

NEIGHBOUR = timedelta(seconds=NEIGHBOUR_S)

WRITE_LEAD_S = Seconds(0.25)
"""A late joiner begins so long after the relays could be ready: time to write its record."""

OVERRUN = "longest on-time of the amplifier reached"
"""Why it was ended: nobody's wish."""

MOST_DEATHS = 5
"""Something that so many players in a row did not outlive is given up: others are waiting."""

STATES = {
    Phase.WAITING: State.WAITING,
    Phase.PLAYING: State.PLAYING,
    Phase.SUSPENDED: State.SUSPENDED,
}


ToldState = Literal["started", "finished", "interrupted", "failed"]
"""Words of receipts."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a performance: for receipts, health and whoever looks on."""

    state: ToldState
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
        self._readying = Readying(sounds, ledger, playback, self._lead_s, self._hopeless)
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
        p.since = self._clock.monotonic()
        if p.origin != "programme":
            self._sounds.try_again(p)
        self.performances.setdefault(p.id, p)

    def withdraw(self, p: Performance, reason: str, outcome: Outcome = "skipped") -> None:
        """End it where it is; the log says why. `outcome` is for one of which nothing has sounded."""
        if p is self.playing:
            self._playback.leave(reason, for_good=True)
            self._playback.hush()
        elif not p.sounded:
            self._ledger.unsounded(p, outcome, reason)
        elif p.phase is Phase.SUSPENDED:
            self._ledger.remark(f"does not go on: {reason}", "system", **p.names())
        self._remove(p, Told("interrupted" if p.sounded else "failed", reason))

    def forget(self, p: Performance) -> None:
        """Take it back without a word: it was only planned, and is to be planned anew."""
        if p is self.playing:
            self._playback.leave("planned anew")
            self._playback.hush()
        self.performances.pop(p.id, None)

    def replace(self, new: Performance) -> None:
        """Put another plan in the place of one of the same id that has not sounded."""
        new.since = self._clock.monotonic()
        self.performances[new.id] = new

    def finished(self, p: Performance, at: MonotonicS) -> None:
        """Its last sample has left."""
        if self.performances.get(p.id) is not p:
            return
        trouble = f"not all of it: {p.trouble}" if p.trouble else None
        if not p.sounded:
            self._remove(p, Told("failed", p.trouble or "nothing of it could be sounded", at))
        else:
            self._remove(p, Told("finished", trouble, at))

    def jumped(self, by_s: float) -> None:
        """The wall clock was set: what waits for no hour of the day waits no longer and no shorter for that."""
        by = timedelta(seconds=by_s)
        for p in self.performances.values():
            if p.suspended_at is not None:
                p.suspended_at += by
            if p.origin != "programme":
                p.planned += by

    # ---- a turn

    def turn(self) -> MonotonicS | None:
        """Make true what should be true now; returns when to ask again at the latest."""
        now, mono = self._clock.now(), self._clock.monotonic()
        self._readying.turn(self.performances.values(), now, mono)
        self._end_what_may_not_go_on(now, mono)
        if self._amp.overrun and self.playing is not None:
            self.withdraw(self.playing, OVERRUN)
        while self._decide(now, mono):
            pass  # what was chosen turned out to be over: it is gone, and the next one is looked at
        self._follow(now, mono)
        return self._next_wake(now, mono)

    def _decide(self, now: datetime, mono: MonotonicS) -> bool:
        """Let begin what should sound; whether the question has to be asked again."""
        verdict = arbitrate([self._demand(p) for p in self._wanting(now)])
        for performance_id, reason in verdict.drop:
            self.withdraw(self.performances[performance_id], reason)
        chosen = self.performances.get(verdict.play) if verdict.play else None
        if chosen is None or chosen is self.playing or not self._playback.ready:
            return False
        return not self._change_over(chosen, now, mono)

    def _wanting(self, now: datetime) -> list[Performance]:
        """What is due, and may begin."""
        due = [p for p in self.performances.values() if self._is_due(p, now)]
        if any(
            p.class_ is BulletinClass.EMERGENCY and self._comes(p, now) for p in self.performances.values()
        ):
            # it will speak in a moment: nothing lower begins for that moment
            due = [p for p in due if p is self.playing or p.class_ is BulletinClass.EMERGENCY]
        return due

    def _comes(self, p: Performance, now: datetime) -> bool:
        """Whether it would sound now, were it ready."""
        return p.phase is Phase.PREPARING and p.planned - timedelta(seconds=self._lead_s(p, now)) <= now

    def _demand(self, p: Performance) -> Demand:
        # a player that died does not cost a performance its turn
        holds = p is self._playback.cut_off and self.playing is None
        return Demand(p.rank, p.on_conflict, p.since, State.PLAYING if holds else STATES[p.phase])

    def _is_due(self, p: Performance, now: datetime) -> bool:
        if p.phase is not Phase.WAITING:
            return p.phase is not Phase.PREPARING
        lead_s = self._lead_s(p, now)
        if self.playing is not None:
            # what plays may end at this very second: its last samples are still on their way
            lead_s = -NEIGHBOUR_S if p.on_conflict == "skip" else 0.0
        return p.planned - timedelta(seconds=lead_s) <= now

    def _lead_s(self, p: Performance, now: datetime) -> float:
        return self._amp.lead_s(self._rules.audible(p, now)) + OPEN_LEAD_S

    # ---- rules that end things

    def _end_what_may_not_go_on(self, now: datetime, mono: MonotonicS) -> None:
        for p in list(self.performances.values()):
            reason = self._why_not(p, now, mono)
            if reason is not None:
                self.withdraw(p, reason, "failed" if p.deaths >= MOST_DEATHS else "skipped")

    def _why_not(self, p: Performance, now: datetime, mono: MonotonicS) -> str | None:
        if p.lease_until is not None and mono >= p.lease_until:
            return "lease ended"
        if p.deaths >= MOST_DEATHS:
            return f"{p.deaths} players in a row ended when it was their turn to sound it"
        # in the moments before its start it is judged by the hour of its start; what sounds, by now: the clock
        # may have been set back since it began
        moment = now if p.sounded else max(now, p.planned)
        if p.phase is Phase.PLAYING:
            return self._rules.may_not_sound(p, moment)
        if p.phase is Phase.SUSPENDED:
            return self._rules.may_not_resume(p, now)
        return (
            self._rules.may_not_sound(p, moment)
            if p.phase is Phase.WAITING and self._is_due(p, now)
            else None
        )

    # ---- changing over

    def _change_over(self, new: Performance, now: datetime, mono: MonotonicS) -> bool:
        """Let `new` sound instead of what does; False when nothing of it was left."""
        old = self.playing
        if old is None:
            self._playback.open()
        if not self._begin(new, now, mono):
            return False
        if old is not None:
            old.phase, old.since = Phase.SUSPENDED, mono
            old.suspended_at = now
            self._tell(old, Told("interrupted", f"by {new.id}"))
        return True

    def _begin(self, p: Performance, now: datetime, mono: MonotonicS) -> bool:
        zones = self._rules.audible(p, now)
        at = mono + (p.planned - now).total_seconds()
        if p.in_step_from is not None and not p.sounded:
            # worked out for the moment at which it can really sound: a neighbour already does
            at = max(at, mono + self._amp.lead_s(zones) + WRITE_LEAD_S)
            p.position_s = (now - p.in_step_from).total_seconds() + at - mono
        p.catch_up(mono)
        run = self._playback.prepare(p, self._rules.gain_db(p, now), now)
        if run is None:
            self.withdraw(p, f"late: at {p.where_s():.0f} s it is over")
            return False
        self._rules.sounding(p, max(now, p.planned))
        if self._amp.overrun:
            # what ran too long has been ended; the amplifier stays down only until something new begins
            self._amp.release(mono)
        # the record has been written, which takes time: look at the clock again
        mono = self._clock.monotonic()
        self._amp.want(zones, mono)
        ready_at = self._amp.ready_at(mono)
        at = max(at, ready_at) if isfinite(ready_at) else at
        self._playback.leave(f"by {p.id}")
        self._playback.perform(run, MonotonicS(at) if at > mono else None)
        return True

    def _hopeless(self, p: Performance, reason: str) -> None:
        self._remove(p, Told("failed", reason))

    def _remove(self, p: Performance, told: Told) -> None:
        self.performances.pop(p.id, None)
        self._tell(p, told)

    # ---- following through

    def _follow(self, now: datetime, mono: MonotonicS) -> None:
        playing = self.playing
        if playing is not None:
            if self._playback.output_lost:
                self._amp.release(mono)  # nothing can sound: no hum either
            else:
                self._amp.want(self._rules.audible(playing, now), mono)
            self._playback.follow_gain(self._rules.gain_db(playing, now))
        else:
            self._amp.release(mono)
            self._rules.silent(now)
        self._amp.tick(mono)
        if playing is None and not self._amp.busy:
            self._playback.close()

    def _next_wake(self, now: datetime, mono: MonotonicS) -> MonotonicS | None:
        wakes = [self._amp.next_at]
        instants = [self._rules.next_change(now)]
        for p in self.performances.values():
            wakes.append(p.lease_until)
            if p.phase in (Phase.PREPARING, Phase.WAITING):
                lead = timedelta(seconds=self._lead_s(p, now))
                instants += [p.planned - lead, p.planned, p.planned + NEIGHBOUR, p.planned + WAIT_FOR_DECODE]
                wakes += [at for at in (MonotonicS(p.since + WAIT_FOR_DECODE_S),) if at > mono]
            elif p.phase is Phase.SUSPENDED:
                instants.append(self._rules.drops_at(p))
        if self._playback.dry_since is not None:
            wakes.append(MonotonicS(self._playback.dry_since + WAIT_FOR_DECODE_S))
        wakes += [MonotonicS(mono + (i - now).total_seconds()) for i in instants if i is not None and i > now]
        return min((wake for wake in wakes if wake is not None), default=None)
