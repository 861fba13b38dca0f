"""A node's feed room beside a real web host with a real repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from agent.clock import FakeClock
from agent.feeds import Feeds
from agent.feeds.events import FeedEvent
from agent.store import Store
from tests.agent.feeds.repository import Repository
from tests.support.wait import wait_until
from tests.support.web import Host

E = TypeVar("E", bound=FeedEvent)


@dataclass(frozen=True)
class Settings:
    """As in the configuration."""

    name: str
    url: str
    root: Path
    poll_s: float = 900.0
    expired_days: int = 30


class Bench:
    """One feed named `commune`, and the node that follows it; `restart` makes a new node on the old disk."""

    def __init__(self, directory: Path, host: Host, repository: Repository, clock: FakeClock) -> None:
        self.directory = directory
        self.host = host
        self.repository = repository
        self.clock = clock
        self.max_bytes = 1_000_000
        self.poll_s = 900.0
        self.url = host.url
        self.events: list[FeedEvent] = []
        self.root = directory / "root.json"
        self.root.write_bytes(repository.trusted_root)
        self.feeds: Feeds | None = None

    def start(self) -> None:
        """Start the node."""
        self.events = []
        self.store = Store(self.directory / "cache", self.max_bytes)
        settings = [Settings("commune", self.url, self.root, self.poll_s)]
        self.feeds = Feeds(settings, self.store, self.directory / "state", self.events.append, self.clock)
        self.feeds.start()

    def stop(self) -> None:
        """Stop the node."""
        if self.feeds is not None:
            self.feeds.stop()
            self.feeds = None

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def poll(self) -> None:
        """Ask the feed, and wait until that round is over."""
        assert self.feeds is not None
        rounds = self.rounds
        self.feeds.poll()
        wait_until(lambda: self.rounds > rounds, 10, "the round is over")

    @property
    def rounds(self) -> int:
        """Rounds that were settled."""
        assert self.feeds is not None
        return self.feeds.rounds("commune")

    def settled(self, rounds: int = 1) -> None:
        """Wait for the first rounds after a start."""
        wait_until(lambda: self.rounds >= rounds, 10, f"{rounds} rounds are over")

    @property
    def health(self) -> tuple[str, int | None, str]:
        """State, version, reason."""
        assert self.feeds is not None
        found = self.feeds.state()["commune"]
        return found.state, found.version, found.reason or ""

    def told(self, kind: type[E]) -> list[E]:
        """Events of one kind."""
        return [event for event in list(self.events) if isinstance(event, kind)]

    def wait_for(self, kind: type[E], count: int = 1) -> list[E]:
        """Wait for so many events of one kind."""
        wait_until(lambda: len(self.told(kind)) >= count, 10, f"{count} {kind.__name__}")
        return self.told(kind)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def repository(clock: FakeClock) -> Repository:
    return Repository(clock.now())


@pytest.fixture
def host(repository: Repository) -> Iterator[Host]:
    with Host(repository.files) as host:
        yield host


@pytest.fixture
def bench(tmp_path: Path, host: Host, repository: Repository, clock: FakeClock) -> Iterator[Bench]:
    bench = Bench(tmp_path, host, repository, clock)
    try:
        yield bench
    finally:
        bench.stop()
