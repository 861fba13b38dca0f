"""The topics of contract §3, spelled in one place for both ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

UPWARD: Final = ("status", "health", "log", "receipt", "screenshot", "logs")
"""What a node publishes, below `…/node/{node}/`."""


class Topics:
    """Topics of one site."""

    def __init__(self, site: str) -> None:
        self.prefix = f"loa/1/{site}"

    def node(self, node: str, what: str) -> str:
        """`…/node/{node}/{what}`: one of `UPWARD`, `command` or `log/stored`."""
        return f"{self.prefix}/node/{node}/{what}"

    def group_command(self, group: str) -> str:
        """Commands for a group."""
        return f"{self.prefix}/group/{group}/command"

    def all_command(self) -> str:
        """Commands for every node of the site."""
        return f"{self.prefix}/all/command"

    def feed(self, feed: str) -> str:
        """Hints that a feed has a new version."""
        return f"{self.prefix}/feed/{feed}"

    def of_address(self, address: str) -> str:
        """The command topic for an entry of a command's `to`: `node:…`, `group:…` or `*`."""
        kind, _, name = address.partition(":")
        if kind == "node":
            return self.node(name, "command")
        return self.group_command(name) if kind == "group" else self.all_command()

    def down(self, node: str, groups: Iterable[str], feeds: Iterable[str]) -> list[str]:
        """All that a node listens to."""
        return [
            self.node(node, "command"),
            *(self.group_command(group) for group in sorted(groups)),
            self.all_command(),
            self.node(node, "log/stored"),
            *(self.feed(feed) for feed in sorted(feeds)),
        ]

    def up(self) -> list[str]:
        """All that a centre listens to."""
        return [self.node("+", what) for what in UPWARD]

    def node_of(self, topic: str) -> tuple[str, str] | None:
        """Node and kind of a topic that a node publishes to; None for any other."""
        head = f"{self.prefix}/node/"
        node, _, what = topic.removeprefix(head).partition("/")
        return (node, what) if topic.startswith(head) and node and what in UPWARD else None
