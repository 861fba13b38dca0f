"""What is carried by hand: a feed in a folder comes in, records that wait for the centre go out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from agent.conductor.asked import text, whole
from agent.control.protocol import ControlRequest
from agent.feeds.feeds import Feeds
from agent.feeds.folder import Folder
from agent.journal import Journal
from agent.uplink.wire import encode_record

MOST_RECORDS: Final = 500


class Carrying:
    """Answers requests about sticks. Runs on the conductor's thread only; the feed's own threads do the reading."""

    def __init__(self, feeds: Feeds, journal: Journal, node: str, site: str) -> None:
        self._feeds = feeds
        self._journal = journal
        self._node = node
        self._site = site
        self.looks: dict[str, Callable[[ControlRequest], None]] = {
            "feed-from-state": self._state,
            "log-batch": self._batch,
        }
        self.acts: dict[str, Callable[[ControlRequest], str]] = {"feed-from": self._bring}

    def _bring(self, request: ControlRequest) -> str:
        feed, path = self._known(request), Path(text(request, "path"))
        parts = request.arguments.get("parts", [])
        if (
            not path.is_absolute()
            or not isinstance(parts, list)
            or not all(isinstance(p, str) for p in parts)
        ):
            raise ValueError("path: expected an absolute path, and parts: a list of names below it")
        if not path.is_dir():
            raise ValueError(f"{path} is not a folder that the agent can read")
        self._feeds.bring(feed, Folder(path, tuple(parts)))
        request.answer()
        return f"{feed} from {path}"

    def _state(self, request: ControlRequest) -> None:
        found = self._feeds.brought(self._known(request))
        request.answer(brought=None if found is None else asdict(found))

    def _known(self, request: ControlRequest) -> str:
        feed = text(request, "feed")
        known = self._feeds.state()
        if feed not in known:
            raise ValueError(f"no feed {feed!r:.60}; known are: {', '.join(known) or 'none'}")
        return feed

    def _batch(self, request: ControlRequest) -> None:
        after = whole(request, "after", 0, 0, 2**62)
        count = whole(request, "count", MOST_RECORDS, 1, MOST_RECORDS)
        batch = self._journal.batch(after, count)
        request.answer(
            node=self._node,
            site=self._site,
            epoch=self._journal.epoch if batch is None else batch.epoch,
            stored_through=self._journal.stored_through,
            last=self._journal.last,
            batch=None
            if batch is None
            else {
                "epoch": batch.epoch,
                "first": batch.first,
                "last": batch.last,
                "records": [encode_record(record) for record in batch.records],
            },
        )
