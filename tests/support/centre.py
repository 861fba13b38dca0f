"""A real centre around a real broker: publishes, commands, collects. Nodes are made to follow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.station import centre, keys
from agent.station.archive import Archive
from agent.station.commands import Desk, compose
from agent.station.folder import Folder
from agent.station.publish import Published, init, publish
from agent.station.serve import Service
from playlists.models.command import Command, Receipt
from playlists.units import Seconds
from tests.support.broker import USER, Mosquitto
from tests.support.node import NodeSettings
from tests.support.wait import wait_until

SITE = "xa-mau"
FEED = "commune"
EACH_S = 0.03
"""The archive is asked so often while something is awaited."""


def write_settings(folder: Folder, reach: centre.Centre) -> None:
    """Fill in `station.toml`."""
    document = reach.model_dump(mode="json", exclude_none=True)
    broker = document.pop("broker")
    lines = [f"{key} = {json.dumps(value)}" for key, value in document.items()]
    lines += ["[broker]", *(f"{key} = {json.dumps(value)}" for key, value in broker.items())]
    (folder.path / centre.FILE).write_text("\n".join(lines), encoding="utf-8")


class CentreUnderTest:
    """Station, web host and broker in one folder. A context manager."""

    def __init__(self, directory: Path, *, sample: bool = False) -> None:
        self.directory = directory
        self.broker = Mosquitto(directory / "broker")
        self.broker.password_file.chmod(0o600)
        self.folder: Folder = init(directory / "station", sample=sample)
        self.reach = centre.Centre(site=SITE, feed=FEED, broker=self.broker.settings())
        write_settings(self.folder, self.reach)
        self._service: Service | None = None
        self._desk: Desk | None = None

    def __enter__(self) -> Self:
        self.broker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._desk is not None:
            self._desk.__exit__(None, None, None)
        if self._service is not None:
            self._service.stop()
        self.broker.stop()

    def publish(
        self, programmes: list[dict[str, Any]], media: Mapping[str, Path] | None = None, **parts: Any
    ) -> Published:
        """Publish a schedule with these programmes; `parts` are its other fields."""
        document = {"format": "loa.schedule/1", "programmes": programmes, **parts}
        return publish(self.folder.path, schedule_json=document, media=media)

    def serve(self) -> Service:
        """Serve the feed and collect reports, from now on."""
        if self._service is None:
            self._service = Service(self.folder.path, port=0, say=lambda _line: None)
            self._service.start()
        return self._service

    @property
    def feed_url(self) -> str:
        """Where nodes fetch the feed."""
        web = self.serve().web
        assert web is not None
        return web.url

    def node_settings(self, **changes: Any) -> NodeSettings:
        """What a node needs to follow this centre."""
        settings = {
            "feed_url": self.feed_url,
            "root": self.folder.root,
            "broker_port": self.broker.port,
            "password_file": self.broker.password_file,
            "user": USER,
        }
        return NodeSettings(**{**settings, **changes})

    def desk(self) -> Desk:
        """The officer's connection."""
        if self._desk is None:
            self._desk = Desk(self.reach, keys.load(self.folder, keys.OFFICER))
            self._desk.__enter__()
        return self._desk

    def command(self, do: Mapping[str, Any], to: tuple[str, ...] = ("*",), valid_s: float = 300.0) -> Command:
        """Sign and send a command; returns it."""
        command = compose(do, feed=FEED, to=to, now=datetime.now(UTC), valid_s=Seconds(valid_s))
        self.desk().send(command)
        return command

    def archive(self) -> Archive:
        """What is stored of the nodes' reports. The caller closes it."""
        return Archive(self.folder.database)

    def records(self, **where: Any) -> list[dict[str, Any]]:
        """Stored records whose fields have these values, in order."""
        archive = self.archive()
        try:
            found = archive.records()
        finally:
            archive.close()
        return [record for record in found if all(record.get(key) == value for key, value in where.items())]

    def receipts(self, command: Command) -> list[Receipt]:
        """Stored receipts of a command."""
        archive = self.archive()
        try:
            found = archive.receipts(command.id)
        finally:
            archive.close()
        return [Receipt.model_validate(receipt) for receipt in found]

    def wait_for_receipt(self, command: Command, state: str, timeout_s: float = 15.0) -> Receipt:
        """Return the stored receipt of that state."""

        def find() -> Receipt | None:
            return next((r for r in self.receipts(command) if r.state == state), None)

        there = [receipt.state for receipt in self.receipts(command)]
        return wait_until(
            find, timeout_s, f"receipt {state} for {command.do.type}; there are {there}", EACH_S
        )

    def wait_for_records(self, count: int = 1, timeout_s: float = 15.0, **where: Any) -> list[dict[str, Any]]:
        """Return stored records with these field values, once there are `count`."""

        def find() -> list[dict[str, Any]] | None:
            found = self.records(**where)
            return found if len(found) >= count else None

        return wait_until(find, timeout_s, f"{count} stored records with {where}", EACH_S)
