"""Who may look and who may act: the kernel says who is at the other end of the socket, groups say what he may.

A request either looks (`agent.conductor.looks` has them all), and anybody who may open the socket gets its answer,
or it acts, and needs the group `loa-admin`. What nobody knows counts as acting.
"""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

READERS: Final = "loa"
"""Members of this group may open the socket, and look."""

ACTORS: Final = "loa-admin"
"""Members of this group, who must be in `READERS` too, may act."""

_SO_PEERGROUPS: Final = 59
"""Supplementary groups of the other end, as they were when it connected (unix(7), Linux 4.13). Not in `socket`."""

_MOST_GROUPS_BYTES: Final = 1_024
"""Python's own bound of an option's size: 256 groups."""

_NOBODY_LOGGED_IN: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the account, with who logged in before `sudo` where that is somebody else; and whether he may act."""

    name: str
    uid: int
    may_act: bool

    def on_behalf_of(self, claimed: object) -> str:
        """The name for the audit log. Only root is believed when it says who stands behind it: it could be anybody.

        Where the daemon may look at the other process, it has looked already; in the unit it may not
        (ProtectProc=invisible).
        """
        if self.uid != 0 or " (" in self.name or not isinstance(claimed, str):
            return self.name
        behind = "".join(c for c in claimed[:32] if c.isalnum() or c in "._-")
        return f"{self.name} ({behind})" if behind and behind != self.name else self.name


@dataclass(frozen=True, slots=True)
class Rights:
    """The groups by number; None where this system has none of that name: root and the daemon's user are left."""

    readers: int | None
    actors: int | None

    @classmethod
    def of_system(cls) -> Self:
        """As /etc/group has them now."""
        return cls(_gid(READERS), _gid(ACTORS))

    def caller(self, connection: socket.socket) -> Caller:
        """Who is at the other end of this connection.

        Raises:
            OSError: the connection is broken.
        """
        pid, uid, gid = _credentials(connection)
        name = account(uid)
        behind = logged_in(pid)
        if behind is not None and behind != name:
            name = f"{name} ({behind})"
        may_act = uid in (0, os.geteuid()) or self.actors in (gid, *_groups(connection, uid, gid))
        return Caller(name, uid, may_act)


def peer_uid(connection: socket.socket) -> int:
    """The account at the other end.

    Raises:
        OSError: the connection is broken.
    """
    return _credentials(connection)[1]


def _credentials(connection: socket.socket) -> tuple[int, int, int]:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, gid = struct.unpack("3i", credentials)
    return pid, uid, gid


def account(uid: int) -> str:
    """The name of an account."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def logged_in(pid: int | str = "self") -> str | None:
    """Who logged in to the session of a process, whatever `sudo` made of him; None where nobody did or it is hidden.

    Source: proc_pid_loginuid(5).
    """
    try:
        uid = int(Path(f"/proc/{pid}/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if uid == _NOBODY_LOGGED_IN else account(uid)


def _gid(group: str) -> int | None:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None


def _groups(connection: socket.socket, uid: int, gid: int) -> list[int]:
    try:
        packed = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_GROUPS_BYTES)
    except OSError:  # more groups than fit: ask the system's database instead
        return os.getgrouplist(account(uid), gid)
    return list(struct.unpack(f"{len(packed) // 4}I", packed))
