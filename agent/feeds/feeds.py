"""All feeds of a node, independent of each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.clock import Clock
from agent.feeds.events import FeedEvent
from agent.feeds.folder import Folder
from agent.feeds.follower import Brought, FeedSettings, Follower
from agent.feeds.media import Claims
from agent.store import Store
from playlists.models.health import FeedHealth
from playlists.units import Decibel, Seconds


@dataclass(frozen=True)
class MediaInfo:
    """A target that the schedule in force needs."""

    sha256: str
    """In hex, without prefix."""
    path: Path | None
    """Where its content lies; None while it has not arrived."""
    gain_db: Decibel
    duration_s: Seconds | None
    title: str | None
    text: str | None = None
    """What is said in it, where the feed says so."""

    @property
    def key(self) -> str:
        """`sha256:…`, as the play log and the library name it."""
        return f"sha256:{self.sha256}"


class Feeds:
    """Follows the configured feeds.

    Each has a thread of its own for metadata and one for media, asleep unless it is polled: a feed that
    stalls delays no other, and a big download delays no new schedule. There are 64 at most.

    Args:
        configs: the `[[feeds]]` of the configuration.
        store: for media; this object alone says what of it is to be kept.
        state_dir: for what must survive a restart.
        post: takes this room's events; called from several threads.
        clock: judges expiry.
    """

    def __init__(
        self,
        configs: Sequence[FeedSettings],
        store: Store,
        state_dir: Path,
        post: Callable[[FeedEvent], None],
        clock: Clock,
    ) -> None:
        self._store = store
        self._needs: dict[str, frozenset[str] | None] = {config.name: None for config in configs}
        self._needs_lock = threading.Lock()
        self._claims = Claims()
        self._followers = {
            config.name: Follower(
                config,
                state_dir / "feeds" / config.name,
                store=store,
                claims=self._claims,
                post=post,
                clock=clock,
                keep=self._keep,
            )
            for config in configs
        }

    def start(self) -> None:
        """Put the last good schedules in force, without waiting for any network, and begin to follow."""
        for follower in self._followers.values():
            follower.start()

    def poll(self, name: str | None = None) -> None:
        """Ask one feed now, or all of them; a name that is not followed is ignored: hints are not trusted."""
        for known, follower in self._followers.items():
            if name is None or name == known:
                follower.poll()

    def stop(self, deadline_s: Seconds = Seconds(5)) -> None:
        """End, breaking off what is under way; unfinished downloads are resumed at the next start."""
        stoppers = [
            threading.Thread(target=follower.stop, args=(deadline_s,), daemon=True)
            for follower in self._followers.values()
        ]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join(2 * deadline_s)

    def state(self) -> dict[str, FeedHealth]:
        """How each feed stands."""
        return {name: follower.health() for name, follower in self._followers.items()}

    def bring(self, feed: str, folder: Folder) -> None:
        """Take one feed from a folder, once; see `brought`.

        Raises:
            KeyError: the feed is not followed.
        """
        self._followers[feed].bring(folder)

    def brought(self, feed: str) -> Brought | None:
        """How it goes with the last folder that was brought for a feed.

        Raises:
            KeyError: the feed is not followed.
        """
        return self._followers[feed].brought()

    def latencies_s(self) -> dict[str, Seconds | None]:
        """How soon each host answered last; None for one that has not since the start."""
        return {name: follower.latency_s for name, follower in self._followers.items()}

    def rounds(self, feed: str) -> int:
        """How many rounds with the network are over: whoever polls can wait for the next one.

        Raises:
            KeyError: the feed is not followed.
        """
        return self._followers[feed].rounds

    def media(self, feed: str, path: str) -> MediaInfo | None:
        """What is known of a target; None unless the schedule in force needs it and the feed has it."""
        follower = self._followers.get(feed)
        target = None if follower is None else follower.target(path)
        if target is None:
            return None
        return MediaInfo(
            target.sha256,
            self._store.path(target.sha256),
            target.gain_db,
            target.duration_s,
            target.title,
            target.text,
        )

    def _keep(self, feed: str, needed: Iterable[str]) -> None:
        """Evict what no feed needs, once it is known what each of them needs."""
        with self._needs_lock:
            self._needs[feed] = frozenset(needed)
            known = [needs for needs in self._needs.values() if needs is not None]
            if len(known) == len(self._needs):
                self._store.keep(frozenset().union(*known))
                self._claims.ready.set()
