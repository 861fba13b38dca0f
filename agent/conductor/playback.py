"""What the player is told and says back: runs, their records, levels, a player that died or is stuck."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from agent.clock import Clock
from agent.conductor.hearing import Hearing
from agent.conductor.ledger import Ledger
from agent.conductor.performance import Performance, Phase, Run
from agent.faults import Faults
from agent.player.link import PlayerLink
from agent.player.protocol import Append, Close, Gain, Open, Perform, PlayerCue, Stop
from playlists.models.record import Outcome
from playlists.units import Decibel, MonotonicS, Seconds

log = logging.getLogger("loa.voice")

HOUR_RAMP_S = Seconds(1.0)
"""A new hour's loudness comes in so long."""

STUCK_AFTER_S = Seconds(5.0)
"""A player that should sound and reports no progress for so long is killed."""

STARTS_WITHIN_S = Seconds(0.02)
"""A start that was planned comes this close to its plan."""


class Playback:
    """The conductor's view of the player. `started(performance, at)` hears when one starts or goes on."""

    def __init__(
        self,
        clock: Clock,
        player: PlayerLink,
        ledger: Ledger,
        faults: Faults,
        amplifier_on: Callable[[], bool | None],
        started: Callable[[Performance, MonotonicS], None],
        hearing: Hearing,
    ) -> None:
        self._hearing = hearing
        self._clock = clock
        self._player = player
        self._ledger = ledger
        self._faults = faults
        self._amplifier_on = amplifier_on
        self._started = started
        self._runs: dict[str, Run] = {}
        # none twice: an alert that is told anew has the id of which the last run's end may still be on its way
        self._numbers = itertools.count(1)
        self.current: Run | None = None
        self.ready = False
        self.output_lost = False
        """The player runs and cannot put anything out; it tries again by itself."""
        self.cut_off: Performance | None = None
        """What sounded when the player died, until something sounds again."""
        self.level_dbfs: float | None = None
        self._progress_by: MonotonicS | None = None
        self._is_open = False

    # ---- what it is told

    def prepare(self, p: Performance, gain_db: float, now: datetime) -> Run | None:
        """Write the first cue's record; None when nothing of `p` is left to sound."""
        cues = p.left()
        if not cues:
            return None
        p.run = next(self._numbers)
        run = Run(p, f"{p.id}#{p.run}", gain_db, cues)
        index, cue = next(iter(cues.items()))
        offset_s = 0.0 if cue.offset_s is None else cue.offset_s
        self._ledger.begin(run, index, now if p.sounded else p.planned + timedelta(seconds=offset_s))
        return run

    def perform(self, run: Run, at: MonotonicS | None) -> None:
        """Let it sound from `at` (None: as soon as can be); it replaces what sounds.

        What of it is still being made follows by `extend`: an alarm does not wait for the words after it.
        """
        p = run.performance
        self._runs[run.id] = run
        cues = self._next_cues(run)
        self._player.send(Perform(run.id, cues, at, Decibel(run.gain_db), more=not run.whole))
        self._is_open = True
        self._hearing.listen()
        self.current, self.cut_off = run, None
        self.level_dbfs = None
        now = self._clock.monotonic()
        run.at = now if at is None else at
        p.phase, p.since = Phase.PLAYING, now
        p.suspended_at = None
        if not cues:
            run.dry_since = now
        self._expect(run.at + (cues[0].gap_before_s if cues else 0.0))

    def extend(self) -> None:
        """Hand over what of the current run has been made meanwhile."""
        run = self.current
        if run is None or run.whole:
            return
        failed = [i for i, cue in run.cues.items() if run.performance.sounds[cue.item].failure]
        for index in failed:
            run.cues.pop(index)
        cues = self._next_cues(run)
        if cues or failed:
            if cues:
                self._ledger.begin(run, cues[0].cue, self._clock.now())
            if cues or run.whole:
                run.dry_since = None
            self._player.send(Append(run.id, cues, more=not run.whole))
            self._expect(self._clock.monotonic() + (cues[0].gap_before_s if cues else 0.0))

    @property
    def dry_since(self) -> MonotonicS | None:
        """Since when the player has waited for what is still being made."""
        return self.current.dry_since if self.current is not None else None

    def _next_cues(self, run: Run) -> tuple[PlayerCue, ...]:
        ready = run.next_ready()
        run.sent += len(ready)
        return tuple(run.performance.player_cue(index, run.cues[index]) for index in ready)

    def _write_ahead(self, run: Run, index: int, ends: datetime) -> None:
        """Write the record of the cue that follows `index`, well before it can sound."""
        following = run.after(index)
        if following is not None:
            gap = timedelta(seconds=run.cues[following].gap_before_s)
            self._ledger.begin(run, following, ends + gap)

    def _expect(self, at: float) -> None:
        """The player is to show progress at that instant, or a little later."""
        by = max(at, self._clock.monotonic()) + STUCK_AFTER_S
        self._progress_by = MonotonicS(max(by, self._progress_by or by))

    def leave(self, reason: str, *, for_good: bool = False) -> None:
        """The current run is over for `reason`; what replaces it, or `hush`, ends it in the player."""
        run, self.current = self.current, None
        if run is not None:
            run.reason, run.for_good = reason, for_good
            run.performance.broken_off = run.where(self._clock.monotonic())
            self._progress_by = None
            self.level_dbfs = None

    def hush(self) -> None:
        """End whatever sounds, with a short fade."""
        self._player.send(Stop())

    def follow_gain(self, gain_db: float) -> None:
        """Bring the current run to this gain."""
        run = self.current
        if run is not None and abs(gain_db - run.gain_db) > 0.05:
            run.gain_db = gain_db
            self._player.send(Gain(Decibel(gain_db), HOUR_RAMP_S))

    def open(self) -> None:
        """Open the sound card ahead of a start."""
        self._player.send(Open())
        self._is_open = True
        self._hearing.listen()

    def close(self) -> None:
        """Close the sound card; silence costs the same as sound."""
        if self._is_open:
            self._player.send(Close())
            self._is_open = False
            self._hearing.rest()

    # ---- what it says

    def absorb(self, message: dict[str, Any]) -> tuple[Performance, MonotonicS] | None:
        """Take one message; returns the performance whose last sample has left, and when, if it says so."""
        event = message.get("event")
        run = self._runs.get(str(message.get("performance")))
        if event == "ready":
            self.ready = True
            self._faults.clear("player")
        elif event == "output-lost":
            self.output_lost = True
            self._faults.raise_("sound-output", f"the sound output is lost: {message.get('reason')}")
        elif event == "output-open":
            self._output_open()
        elif event == "put-out":
            self._hearing.put_out(message)
        elif event == "refused":
            log.error("the player refused an order: %s", message.get("reason"))
        elif run is not None:
            return self._absorb_run(run, str(event), message)
        return None

    def _output_open(self) -> None:
        if self.output_lost and self.current is not None:
            self._expect(self._clock.monotonic())
        self.output_lost = False
        self._faults.clear("sound-output")

    def _absorb_run(
        self, run: Run, event: str, message: dict[str, Any]
    ) -> tuple[Performance, MonotonicS] | None:
        # an output that was lost before it told its time has no instant to report
        at = MonotonicS(self._clock.monotonic() if message.get("at") is None else message["at"])
        if run is self.current:
            self._expect(at)
        match event:
            case "started":
                self._cue_started(run, int(message["cue"]), at)
            case "level" if run is self.current:
                self.level_dbfs = message.get("level_dbfs")
                # also where the cue is silent and never says that it has started
                self._write_ahead(run, int(message["cue"]), self._ledger.wall(at))
            case "ended":
                self._cue_ended(run, message, at)
            case "done":
                return self._run_done(run, at)
            case _:
                pass
        return None

    def _cue_started(self, run: Run, index: int, at: MonotonicS) -> None:
        p = run.performance
        first = run.cue is None
        run.cue, run.cue_started = index, at
        p.sounded, p.deaths = True, 0
        self._ledger.begin(run, index, self._ledger.wall(at))
        self._ledger.started(run, index, at)
        self._hearing.began(p, index, at)
        self._write_ahead(run, index, self._ledger.wall(at) + timedelta(seconds=run.cues[index].for_s or 0.0))
        if first and abs(run.at - at) > STARTS_WITHIN_S and index == next(iter(run.cues)):
            run.at = at  # it began as soon as it could: from here it can be told where it would be later
        if first and not run.for_good:
            self._started(p, at)

    def _cue_ended(self, run: Run, message: dict[str, Any], at: MonotonicS) -> None:
        index = int(message["cue"])
        p = run.performance
        outcome: Outcome = message["outcome"]
        interrupted = outcome == "interrupted"
        if p.phase is Phase.SUSPENDED and run is not self.current and run.is_latest:
            # exactly where it was cut off; what came to its end meanwhile is not repeated
            p.broken_off = (index, float(message["position_s"])) if interrupted else (index + 1, 0.0)
        if outcome == "failed":
            p.trouble = p.trouble or message.get("reason")
        self._ledger.complete(
            run,
            index,
            outcome,
            ended=self._ledger.wall(at),
            played_s=round(float(message["played_s"]), 3),
            relayed_s=message.get("relayed_s"),
            reason=run.reason if interrupted and run.reason else message.get("reason"),
            amplifier_on=self._amplifier_on(),
            sounded_dbfs=message.get("level_dbfs"),
            **self._hearing.ended(p, index),
        )
        run.handles_done += 1
        following = run.after(index)
        if interrupted or run is not self.current:
            return
        if following is not None:
            self._write_ahead(run, index, self._ledger.wall(at))
            self._expect(at + run.cues[following].gap_before_s)
        elif not run.whole:
            run.dry_since = self._clock.monotonic()

    def _run_done(self, run: Run, at: MonotonicS) -> tuple[Performance, MonotonicS] | None:
        self._runs.pop(run.id, None)
        self._forget(run)
        p = run.performance
        if run is self.current:
            self.current = None
            self._progress_by = None
            self.level_dbfs = None
            return p, at
        if p.phase is Phase.SUSPENDED and p.sounded and run.is_latest and not p.left():
            return p, at  # it came to its end before what took over began
        return None

    def _forget(self, run: Run) -> None:
        """Take back what was written ahead, unless it is all there is to say of what was ended for good."""
        if run.for_good and not run.handles_done and not run.performance.sounded and run.handles:
            self._ledger.complete(
                run,
                next(iter(run.handles)),
                "skipped",
                ended=self._clock.now(),
                played_s=0.0,
                reason=run.reason,
                amplifier_on=self._amplifier_on(),
            )
        self._ledger.forget(run)

    # ---- what goes wrong

    def died(self, reason: str) -> None:
        """The player is gone: complete what is open; the current run's performance goes on where it was."""
        self.ready = False
        self.output_lost = False
        self._is_open = False
        self._hearing.rest()
        self._faults.raise_("player", f"the player process ended ({reason}); it is being started again")
        self.break_off(f"player: {reason}")

    def break_off(self, reason: str) -> None:
        """Nothing more will be heard of any run: complete their records with what is known."""
        now = self._clock.monotonic()
        run = self.current
        self.leave(reason)
        if run is not None:
            p = run.performance
            p.phase, p.since, p.suspended_at = Phase.SUSPENDED, now, self._clock.now()
            p.deaths += 1
            self.cut_off = p
        for run in list(self._runs.values()):
            if run.cue is not None and run.cue in run.handles:
                since = run.cue_started if run.cue_started is not None else now
                longest_s = run.cues[run.cue].for_s
                played_s = max(0.0, now - since)
                run.handles_done += 1
                self._ledger.complete(
                    run,
                    run.cue,
                    "interrupted",
                    ended=self._clock.now(),
                    played_s=round(played_s if longest_s is None else min(played_s, longest_s), 3),
                    reason=run.reason or reason,
                    amplifier_on=self._amplifier_on(),
                    **self._hearing.ended(run.performance, run.cue),
                )
            self._forget(run)
        self._runs.clear()

    def watch(self) -> MonotonicS | None:
        """Kill a player that should sound and does not get on; returns when to look again."""
        run = self.current
        if run is None or self.output_lost or run.dry_since is not None:
            return None  # it cannot get on, or it waits for words that are being made
        if self._progress_by is not None and self._clock.monotonic() >= self._progress_by:
            log.error("the player made no progress for %.0f s: killed", STUCK_AFTER_S)
            self._progress_by = None
            self._player.kill(f"no progress for {STUCK_AFTER_S:.0f} s")
        return self._progress_by
