"""What an account may do, read from /etc/passwd, /etc/group and the mode of files.

Whoever runs the doctor is seldom the daemon: root may read what the daemon may not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    """A user with all its groups."""

    name: str
    uid: int
    gids: frozenset[int]
    groups: frozenset[str]

    def may_read(self, path: Path) -> bool:
        """Whether it may read this file, as far as modes say."""
        return self._may_reach(path) and self._may(path, 4)

    def may_write(self, path: Path) -> bool:
        """Whether it may write to this file or make files in this folder, as far as modes say."""
        return self._may_reach(path) and self._may(path, 3 if path.is_dir() else 2)

    def _may_reach(self, path: Path) -> bool:
        return all(self._may(folder, 1) for folder in path.absolute().parents)

    def _may(self, path: Path, wanted: int) -> bool:
        if self.uid == 0:
            return True
        found = path.stat()
        if found.st_uid == self.uid:
            bits = found.st_mode >> 6
        elif found.st_gid in self.gids:
            bits = found.st_mode >> 3
        else:
            bits = found.st_mode
        return bits & wanted == wanted


def account_of(name: str, root: Path) -> Account | None:
    """The account of that name on the system below `root`; None where it is not there."""
    user = next((fields for fields in _lines(root / "etc/passwd") if fields[0] == name), None)
    if user is None or len(user) < 4:
        return None
    groups = {
        fields[0]: int(fields[2])
        for fields in _lines(root / "etc/group")
        if len(fields) >= 4 and fields[2].isdigit()
        if name in fields[3].split(",") or fields[2] == user[3]
    }
    return Account(name, int(user[2]), frozenset({int(user[3]), *groups.values()}), frozenset(groups))


def own_account() -> Account:
    """Who this process is."""
    gids = frozenset({os.getegid(), *os.getgroups()})
    return Account("", os.geteuid(), gids, frozenset())


def group_names(root: Path) -> frozenset[str]:
    """All groups of the system."""
    return frozenset(fields[0] for fields in _lines(root / "etc/group"))


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) >= 3:
            yield fields
