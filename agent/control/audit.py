"""Who did what at this node, by hand: one JSON line an action, done or refused, bounded.

The play log tells the centre the same, but lets go what the centre has stored. This stays on the node.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from agent.files import sync_directory

log = logging.getLogger("loa.audit")

MAX_BYTES: Final = 256_000
"""Of one file; the one before it is kept too. About 1,500 actions each."""

MAX_TEXT: Final = 300


class Audit:
    """Appends to `path`. Where that cannot be written the action is done all the same, and journald has the line."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now

    @property
    def files(self) -> tuple[Path, Path]:
        """The older file and the one that is written."""
        return self._path.with_name(self._path.name + ".1"), self._path

    def write(self, user: str, op: str, text: str, refused: str | None) -> None:
        """Write one action down; on the medium when this returns."""
        words = f"{op} by {user}: {text}" + (f", refused: {refused}" if refused else "")
        log.info("%s", words, extra={"loa_user": user, "loa_op": op})
        entry = {
            "at": self._now().astimezone().isoformat(timespec="seconds"),
            "user": user[:MAX_TEXT],
            "op": op[:MAX_TEXT],
            "text": text[:MAX_TEXT],
            "outcome": "refused" if refused else "done",
            "reason": refused[:MAX_TEXT] if refused else None,
        }
        line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        try:
            self._append(line)
        except OSError as error:
            log.error("%s: the audit log cannot be written: %s", self._path, error.strerror or error)

    def newest(self, count: int) -> list[dict[str, Any]]:
        """The newest entries, oldest first. A line that a power cut left half written is passed over."""
        entries: list[dict[str, Any]] = []
        for path in self.files:
            try:
                lines = path.read_bytes().splitlines()
            except OSError:
                continue
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict):
                    entries.append(entry)
        return entries[-count:]

    def _append(self, line: bytes) -> None:
        older, path = self.files
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(descriptor).st_size
            if size + len(line) > MAX_BYTES:
                path.replace(older)
                os.close(descriptor)
                descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
                size = 0
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # after a half-written line
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if size == 0:
            sync_directory(path.parent)
