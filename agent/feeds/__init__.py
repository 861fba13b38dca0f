"""Follows signed feeds: fetches, verifies, keeps what is good, and says what is in force.

`Feeds` is the room's front door; it brings tuf and requests with it (150 ms, 15 MB), so it is loaded when
it is first asked for. What it tells stands in `agent.feeds.events`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.feeds.feeds import Feeds as Feeds
    from agent.feeds.feeds import MediaInfo as MediaInfo

__all__ = ["Feeds", "MediaInfo"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from agent.feeds import feeds  # noqa: PLC0415 - heavy, and events are wanted without it

    return getattr(feeds, name)
