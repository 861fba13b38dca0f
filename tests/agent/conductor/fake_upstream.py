"""Uplink, gate, and what starts and stops by itself, as the conductor sees them."""

from __future__ import annotations

from dataclasses import dataclass, field

from playlists.models.command import Receipt
from playlists.models.health import Health
from playlists.units import MonotonicS, Seconds


@dataclass
class FakeUplink:
    """Remembers what would have gone up."""

    receipts: list[Receipt] = field(default_factory=list)
    healths: list[Health] = field(default_factory=list)
    connected: bool = True
    answered: tuple[Seconds, MonotonicS] | None = None
    started: bool = False

    def start(self) -> None:
        self.started = True

    def stop(self, deadline_s: float = 2.0) -> None:
        """Nothing to stop."""

    def receipt(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    def publish_health(self, health: Health) -> None:
        self.healths.append(health)

    def picture(self, data: bytes, command: str) -> None:
        """Nobody looks at it."""

    def logs(self, data: bytes, command: str) -> None:
        """Nobody reads them."""


class FakeGate:
    """Remembers who is trusted."""

    def __init__(self) -> None:
        self.trusted: dict[str, object] = {}

    def trust(self, feed: str, operators: object, ceiling: object) -> None:
        self.trusted[feed] = operators


class Nothing:
    """Stands for what starts, recurs and stops by itself."""

    def start(self) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""

    def add(self, name: str, interval_s: float, jitter_s: float = 0.0) -> None:
        """Nothing."""

    def realign(self) -> None:
        """Nothing."""
