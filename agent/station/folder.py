"""What lies where in a station's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folder:
    """Paths of one station; nothing is made or read here."""

    path: Path

    @property
    def authoring(self) -> Path:
        """What the officer writes: TOML texts, `media/` with recordings and pictures, `board/` for the board."""
        return self.path / "authoring"

    @property
    def keys(self) -> Path:
        """Private keys, one PEM file each, for nobody else's eyes."""
        return self.path / "keys"

    @property
    def feed(self) -> Path:
        """The signed feed, to be served by any static web host."""
        return self.path / "feed"

    @property
    def root(self) -> Path:
        """The trusted root, to be handed to each node."""
        return self.path / "root.json"

    @property
    def releases(self) -> Path:
        """Release archives of the agent that are published with the feed."""
        return self.path / "releases"

    @property
    def alerts(self) -> Path:
        """The feed of signed alerts, beside the schedules."""
        return self.feed / "alerts"

    def certificate(self, name: str) -> Path:
        """The certificate of a key for alerts, to be handed to each node."""
        return self.path / f"{name}.pem"

    @property
    def cache(self) -> Path:
        """Rendered speech and measured loudness; may be deleted at any time."""
        return self.path / "cache"

    @property
    def database(self) -> Path:
        """What the nodes reported."""
        return self.path / "station.db"
