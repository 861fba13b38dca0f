"""Streams: which may be opened, which are received ahead of their turn, and how each stands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent.clock import Clock
from agent.conductor.performance import Performance, Phase
from agent.config import Streams
from agent.faults import Faults
from agent.player.link import PlayerLink
from agent.player.protocol import Forget, Receive, StreamSource
from playlists.models.health import StreamNow
from playlists.models.items import Relay, RelayItem
from playlists.streams import StreamHosts, host_of
from playlists.units import DbFs, MonotonicS, Seconds

log = logging.getLogger("loa.streams")

AHEAD = timedelta(seconds=10)
"""A station is connected so long before its turn: a server may take seconds, and sends what is past first."""

AWAY = frozenset({"stalled", "reconnecting", "silent"})
WORTH_A_FAULT = AWAY | {"howling"}


@dataclass(slots=True)
class _Stream:
    """One stream of one performance, as the player tells of it."""

    source: StreamSource
    host: str
    ahead: bool = False
    """The player has been asked to receive it before its cue."""
    arrived: bool = False
    state: str = "opening"
    reason: str | None = None
    since: MonotonicS = MonotonicS(0.0)
    """When it went away, if it is away."""


class Reception:
    """Knows the streams of all performances. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        player: PlayerLink,
        faults: Faults,
        config: Streams,
        performances: Callable[[], Mapping[str, Performance]],
        told: Callable[[str, str, str | None], None],
    ) -> None:
        """`told(performance, state, reason)` hears how streams stand."""
        self._clock = clock
        self._player = player
        self._faults = faults
        self._config = config
        self._hosts = StreamHosts.of(config.hosts)
        self._performances = performances
        self._told = told
        self._streams: dict[str, _Stream] = {}
        self.version = 0
        """Changes whenever a stream has arrived, or there is news of why it has not."""

    # ---- asked by others

    def forbids(self, items: Iterable[object]) -> str | None:
        """Why one of these items must not be opened."""
        urls = [item.relay.url for item in items if isinstance(item, RelayItem)]
        return next(filter(None, map(self._hosts.refusal, urls)), None)

    def source(self, p: Performance, item: RelayItem, fallback: str | None) -> StreamSource:
        """What the player is to receive for an item."""
        relay: Relay = item.relay
        return StreamSource(
            relay.url,
            Seconds(relay.for_s),
            fallback,
            f"{p.id}/{p.items.index(item)}",
            self._config.hosts,
            p.origin == "live",
            DbFs(self._config.dead_air_dbfs),
            Seconds(self._config.dead_air_s),
        )

    def awaited(self, source: StreamSource) -> str | None:
        """For what a live broadcast that must not begin yet still waits; None when its first samples are here."""
        stream = self._streams.get(source.key)
        if stream is not None and stream.arrived:
            return None
        why = stream.reason if stream is not None else None
        return f"no sound came from {host_of(source.url)}: {why or 'it was not connected'}"

    def now(self, p: Performance, item: int | None) -> StreamNow | None:
        """How the stream stands that an item of a performance is; None when it is none."""
        stream = self._streams.get(f"{p.id}/{item}")
        return None if stream is None else StreamNow(state=stream.state, reason=stream.reason)

    def away(self, p: Performance) -> tuple[MonotonicS, str] | None:
        """Since when nothing has come of a broadcast, and why; None when it comes, be it silence."""
        stream = self._streams.get(f"{p.id}/0")
        if stream is None or stream.state not in ("stalled", "reconnecting"):
            return None
        return stream.since, stream.reason or stream.state

    # ---- what the player says

    def absorb(self, message: Mapping[str, Any]) -> None:
        """Take a `stream` report."""
        key, state = str(message.get("key")), str(message.get("state"))
        stream = self._streams.get(key)
        if stream is None:
            return
        if state in AWAY and stream.state not in AWAY:
            stream.since = self._clock.monotonic()
        stream.reason = message.get("reason")
        if state == "ready":
            stream.arrived = True
        else:
            stream.state = state
        reason = f" ({stream.reason})" if stream.reason else ""
        log.info("stream %s of %s: %s%s", stream.host, key, state, reason)
        self._tell_fault(stream)
        self.version += 1
        if state != "opening":
            self._told(key.rpartition("/")[0], f"stream {state}", stream.reason)

    def died(self) -> None:
        """The player is gone, and what it received with it."""
        for stream in self._streams.values():
            stream.ahead = stream.arrived = False

    # ---- a turn

    def turn(self) -> MonotonicS | None:
        """Have received what is soon needed, and nothing else; returns when to ask again at the latest."""
        performances = self._performances()
        for key in list(self._streams):
            if key.rpartition("/")[0] not in performances:
                self._drop(key)
        wakes = [self._look_after(p) for p in performances.values()]
        return min((wake for wake in wakes if wake is not None), default=None)

    def _look_after(self, p: Performance) -> MonotonicS | None:
        if p.phase is Phase.PLAYING:
            for playing in self._sources(p):
                # the cue takes over what was received ahead
                self._known(playing).ahead = False
            return None
        source = self._first(p)
        if source is None:
            return None
        early = p.planned - self._clock.now() - AHEAD
        if p.origin != "live" and p.phase is not Phase.SUSPENDED and early > timedelta():
            return MonotonicS(self._clock.monotonic() + early.total_seconds())
        stream = self._known(source)
        if not stream.ahead and self._player.send(Receive(source)):
            stream.ahead, stream.arrived = True, False
        return None

    def _first(self, p: Performance) -> StreamSource | None:
        """The stream that sounds first when a performance begins or goes on."""
        place = p.broken_off[0] if p.broken_off is not None else 0
        index = p.cues[place].item if place < len(p.cues) else 0
        item = p.items[index]
        if not isinstance(item, RelayItem) or self.forbids([item]) is not None:
            return None
        if p.origin == "live":
            return self.source(p, item, None)
        found = p.sounds[index].source if index < len(p.sounds) else None
        return found if isinstance(found, StreamSource) else None

    @staticmethod
    def _sources(p: Performance) -> Iterator[StreamSource]:
        return (sound.source for sound in p.sounds if isinstance(sound.source, StreamSource))

    def _known(self, source: StreamSource) -> _Stream:
        return self._streams.setdefault(source.key, _Stream(source, host_of(source.url)))

    def _drop(self, key: str) -> None:
        stream = self._streams.pop(key)
        if stream.ahead:
            self._player.send(Forget(key))
        if all(other.host != stream.host for other in self._streams.values()):
            self._faults.clear(f"stream:{stream.host}")

    def _tell_fault(self, stream: _Stream) -> None:
        text = f"the stream from {stream.host} is {stream.state}: {stream.reason}"
        self._faults.set(f"stream:{stream.host}", text if stream.state in WORTH_A_FAULT else None)
