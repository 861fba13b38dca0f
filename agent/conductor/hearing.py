"""Whether what sounds is heard: tells the listener when to listen, and believes it when it is sure.

"Sounded", "amplifier on" and "heard" stay three claims. Without a listener, or where it cannot tell, the third is
None.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from agent.clock import Clock
from agent.conductor.performance import Performance
from agent.faults import Faults
from agent.listener.link import FromListener
from agent.worker import WorkerDied, WorkerLink, WorkerSaid, WorkerStarted
from playlists.units import DbFs, Decibel, MonotonicS, Seconds

log = logging.getLogger("loa.listener")

SURE = 0.7
"""A verdict of this correlation counts alone; others when the next one says the same."""

STUCK_AFTER_S = Seconds(15.0)
"""A listener that should listen and says nothing for so long is killed: a driver hangs."""

NOT_HEARD = "what is put out is not heard by the microphone: are amplifier and loudspeakers on?"


class Hearing:
    """The conductor's view of the listener. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        link: WorkerLink | None,
        faults: Faults,
        path_gain_db: Callable[[], Decibel | None],
        heard: Callable[[Performance], None],
        measured: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """`path_gain_db()` is what the microphone hears of the output when all is well, where that is known.

        `heard(performance)` is called once for each that was heard; `measured(message)` with the tones that
        were found again.
        """
        self._clock = clock
        self._link = link
        self._faults = faults
        self._path_gain_db = path_gain_db
        self._told_heard = heard
        self._measured = measured
        self._wanted: set[str] = set()
        self._said_at: MonotonicS | None = None
        self.is_open = False
        """Whether the microphone is open."""
        self.trouble: str | None = None
        """Why it is not."""
        self._cue: tuple[Performance, int, MonotonicS] | None = None
        self._last: bool | None = None
        self._levels: list[float] = []
        self._missed = 0
        self._closing = False
        self.now: tuple[bool | None, DbFs | None] = (None, None)
        """Whether what sounds now is heard, and its level at the microphone."""

    @property
    def present(self) -> bool:
        """Whether this node has a listener at all."""
        return self._link is not None

    # ---- what it is told

    def listen(self, wanted_by: str = "playback") -> None:
        """Something is about to sound."""
        first = not self._wanted
        self._wanted.add(wanted_by)
        if self._link is not None and first:
            self._said_at = self._clock.monotonic()
            self._tell_listen()

    def rest(self, wanted_by: str = "playback") -> None:
        """It is wanted no more by whoever wanted it; when nobody does, the microphone is closed."""
        if wanted_by not in self._wanted:
            return
        self._wanted.remove(wanted_by)
        if self._link is not None and not self._wanted:
            self.is_open = False
            self._link.send({"op": "rest"})

    def put_out(self, message: Mapping[str, Any]) -> None:
        """The player tells what leaves."""
        if self._link is not None:
            self._link.send({"op": "put-out", "at": message.get("at"), "bands": message.get("bands")})

    def measure(self, id_: str, tones: list[dict[str, float]]) -> None:
        """Have tones that sound now found again; the answer comes by `measured`."""
        if self._link is not None:
            self._link.send({"op": "measure", "id": id_, "tones": tones})

    def began(self, p: Performance, cue: int, at: MonotonicS) -> None:
        """A cue sounds."""
        if p.origin != "self-test":  # it has a judgement of its own
            self._cue = (p, cue, at)
            self._levels, self._missed = [], 0
            self.now = (None, None)

    def ended(self, p: Performance, cue: int) -> dict[str, Any]:
        """A cue has ended; returns what its record says of it."""
        if self._cue is None or self._cue[0] is not p or self._cue[1] != cue:
            return {}
        self._cue, self.now = None, (None, None)
        heard = self._so_far()
        return {"heard": heard, "heard_dbfs": self._level() if heard else None}

    def close(self) -> None:
        """From now on its end is meant."""
        self._closing = True

    # ---- what it says

    def take(self, told: FromListener) -> None:
        """Take what the listener's link tells."""
        match told.event:
            case WorkerStarted():
                self._said_at = self._clock.monotonic()
                if self._wanted:
                    self._tell_listen()
            case WorkerSaid(message=message):
                self._said_at = self._clock.monotonic()
                self._absorb(message)
            case WorkerDied(reason=reason) if not self._closing:
                self.is_open = False
                self._troubled(f"the listener process ended ({reason}); it is being started again")

    def turn(self) -> MonotonicS | None:
        """Kill a listener that should listen and says nothing; returns when to look again."""
        if self._link is None or not self._wanted or self._said_at is None:
            return None
        by = MonotonicS(self._said_at + STUCK_AFTER_S)
        if self._clock.monotonic() < by:
            return by
        self._said_at = self._clock.monotonic()
        self._link.kill(f"said nothing for {STUCK_AFTER_S:.0f} s")
        return MonotonicS(self._said_at + STUCK_AFTER_S)

    def _tell_listen(self) -> None:
        if self._link is not None:
            self._link.send({"op": "listen", "path_gain_db": self._path_gain_db()})

    def _absorb(self, message: Mapping[str, Any]) -> None:
        match message.get("event"):
            case "ready" if not self._wanted:
                self._fine()
            case "open":
                self.is_open = True
                self._fine()
            case "lost":
                self.is_open = False
                self._last = None
                self.now = (None, None)
                self._troubled(f"the microphone is lost: {message.get('reason')}")
            case "verdict":
                self._verdict(message)
            case "measured":
                self._measured(message)
            case _:
                pass

    def _troubled(self, text: str) -> None:
        self.trouble = text
        self._faults.raise_("listener", text)

    def _fine(self) -> None:
        self.trouble = None
        self._faults.clear("listener")

    def _verdict(self, message: Mapping[str, Any]) -> None:
        heard = message.get("heard")
        sure = float(message.get("correlation", 0.0)) >= SURE or heard == self._last
        self._last = heard
        if self._cue is None or heard is None or not sure:
            return
        p, _, since = self._cue
        if float(message["until"]) - since < float(message["sound_s"]) / 2:
            return  # most of what was compared is of what sounded before
        if heard:
            level = float(message["level_dbfs"])
            self._levels.append(level)
            self.now = (True, DbFs(level))
            self._faults.clear("not-heard")
            if not p.heard:
                p.heard = True
                self._told_heard(p)
        else:
            self._missed += 1
            self.now = (False, None)
            self._faults.raise_("not-heard", NOT_HEARD)

    def _so_far(self) -> bool | None:
        if not self._levels and not self._missed:
            return None
        return len(self._levels) >= self._missed

    def _level(self) -> DbFs:
        mean = sum(10.0 ** (level / 10.0) for level in self._levels) / len(self._levels)
        return DbFs(round(10.0 * math.log10(mean), 1))
