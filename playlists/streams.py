"""Which streams may be opened. Pure: names and addresses as they are written, nothing is looked up.

Where a stream comes from is who speaks, so it is the sender that must be allowed:

- `http`, `https`, `rtsp`, `srt`: the server that is asked.
- `rtp`, `udp`: whoever sends the packets. `rtp://studio:5004` takes them from `studio` only, whatever address of
  ours they come to; `rtp://studio@239.1.2.3:5004` those that `studio` sends to a multicast group. A group without a
  sender (`rtp://239.1.2.3:5004`, `rtp://@239.1.2.3:5004`) is allowed by the group's own address. A port that is
  open to anybody (`rtp://@:5004`, `rtp://0.0.0.0:5004`) is allowed only by an entry that says so: `@:5004`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

PORTS: Final = {"http": 80, "https": 443, "rtsp": 554, "srt": 9_000, "rtp": 5_004, "udp": 1_234}
"""Schemes, and the port that each means when none is named."""

DATAGRAMS: Final = frozenset({"rtp", "udp"})

_WRITTEN: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
"""RFC 3986, section 2. Beyond it, one program's host is another one's path (a backslash, a space)."""

_NAME: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})?(\.[a-z0-9_]([a-z0-9_-]{0,62})?)*$")


class UnclearStream(ValueError):  # noqa: N818 - says what is the matter
    """Error raised for an address or an entry that cannot be understood in one way only. Remedy: write it anew."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a stream comes from."""

    scheme: str
    sender: str
    """Name or address of who sends; empty: anybody."""
    port: int
    group: str = ""
    """The multicast group, or our own address, that is listened to; empty: all our addresses, or a server."""


@dataclass(frozen=True, slots=True)
class _Entry:
    host: str
    port: int | None
    below: bool = False
    """Stands for the names below `host`."""

    def fits(self, host: str, port: int) -> bool:
        if self.port is not None and self.port != port:
            return False
        return host.endswith(f".{self.host}") if self.below else host == self.host


@dataclass(frozen=True, slots=True)
class StreamHosts:
    """The hosts that a configuration allows."""

    entries: tuple[_Entry, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> StreamHosts:
        """From `radio.example`, `radio.example:8000`, `*.example`, `192.0.2.1`, `[2001:db8::1]:80`, `@:5004`.

        Raises:
            UnclearStream: an entry is none of these.
        """
        return cls(tuple(_read_entry(entry) for entry in entries))

    def refusal(self, url: str) -> str | None:
        """Why a stream must not be opened; None when it may."""
        try:
            where = read_stream(url)
        except UnclearStream as error:
            return str(error)
        if where.sender:
            asked = where.sender
        elif where.group and ipaddress.ip_address(where.group).is_multicast:
            asked = where.group
        else:
            asked = "@"
        if any(entry.fits(asked, where.port) for entry in self.entries):
            return None
        if asked == "@":
            return f"port {where.port} is not allowed to be open to anybody"
        return f"host {asked} is not allowed"


def read_stream(url: str) -> Endpoint:
    """Where a stream comes from.

    Raises:
        UnclearStream: the URL cannot be understood, or in more than one way.
    """
    if not _WRITTEN.fullmatch(url):
        raise UnclearStream("the stream's URL has a character that no URL has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UnclearStream(f"the stream's URL is unclear: {error}") from error
    scheme = parts.scheme
    if scheme not in PORTS:
        raise UnclearStream(f"{scheme}:// is not among {', '.join(PORTS)}")
    port = PORTS[scheme] if port is None else port
    if port == 0:
        raise UnclearStream("port 0 is no port")
    host = _host(parts.hostname or "")
    if scheme in DATAGRAMS:
        return _datagrams(scheme, parts.netloc, host, port)
    if scheme == "srt":
        mode = parse_qs(parts.query).get("mode", ["caller"])
        if mode != ["caller"]:
            raise UnclearStream(f"srt with mode={mode[0]} is not supported, only a server that is called")
    if not host:
        raise UnclearStream("the stream's URL names no host")
    return Endpoint(scheme, host, port)


def host_of(url: str) -> str:
    """Host and port for a reader, without user and password; the URL itself where there is no telling."""
    try:
        where = read_stream(url)
    except UnclearStream:
        return url[:100]
    host = where.sender or where.group or "@"
    return f"[{host}]:{where.port}" if ":" in host else f"{host}:{where.port}"


def without_secrets(url: str) -> str:
    """The URL as it may stand in a log: without user and password."""
    scheme, sep, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    if sep and scheme not in DATAGRAMS:
        authority = authority.rpartition("@")[2]
    return f"{scheme}{sep}{authority}{slash}{path}"


def _datagrams(scheme: str, netloc: str, host: str, port: int) -> Endpoint:
    """`[sender@][address][:port]`, as libVLC writes it, with a lone unicast address taken for the sender's."""
    before, at, _ = netloc.rpartition("@")
    address = _address(host)
    if not at:
        if address is None and host:
            return Endpoint(scheme, host, port)
        if address is None or address.is_unspecified:
            return Endpoint(scheme, "", port)
        return Endpoint(scheme, "", port, host) if address.is_multicast else Endpoint(scheme, host, port)
    if host and address is None:
        raise UnclearStream(f"{host} is a name: behind the @ stands a group or an address of the node")
    group = "" if address is None or address.is_unspecified else host
    return Endpoint(scheme, _host(before.strip("[]")), port, group)


def _host(text: str) -> str:
    """A host as it is compared: small letters, no dot at the end, addresses in their one form."""
    text = text.lower().removesuffix(".")
    address = _address(text)
    if address is not None:
        return str(address)
    if text and not _NAME.fullmatch(text):
        raise UnclearStream(f"{text[:60]} is neither a host name nor an address")
    return text


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _read_entry(entry: str) -> _Entry:
    found = re.fullmatch(
        r"(@|\[[^\]]+\]|[^:\[\]@]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*)(?::(\d{1,5}))?", entry
    )
    if found is None:
        raise UnclearStream('must be like "radio.example", "radio.example:8000", "*.example" or "192.0.2.1"')
    host, port = found[1].strip("[]"), None if found[2] is None else int(found[2])
    if port is not None and not 1 <= port <= 65_535:
        raise UnclearStream("has a port that is not between 1 and 65535")
    if host == "@":
        if port is None:
            raise UnclearStream('must name its port: "@:5004" lets anybody speak who reaches that port')
        return _Entry("@", port)
    below = host.startswith("*.")
    name = _host(host.removeprefix("*."))
    if not name or "*" in name or (below and _address(name) is not None):
        raise UnclearStream('may have a * only as the whole first part of a name: "*.example"')
    return _Entry(name, port, below)
