"""A token bucket: pure, no clock of its own. (The algorithm is older than its libraries, and six lines.)"""

from __future__ import annotations

from playlists.units import MonotonicS, Seconds


class Limiter:
    """Lets `burst` through at once, and one more each `every_s`; counts what it holds back."""

    def __init__(self, burst: int, every_s: Seconds) -> None:
        self._burst = float(burst)
        self._every_s = every_s
        self._tokens = float(burst)
        self._at: MonotonicS | None = None
        self.held_back = 0

    def allows(self, now: MonotonicS) -> bool:
        """Whether one more may pass now."""
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) / self._every_s)
        self._at = now
        if self._tokens < 1:
            self.held_back += 1
            return False
        self._tokens -= 1
        return True
