"""How many bytes went over the network today: a SIM's data plan pays for each, whoever on the machine used it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from agent.conductor.memory import Memory
from drivers.traffic import Counters, read_counters

KEY: Final = "traffic"


class Traffic:
    """Adds up what the counters grow by, a day at a time, over restarts. Runs on the conductor's thread only."""

    def __init__(
        self,
        now: Callable[[], datetime],
        zone: ZoneInfo,
        boot: str,
        memory: Memory,
        read: Callable[[], Counters | None] = read_counters,
    ) -> None:
        """`boot` names the time since power-on: with another one the counters have begun anew at 0."""
        self._now = now
        self._zone = zone
        self._boot = boot
        self._memory = memory
        self._read = read
        self._day = self._today()
        self._sums = Counters()
        self._last = read() or Counters()
        self._take_up(memory.get(KEY))

    def measure(self) -> Counters:
        """Bytes of today, until now. What passed midnight unmeasured counts for the new day."""
        found = self._read()
        if found is not None:
            grown = Counters(_grown(self._last.received, found.received), _grown(self._last.sent, found.sent))
            today = self._today()
            if today != self._day:
                self._day, self._sums = today, Counters()
            self._sums = Counters(self._sums.received + grown.received, self._sums.sent + grown.sent)
            self._last = found
        return self._sums

    def save(self) -> None:
        """Keep it over a restart."""
        self.measure()
        self._memory.put(
            KEY,
            {
                "day": self._day,
                "boot": self._boot,
                "received": self._sums.received,
                "sent": self._sums.sent,
                "counted": [self._last.received, self._last.sent],
            },
        )

    def to_json(self) -> dict[str, Any]:
        """For the control socket."""
        sums = self.measure()
        midnight = datetime.combine(self._now().astimezone(self._zone), time(), self._zone)
        return {"since": midnight.isoformat(), "received_bytes": sums.received, "sent_bytes": sums.sent}

    def _today(self) -> str:
        return f"{self._now().astimezone(self._zone):%Y-%m-%d}"

    def _take_up(self, kept: Any) -> None:
        try:
            if kept is None or kept["day"] != self._day:
                return
            self._sums = Counters(int(kept["received"]), int(kept["sent"]))
            if kept["boot"] == self._boot:
                self._last = Counters(*map(int, kept["counted"]))
        except (KeyError, TypeError, ValueError):
            self._sums = Counters()


def _grown(before: int, now: int) -> int:
    return now - before if now >= before else now  # an interface was taken out, or came anew
