"""Which documents of a source have had their effect, and what its host said of its state; kept over restarts.

What was refused is not kept: after a restart, with another certificate or a better clock, it is judged again.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Final

from agent.alerts.errors import Technician
from agent.feeds.http import Validators
from agent.files import sweep, write_atomically

log = logging.getLogger("loa.alerts")

MAX_REMEMBERED: Final = 2_000
"""Ten times what a feed may list, so that an entry is forgotten only when its feed has long dropped it."""
_FORMAT: Final = "loa.alert-source/1"


class Memory:
    """One file of one source, in a folder of its own. Used by its thread alone.

    Args:
        path: the file.
        url: of the source; what a host said of another address does not count.
    """

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._url = url
        self._taken: dict[str, None] = {}
        self.validators = Validators()
        self._saved = ""
        self._load()

    def __contains__(self, key: str) -> bool:
        return key in self._taken

    def add(self, *keys: str) -> None:
        """Remember entries and documents by their digests; `save` makes it last."""
        for key in keys:
            self._taken.pop(key, None)
            self._taken[key] = None
        while len(self._taken) > MAX_REMEMBERED:
            del self._taken[next(iter(self._taken))]

    def save(self, validators: Validators) -> None:
        """Write it down, if there is anything new.

        Raises:
            Technician: the disk refuses; documents may be handed over again after a restart.
        """
        self.validators = validators
        content = {
            "format": _FORMAT,
            "url": self._url,
            "etag": validators.etag,
            "modified": validators.modified,
            "taken": list(self._taken),
        }
        text = json.dumps(content)
        if text == self._saved:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, text.encode())
        except OSError as error:
            raise Technician(
                f"{self._path}: {error}; its alerts may be told again after a restart"
            ) from error
        self._saved = text

    def _load(self) -> None:
        if not self._path.exists():
            return
        try:
            sweep(self._path.parent)
            content = json.loads(self._path.read_bytes())
            if content["format"] != _FORMAT:
                raise ValueError(f"format {content['format']!r}")
            self.add(*map(str, content["taken"]))
            found = (content["etag"], content["modified"])
            if content["url"] == self._url:
                self.validators = Validators(*(None if value is None else str(value) for value in found))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            log.warning("%s: cannot be used, alerts may be told again (%s)", self._path, error)
