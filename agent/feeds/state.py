"""The last good state of a feed on disk: what was accepted, when, and the metadata that proves it.

`metadata/` follows the newest verified metadata, against rollback. What is in force may be older than that
(a genuine but malformed document is refused), so it is kept apart, whole, in one file that is replaced
atomically. Documents lie beside it under their hash.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.feeds.errors import Technician
from agent.files import sweep, write_atomically

log = logging.getLogger("loa.feeds")

_FORMAT = "loa.last-good/1"


@dataclass(frozen=True)
class Saved:
    """What was in force when the node last ran."""

    accepted: datetime
    files: dict[str, str]
    documents: dict[str, bytes]
    """Content by SHA-256 in hex."""


class LastGood:
    """The file and its documents, in one directory of one feed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "last-good.json"

    def save(self, accepted: datetime, files: Mapping[str, str], documents: Mapping[str, bytes]) -> None:
        """Replace what was saved; documents that are no longer named go afterwards.

        Raises:
            Technician: the disk is full or refuses; what was saved before is still there.
        """
        content = {
            "format": _FORMAT,
            "accepted": accepted.isoformat(),
            "documents": sorted(documents),
            "files": dict(files),
        }
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for sha256, data in documents.items():
                path = self._document(sha256)
                if not path.exists():
                    write_atomically(path, data)
            write_atomically(self._path, json.dumps(content, sort_keys=True).encode())
            for path in self._directory.glob("document-*.json"):
                if path not in {self._document(sha256) for sha256 in documents}:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise Technician(
                f"{self._directory}: {error}; the new schedule is in force but would be lost at a restart"
            ) from error

    def load(self) -> Saved | None:
        """What was saved, or None if nothing was or it is damaged, which is logged."""
        if not self._path.exists():
            return None
        try:
            sweep(self._directory)
            content = json.loads(self._path.read_bytes())
            if content["format"] != _FORMAT:
                raise ValueError(f"format {content['format']!r}")
            return Saved(
                datetime.fromisoformat(content["accepted"]),
                {str(name): str(text) for name, text in content["files"].items()},
                {str(sha256): self._document(str(sha256)).read_bytes() for sha256 in content["documents"]},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            log.warning("%s: cannot be used (%s: %s)", self._path, type(error).__name__, error)
            return None

    def _document(self, sha256: str) -> Path:
        return self._directory / f"document-{sha256}.json"
