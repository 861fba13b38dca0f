"""A real TUF repository in memory, with keys at hand: it can do right, and every wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

ROLES = ("root", "timestamp", "snapshot", "targets")


def schedule(version: int = 1, *media: str, **changes: Any) -> dict[str, Any]:
    """A valid schedule whose only programme plays `media`, or speaks."""
    items = [{"media": path} for path in media] or [{"speech": {"text": "Kính chào", "language": "vi"}}]
    document = {
        "format": "loa.schedule/1",
        "version": version,
        "published": "2026-11-23T05:00:00+07:00",
        "timezone": "Asia/Ho_Chi_Minh",
        "programmes": [{"id": "p", "start": "2026-11-23T05:30:00", "items": items}],
    }
    return document | changes


class Repository:
    """Publishes into `files`, which a `Host` serves."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.files: dict[str, bytes] = {}
        self.signers = {role: CryptoSigner.generate_ed25519() for role in ROLES}
        self.content: dict[str, bytes] = {}
        self.custom: dict[str, dict[str, Any]] = {}
        self.targets = Targets(expires=now + timedelta(days=365))
        self.snapshot = Snapshot(expires=now + timedelta(days=30))
        self.timestamp = Timestamp(expires=now + timedelta(days=3))
        self.root = Root(expires=now + timedelta(days=730), consistent_snapshot=True)
        for role in ROLES:
            self.root.add_key(self.signers[role].public_key, role)
        self.targets.version = self.snapshot.version = self.timestamp.version = 0
        self.publish_root(bump=False)

    @property
    def trusted_root(self) -> bytes:
        """What a technician installs."""
        return self.files["metadata/1.root.json"]

    def publish(self, document: Mapping[str, Any] | bytes | None = None, **media: bytes) -> None:
        """Publish a schedule and media (`chime_ogg=…` becomes `media/chime.ogg`)."""
        if document is not None:
            raw = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.content["schedule.json"] = raw
        for name, data in media.items():
            self.content["media/" + name.replace("_", ".")] = data
        self.publish_targets()
        self.publish_snapshot()
        self.publish_timestamp()

    def publish_targets(self) -> None:
        """Sign what `content` holds."""
        self.targets.version += 1
        self.targets.targets = {}
        for path, data in self.content.items():
            entry = TargetFile.from_data(path, data, ["sha256"])
            if path in self.custom:
                entry.unrecognized_fields["custom"] = self.custom[path]
            self.targets.targets[path] = entry
            folder, slash, leaf = path.rpartition("/")
            digest = hashlib.sha256(data).hexdigest()
            self.files[f"targets/{folder}{slash}{digest}.{leaf}"] = data
        self._write(f"{self.targets.version}.targets", self.targets, "targets")

    def publish_snapshot(self) -> None:
        """Sign which targets metadata is the newest."""
        self.snapshot.version += 1
        self.snapshot.meta = {"targets.json": MetaFile(self.targets.version)}
        self._write(f"{self.snapshot.version}.snapshot", self.snapshot, "snapshot")

    def publish_timestamp(self) -> None:
        """Sign which snapshot is the newest."""
        self.timestamp.version += 1
        self.timestamp.snapshot_meta = MetaFile(self.snapshot.version)
        self._write("timestamp", self.timestamp, "timestamp")

    def publish_root(self, *, bump: bool = True, signers: tuple[CryptoSigner, ...] = ()) -> None:
        """Sign the root, with its own key and those given."""
        if bump:
            self.root.version += 1
        metadata = Metadata(self.root)
        for signer in (self.signers["root"], *signers):
            metadata.sign(signer, append=True)
        self.files[f"metadata/{self.root.version}.root.json"] = metadata.to_bytes()

    def rotate(self, role: str) -> CryptoSigner:
        """Give a role a new key and revoke the old one, which is returned."""
        old = self.signers[role]
        self.root.revoke_key(old.public_key.keyid, role)
        self.signers[role] = CryptoSigner.generate_ed25519()
        self.root.add_key(self.signers[role].public_key, role)
        self.publish_root(signers=(old,) if role == "root" else ())
        return old

    def _write(self, name: str, signed: Any, role: str) -> None:
        metadata = Metadata(signed)
        metadata.sign(self.signers[role])
        self.files[f"metadata/{name}.json"] = metadata.to_bytes()
