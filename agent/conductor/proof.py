"""Proof of sound: the listener, and the tests that ask it, wired to the rest of the node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.clock import Clock
from agent.conductor.hearing import Hearing
from agent.conductor.ledger import Ledger
from agent.conductor.loop import Conductor
from agent.conductor.performance import Performance
from agent.conductor.rules import Rules
from agent.conductor.self_test import SelfTests
from agent.conductor.voice import Voice
from agent.config import Config
from agent.faults import Faults
from agent.listener.link import FromListener
from agent.worker import WorkerLink
from playlists.models.health import SelfTest
from playlists.units import Decibel


class Proof:
    """Made in two steps: the voice plays through what tells the hearing, and the tests sound through the voice."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        link: WorkerLink | None,
        faults: Faults,
    ) -> None:
        self._config = config
        self._clock = clock
        self._link = link
        self._faults = faults
        self.hearing = Hearing(clock, link, faults, self._path_gain_db, self._heard, self._measured)
        self._tests: SelfTests | None = None
        self._tell_heard: Callable[[Performance], None] | None = None

    def attach(self, voice: Voice, rules: Rules, ledger: Ledger) -> SelfTests:
        """Make the tests, which sound through this voice."""
        listener = self._config.listener
        self._tests = SelfTests(
            self._clock,
            voice,
            self.hearing,
            rules,
            ledger,
            self._faults,
            folder=self._config.paths.state,
            device=listener.device if listener else None,
            daily_at=listener.self_test_at if listener else None,
        )
        return self._tests

    def connect(self, conductor: Conductor, heard: Callable[[Performance], None]) -> None:
        """Take the listener's events, and turns of hearing and tests: to be called before the voice has its own.

        `heard(performance)` is called once for each that was heard.
        """
        self._tell_heard = heard
        conductor.on(FromListener, self.hearing.take)
        conductor.each_turn("hearing", self.hearing.turn)
        if self._tests is not None:
            conductor.each_turn("self-test", self._tests.turn)

    def start(self) -> None:
        """Start the listener's process."""
        if self._link is not None:
            self._link.start()

    def stop(self) -> None:
        """End it."""
        self.hearing.close()
        if self._link is not None:
            self._link.stop(1.0)

    def last_test(self) -> SelfTest | None:
        """What came of the last self-test."""
        return self._tests.last if self._tests is not None else None

    def _path_gain_db(self) -> Decibel | None:
        return self._tests.path_gain_db if self._tests is not None else None

    def _heard(self, p: Performance) -> None:
        if self._tell_heard is not None:
            self._tell_heard(p)

    def _measured(self, message: Mapping[str, Any]) -> None:
        if self._tests is not None:
            self._tests.measured(message)
