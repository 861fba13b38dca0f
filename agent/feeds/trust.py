"""What python-tuf says of a feed: the client workflow of TUF 1.0, against the network or the last good state.

Two things differ from python-tuf's own client, both by overriding a private member (a test notices when a
new release no longer has them): metadata is written durably and only when it changed, since a poll every
few minutes must not wear an SD card; and expiry is judged by the node's reference time, since a wall clock
without battery may show anything.

Reference: https://theupdateframework.github.io/specification/v1.0.33/ (§5, client workflow)
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadHTTPError,
    ExpiredMetadataError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, Root, TargetFile  # type: ignore[attr-defined]  # exported by a computed __all__
from tuf.api.serialization import DeserializationError
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from agent.feeds.errors import Expired, Quarantine, Rejected, Retry, Technician
from agent.feeds.folder import FolderClient
from agent.feeds.http import Client, StatusError, patience
from agent.files import sweep, write_atomically
from playlists.units import Decibel, Seconds

log = logging.getLogger("loa.feeds")

ROUND_DEADLINE_S = Seconds(1_800)
"""For all metadata of one refresh together, however many roots a host invents."""
_MAX_FILE_BYTES = 5_000_000
MOST_TEXT = 4_000
"""Characters of what is said in a recording, five minutes and more: each node fetches them with the metadata."""
_EXPIRED = re.compile(r"(\w+)(?:\.json)? is expired")
_UNQUOTED = "/%:@!$&'()*+,;=-._~"


@dataclass(frozen=True)
class Target:
    """A file that the feed's keys vouch for."""

    path: str
    url: str
    length: int
    """In bytes."""
    sha256: str
    gain_db: Decibel
    duration_s: Seconds | None
    title: str | None
    text: str | None = None
    """What is said in it."""


@dataclass(frozen=True)
class Snapshot:
    """One verified state of a feed's metadata."""

    identity: tuple[int, int]
    """Versions of root and snapshot: equal identity means equal targets."""
    expires: datetime
    """When the first of its signatures runs out."""
    find: Callable[[str], Target | None]
    """Look a target up; may fetch delegated metadata and raises as `refresh` does."""
    files: Callable[[], dict[str, str]]
    """The metadata files by name, as `restore` wants them."""


def read_root(path: Path) -> bytes:
    """The trusted root that the technician installed.

    Raises:
        Technician: it cannot be read, or is no root that its own keys have signed.
    """
    try:
        data = path.read_bytes()
        found = Metadata[Root].from_bytes(data)
        if not isinstance(found.signed, Root):
            raise Technician(f"trusted root {path}: is {found.signed.type} metadata, not a root")
        found.signed.verify_delegate(Root.type, found.signed_bytes, found.signatures)
    except OSError as error:
        raise Technician(f"trusted root {path}: {error.strerror or error}") from error
    except DeserializationError as error:
        raise Technician(
            f"trusted root {path}: cannot be read: damaged, cut short, or another file"
        ) from error
    except RepositoryError as error:
        raise Technician(f"trusted root {path}: is not signed by its own keys: damaged or changed") from error
    return data


def refresh(
    url: str, root: bytes, metadata_dir: Path, reference: datetime, client: Client | FolderClient
) -> Snapshot:
    """Fetch and verify the newest metadata.

    Args:
        url: base address of the feed, above `metadata/` and `targets/`.
        root: the trusted root that the technician installed.
        metadata_dir: what was verified last, against rollback; durable when this returns.
        reference: the time by which expiry is judged.
        client: fetches.

    Raises:
        Retry: network or host.
        Expired: the newest signatures have run out.
        Rejected: rollback, stranger's signature, mix-and-match, oversize, not metadata at all.
        Technician: the root file or the disk is unusable.
    """
    deadline = time.monotonic() + ROUND_DEADLINE_S

    def read(address: str, max_bytes: int) -> bytes:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise Retry(f"{address}: all metadata together took longer than {ROUND_DEADLINE_S:.0f} s")
        return client.read(address, max_bytes, Seconds(min(patience(max_bytes), left_s)))

    try:
        metadata_dir.mkdir(parents=True, exist_ok=True)
        for directory in (metadata_dir, metadata_dir / "root_history"):
            sweep(directory)
        place = client.place if isinstance(client, FolderClient) else str
        return _verify(url, root, metadata_dir, reference, _Fetcher(read, place))
    except OSError as error:
        raise Technician(f"{metadata_dir}: {error}; the last good schedule stays in force") from error


