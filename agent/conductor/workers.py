"""The worker processes and threads: their messages, their death, and proof that each makes progress."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.conductor.events import ThreadDied
from agent.conductor.playback import Playback
from agent.conductor.reception import Reception
from agent.conductor.stage import Stage
from agent.conductor.voice import Voice
from agent.faults import Faults
from agent.player.link import PlayerLink
from agent.screen.protocol import ping_message
from agent.worker import WorkerDied, WorkerLink, WorkerSaid, WorkerStarted
from playlists.units import MonotonicS

log = logging.getLogger("loa.workers")

PING_EACH_S = 2.5
SLOW = 2
"""A worker that owes so many answers is a fault: some seven seconds after it has stopped answering."""

UNANSWERED = 12
"""A worker that owes so many is stuck for good and is killed: a worn card can hold one up for long."""


class Workers:
    """Hears the workers for the voice and the stage. Runs on the conductor's thread only."""

    def __init__(
        self,
        player: PlayerLink,
        screen: WorkerLink | None,
        voice: Voice,
        playback: Playback,
        reception: Reception,
        stage: Stage,
        faults: Faults,
        alive: Callable[[], None],
        works: Callable[[], bool],
    ) -> None:
        """`alive` is called whenever every worker has made progress: it feeds the watchdog.

        `works()` is whether the conductor's own parts do.
        """
        self._player = player
        self._screen = screen
        self._voice = voice
        self._playback = playback
        self._reception = reception
        self._stage = stage
        self._faults = faults
        self._alive = alive
        self._works = works
        self._thread_died = False
        self._screen_pings = 0
        self._screen_pong = 0
        self._closing = False

    def close(self) -> None:
        """From now on their ends are meant."""
        self._closing = True

    def handlers(self) -> dict[type, Callable[..., None]]:
        """Which event goes where."""
        return {
            WorkerStarted: self._started,
            WorkerSaid: self._said,
            WorkerDied: self._died,
            ThreadDied: self._lost_thread,
        }

    def ping(self) -> None:
        """Ask each for a sign of life; kill what has not answered for long; else feed the watchdog."""
        stuck = False
        if self._player.alive and self._owes("player", self._player.unanswered()):
            self._player.kill("stuck: it does not answer")
            stuck = True
        if self._screen is not None and self._screen.alive:
            if self._owes("screen", self._screen_pings - self._screen_pong):
                self._screen.kill("stuck: it does not answer")
                stuck = True
            self._screen_pings += 1
            self._screen.send(ping_message(self._screen_pings))
        self._player.ping()
        if not stuck and not self._thread_died and self._works():
            self._alive()

    def _owes(self, name: str, answers: int) -> bool:
        """State that a worker is slow, or is not; whether it is stuck."""
        code = f"stuck-{name}"
        if answers >= SLOW:
            self._faults.raise_(
                code, f"the {name} process has not answered for {answers * PING_EACH_S:.0f} s"
            )
        else:
            self._faults.clear(code)
        return answers >= UNANSWERED

    def turn(self) -> MonotonicS | None:
        """Look whether the player gets on while it should sound."""
        return self._playback.watch()

    def _started(self, event: WorkerStarted) -> None:
        log.info("%s runs as process %d", event.name, event.pid, extra={"loa_worker": event.name})
        if event.name != "player":
            self._screen_pings = self._screen_pong = 0

    def _said(self, event: WorkerSaid) -> None:
        if event.name == "player" and event.message.get("event") == "stream":
            self._reception.absorb(event.message)
        elif event.name == "player":
            finished = self._playback.absorb(event.message)
            if finished is not None:
                self._voice.finished(*finished)
        elif event.message.get("event") == "pong":
            self._screen_pong = int(event.message.get("n", 0))
            self._stage.presented(int(event.message.get("frames", 0)), int(event.message.get("late", 0)))
        else:
            self._stage.absorb(event.message)

    def _died(self, event: WorkerDied) -> None:
        if self._closing:
            return
        log.warning("%s ended: %s", event.name, event.reason, extra={"loa_worker": event.name})
        self._faults.clear(f"stuck-{event.name}")
        if event.name == "player":
            self._reception.died()
            self._playback.died(event.reason)
        else:
            self._stage.died(event.reason)

    def _lost_thread(self, event: ThreadDied) -> None:
        """A room has lost its thread: the watchdog is fed no more, and systemd starts the agent afresh."""
        self._thread_died = True
        self._faults.raise_(f"thread-{event.name}", f"its thread ended: {event.error}")
