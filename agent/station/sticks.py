"""`loa station stick` and `loa station collect-usb`: the centre's end of a USB stick."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509

from agent.cli.common import JsonFlag, fail, print_json, said_by
from agent.station.archive import Archive
from agent.station.authority import NAME
from agent.station.centre import load
from agent.station.collector import read_batch
from agent.station.errors import StationError
from agent.station.folder import Folder
from agent.usb import report
from agent.usb.layout import FEEDS, REPORTS
from agent.usb.stick import Missing, Stick, StickError, printable
from agent.words import _, retell
from playlists.errors import Rejected

log = logging.getLogger("loa.station")

Station = Annotated[Path, typer.Argument(metavar="DIR", help="The station's folder.")]
Where = Annotated[Path, typer.Argument(metavar="STICK", help="Where the stick is mounted.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `loa station`."""
    app.command("stick")(stick_)
    app.command("collect-usb")(collect_usb)


def stick_(station: Station, stick: Where, as_json: JsonFlag = False) -> None:
    """Copy the published feed onto a stick, freshly signed, for nodes without a network."""
    from agent.station import publish

    folder = Folder(station)
    try:
        publish.renew(station)
        name = load(folder).feed
        with Stick(stick) as open_stick:
            count, size = copy_feed(folder.feed, open_stick, name)
    except (StationError, StickError, OSError) as error:
        fail(said_by(error))
    if as_json:
        print_json({"feed": name, "files": count, "bytes": size})
        return
    text = _("feed {name} is on the stick: {count} files, {size} MB; its signatures hold for a week")
    typer.echo(text.format(name=name, count=count, size=f"{size / 1e6:.1f}"))


def copy_feed(feed: Path, stick: Stick, name: str) -> tuple[int, int]:
    """Copy a published feed. `timestamp.json` comes last: until it is there, the old feed on the stick is whole.

    Returns:
        Files and bytes.

    Raises:
        StickError: the stick is full, gone or write-protected.
        OSError: the feed cannot be read.
    """
    count = size = 0
    for path in sorted(_files(feed), key=lambda path: path.name == "timestamp.json"):
        parts = (*FEEDS, name, *path.relative_to(feed).parts)
        length = path.stat().st_size
        immutable = path.relative_to(feed).parts[0] == "targets"  # the hash is in the name
        if not (immutable and stick.size(*parts) == length):
            stick.copy(path, *parts)
        count, size = count + 1, size + length
    return count, size


def _files(feed: Path) -> Iterator[Path]:
    for part in ("metadata", "targets"):
        for path in (feed / part).rglob("*"):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                yield path


def collect_usb(station: Station, stick: Where, as_json: JsonFlag = False) -> None:
    """Take over what nodes have written onto a stick; what came by the broker as well is kept once."""
    folder = Folder(station)
    try:
        authority = x509.load_pem_x509_certificate(folder.certificate(NAME).read_bytes())
        site = load(folder).site
        archive = Archive(folder.database)
    except (StationError, OSError, ValueError) as error:
        fail(said_by(error))
    try:
        with Stick(stick) as open_stick:
            collected, problems = collect(open_stick, archive, authority, site, lambda: datetime.now(UTC))
    except (StickError, sqlite3.Error) as error:
        fail(said_by(error))
    finally:
        archive.close()
    if as_json:
        print_json({"nodes": collected, "problems": problems})
    else:
        for node, counts in sorted(collected.items()):
            text = _("{node}: {records} records, {new} of them new; stored through {through}")
            typer.echo(text.format(node=node, **counts))
        for problem in problems:
            typer.echo(retell(problem), err=True)
        if not collected and not problems:
            typer.echo(_("nothing was reported on this stick"))
    if problems:
        raise typer.Exit(1)


def collect(
    stick: Stick, archive: Archive, authority: x509.Certificate, site: str, now: Callable[[], datetime]
) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Take over all reports. One that is not right costs that file, and is told.

    Returns:
        For each node how many records came, how many were new, and through which number its log is stored; problems.

    Raises:
        StickError: the stick cannot be read.
        sqlite3.Error: the database refuses; what was taken over before is stored.
    """
    collected: dict[str, Counter[str]] = {}
    problems = []
    try:
        nodes = stick.names(*REPORTS)
    except Missing:
        return {}, []
    for node in nodes:
        try:
            names = stick.names(*REPORTS, node)
        except StickError as error:
            problems.append(str(error))
            continue
        for name in names:
            where = printable(f"{node}/{name}")
            if not name.endswith(".json") or name.startswith("."):
                continue
            try:
                found = report.read(
                    stick.read(*REPORTS, node, name, max_bytes=report.MAX_BYTES), where, authority
                )
                if found.site != site:
                    raise Rejected(where, [f"is of the site {found.site}, this centre is {site}"])
                counts = collected.setdefault(found.node, Counter(records=0, new=0, through=0))
                _keep(archive, found, counts, now())
            except (StickError, Rejected) as error:
                problems.append(str(error))
    return {node: dict(counts) for node, counts in collected.items()}, problems


def _keep(archive: Archive, found: report.Report, counts: Counter[str], now: datetime) -> None:
    where = f"report of {found.node}"
    if found.kind == "health":
        if _newer(archive, found):
            archive.set_latest(found.node, "health", json.dumps(found.document, ensure_ascii=False), now)
        return
    batch = read_batch(where, found.document)
    before = archive.count(found.node, batch.epoch, batch.first, batch.last)
    through = archive.add_batch(found.node, batch.epoch, batch.first, batch.last, batch.records, now)
    after = archive.count(found.node, batch.epoch, batch.first, batch.last)
    counts["records"] += len(batch.records)
    counts["new"] += after - before
    counts["through"] = max(counts["through"], through)


def _newer(archive: Archive, found: report.Report) -> bool:
    """Whether a health on a stick is younger than what is known; ages as the node's own clock has them."""
    known: dict[str, Any] = archive.latest("health").get(found.node, {})
    try:
        return datetime.fromisoformat(str(found.document["at"])) > datetime.fromisoformat(str(known["at"]))
    except (KeyError, ValueError, TypeError):
        return not known
