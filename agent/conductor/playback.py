"""What the player is told and says back: runs, their records, levels, a player that died or is stuck."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from agent.clock import Clock
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
    ) -> None:
        self._clock = clock
        self._player = player
        self._ledger = ledger
        self._faults = faults
        self._amplifier_on = amplifier_on
        self._started = started
        self._runs: dict[str, Run] = {}
        self.current: Run | None = None
        self.ready = False
        self.level_dbfs: float | None = None
        self._progress_by: MonotonicS | None = None
        self._is_open = False

    # ---- what it is told

    def prepare(self, p: Performance, gain_db: float, planned: datetime) -> Run | None:
        """Write the first cue's record; None when nothing of `p` is left to sound."""
        cues = p.left()
        if not cues:
            return None
        p.runs += 1
        run = Run(p, f"{p.id}#{p.runs}", gain_db, cues)
        self._ledger.begin(run, next(iter(cues)), planned)
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
        self.current = run
        now = self._clock.monotonic()
        p.phase, p.since = Phase.PLAYING, now
        p.suspended_at = None
        self._progress_by = MonotonicS(max(now, at or now) + STUCK_AFTER_S)

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
            self._write_ahead(run, self._clock.now())
            self._player.send(Append(run.id, cues, more=not run.whole))
            self._progress_by = MonotonicS(self._clock.monotonic() + STUCK_AFTER_S)

    def _next_cues(self, run: Run) -> tuple[PlayerCue, ...]:
        ready = run.next_ready()
        run.sent += len(ready)
        return tuple(run.performance.player_cue(index, run.cues[index]) for index in ready)

    def _write_ahead(self, run: Run, planned: datetime) -> None:
        following = run.following()
        if following is not None:
            self._ledger.begin(run, following, planned)

    def leave(self, reason: str) -> None:
        """The current run is over for `reason`; what replaces it, or `hush`, ends it in the player."""
        run, self.current = self.current, None
        if run is not None:
            run.reason = reason
            run.performance.broken_off = run.where(self._clock.monotonic())
            self._progress_by = None

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

    def close(self) -> None:
        """Close the sound card; silence costs the same as sound."""
        if self._is_open:
            self._player.send(Close())
            self._is_open = False

    # ---- what it says

    def absorb(self, message: dict[str, Any]) -> tuple[Performance, MonotonicS] | None:
        """Take one message; returns the performance whose last sample has left, and when, if it says so."""
        event = message.get("event")
        run = self._runs.get(str(message.get("performance")))
        if event == "ready":
            self.ready = True
            self._faults.clear("player")
        elif event == "output-lost":
            self._faults.raise_("sound-output", f"the sound output is lost: {message.get('reason')}")
        elif event == "output-open":
            self._faults.clear("sound-output")
        elif run is not None:
            return self._absorb_run(run, str(event), message)
        return None

    def _absorb_run(
        self, run: Run, event: str, message: dict[str, Any]
    ) -> tuple[Performance, MonotonicS] | None:
        if run is self.current:
            self._progress_by = MonotonicS(self._clock.monotonic() + STUCK_AFTER_S)
        if event == "started":
            self._cue_started(run, int(message["cue"]), MonotonicS(message["at"]))
        elif event == "level":
            self.level_dbfs = message.get("level_dbfs")
        elif event == "ended":
            self._cue_ended(run, message)
        elif event == "done":
            self._runs.pop(run.id, None)
            self._ledger.forget(run)
            if run is self.current:
                self.current = None
                self._progress_by = None
                self.level_dbfs = None
                return run.performance, MonotonicS(message["at"])
        return None

    def _cue_started(self, run: Run, index: int, at: MonotonicS) -> None:
        p = run.performance
        run.cue, run.cue_started = index, at
        p.sounded = True
        self._ledger.started(run, index, at)
        # written well before it can sound: the cue in hand has only begun
        following = run.following()
        gap_s = run.cues[following].gap_before_s if following is not None else 0.0
        ahead_s = (run.cues[index].for_s or 0.0) + gap_s
        self._write_ahead(run, self._ledger.wall(at) + timedelta(seconds=ahead_s))
        if index == next(iter(run.cues)):
            self._started(p, at)

    def _cue_ended(self, run: Run, message: dict[str, Any]) -> None:
        index = int(message["cue"])
        p = run.performance
        outcome: Outcome = message["outcome"]
        if outcome == "interrupted" and run.reason is not None and p.phase is Phase.SUSPENDED:
            p.broken_off = (index, float(message["position_s"]))
        self._ledger.complete(
            run,
            index,
            outcome,
            ended=self._ledger.wall(MonotonicS(message["at"])),
            played_s=round(float(message["played_s"]), 3),
            reason=run.reason if outcome == "interrupted" and run.reason else message.get("reason"),
            amplifier_on=self._amplifier_on(),
            sounded_dbfs=message.get("level_dbfs"),
        )
        if outcome == "interrupted" and run is not self.current:
            self._runs.pop(run.id, None)
            self._ledger.forget(run)

    # ---- what goes wrong

    def died(self, reason: str) -> None:
        """The player is gone: complete what is open; the current run's performance goes on where it was."""
        now = self._clock.monotonic()
        self.ready = False
        self._is_open = False
        self.level_dbfs = None
        self._faults.raise_("player", f"the player process ended ({reason}); it is being started again")
        current = self.current
        self.leave(f"player: {reason}")
        if current is not None:
            current.performance.phase = Phase.WAITING
        for run in self._runs.values():
            if run.cue is not None:
                since = run.cue_started if run.cue_started is not None else now
                self._ledger.complete(
                    run,
                    run.cue,
                    "interrupted",
                    ended=self._clock.now(),
                    played_s=round(max(0.0, now - since), 3),
                    reason=run.reason or f"player: {reason}",
                    amplifier_on=self._amplifier_on(),
                )
            self._ledger.forget(run)
        self._runs.clear()

    def watch(self, now: MonotonicS) -> MonotonicS | None:
        """Kill a player that should sound and does not get on; returns when to look again."""
        if self.current is not None and not self.current.whole:
            return None  # it may have to wait for words that are being made
        if self._progress_by is not None and now >= self._progress_by:
            log.error("the player made no progress for %.0f s: killed", STUCK_AFTER_S)
            self._progress_by = None
            self._player.kill(f"no progress for {STUCK_AFTER_S:.0f} s")
        return self._progress_by
