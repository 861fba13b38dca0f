"""The signed feed on disk: a TUF 1.0 repository with consistent snapshots, whole at any moment.

Content goes first, the timestamp last and atomically: a node that fetches meanwhile sees the old state or the
new. Content that neither the current nor the former state names is removed.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (  # type: ignore[attr-defined]  # exported by a computed __all__
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from agent.files import put_in_place, write_atomically
from agent.station import keys
from agent.station.errors import Technician
from agent.station.folder import Folder

DAYS = {"root": 730, "targets": 180, "snapshot": 30, "timestamp": 7}
"""How long each signature holds. A week lets the station's machine be off over a weekend."""


@dataclass(frozen=True)
class Content:
    """One target: bytes, or a file that may be large."""

    data: bytes | Path
    custom: Mapping[str, str]

    def target(self, path: str) -> TargetFile:
        """Its entry in the targets metadata."""
        if isinstance(self.data, bytes):
            entry = TargetFile.from_data(path, self.data, ["sha256"])
        else:
            entry = TargetFile.from_file(path, str(self.data), ["sha256"])
        if self.custom:
            entry.unrecognized_fields["custom"] = dict(self.custom)
        return entry


class Repository:
    """The feed of one station.

    Args:
        folder: whose feed and keys.
        now: for expiry.
    """

    def __init__(self, folder: Folder, now: datetime | None = None) -> None:
        self._folder = folder
        self._now = (now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
        self._metadata = folder.feed / "metadata"
        self._targets = folder.feed / "targets"

    def create(self) -> None:
        """Sign the first root, and write it also where nodes get it from.

        Raises:
            Technician: keys are missing.
            OSError: it cannot be written.
        """
        root = Root(expires=self._until("root"), consistent_snapshot=True)
        for role in keys.ROLES:
            root.add_key(keys.load(self._folder, role).public_key, role)
        self._metadata.mkdir(parents=True, exist_ok=True)
        self._targets.mkdir(parents=True, exist_ok=True)
        signed = Metadata(root)
        signed.sign(keys.load(self._folder, "root"))
        write_atomically(self._metadata / "1.root.json", signed.to_bytes(), mode=0o644)
        write_atomically(self._folder.root, signed.to_bytes(), mode=0o644)

    def current(self) -> Targets | None:
        """What is published now.

        Raises:
            Technician: the folder is damaged.
        """
        timestamp = self._read(Timestamp, "timestamp.json")
        if timestamp is None:
            return None
        found: Targets = self._current(Targets, self._current(Snapshot, timestamp.signed))
        return found

    def differs(self, contents: Mapping[str, Content], but: str) -> bool:
        """Whether publishing these would change any target except `but`.

        Raises:
            Technician: the folder is damaged.
        """
        old = self.current()
        before = {} if old is None else {p: entry for p, entry in old.targets.items() if p != but}
        return before != {p: content.target(p) for p, content in contents.items() if p != but}

    def publish(self, contents: Mapping[str, Content]) -> bool:
        """Publish exactly these targets; whether anything changed (if not, nothing is written).

        Raises:
            Technician: a key is missing, or the folder is damaged.
            OSError: it cannot be written.
        """
        old = self.current()
        entries = {path: content.target(path) for path, content in contents.items()}
        if old is not None and old.targets == entries:
            return False
        for path, entry in entries.items():
            self._store(path, entry, contents[path].data)
        version = 1 if old is None else old.version + 1
        self._sign(
            Targets(version, targets=entries, expires=self._until("targets")), f"{version}.targets.json"
        )
        self._sign_snapshot(version)
        self._sign_timestamp()
        self._tidy(entries, {} if old is None else old.targets)
        return True

    def renew(self) -> list[str]:
        """Sign anew what has lived half of its time; return those roles.

        Raises:
            Technician: nothing was published yet, a key is missing, or the folder is damaged.
            OSError: it cannot be written.
        """
        timestamp = self._read(Timestamp, "timestamp.json")
        targets = self.current()
        if timestamp is None or targets is None:
            raise Technician(f"{self._folder.feed}: nothing was published yet; `loa station publish` does it")
        snapshot = self._current(Snapshot, timestamp.signed)
        renewed = []
        if self._old(targets, "targets"):
            targets.version += 1
            targets.expires = self._until("targets")
            self._sign(targets, f"{targets.version}.targets.json")
            renewed.append("targets")
        if renewed or self._old(snapshot, "snapshot"):
            self._sign_snapshot(targets.version)
            renewed.append("snapshot")
        if renewed or self._old(timestamp.signed, "timestamp"):
            self._sign_timestamp()
            renewed.append("timestamp")
        return renewed

    def root(self) -> Root:
        """The newest root.

        Raises:
            Technician: there is none.
        """
        found = self._read(Root, f"{self._newest('root')}.root.json")
        if found is None:
            raise Technician(f"{self._folder.path}: is no station; run `loa station init` first")
        root: Root = found.signed
        return root

    def rotate(self, role: str | None = None) -> int:
        """Sign a new root: with a new key for `role`, the old one revoked, or (None) only for a longer life.

        Nodes follow by themselves as long as the old root key signs too, which it does here.

        Returns:
            The root's new version. What the role signs must be published or renewed next.

        Raises:
            Technician: the root key is not at hand.
            OSError: it cannot be written.
        """
        root = self.root()
        signers = [keys.load(self._folder, "root")]
        if role is not None:
            for keyid in list(root.roles[role].keyids):
                root.revoke_key(keyid, role)
            fresh = keys.add(self._folder, role)
            root.add_key(fresh.public_key, role)
            if role == "root":
                signers.append(fresh)
        root.version += 1
        root.expires = self._until("root")
        signed = Metadata(root)
        for signer in signers:
            signed.sign(signer, append=True)
        write_atomically(self._metadata / f"{root.version}.root.json", signed.to_bytes(), mode=0o644)
        if role in {"targets", "snapshot", "timestamp"}:
            self._resign()
        return root.version

    def _resign(self) -> None:
        """After a new key: sign all that stands below the root."""
        targets = self.current()
        if targets is not None:
            targets.version += 1
            self._sign(targets, f"{targets.version}.targets.json")
            self._sign_snapshot(targets.version)
            self._sign_timestamp()

    def _sign_snapshot(self, targets_version: int) -> None:
        version = self._newest("snapshot") + 1
        meta = {"targets.json": MetaFile(targets_version)}
        self._sign(Snapshot(version, expires=self._until("snapshot"), meta=meta), f"{version}.snapshot.json")

    def _sign_timestamp(self) -> None:
        old = self._read(Timestamp, "timestamp.json")
        version = 1 if old is None else old.signed.version + 1
        meta = MetaFile(self._newest("snapshot"))
        self._sign(Timestamp(version, expires=self._until("timestamp"), snapshot_meta=meta), "timestamp.json")

    def _sign(self, signed: Any, name: str) -> None:
        metadata = Metadata(signed)
        metadata.sign(keys.load(self._folder, signed.type))
        write_atomically(self._metadata / name, metadata.to_bytes(), mode=0o644)

    def _store(self, path: str, entry: TargetFile, data: bytes | Path) -> None:
        target = self._target_file(path, entry)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, bytes):
            write_atomically(target, data, mode=0o644)
            return
        aside = target.with_name(f".aside-{target.name}")
        try:
            shutil.copyfile(data, aside)
            aside.chmod(0o644)
            put_in_place(aside, target)
        finally:
            aside.unlink(missing_ok=True)

    def _target_file(self, path: str, entry: TargetFile) -> Path:
        file = Path(path)
        return self._targets / file.parent / f"{entry.hashes['sha256']}.{file.name}"

    def _tidy(self, *named: Mapping[str, TargetFile]) -> None:
        wanted = {self._target_file(path, entry) for entries in named for path, entry in entries.items()}
        for file in self._targets.rglob("*"):
            if file.is_file() and file not in wanted:
                file.unlink()
        for role in ("targets", "snapshot"):
            newest = self._newest(role)
            for file in self._metadata.glob(f"*.{role}.json"):
                if int(file.name.partition(".")[0]) < newest - 1:
                    file.unlink()

    def _old(self, signed: Any, role: str) -> bool:
        return bool(signed.expires - self._now < timedelta(days=DAYS[role] / 2))

    def _until(self, role: str) -> datetime:
        return self._now + timedelta(days=DAYS[role])

    def _newest(self, role: str) -> int:
        versions = [0]
        for file in self._metadata.glob(f"*.{role}.json"):
            with contextlib.suppress(ValueError):
                versions.append(int(file.name.partition(".")[0]))
        return max(versions)

    def _current(self, kind: Any, above: Any) -> Any:
        """What the signed metadata above it names; what a power cut left is newer than that."""
        role = kind.type
        version = above.snapshot_meta.version if role == "snapshot" else above.meta["targets.json"].version
        found = self._read(kind, f"{version}.{role}.json")
        if found is None:
            raise Technician(f"{self._metadata}: {version}.{role}.json is missing; restore it from a backup")
        return found.signed

    def _read(self, kind: Any, name: str) -> Metadata[Any] | None:
        path = self._metadata / name
        try:
            return Metadata[kind].from_bytes(path.read_bytes())
        except FileNotFoundError:
            return None
        except RepositoryError as error:
            raise Technician(f"{path}: is damaged ({error}); restore it from a backup") from error
