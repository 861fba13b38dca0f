"""Sounds that were made, in one folder: their samples, and at which rate they are to be played."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.files import ASIDE_PREFIX, sweep
from agent.player.protocol import RATE
from agent.store import Store
from playlists.units import Seconds


@dataclass(frozen=True)
class Pcm:
    """Raw signed 16-bit little-endian mono samples, ready to sound."""

    path: Path
    duration_s: Seconds
    rate: int = RATE


class Shelf:
    """A bounded folder of sounds. Safe to use from several threads.

    Args:
        directory: made if missing.
        max_bytes: bound of all samples in it.
        spare_bytes: of these, what only the vital may fill.

    Raises:
        OSError: the folder cannot be made or read.
    """

    def __init__(self, directory: Path, max_bytes: int, spare_bytes: int = 0) -> None:
        self.store = Store(directory / "pcm", max_bytes, spare_bytes=spare_bytes)
        self._facts = directory / "facts"
        self._facts.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # a card that is read-only plays all the same
            sweep(self._facts)

    def pcm(self, key: str) -> Pcm | None:
        """The samples of a key, if they are here."""
        path = self.store.path(key)
        if path is None:
            return None
        try:
            facts = json.loads(self._fact(key).read_bytes())
            rate = int(facts["rate"])
        except (OSError, ValueError, KeyError, TypeError):
            return None  # it is made again: cheaper than to guess
        return Pcm(path, Seconds(path.stat().st_size / 2 / rate), rate)

    def remember(self, key: str, rate: int) -> Pcm:
        """Note the rate of samples that were stored.

        Raises:
            OSError: it cannot be written, or the samples are gone.
        """
        # not written for ever: without it the samples are made again
        fact = self._fact(key)
        aside = fact.with_name(f"{ASIDE_PREFIX}{fact.name}-{threading.get_ident()}")
        try:
            aside.write_text(json.dumps({"rate": rate}))
            aside.replace(fact)
        except OSError:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            raise
        pcm = self.pcm(key)
        if pcm is None:
            raise FileNotFoundError(f"{key} was removed as soon as it was made")
        return pcm

    def keep(self, keys: Iterable[str]) -> None:
        """Say what is needed: only the rest goes when room is wanted."""
        self.store.keep(keys)
        for fact in self._facts.glob("[0-9a-f]*"):  # what is being written has another name
            if self.store.path(fact.name) is None:
                with contextlib.suppress(OSError):  # a read-only card
                    fact.unlink(missing_ok=True)

    def _fact(self, key: str) -> Path:
        return self._facts / key.removeprefix("sha256:")
