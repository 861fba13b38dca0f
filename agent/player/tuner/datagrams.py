"""Datagrams at a port of ours, from those senders only that the address of the stream names."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import Final

from agent.player.tuner.errors import NotReceived
from playlists.streams import Endpoint

SILENT_S: Final = 3.0
"""Nothing for so long is worth a word."""

_BIGGEST: Final = 65_535
_BUFFER_BYTES: Final = 512_000
_IP_ADD_SOURCE_MEMBERSHIP: Final = 39  # linux/in.h; Python's socket module has it from 3.12 on


def receive(where: Endpoint) -> Iterator[bytes | None]:
    """Datagrams as they come; None each time that nothing has come for `SILENT_S`.

    Raises:
        NotReceived: the port or the group cannot be had, or the sender's name is not known.
    """
    senders = _addresses(where.sender, where.port) if where.sender else None
    with _open(where, senders) as ours:
        ours.settimeout(SILENT_S)
        while True:
            try:
                datagram, sender = ours.recvfrom(_BIGGEST)
            except TimeoutError:
                yield None
                continue
            if senders is None or _plain(sender[0]) in senders:
                yield datagram


def _open(where: Endpoint, senders: set[str] | None) -> socket.socket:
    group = ipaddress.ip_address(where.group) if where.group else None
    first = group or (ipaddress.ip_address(next(iter(senders))) if senders else None)
    six = first is not None and first.version == 6
    ours = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(group is not None and group.is_multicast))
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        ours.bind((where.group, where.port))
        if group is not None and group.is_multicast:
            _join(ours, group, senders)
    except OSError as error:
        ours.close()
        raise NotReceived(f"port {where.port} cannot be listened to: {error.strerror or error}") from error
    return ours


def _join(
    ours: socket.socket, group: ipaddress.IPv4Address | ipaddress.IPv6Address, senders: set[str] | None
) -> None:
    if group.version == 6:
        ours.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, struct.pack("@16sI", group.packed, 0))
        return
    here = socket.INADDR_ANY.to_bytes(4, "big")
    if senders is None:
        ours.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group.packed + here)
        return
    for sender in senders:
        ours.setsockopt(
            socket.IPPROTO_IP,
            _IP_ADD_SOURCE_MEMBERSHIP,
            group.packed + here + ipaddress.ip_address(sender).packed,
        )


def _addresses(name: str, port: int) -> set[str]:
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise NotReceived(f"{name}: its name is not known") from error
    return {_plain(str(entry[4][0])) for entry in found}


def _plain(address: str) -> str:
    """An address in its one form, without the zone of a link-local one."""
    return str(ipaddress.ip_address(address.partition("%")[0]))
