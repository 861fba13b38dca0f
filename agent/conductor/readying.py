"""Getting performances ready: their items are looked up, and laid out in time as soon as they may begin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from agent.conductor.ledger import Ledger
from agent.conductor.performance import Performance, Phase, Sound
from agent.conductor.playback import Playback
from agent.conductor.sounds import Sounds
from agent.library import Need
from playlists.models.base import BulletinClass
from playlists.units import MonotonicS, Seconds

WAIT_FOR_DECODE_S = Seconds(10.0)
"""A planned start waits so long for a recording that is here but not yet decoded."""

WAIT_FOR_SLOW_S = Seconds(60.0)
"""What was asked for now waits so long for a voice that takes its time (piper: seconds to load its model)."""

TOO_LATE = "it could not be made ready in time"
NOTHING = "nothing to sound"


class Readying:
    """Looks after what is not settled yet. Runs on the conductor's thread only."""

    def __init__(
        self,
        sounds: Sounds,
        ledger: Ledger,
        playback: Playback,
        lead_s: Callable[[Performance, datetime], float],
        hopeless: Callable[[Performance, str], None],
    ) -> None:
        """`hopeless(performance, reason)` hears of one of which nothing can be sounded."""
        self._sounds = sounds
        self._ledger = ledger
        self._playback = playback
        self._lead_s = lead_s
        self._hopeless = hopeless

    def turn(self, performances: Iterable[Performance], now: datetime, mono: MonotonicS) -> None:
        """Look up what is not settled, lay out what is about to begin, hand over what came late."""
        for p in list(performances):
            late_s = (now - p.planned).total_seconds()
            if p.phase is Phase.PREPARING:
                # what joins late has only just been asked for
                late_s = min(late_s, mono - p.since)
                self._look_up(p, late_s)
                if late_s >= -self._lead_s(p, now) and (_may_begin(p) or late_s >= _patience_s(p)):
                    self._lay_out(p, late_s, mono)
            elif not p.settled:
                self._follow_up(p, late_s, mono)

    def _look_up(self, p: Performance, late_s: float) -> None:
        due = late_s >= (0.0 if p.origin == "programme" else WAIT_FOR_DECODE_S)
        if p.looked_up == (self._sounds.version, due):
            return  # nothing has changed since: the disk is left alone
        need = _need_of(p)
        # a settled sound stays as it is: what plays must not change under the player
        old = p.sounds or [Sound()] * len(p.items)
        p.sounds = [
            sound if sound.settled else self._sounds.find(p, item, need=need, due=due)
            for sound, item in zip(old, p.items, strict=True)
        ]
        p.looked_up = (self._sounds.version, due)

    def _follow_up(self, p: Performance, late_s: float, mono: MonotonicS) -> None:
        before = [sound.settled for sound in p.sounds]
        self._look_up(p, late_s)
        sounds_now = self._playback.current is not None and self._playback.current.performance is p
        dry_since = self._playback.dry_since
        if sounds_now and dry_since is not None and mono - dry_since >= _patience_s(p):
            _give_up(p)
        self._report_failures(p, [index for index, was in enumerate(before) if not was])
        if sounds_now:
            self._playback.extend()

    def _lay_out(self, p: Performance, late_s: float, mono: MonotonicS) -> None:
        if late_s >= _patience_s(p):
            _give_up(p)
        p.settle()
        self._report_failures(p, list(range(len(p.sounds))))
        p.phase, p.since = Phase.WAITING, mono
        if not p.cues:
            reasons = "; ".join(dict.fromkeys(sound.failure for sound in p.sounds if sound.failure))
            if not reasons:
                # no item has a record of its own that would say why nothing was heard
                self._ledger.unsounded(p, "failed", NOTHING)
            self._hopeless(p, reasons or NOTHING)

    def _report_failures(self, p: Performance, items: list[int]) -> None:
        for index in items:
            sound = p.sounds[index]
            if sound.failure is not None:
                p.trouble = p.trouble or sound.failure
                self._ledger.unsounded(p, "failed" if sound.broken else "skipped", sound.failure, index)


def _need_of(p: Performance) -> Need:
    if p.class_ is BulletinClass.EMERGENCY:
        return Need.EMERGENCY
    return Need.AHEAD if p.origin == "programme" else Need.NOW


def _may_begin(p: Performance) -> bool:
    """A programme begins whole; what a person asked for now begins with what is there."""
    return p.settled or (p.origin != "programme" and p.sounds[0].playable)


def _patience_s(p: Performance) -> Seconds:
    """A planned start keeps the plan of everybody else; what a person asked for now is worth a wait."""
    waits = p.origin != "programme" and any(sound.slow and not sound.settled for sound in p.sounds)
    return WAIT_FOR_SLOW_S if waits else WAIT_FOR_DECODE_S


def _give_up(p: Performance) -> None:
    p.sounds = [sound if sound.settled else sound.failed(sound.awaits or TOO_LATE) for sound in p.sounds]
