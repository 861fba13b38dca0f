"""The way to the centre, as the conductor sees it: also on a node that has no broker at all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.feeds.feeds import Feeds
from agent.logs import RecentLines
from agent.uplink.errors import UplinkError
from agent.uplink.events import CommandRefused, CommandVerified, FeedHint, LinkDown, LinkUp
from agent.uplink.uplink import Uplink
from playlists.models.command import Command, Receipt
from playlists.models.health import Health
from playlists.units import MonotonicS

log = logging.getLogger("loa.uplink")


class Upstream:
    """Sends what goes up, and passes on what comes down. Runs on the conductor's thread only."""

    def __init__(self, uplink: Uplink | None, feeds: Feeds, recent: RecentLines, clock: Clock) -> None:
        self._uplink = uplink
        self._feeds = feeds
        self._recent = recent
        self._clock = clock
        self._broken_because = ""
        self._since = clock.monotonic()

    def handlers(self, obey: Callable[[Command], None]) -> dict[type, Callable[..., None]]:
        """Which event goes where."""
        return {
            CommandVerified: lambda e: obey(e.command),
            CommandRefused: lambda e: log.warning(
                "command %s refused: %s %s", e.command_id, e.reason, e.text
            ),
            FeedHint: lambda e: self._feeds.poll(e.feed),
            LinkUp: self._up,
            LinkDown: self._down,
        }

    @property
    def state(self) -> str:
        """The link in a few words."""
        if self._uplink is None:
            return "no broker is configured"
        if self._uplink.connected:
            return "connected"
        return f"not connected ({self._broken_because or 'connecting'})"

    def to_json(self) -> dict[str, Any] | None:
        """The link for the control socket; None without a broker."""
        if self._uplink is None:
            return None
        answered = self._uplink.answered
        connected = self._uplink.connected
        return {
            "connected": connected,
            "since": self._wall(self._since),
            "reason": None if connected else self._broken_because or "connecting",
            "latency_ms": round(answered[0] * 1_000, 1) if answered else None,
            "answered": self._wall(answered[1]) if answered else None,
        }

    def _wall(self, at: MonotonicS) -> str:
        ago = timedelta(seconds=self._clock.monotonic() - at)
        return (self._clock.now() - ago).astimezone().isoformat(timespec="seconds")

    def start(self) -> None:
        """Connect, and stay connected."""
        if self._uplink is not None:
            self._uplink.start()

    def stop(self) -> None:
        """Say goodbye, within two seconds."""
        if self._uplink is not None:
            self._uplink.stop(2.0)

    def health(self, health: Health) -> None:
        """Send health."""
        if self._uplink is not None:
            self._uplink.publish_health(health)

    def receipt(self, receipt: Receipt) -> None:
        """Answer a command."""
        if self._uplink is not None:
            self._uplink.receipt(receipt)

    def picture(self, command: str, path: Path) -> str | None:
        """Send a picture that a command asked for; returns why not."""
        return self._send(lambda uplink: uplink.picture(path.read_bytes(), command))

    def logs(self, command: str) -> str | None:
        """Send the newest lines of the agent's log; returns why not."""
        return self._send(lambda uplink: uplink.logs(self._recent.compressed(), command))

    def _send(self, act: Callable[[Uplink], None]) -> str | None:
        if self._uplink is None:
            return self.state
        try:
            act(self._uplink)
        except (OSError, UplinkError) as error:
            return str(error)
        return None

    def _up(self, _event: LinkUp) -> None:
        log.info("connected to the broker")
        self._since = self._clock.monotonic()
        # a hint may have been missed meanwhile
        self._feeds.poll()

    def _down(self, event: LinkDown) -> None:
        log.warning("the link to the broker is down: %s", event.reason)
        self._broken_because = event.reason
        self._since = self._clock.monotonic()