@contextlib.contextmanager
def restore(url: str, root: bytes, files: Mapping[str, str], accepted: datetime) -> Iterator[Snapshot]:
    """Verify again, without network, what was accepted earlier.

    It is judged as of the moment of acceptance: whether it may still be used is the caller's question,
    whether trusted keys signed it is answered here.

    Raises:
        Rejected: it does not follow from `root`, or was damaged.
        Technician: no room for temporary files.
    """

    def read(address: str, _max_bytes: int) -> bytes:
        name = address.rsplit("/", 1)[-1]
        if name != "timestamp.json":  # all else is found in the directory, or is not there
            raise StatusError(address, 404)
        return files[name].encode()

    try:
        with tempfile.TemporaryDirectory(prefix="loa-feed-") as name:
            directory = Path(name)
            for path, text in files.items():
                file = directory / path
                if not file.resolve().is_relative_to(directory.resolve()):
                    raise Rejected(f"the saved state names a file {path!r} outside its folder")
                file.parent.mkdir(exist_ok=True)
                file.write_text(text, encoding="utf-8")
            yield _verify(url, root, directory, accepted, _Fetcher(read))
    except OSError as error:
        raise Technician(f"temporary files: {error}") from error


def _verify(url: str, root: bytes, metadata_dir: Path, reference: datetime, fetcher: _Fetcher) -> Snapshot:
    base = url if url.endswith("/") else url + "/"
    with _remedies(fetcher, base):
        updater = _Updater(base + "metadata/", root, metadata_dir, reference, fetcher)
        updater.refresh()

    def find(path: str) -> Target | None:
        with _remedies(fetcher, base):
            found = updater.get_targetinfo(path)
        return None if found is None else _target(base, path, found, updater.prefixes_hashes)

    return Snapshot(updater.identity, updater.expires, find, lambda: _read_all(metadata_dir))


@contextlib.contextmanager
def _remedies(fetcher: _Fetcher, feed: str) -> Iterator[None]:
    """Sort python-tuf's errors by what helps; its own words are for the log."""
    try:
        yield
    except DownloadHTTPError as error:
        raise Retry(str(error)) from error
    except RepositoryError as error:
        where = fetcher.place(fetcher.last)
        log.info("%s: %s: %s", where, type(error).__name__, error)
        if isinstance(error, ExpiredMetadataError):
            role = _EXPIRED.search(str(error))  # the root is judged when the next file is there
            raise Expired(
                f"{fetcher.place(feed)}: signatures have run out ({role[1] if role else error})"
            ) from error
        if isinstance(error, UnsignedMetadataError):
            raise Rejected(f"{where}: is not signed by the keys that this node trusts for it") from error
        if isinstance(error, BadVersionNumberError):
            raise Rejected(
                f"{where}: is older than what was taken before, or does not belong to the other files"
            ) from error
        if isinstance(error, DeserializationError):
            raise Rejected(
                f"{where}: cannot be read: damaged, cut short, or something else in its place, as a login page"
            ) from error
        raise Rejected(f"{where}: is not what was signed: damaged or changed") from error


