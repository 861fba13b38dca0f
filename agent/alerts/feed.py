"""Reads what the address of a source gives: an Atom feed, an RSS feed or one CAP document.

The feed itself is signed by nobody: it only says where signed documents are. A document that stands inside an
entry is cut out byte for byte, since a signature counts bytes; it must declare its own namespaces, as one does that
was signed by itself.

References: RFC 4287 (Atom); RSS 2.0, https://www.rssboard.org/rss-specification
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from agent.alerts.errors import Unreadable
from playlists.alert.reader import NAMESPACE

MAX_FEED_BYTES: Final = 2_000_000
MAX_ENTRIES: Final = 200
"""Entries beyond are not looked at: feeds have the newest first."""
MAX_DEPTH: Final = 100
MAX_TEXT: Final = 2_000

ALERT: Final = f"{{{NAMESPACE}}}alert"
CAP_TYPE: Final = "application/cap+xml"
_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_TEXTS: Final = {f"{_ATOM}id", f"{_ATOM}updated", "guid", "pubDate", "link"}


@dataclass(frozen=True)
class Entry:
    """One document that a feed offers."""

    key: str
    """Equal for an entry that says the same as before, so that it need not be fetched again."""
    link: str | None = None
    document: bytes | None = None
    """The document itself, where the entry has it inside."""


@dataclass
class _Open:
    """An entry that is being read."""

    texts: dict[str, str] = field(default_factory=dict)
    links: list[tuple[int, str]] = field(default_factory=list)
    """Address of each link, and how likely an alert is behind it: 0 most."""
    document: bytes | None = None


def read_feed(raw: bytes) -> list[Entry]:
    """The documents that are offered, in the order of the feed, each once.

    Raises:
        Unreadable: it is no XML in UTF-8, has a DTD, or is neither Atom, RSS 2.0 nor CAP 1.2.
    """
    try:
        raw = raw.decode("utf-8-sig").encode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8: {error}") from error
    collector = _Collector(raw)
    parser = DefusedXMLParser(target=collector, forbid_dtd=True)
    collector.expat = parser.parser
    try:
        parser.feed(raw)
        parser.close()
    except DefusedXmlException as error:
        raise Unreadable(f"has a document type, which is not accepted ({type(error).__name__})") from error
    except (ParseError, ValueError, LookupError) as error:
        raise error if isinstance(error, Unreadable) else Unreadable(f"is not XML: {error}") from error
    return list({entry.key: entry for entry in collector.entries}.values())


class _Collector:
    """Target of the parser: keeps what entries need, and no tree."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.expat: Any = None
        self.entries: list[Entry] = []
        self._depth = 0
        self._entry: _Open | None = None
        self._text: list[str] | None = None
        self._cut: tuple[int, int] | None = None
        """Depth and first byte of an alert that is being passed."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A tag opens."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Unreadable(f"is nested deeper than {MAX_DEPTH} elements")
        if self._depth == 1:
            self._root(tag)
        elif self._cut is not None:
            return
        elif tag in (f"{_ATOM}entry", "item"):
            self._entry = _Open()
        elif self._entry is not None:
            self._inside(self._entry, tag, attributes)

    def _root(self, tag: str) -> None:
        if tag == ALERT:
            self.entries.append(Entry(_digest(self._raw), document=self._raw))
        elif tag not in (f"{_ATOM}feed", "rss"):
            raise Unreadable(f"is neither Atom, RSS 2.0 nor CAP 1.2: the root element is {tag[:100]!r}")

    def _inside(self, entry: _Open, tag: str, attributes: dict[str, str]) -> None:
        if tag == ALERT and entry.document is None:
            self._cut = (self._depth, self.expat.CurrentByteIndex)
        elif tag == f"{_ATOM}link":
            rel, kind = attributes.get("rel", "alternate"), attributes.get("type", "")
            if kind == CAP_TYPE or (rel == "alternate" and "html" not in kind):
                entry.links.append((0 if kind == CAP_TYPE else 1, attributes.get("href", "")))
        elif tag == "enclosure":
            if attributes.get("type") == CAP_TYPE:
                entry.links.append((0, attributes.get("url", "")))
        elif tag in _TEXTS:
            self._text = []

    def data(self, text: str) -> None:
        """Text between tags."""
        if self._text is not None and len(self._text) < MAX_TEXT:
            self._text.append(text)

    def end(self, tag: str) -> None:
        """A tag closes."""
        if self._entry is not None:
            if self._cut is not None:
                if self._depth == self._cut[0]:
                    end = self._raw.index(b">", self.expat.CurrentByteIndex) + 1
                    self._entry.document = self._raw[self._cut[1] : end]
                    self._cut = None
            elif tag in (f"{_ATOM}entry", "item"):
                self._finish(self._entry)
                self._entry = None
            elif self._text is not None and tag in _TEXTS:
                self._entry.texts[tag] = "".join(self._text).strip()[:MAX_TEXT]
                self._text = None
        self._depth -= 1

    def close(self) -> None:
        """The document has ended."""

    def _finish(self, entry: _Open) -> None:
        if len(self.entries) >= MAX_ENTRIES:
            return
        if entry.document is not None:
            self.entries.append(Entry(_digest(entry.document), document=entry.document))
            return
        if entry.texts.get("link"):
            entry.links.append((1, entry.texts["link"]))
        links = sorted((rank, place, link) for place, (rank, link) in enumerate(entry.links) if link)
        if links:  # one without says that nothing is in force
            said = [entry.texts.get(tag, "") for tag in sorted(_TEXTS)]
            self.entries.append(Entry(_digest("\n".join([links[0][2], *said]).encode()), link=links[0][2]))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
