"""The self-test: amplifier on, a few soft tones, and what of them comes back to the microphone.

It is a performance like all others, of the lowest rank: hours, mutes, loudness and relays are the voice's
business. It gives way to whatever else wants to sound.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.conductor.daily import Daily
from agent.conductor.hearing import Hearing
from agent.conductor.ledger import Ledger
from agent.conductor.performance import Performance, Phase, ToneItem
from agent.conductor.rules import Rules
from agent.conductor.voice import Told, Voice
from agent.faults import Faults
from agent.listener.reference import Reference, read_reference, write_reference
from agent.tones import FUNDAMENTAL, PROBE, TONES
from playlists.arbiter import Rank, Source
from playlists.models.base import BulletinClass
from playlists.models.command import ReceiptState
from playlists.models.health import SelfTest, ToneHeard
from playlists.self_test import Judgement, ToneMeasured, judge, path_gain_db
from playlists.units import DbFs, Decibel, Level, MonotonicS

log = logging.getLogger("loa.self-test")

CLEAR_AHEAD = timedelta(seconds=20)
"""What starts within this time must find the output free."""

OPENS_WITHIN_S = 15.0
ANSWERS_WITHIN_S = 10.0
"""After the last tone."""

NO_LISTENER = "this node has no listener ([listener] in the configuration)"


class Step(Enum):
    """Where a test stands."""

    OPENING = "waits for the microphone"
    SOUNDING = "sounds"
    MEASURING = "waits for what came back"


@dataclass(slots=True)
class Asked:
    """Who asked for a test, and hears what becomes of it."""

    by: str
    tell: Callable[[ReceiptState, str | None], None]
    """State of a receipt, and the reason."""
    command: str | None = None
    feed: str | None = None
    take_reference: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last test ended, and what came back, if it came to that."""

    state: ReceiptState
    reason: str
    result: SelfTest | None


@dataclass(slots=True)
class _Test:
    asked: Asked
    p: Performance
    step: Step
    by: MonotonicS
    """When the step must be over."""
    gain_db: float = 0.0


