"""All sources of alerts of a node, independent of each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.alerts.source import Source, SourceSettings
from agent.clock import Clock
from playlists.models.health import FeedHealth
from playlists.units import Seconds


class AlertSources:
    """Follows the configured sources, each with a thread that sleeps between polls.

    Args:
        configs: the `[[alert_sources]]` of the configuration.
        state_dir: for what must survive a restart.
        post: takes this room's events; called from several threads.
        clock: judges certificates.
    """

    def __init__(
        self, configs: Sequence[SourceSettings], state_dir: Path, post: Callable[[Any], None], clock: Clock
    ) -> None:
        self._sources = {
            config.name: Source(config, state_dir / "alert-sources" / config.name, post, clock)
            for config in configs
        }

    def start(self) -> None:
        """Begin to ask."""
        for source in self._sources.values():
            source.start()

    def poll(self) -> None:
        """Ask all of them now."""
        for source in self._sources.values():
            source.poll()

    def stop(self, deadline_s: Seconds = Seconds(5)) -> None:
        """End, breaking off what is under way."""
        stoppers = [
            threading.Thread(target=source.stop, args=(deadline_s,), daemon=True)
            for source in self._sources.values()
        ]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join(2 * deadline_s)

    def state(self) -> dict[str, FeedHealth]:
        """How each source stands."""
        return {name: source.health() for name, source in self._sources.items()}
