"""What the node knows of the time: the wall clock, how far it may be believed, and its jumps.

The wall clock has three states. `synchronised`: the kernel's clock is being disciplined (adjtimex(2) does
not report STA_UNSYNC), or the technician vouches for it. `restored`: nobody disciplines it, but it is not
behind anything we know. `unset`: it is behind the last good time or behind the day this agent was written.

The **last good time** is a moment that has certainly passed. It follows the wall clock only while that is
synchronised, otherwise the monotonic clock carries it on; so a wall clock that is merely wrong never moves
it, and it never runs backwards, also not over a restart.

What is asked of the kernel is in `agent.kernel_clock`.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from agent.files import write_atomically
from agent.kernel_clock import JumpWatch, discipline
from playlists.models.base import ClockState
from playlists.models.record import ClockReading
from playlists.units import MonotonicS, Seconds

BUILT: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""No honest clock shows a time before this agent was written."""

SLACK_S: Final = Seconds(2.0)
"""A clock this little behind the last good time is not wrong, only being slewed."""

LONGEST_LEAP: Final = timedelta(days=1_000)
"""A synchronised clock that is further ahead than that does not move the last good time: a time server that
says 2036 once would otherwise leave the node unset for ten years. Staying behind is always safe."""

LAST_GOOD_FILE: Final = "last-good-time"

_log = logging.getLogger("loa.clock")


@dataclass(frozen=True)
class ClockJumped:
    """The wall clock was set; by how much is an estimate, positive is forward."""

    by_s: Seconds


Post = Callable[[ClockJumped], None]


class Clock(ABC):
    """Contract of all clocks. Thread-safe."""

    @abstractmethod
    def now(self) -> datetime:
        """The wall clock in UTC, right or wrong: see `state`."""

    @abstractmethod
    def monotonic(self) -> MonotonicS:
        """Seconds that never run backwards: for durations and time-outs."""

    @property
    @abstractmethod
    def state(self) -> ClockState:
        """How far the wall clock may be believed now."""

    @property
    @abstractmethod
    def error_s(self) -> Seconds | None:
        """Largest error of a synchronised clock as the kernel estimates it; None where nobody knows."""

    @property
    @abstractmethod
    def last_good(self) -> datetime:
        """A moment in UTC that has certainly passed; never runs backwards."""

    @abstractmethod
    def save(self) -> None:
        """Keep the last good time over a restart; to be called every few minutes and at the end.

        Raises:
            OSError: it cannot be written; nothing else is lost.
        """

    @abstractmethod
    def watch_jumps(self, post: Post) -> None:
        """Post `ClockJumped` at once whenever the wall clock is set, until `close`."""

    @abstractmethod
    def close(self) -> None:
        """Stop watching."""

    def reading(self) -> ClockReading:
        """State and error, as records and health carry them."""
        return ClockReading(state=self.state, error_s=self.error_s)

    @property
    def judged(self) -> datetime:
        """The moment in UTC by which it is judged what has expired.

        Neither a clock that is behind nor, while nobody disciplines it, one that is ahead changes it: it never
        runs backwards, and an alert is not taken for over because a battery has run down.
        """
        if self.state is ClockState.SYNCHRONISED:
            return max(self.now(), self.last_good)
        return self.last_good


class SystemClock(Clock):
    """The machine's clock."""

    def __init__(self, state_dir: Path, *, vouched: bool = False) -> None:
        """Read the last good time from `state_dir`, which must exist.

        `vouched` says that something keeps the clock right without telling the kernel (a hypervisor, a
        GPS-fed RTC): it counts as synchronised as long as it is not behind the last good time.
        """
        self._path = state_dir / LAST_GOOD_FILE
        self._vouched = vouched
        self._lock = threading.Lock()
        self._good = max(_read_time(self._path), BUILT)
        self._good_at = time.monotonic()
        self._watch: JumpWatch | None = None

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> MonotonicS:
        return MonotonicS(time.monotonic())

    @property
    def state(self) -> ClockState:
        return self._look()[0]

    @property
    def error_s(self) -> Seconds | None:
        return self._look()[1]

    def reading(self) -> ClockReading:
        state, error_s = self._look()
        return ClockReading(state=state, error_s=error_s)

    @property
    def last_good(self) -> datetime:
        self._look()
        with self._lock:
            return self._good

    def save(self) -> None:
        write_atomically(self._path, (self.last_good.isoformat() + "\n").encode())

    def watch_jumps(self, post: Post) -> None:
        if self._watch is None:
            self._watch = JumpWatch(lambda by_s: post(ClockJumped(by_s)))

    def close(self) -> None:
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def _look(self) -> tuple[ClockState, Seconds | None]:
        disciplined, error_s = discipline()
        with self._lock:
            wall, monotonic = self.now(), time.monotonic()
            self._good += timedelta(seconds=monotonic - self._good_at)
            self._good_at = monotonic
            if wall < self._good - timedelta(seconds=SLACK_S):
                return ClockState.UNSET, None
            if disciplined or self._vouched:
                self._good = _carried(self._good, wall)
                return ClockState.SYNCHRONISED, error_s
            return ClockState.RESTORED, None


class FakeClock(Clock):
    """A clock that only moves when told. Monotonic and wall clock start at what is given."""

    def __init__(
        self,
        now: datetime = datetime(2026, 11, 23, 5, 0, tzinfo=UTC),
        state: ClockState = ClockState.SYNCHRONISED,
        error_s: Seconds | None = None,
    ) -> None:
        self._now = now.astimezone(UTC)
        self._monotonic = 1_000.0
        self._state = state
        self._error_s = error_s
        self._good = self._now
        self.saved: datetime | None = None
        self._posts: list[Post] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> MonotonicS:
        return MonotonicS(self._monotonic)

    @property
    def state(self) -> ClockState:
        behind = self._now < self._good - timedelta(seconds=SLACK_S)
        return ClockState.UNSET if behind else self._state

    @property
    def error_s(self) -> Seconds | None:
        return self._error_s if self.state is ClockState.SYNCHRONISED else None

    @property
    def last_good(self) -> datetime:
        return self._good

    def save(self) -> None:
        self.saved = self._good

    def watch_jumps(self, post: Post) -> None:
        self._posts.append(post)

    def close(self) -> None:
        self._posts.clear()

    def become(self, state: ClockState) -> None:
        """Change the state; a clock that becomes synchronised carries the last good time along."""
        self._state = state
        self._settle()

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: `seconds` is negative: only `jump` goes back.
        """
        if seconds < 0:
            raise ValueError("time passes forwards; use jump to set the wall clock back")
        self._monotonic += seconds
        self._now += timedelta(seconds=seconds)
        self._good += timedelta(seconds=seconds)
        self._settle()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as NTP or a technician would, and tell the watchers."""
        self._now += timedelta(seconds=seconds)
        self._settle()
        for post in list(self._posts):
            post(ClockJumped(Seconds(seconds)))

    def _settle(self) -> None:
        if self.state is ClockState.SYNCHRONISED:
            self._good = _carried(self._good, self._now)


def _carried(good: datetime, wall: datetime) -> datetime:
    """The last good time after a synchronised wall clock was seen."""
    return wall if timedelta() < wall - good <= LONGEST_LEAP else good


def _read_time(path: Path) -> datetime:
    try:
        return datetime.fromisoformat(path.read_text(encoding="ascii").strip()).astimezone(UTC)
    except FileNotFoundError:
        return BUILT
    except (OSError, ValueError) as error:
        _log.warning(
            "%s cannot be read (%s): the last good time begins again at %s", path, error, BUILT.date()
        )
        return BUILT
