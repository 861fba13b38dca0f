"""Downloads of media: apart from metadata, so that a big file on a slow link never delays a new schedule."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator

from agent.feeds.errors import FeedError, Technician
from agent.feeds.events import FeedEvent, MediaArrived, MediaUnavailable
from agent.feeds.folder import FolderClient
from agent.feeds.http import Client
from agent.feeds.pacing import back_off
from agent.feeds.trust import Target
from agent.store import Store, StoreFull
from playlists.units import Seconds

Source = Callable[[], Client | FolderClient]
Done = Callable[[int, str | None], None]
"""Told how many of the wanted are still missing, and why the first of them."""

log = logging.getLogger("loa.feeds")


class Claims:
    """Keeps two feeds from fetching the same content into the same file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[str] = set()
        self.ready = threading.Event()
        """Set once each feed has said what it needs: before that, making room might evict what is needed."""

    @contextlib.contextmanager
    def claim(self, sha256: str) -> Iterator[bool]:
        """Whether the content is ours to fetch until the block ends."""
        with self._lock:
            ours = sha256 not in self._taken
            self._taken.add(sha256)
        try:
            yield ours
        finally:
            if ours:
                with self._lock:
                    self._taken.discard(sha256)


class MediaFetcher:
    """One thread that brings what one feed's schedule needs into the store, and tries again what failed.

    Args:
        feed: its name, for events.
        store: where content goes.
        claims: shared by all feeds.
        post: takes `MediaArrived` and `MediaUnavailable`.
        longest_wait_s: between tries.
    """

    def __init__(
        self,
        feed: str,
        store: Store,
        claims: Claims,
        post: Callable[[FeedEvent], None],
        longest_wait_s: Seconds,
    ) -> None:
        self._feed = feed
        self._store = store
        self._claims = claims
        self._post = post
        self._longest_wait_s = longest_wait_s
        self._wanted: tuple[Target, ...] = ()
        self._told: dict[str, str] = {}
        self._awaited: set[str] = set()
        self._wake = threading.Event()
        self._stopping = False
        self._client: Client | FolderClient | None = None
        self._folder: tuple[Source, Done] | None = None
        self._thread = threading.Thread(target=self._run, name=f"media-{feed}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, deadline_s: Seconds) -> None:
        """End, leaving unfinished downloads to be resumed later."""
        self._stopping = True
        self._claims.ready.set()
        self._wake.set()
        if self._client is not None:
            self._client.abort()
        if self._thread.is_alive():
            self._thread.join(deadline_s)

    def want(self, targets: Iterable[Target]) -> None:
        """Say what is needed from now on, most urgent first; what is there costs nothing."""
        self._wanted = tuple(targets)
        paths = {target.path for target in self._wanted}
        self._told = {path: reason for path, reason in self._told.items() if path in paths}
        self._wake.set()

    def bring(self, source: Source, done: Done) -> None:
        """Take what is wanted and not there from a folder, now: a download that goes on meanwhile is broken off."""
        self._folder = (source, done)
        if self._client is not None:
            self._client.abort()
        self._wake.set()

    def unavailable(self, path: str, reason: str) -> None:
        """Tell, once for each reason, that a target cannot be had."""
        if self._told.get(path) != reason:
            self._told[path] = reason
            log.warning("feed %s: %s: %s", self._feed, path, reason)
            self._post(MediaUnavailable(self._feed, path, reason))

    def _run(self) -> None:
        failures = 0
        self._claims.ready.wait()
        while not self._stopping:
            folder, self._folder = self._folder, None
            if folder is not None:
                self._from_folder(*folder)
            failures = 0 if self._pass() else failures + 1
            self._wake.wait(back_off(failures, self._longest_wait_s) if failures else None)
            self._wake.clear()

    def _from_folder(self, source: Source, done: Done) -> None:
        """One pass over what is missing; the network is asked for the rest."""
        reasons: list[str] = []
        missing = [target for target in self._wanted if self._store.path(target.sha256) is None]
        try:
            with source() as client:
                self._client = client
                for target in missing:
                    if self._stopping or self._folder is not None:
                        break
                    self._get(client, target, reasons.append)
        except FeedError as error:
            reasons.append(str(error))
        left = [target for target in self._wanted if self._store.path(target.sha256) is None]
        done(len(left), reasons[0] if reasons and left else None)

    def _pass(self) -> bool:
        """Try everything that is wanted and not there; whether nothing is left to be tried again."""
        wanted = self._wanted
        missing = [target for target in wanted if self._store.path(target.sha256) is None]
        for target in wanted:
            if target.path in self._awaited and target not in missing:
                self._arrived(target)  # another feed has fetched it
        self._awaited = {target.path for target in missing}
        if not missing:
            return True
        done = True
        with Client() as client:
            self._client = client
            for target in missing:
                if self._stopping or self._wanted is not wanted or self._folder is not None:
                    break
                done = self._get(client, target) and done
        return done

    def _get(
        self, client: Client | FolderClient, target: Target, tell: Callable[[str], None] | None = None
    ) -> bool:
        """Fetch one; whether it is here now. `tell` takes the reason instead of the conductor."""

        def failed(reason: str) -> None:
            if tell is None:
                self.unavailable(target.path, reason)
            else:
                tell(reason)

        with self._claims.claim(target.sha256) as ours:
            if not ours:
                return False
            try:
                if self._store.path(target.sha256) is None:
                    self._fetch(client, target)
            except (FeedError, StoreFull) as error:
                if not self._dropped(target):
                    failed(str(error))
                return False
            except Exception as error:  # the thread must outlive whatever a host sends
                log.exception("feed %s: %s", self._feed, target.path)
                failed(f"unexpected {type(error).__name__}: {error}")
                return False
        self._arrived(target)
        return True

    def _arrived(self, target: Target) -> None:
        self._told.pop(target.path, None)
        self._awaited.discard(target.path)
        self._post(MediaArrived(self._feed, target.path, target.sha256))

    def _fetch(self, client: Client | FolderClient, target: Target) -> None:
        self._store.reserve(target.sha256, target.length)
        part = self._store.partial(target.sha256)
        try:
            client.download(target.url, part, target.length, target.sha256, lambda: self._dropped(target))
            self._store.adopt(target.sha256, part)
        except OSError as error:
            raise Technician(f"{part.parent}: {error.strerror or error}; what is stored was kept") from error
        finally:
            self._store.release(target.sha256)

    def _dropped(self, target: Target) -> bool:
        if self._folder is not None:
            return True  # somebody stands there with it: the network can wait
        return self._stopping or all(other.sha256 != target.sha256 for other in self._wanted)