class SelfTests:
    """Runs one test at a time. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        voice: Voice,
        hearing: Hearing,
        rules: Rules,
        ledger: Ledger,
        faults: Faults,
        *,
        folder: Path,
        device: str | None,
        daily_at: str | None,
    ) -> None:
        """The reference lies in `folder`. `device` names the microphone, None: there is none.

        `daily_at`: wall time of a test each day, in the node's zone.
        """
        self._clock = clock
        self._voice = voice
        self._hearing = hearing
        self._rules = rules
        self._ledger = ledger
        self._faults = faults
        self._folder = folder
        self._device = device
        self._daily = Daily(clock, rules.policy.zone, daily_at, self._begin_daily) if daily_at else None
        self._numbers = itertools.count(1)
        self._test: _Test | None = None
        self.reference = read_reference(folder, device) if device is not None else None
        self.last: SelfTest | None = None
        self.outcome: Outcome | None = None

    @property
    def path_gain_db(self) -> Decibel | None:
        """What the microphone hears of the output when all is well."""
        return path_gain_db(self.reference.gains_db) if self.reference is not None else None

    @property
    def runs(self) -> bool:
        """Whether a test is under way."""
        return self._test is not None

    # ---- what is asked

    def begin(self, asked: Asked) -> str | None:
        """Begin a test; returns why not. What becomes of it is told to `asked`."""
        now = self._clock.now()
        name = f"self-test/{now:%H%M%S}-{next(self._numbers)}"
        p = Performance(
            id=name,
            origin="self-test",
            class_=BulletinClass.ROUTINE,
            rank=Rank(BulletinClass.ROUTINE, Source.FILLER, 0, Level(0), now, name),
            planned=now,
            items=[ToneItem(PROBE)],
            title="self-test",
            on_conflict="skip",
            feed=asked.feed,
            command=asked.command,
        )
        refused = self._why_not(p, now)
        if refused is None:
            self._hearing.listen("self-test")
            by = MonotonicS(self._clock.monotonic() + OPENS_WITHIN_S)
            self._test = _Test(asked, p, Step.OPENING, by)
            log.info("self-test for %s", asked.by)
        return refused

    def _why_not(self, p: Performance, now: datetime) -> str | None:
        if not self._hearing.present:
            return NO_LISTENER
        if self._test is not None:
            return "a self-test runs already"
        rule = self._rules.may_not_sound(p, now)
        if rule is not None:
            return f"policy: {rule}"
        other = self._in_the_way(now + CLEAR_AHEAD)
        return None if other is None else f"{other.title or other.id} sounds or is about to"

    def _in_the_way(self, until: datetime) -> Performance | None:
        """What else sounds, waits or starts until then."""
        return next(
            (p for p in self._voice.performances.values() if p.origin != "self-test" and p.planned <= until),
            None,
        )

    # ---- a turn

    def turn(self) -> MonotonicS | None:
        """Go a step on; returns when to ask again at the latest. To be asked before the voice."""
        daily = self._daily.turn() if self._daily is not None else None
        test = self._test
        if test is None:
            return daily
        now, mono = self._clock.now(), self._clock.monotonic()
        other = self._in_the_way(now + timedelta(seconds=1))
        if test.step is not Step.MEASURING and other is not None:
            self._give_up(f"gives way to {other.title or other.id}", "interrupted")
        elif test.p.phase is Phase.SUSPENDED:
            self._give_up("cut off", "interrupted")
        elif test.step is Step.OPENING and self._hearing.is_open:
            test.step, test.by = Step.SOUNDING, MonotonicS(math.inf)
            test.p.planned = now
            self._voice.add(test.p)
        elif mono >= test.by:
            why = self._hearing.trouble or "it does not answer"
            self._give_up(f"the microphone did not do its part: {why}", "failed")
        else:
            return min((at for at in (daily, test.by) if at is not None), default=None)
        return mono

    def told(self, p: Performance, told: Told) -> None:
        """The voice says what became of the tones."""
        test = self._test
        if test is None or test.p is not p:
            return
        if told.state == "started" and told.at is not None:
            at = told.at
            test.gain_db = self._rules.gain_db(p, self._clock.now())
            tones = [
                {"at": at + note.at_s, "hz": note.hz, "length_s": note.length_s}
                for note in TONES[PROBE].notes
            ]
            self._hearing.measure(p.id, tones)
            test.by = MonotonicS(at + TONES[PROBE].length_s + ANSWERS_WITHIN_S)
            test.asked.tell("started", None)
        elif told.state == "finished":
            test.step = Step.MEASURING
        elif told.state in ("interrupted", "failed"):
            self._end(told.state, told.reason or "the tones did not sound")

    def measured(self, message: Mapping[str, Any]) -> None:
        """The listener says what came back."""
        test = self._test
        if test is None or test.p.id != message.get("id"):
            return
        if message.get("reason") is not None:
            self._end("failed", str(message["reason"]))
            return
        tones = [
            ToneMeasured(
                float(tone["hz"]),
                DbFs(20.0 * math.log10(note.amplitude * FUNDAMENTAL) + test.gain_db),
                DbFs(float(tone["level_dbfs"])),
                DbFs(float(tone["noise_dbfs"])),
            )
            for tone, note in zip(message["tones"], TONES[PROBE].notes, strict=True)
        ]
        clipped = bool(message.get("clipped"))
        known = self.reference.gains_db if self.reference is not None else None
        judgement = judge(tones, known, clipped=clipped)
        if test.asked.take_reference:
            judgement = self._take_reference(tones, clipped=clipped)
        self._note(tones, judgement)
        if judgement.came_back:
            test.asked.tell("heard", None)
        good = judgement.verdict in ("good", "no-reference")
        self._end("finished" if good else "failed", judgement.text, self.last)

    # ---- inside

    def _take_reference(self, tones: list[ToneMeasured], *, clipped: bool) -> Judgement:
        judgement = judge(tones, None, clipped=clipped)
        if judgement.verdict != "no-reference":
            return judgement
        if not all(tone.present for tone in tones):
            return Judgement("unclear", "not all tones came back: this is no reference, the old one stays")
        gains = {tone.hz: Decibel(round(tone.gain_db, 1)) for tone in tones}
        reference = Reference(self._clock.now().astimezone(), self._device or "", gains)
        try:
            write_reference(self._folder, reference)
        except OSError as error:
            return Judgement("no-reference", f"the reference cannot be kept: {error}")
        self.reference = reference
        return judge(tones, gains)

    def _note(self, tones: list[ToneMeasured], judgement: Judgement) -> None:
        changes = judgement.changes_db or {}
        self.last = SelfTest(
            at=self._clock.now().astimezone(),
            verdict=judgement.verdict,
            change_db=judgement.change_db,
            text=judgement.text,
            tones=tuple(
                ToneHeard(
                    hz=tone.hz,
                    heard_dbfs=tone.heard_dbfs if tone.present else None,
                    change_db=changes.get(tone.hz),
                )
                for tone in tones
            ),
        )
        if judgement.verdict != "unclear":
            self._faults.set("self-test", judgement.fault)

    def _begin_daily(self, *, last: bool) -> bool:
        refused = self.begin(Asked("the configuration", lambda _state, _reason: None))
        if refused is not None and last:
            self._ledger.remark(f"no self-test today: {refused}")
        return refused is None

    def _give_up(self, reason: str, state: ReceiptState) -> None:
        """End it before its end."""
        test = self._test
        if test is None:
            return
        self._end(state, reason)
        if test.p.id in self._voice.performances:
            self._voice.withdraw(test.p, reason)

    def _end(self, state: ReceiptState, reason: str, result: SelfTest | None = None) -> None:
        test, self._test = self._test, None
        if test is None:
            return
        self.outcome = Outcome(state, reason, result)
        log.info("self-test %s: %s", state, reason)
        asked = test.asked
        self._ledger.remark(
            f"self-test by {asked.by} {state}: {reason}",
            kind="command" if asked.command else "system",
            command=asked.command,
            feed=asked.feed,
        )
        asked.tell(state, reason)
        self._hearing.rest("self-test")
