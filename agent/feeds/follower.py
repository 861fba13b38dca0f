"""Follows one feed: a thread that asks when it is woken; what is in force, and how the feed stands."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from agent.clock import Clock
from agent.feeds import documents, trust
from agent.feeds.documents import Documents
from agent.feeds.errors import Expired, FeedError, Quarantine, Rejected, Retry
from agent.feeds.events import (
    FeedChanged,
    FeedEnded,
    FeedEvent,
    FeedExpired,
    FeedRecovered,
    FeedRefused,
    FeedRestored,
    FeedUnreachable,
)
from agent.feeds.folder import Folder, FolderClient
from agent.feeds.http import Client, patience
from agent.feeds.media import Claims, MediaFetcher
from agent.feeds.pacing import back_off
from agent.feeds.state import LastGood
from agent.store import Store
from playlists.models.health import FeedHealth
from playlists.units import Seconds

log = logging.getLogger("loa.feeds")

State = Literal["current", "expired", "unreachable", "refused", "none"]


class FeedSettings(Protocol):
    """What the configuration says of a feed."""

    @property
    def name(self) -> str:
        """Its name here."""

    @property
    def url(self) -> str:
        """Base address, above `metadata/` and `targets/`."""

    @property
    def root(self) -> Path:
        """The trusted root file that the technician installed."""

    @property
    def poll_s(self) -> float:
        """Seconds between polls; also the longest wait before a failed one is repeated."""

    @property
    def expired_days(self) -> int:
        """Days that an expired schedule stays in force."""


@dataclass(frozen=True)
class Brought:
    """How it goes with a feed that somebody has brought in a folder."""

    state: Literal["running", "finished", "failed"]
    reason: str | None = None
    """Why it failed: nothing of it is in force then, or not all of its media came."""
    version: int | None = None
    """Of the schedule that is in force now."""
    media: int = 0
    """Recordings and pictures that it needs."""
    missing: int = 0
    """How many of them are not here, and are asked of the network."""


@dataclass(frozen=True)
class InForce:
    """What a feed wants now, and how long its signatures hold."""

    documents: Documents
    identity: tuple[int, int]
    expires: datetime


class Follower:
    """One feed. `start`, `poll` and `stop` return at once (`stop` within its deadline).

    Args:
        settings: from the configuration.
        directory: for the state of this feed alone.
        store: for its media, shared with the other feeds.
        claims: shared by all feeds.
        post: takes this room's events.
        clock: judges expiry: the later of wall clock and last good time.
        keep: told which content (SHA-256) this feed needs, whenever that changes.
    """

    def __init__(
        self,
        settings: FeedSettings,
        directory: Path,
        *,
        store: Store,
        claims: Claims,
        post: Callable[[FeedEvent], None],
        clock: Clock,
        keep: Callable[[str, Iterable[str]], None],
    ) -> None:
        self._settings = settings
        self._name = settings.name
        self._metadata_dir = directory / "metadata"
        self._last_good = LastGood(directory)
        self._post = post
        self._clock = clock
        self._keep = keep
        self._longest_wait_s = Seconds(settings.poll_s)
        self._media = MediaFetcher(self._name, store, claims, post, self._longest_wait_s)
        self._lock = threading.Lock()
        self._in_force: InForce | None = None
        self._health = FeedHealth(state="none")
        self._refused: tuple[tuple[int, int], Quarantine] | None = None
        self._saved: tuple[tuple[int, int], datetime] | None = None
        self._told: tuple[State, str | None] | None = None
        self.rounds = 0
        """Rounds with the network that are over: whoever polls can wait for the next one."""
        self.latency_s: Seconds | None = None
        """The shortest time from a request to its answer, of the last round that had one."""
        self._wake = threading.Event()
        self._stopping = False
        self._client: Client | FolderClient | None = None
        self._folder: Folder | None = None
        self._brought: Brought | None = None
        self._thread = threading.Thread(target=self._run, name=f"feed-{self._name}", daemon=True)

    def start(self) -> None:
        """Put the last good schedule in force, then ask the network."""
        self._thread.start()
        self._media.start()

    def poll(self) -> None:
        """Ask now; if a round is under way, once more after it."""
        self._wake.set()

    def bring(self, folder: Folder) -> None:
        """Take the feed from a folder, once, now: a round with the network is broken off; see `brought`."""
        with self._lock:
            self._brought = Brought("running")
            self._folder = folder
        if self._client is not None:
            self._client.abort()
        self._wake.set()

    def brought(self) -> Brought | None:
        """How it goes with the last folder; None before the first."""
        with self._lock:
            return self._brought

    def stop(self, deadline_s: Seconds) -> None:
        """End, breaking off what is under way."""
        self._stopping = True
        self._wake.set()
        if self._client is not None:
            self._client.abort()
        self._media.stop(deadline_s)
        if self._thread.is_alive():
            self._thread.join(deadline_s)

    def health(self) -> FeedHealth:
        """How the feed stands."""
        with self._lock:
            return self._health

    def target(self, path: str) -> trust.Target | None:
        """What is known of a target that the schedule in force needs."""
        with self._lock:
            return None if self._in_force is None else self._in_force.documents.media.get(path)

    def _run(self) -> None:
        self._attempt(self._restore)
        self._post(FeedRestored(self._name))
        if self._in_force is None:
            self._keep(self._name, [])
        failures = 0
        while not self._stopping:
            self._wake.clear()
            with self._lock:
                folder, self._folder = self._folder, None
            if folder is not None:
                self._take(folder)
            else:
                failures = failures + 1 if self._attempt(self._refresh) else 0
                self.rounds += 1
            self._wake.wait(back_off(failures, self._longest_wait_s) if failures else None)

    def _attempt(self, step: Callable[[], bool]) -> bool:
        """Run a step and settle what came of it; whether it should soon be tried again."""
        problem: FeedError | None = None
        checked = False
        try:
            checked = step()
        except FeedError as error:
            problem = error
        except Exception as error:  # the thread must outlive whatever a host sends
            log.exception("feed %s", self._name)
            problem = Rejected(f"unexpected {type(error).__name__}: {error}")
        made_way = isinstance(problem, Retry) and self._folder is not None
        if not self._stopping and not made_way:
            self._settle(problem, checked or isinstance(problem, Expired | Quarantine | Rejected))
        return isinstance(problem, Retry)

    def _take(self, folder: Folder) -> None:
        """A round with a folder. One that fails says nothing of the feed: its host may be well."""
        try:
            self._refresh(lambda: FolderClient(folder, self._settings.url))
        except FeedError as error:
            self._took(Brought("failed", str(error)))
            return
        except Exception as error:  # the thread must outlive whatever lies on a stick
            log.exception("feed %s", self._name)
            self._took(Brought("failed", f"unexpected {type(error).__name__}: {error}"))
            return
        self._settle(None, True)
        current = self._in_force
        wanted = [] if current is None else list(current.documents.media.values())
        version = None if current is None else current.documents.schedule.version

        def done(missing: int, reason: str | None) -> None:
            self._took(Brought("finished", reason, version, len(wanted), missing))

        self._media.bring(lambda: FolderClient(folder, self._settings.url), done)

    def _took(self, brought: Brought) -> None:
        log.info("feed %s: brought by hand: %s", self._name, brought)
        with self._lock:
            if self._folder is None:  # else another one waits, and this one is forgotten
                self._brought = brought

    def _restore(self) -> bool:
        saved = self._last_good.load()
        if saved is None:
            return False
        root = trust.read_root(self._settings.root)
        with trust.restore(self._settings.url, root, saved.files, saved.accepted) as snapshot:
            found = documents.read(snapshot, lambda target: saved.documents[target.sha256])
        if self._reference() <= self._until(snapshot.expires):
            self._saved = (snapshot.identity, snapshot.expires)
            self._put_in_force(InForce(found, snapshot.identity, snapshot.expires))
            with self._lock:
                self._health = FeedHealth(state="none", checked=saved.accepted)
        return False

    def _refresh(self, source: Callable[[], Client | FolderClient] = Client) -> bool:
        reference = self._reference()
        root = trust.read_root(self._settings.root)
        with source() as client:
            self._client = client
            try:
                snapshot = trust.refresh(self._settings.url, root, self._metadata_dir, reference, client)
            finally:
                self.latency_s = client.quickest_s or self.latency_s
            old = self._in_force
            if old is not None and old.identity == snapshot.identity:
                new = replace(old, expires=snapshot.expires)
                with self._lock:
                    self._in_force = new
                self._media.want(new.documents.media.values())
            elif self._refused is not None and self._refused[0] == snapshot.identity:
                raise self._refused[1]
            else:
                new = self._read(snapshot, client)
                self._put_in_force(new)
            if self._saved != (new.identity, new.expires):
                self._last_good.save(reference, snapshot.files(), new.documents.raw)
                self._saved = (new.identity, new.expires)
        return True

    def _read(self, snapshot: trust.Snapshot, client: Client | FolderClient) -> InForce:
        known = {} if self._in_force is None else self._in_force.documents.raw

        def fetch(target: trust.Target) -> bytes:
            if target.sha256 in known:
                return known[target.sha256]
            return client.read(target.url, target.length, patience(target.length))

        try:
            return InForce(documents.read(snapshot, fetch), snapshot.identity, snapshot.expires)
        except Quarantine as error:
            self._refused = (snapshot.identity, error)
            raise

    def _put_in_force(self, new: InForce) -> None:
        old, self._refused = self._in_force, None
        with self._lock:
            self._in_force = new
        said = new.documents
        self._keep(self._name, [target.sha256 for target in said.media.values()])
        if old is None or not said.says_the_same(old.documents):
            log.info("feed %s: schedule %d is in force", self._name, said.schedule.version)
            self._post(FeedChanged(self._name, said.schedule, said.operators, said.unknown_fields))
        for path, reason in said.missing.items():
            self._media.unavailable(path, reason)
        self._media.want(said.media.values())

    def _settle(self, problem: FeedError | None, checked: bool) -> None:
        """Judge expiry, work out the state, and tell what is new of it."""
        reference = self._reference()
        current = self._in_force
        reason = None if problem is None else str(problem)
        if current is not None and reference > self._until(current.expires):
            current = None
            self._drop(
                f"expired more than {self._settings.expired_days} days ago; {reason or ''}".rstrip("; ")
            )
        state: State = "current" if current is not None else "none"
        if current is not None and reference > current.expires and not isinstance(problem, Expired):
            state = "expired"
            since = f"signatures have run out on {current.expires.isoformat()}"
            reason = since if reason is None else f"{since}; {reason}"
        elif isinstance(problem, Expired):
            state = "expired"
        elif isinstance(problem, Retry):
            state = "unreachable"
        elif problem is not None:
            state = "refused"
        with self._lock:
            self._health = FeedHealth(
                version=None if current is None else current.documents.schedule.version,
                state=state,
                checked=self._clock.now() if checked else self._health.checked,
                reason=reason,
            )
        self._tell(state, reason, current)

    def _tell(self, state: State, reason: str | None, current: InForce | None) -> None:
        now = (state, reason if state == "refused" else None)
        if now == self._told:
            log.debug("feed %s: still %s: %s", self._name, state, reason)
            return
        before, self._told = self._told, now
        if state in {"current", "none"}:
            if before is not None and before[0] not in {"current", "none"}:
                log.info("feed %s: is current again", self._name)
                self._post(FeedRecovered(self._name))
            return
        log.warning("feed %s: %s: %s", self._name, state, reason)
        if state == "expired":
            until = None if current is None else self._until(current.expires)
            self._post(FeedExpired(self._name, reason or state, until))
        elif state == "unreachable":
            self._post(FeedUnreachable(self._name, reason or state))
        else:
            self._post(FeedRefused(self._name, reason or state))

    def _drop(self, reason: str) -> None:
        with self._lock:
            self._in_force = None
        self._keep(self._name, [])
        self._media.want(())
        self._post(FeedEnded(self._name, reason))

    def _until(self, expires: datetime) -> datetime:
        return expires + timedelta(days=self._settings.expired_days)

    def _reference(self) -> datetime:
        """The later of wall clock and last good time: an unset clock must not make old signatures young."""
        return max(self._clock.now(), self._clock.last_good).astimezone(UTC)
