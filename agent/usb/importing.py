"""Finds feeds on a stick, and has the running agent take them. The agent verifies; nothing here is trusted."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.config import Config, Feed
from agent.usb.layout import FEEDS
from agent.usb.stick import Missing, Stick, StickError, printable
from agent.words import _, retell

Ask = Callable[..., dict[str, Any]]
"""Asks the running agent: `agent.control.client.ask` without its path."""

MOST_FOLDERS: Final = 200
MAX_ROOT_BYTES: Final = 1_000_000
LONGEST_S: Final = 3_600.0
ASK_EACH_S: Final = 0.3


@dataclass(frozen=True)
class Found:
    """A feed of this node on a stick."""

    feed: str
    parts: tuple[str, ...]
    """Its folder, below the stick."""


@dataclass(frozen=True)
class Taken:
    """How it went with one feed."""

    feed: str
    ok: bool
    text: str
    version: int | None = None
    missing: int = 0


def find_feeds(stick: Stick, config: Config) -> list[Found]:
    """The feeds on a stick that this node follows: folders whose root is the one that was pinned for the feed.

    Looked at are `loa/feeds/*`, the folders at the top, and the top itself.

    Raises:
        StickError: it has a feed, but none of this node's; or it cannot be read.
    """
    roots = {feed.name: root for feed in config.feeds if (root := _root(feed)) is not None}
    found: dict[str, Found] = {}
    strangers = []
    for parts in _folders(stick):
        if not stick.has(*parts, "metadata", "timestamp.json"):
            continue
        matching = [name for name, root in roots.items() if _is_of(stick, parts, root)]
        for name in matching:
            found.setdefault(name, Found(name, parts))
        if not matching:
            strangers.append("/".join(parts) or ".")
    if strangers and not found:
        text = _(
            "a feed is on the stick ({folders}), but none that this node follows: its root is another one"
        )
        raise StickError(text.format(folders=printable(", ".join(strangers))))
    return list(found.values())


def take(found: Found, stick: Path, ask: Ask, say: Callable[[str], None]) -> Taken:
    """Have the agent take a feed, and wait until it has.

    Raises:
        agent.control.client.ControlError: the agent does not run, or refuses.
    """
    ask("feed-from", feed=found.feed, path=str(stick), parts=list(found.parts))
    say(_("feed {name}: the agent reads it …").format(name=found.feed))
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        state = ask("feed-from-state", feed=found.feed)["brought"] or {}
        if state.get("state") == "failed":
            text = _("feed {name}: refused: {why}; what the node had stays in force")
            reason = retell(str(state.get("reason")))
            return Taken(found.feed, False, text.format(name=found.feed, why=reason))
        if state.get("state") == "finished":
            return _finished(found.feed, state)
        time.sleep(ASK_EACH_S)
    text = _("feed {name}: the agent has not finished within an hour")
    return Taken(found.feed, False, text.format(name=found.feed))


def _finished(feed: str, state: dict[str, Any]) -> Taken:
    version, media, missing = state["version"], state["media"], state["missing"]
    text = _("feed {name}: version {version} is in force, {media} recordings and pictures")
    text = text.format(name=feed, version=version, media=media)
    if missing:
        more = _("{missing} of them are not on the stick and not here: {why}")
        text += "; " + more.format(missing=missing, why=retell(str(state["reason"])))
    return Taken(feed, missing == 0, text, version, missing)


def _folders(stick: Stick) -> Sequence[tuple[str, ...]]:
    places: list[tuple[str, ...]] = []
    with contextlib.suppress(Missing):
        places += [(*FEEDS, name) for name in stick.names(*FEEDS)]
    places.append(())
    places += [(name,) for name in stick.names() if not name.startswith(".")]
    return places[:MOST_FOLDERS]


def _root(feed: Feed) -> bytes | None:
    try:
        return feed.root.read_bytes()
    except OSError:
        return None  # the doctor and the daemon say so


def _is_of(stick: Stick, parts: tuple[str, ...], root: bytes) -> bool:
    """Whether the folder has the root that was pinned: a feed keeps all its roots, by version."""
    try:
        version = int(json.loads(root)["signed"]["version"])
        return stick.read(*parts, "metadata", f"{version}.root.json", max_bytes=MAX_ROOT_BYTES) == root
    except (ValueError, KeyError, TypeError, StickError):
        return False