class _Fetcher(FetcherInterface):
    """Hands python-tuf whole files: metadata is small, and a temporary file each would wear the card."""

    def __init__(self, read: Callable[[str, int], bytes], place: Callable[[str], str] = str) -> None:
        self._read = read
        self.place = place
        self.last = ""
        """Address of what was read last: what is refused is that."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        yield self.download_bytes(url, _MAX_FILE_BYTES)

    def download_bytes(self, url: str, max_length: int) -> bytes:
        try:
            data = self._read(url, max_length)
        except StatusError as error:
            raise DownloadHTTPError(str(error), error.status) from error
        self.last = url
        return data


class _Updater(Updater):
    """python-tuf's client, durable and with a clock of our choice."""

    def __init__(
        self, url: str, root: bytes, metadata_dir: Path, reference: datetime, fetcher: FetcherInterface
    ) -> None:
        config = UpdaterConfig(targets_max_length=_MAX_FILE_BYTES)
        super().__init__(str(metadata_dir), url, fetcher=fetcher, config=config, bootstrap=root)
        self._trusted_set.reference_time = reference

    @property
    def identity(self) -> tuple[int, int]:
        return self._trusted_set.root.version, self._trusted_set.snapshot.version

    @property
    def expires(self) -> datetime:
        trusted = self._trusted_set
        return min(
            part.expires for part in (trusted.root, trusted.timestamp, trusted.snapshot, trusted.targets)
        )

    @property
    def prefixes_hashes(self) -> bool:
        return bool(self._trusted_set.root.consistent_snapshot) and self.config.prefix_targets_with_hash

    def _persist_file(self, filename: str, data: bytes) -> None:
        path = Path(filename)
        with contextlib.suppress(FileNotFoundError):
            if path.read_bytes() == data:
                return
        write_atomically(path, data)

    def _update_root_symlink(self) -> None:
        link = Path(self._dir, "root.json")
        current = f"root_history/{self._trusted_set.root.version}.root.json"
        if not link.is_symlink() or link.readlink() != Path(current):
            super()._update_root_symlink()


def _target(base: str, path: str, found: TargetFile, prefixed: bool) -> Target:
    sha256 = found.hashes.get("sha256", "")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise Quarantine(f"target {path}: carries no SHA-256")
    name = path
    if prefixed:
        folder, slash, leaf = path.rpartition("/")
        name = f"{folder}{slash}{next(iter(found.hashes.values()))}.{leaf}"
    custom = found.custom or {}
    if not isinstance(custom, Mapping):
        raise Quarantine(f"target {path}: custom must be an object, found {type(custom).__name__}")
    gain_db = _number(path, custom, "gain_db", -60, 20)
    duration_s = _number(path, custom, "duration_s", 0, 7 * 86_400)
    title = custom.get("title")
    if title is not None and not isinstance(title, str):
        raise Quarantine(f"target {path}: custom title must be text, found {title!r:.60}")
    text = custom.get("text")
    if text is not None and not isinstance(text, str):
        raise Quarantine(f"target {path}: custom text must be text, found {text!r:.60}")
    return Target(
        path=path,
        url=f"{base}targets/{quote(name, safe=_UNQUOTED)}",
        length=found.length,
        sha256=sha256,
        gain_db=Decibel(gain_db or 0.0),
        duration_s=None if duration_s is None else Seconds(duration_s),
        title=None if title is None else title[:500],
        # a part of it would be shown at the wrong times
        text=None if text is None or len(text) > MOST_TEXT else text,
    )


def _number(path: str, custom: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    # TUF signs OLPC canonical JSON, which has no fractions: they come as decimal strings
    value = custom.get(name)
    if value is None:
        return None
    number = math.nan
    if isinstance(value, int | str) and not isinstance(value, bool):
        with contextlib.suppress(ValueError, OverflowError):
            number = float(value)
    if not low <= number <= high:
        raise Quarantine(
            f"target {path}: custom {name} must be a number {low} to {high}, found {value!r:.60}"
        )
    return number


def _read_all(metadata_dir: Path) -> dict[str, str]:
    """All metadata files by path below the directory, without the link to the newest root."""
    return {
        str(file.relative_to(metadata_dir)): file.read_text(encoding="utf-8")
        for pattern in ("*.json", "root_history/*.json")
        for file in sorted(metadata_dir.glob(pattern))
        if not file.is_symlink()
    }
