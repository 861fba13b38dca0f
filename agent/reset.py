"""Beginning anew: what the node has gathered is set aside at its next start, before anything has it open.

Who asks leaves a mark in the state folder; the daemon finds it when it starts. So it works alike for a node that runs
(it is restarted) and for one that cannot even start, and nobody but the daemon's own user has to move its files.
Copies of what the feeds have (recordings, decoded sounds) are removed: they are fetched and made again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from agent.config import Config
from agent.files import sync_directory, write_atomically
from agent.words import N_

log = logging.getLogger("loa.reset")

Part = Literal["state", "cache"]
PARTS: Final[tuple[Part, ...]] = ("state", "cache")

GATHERED: Final = ("journal", "feeds", "alert-sources")
"""Folders in the state folder that make up `state`."""

MARK: Final = "reset-asked.json"
SET_ASIDE: Final = "set-aside"
KEEP: Final = 2
"""So many are kept of what was set aside; older ones are removed."""

FORGOTTEN: Final[dict[str, tuple[str, ...]]] = {
    "state": (
        N_("the play log, with what the centre has not stored yet"),
        N_("mutes, volumes, alerts in force, receipts that wait, bytes of today"),
        N_("what the feeds said last, and how far their signatures had come"),
    ),
    "cache": (N_("recordings and decoded sounds: they are fetched and made again, over the network"),),
    "identity": (
        N_("keys and passwords for the broker: the node is no longer known there; then: loa enroll"),
    ),
}
"""What each part costs, in words."""

KEPT: Final = (
    N_("the configuration, the feeds' trusted roots, the audit log"),
    N_("the self-test's reference, and the last time that was known"),
)


@dataclass(frozen=True, slots=True)
class Done:
    """A reset that was carried out at this start."""

    parts: tuple[str, ...]
    by: str
    aside: Path | None
    """Where the state lies now."""


def ask(state: Path, parts: Iterable[Part], by: str) -> None:
    """Leave the mark: it is carried out at the next start.

    Raises:
        OSError: the state folder cannot be written.
    """
    document = {"parts": [part for part in PARTS if part in set(parts)], "by": by}
    write_atomically(state / MARK, json.dumps(document, ensure_ascii=False).encode(), mode=0o644)


def carry_out(config: Config, now: datetime) -> Done | None:
    """Do what was asked, if anything was; to be called before anything of the state is open.

    Broken off by a power cut, it is done again from the beginning. What cannot be moved stays, and is logged.
    """
    state, mark = config.paths.state, config.paths.state / MARK
    try:
        asked = json.loads(mark.read_bytes())
        parts = tuple(part for part in PARTS if part in asked["parts"])
        by = str(asked.get("by", "?"))[:100]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.error("%s cannot be read and is ignored: %s", mark, error)
        with contextlib.suppress(OSError):
            mark.unlink(missing_ok=True)
        return None
    log.warning("reset, asked by %s: %s", by, ", ".join(parts) or "nothing")
    try:
        aside = _set_aside(state, now) if "state" in parts else None
        if "cache" in parts:
            _empty(config.paths.cache)
        mark.unlink(missing_ok=True)
        sync_directory(state)
    except OSError as error:
        # a card that takes nothing any more must not keep the node from speaking
        log.error("the reset cannot be carried out, and is tried again at the next start: %s", error)
        return None
    return Done(parts, by, aside)


def _set_aside(state: Path, now: datetime) -> Path:
    aside = state / SET_ASIDE / f"{now:%Y%m%d-%H%M%S}"
    aside.mkdir(parents=True, exist_ok=True)
    for name in GATHERED:
        try:
            (state / name).rename(aside / name)
        except FileNotFoundError:
            continue
        except OSError as error:
            log.error("%s cannot be set aside: %s", state / name, error)
    for old in sorted(aside.parent.iterdir())[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)
    sync_directory(aside.parent)
    return aside


def _empty(cache: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        for found in cache.iterdir():
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found, ignore_errors=True)
            else:
                found.unlink(missing_ok=True)
