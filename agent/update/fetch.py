"""Brings a release from a feed: nothing of it is believed that the feed's own keys have not signed.

The metadata that is remembered against rollback is root's, apart from the daemon's: who holds the daemon cannot make
an old release look like the newest.
"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from pydantic import ValidationError

from agent.clock import SystemClock
from agent.config import Config, ConfigError, load
from agent.config.model import Feed
from agent.feeds import trust
from agent.feeds.errors import FeedError, Rejected
from agent.feeds.http import Client
from agent.update.archive import MOST_BYTES, NEWEST, Newest, kind_here, target_of
from agent.update.errors import Failed, Refused
from agent.update.places import Places

_MOST_NEWEST_BYTES = 10_000


class Source:
    """The feed that this node takes its releases from."""

    def __init__(self, places: Places) -> None:
        """Read the configuration.

        Raises:
            Failed: it cannot be read.
            Refused: it names no feed for releases.
        """
        try:
            config = load(places.config)
        except ConfigError as error:
            raise Failed(f"the configuration is not right, see loa check-config: {error}") from error
        self.feed = feed_of(config)
        self._config = config
        self._directory = places.state / "feed"

    def newest(self) -> str:
        """Which release the feed calls its newest.

        Raises:
            Failed: network or disk.
            Refused: the feed carries no release, or is not what its keys have signed.
        """
        with Client() as client:
            found = self._refresh(client).find(NEWEST)
            if found is None or found.length > _MOST_NEWEST_BYTES:
                raise Refused(f"feed {self.feed.name} does not say which release is its newest ({NEWEST})")
            try:
                self._download(client, found, self._directory / "newest")
                return Newest.model_validate_json((self._directory / "newest").read_bytes()).newest
            except ValidationError as error:
                raise Refused(f"{NEWEST} is malformed: {error.errors()[0]['msg']}") from error

    def fetch(self, version: str) -> Path:
        """Bring the release for this machine; a download that was broken off goes on.

        Raises:
            Failed: network or disk.
            Refused: the feed has none for this machine, or it is not what its keys have signed.
        """
        name = target_of(version, kind_here())
        with Client() as client:
            found = self._refresh(client).find(name)
            if found is None:
                raise Refused(f"feed {self.feed.name} carries no release {version} for {kind_here()}")
            if found.length > MOST_BYTES:
                raise Refused(f"{name}: has {found.length} bytes, a release has {MOST_BYTES} at most")
            archive = self._directory / Path(name).name
            for other in self._directory.glob("loa-agent-*.tar"):
                if other != archive:
                    other.unlink()
            self._download(client, found, archive)
        return archive

    def _refresh(self, client: Client) -> trust.Snapshot:
        clock = SystemClock(self._config.paths.state, vouched=self._config.clock.vouched)
        reference = max(clock.now(), clock.last_good).astimezone(UTC)
        try:
            root = trust.read_root(self.feed.root)
            return trust.refresh(self.feed.url, root, self._directory / "metadata", reference, client)
        except FeedError as error:
            raise _sorted(error) from error
        except OSError as error:
            raise Failed(f"feed {self.feed.name}: {error}") from error

    def _download(self, client: Client, found: trust.Target, path: Path) -> None:
        try:
            client.download(found.url, path, found.length, found.sha256)
        except FeedError as error:
            raise _sorted(error) from error
        except OSError as error:
            raise Failed(f"{path}: {error.strerror or error}") from error


def feed_of(config: Config) -> Feed:
    """The feed for releases.

    Raises:
        Refused: there is none.
    """
    if config.update is None:
        raise Refused("no feed of this node carries releases; [update] feed in the configuration names one")
    name = config.update.feed
    return next(feed for feed in config.feeds if feed.name == name)


def _sorted(error: FeedError) -> Failed | Refused:
    return Refused(str(error)) if isinstance(error, Rejected) else Failed(str(error))
