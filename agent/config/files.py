"""Whether the files that the configuration names are there and can be read by this user.

Apart from parsing, so that a configuration can be judged on another machine than its own.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.config.errors import ConfigError, Problem
from agent.config.model import Config
from agent.config.show import shown

FAILING_MEDIUM = frozenset({errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO})
"""How a card fails: read-only after an error (mount(8), `errors=remount-ro`), full, out of inodes, unreadable."""

AGENT = "loa"
"""Whom the service runs as."""


def speaks_for_the_agent() -> bool:
    """May this user judge what the agent may read and write? Another user's rights say nothing about it."""
    try:
        agent = pwd.getpwnam(AGENT).pw_uid
    except KeyError:
        return True  # no node is installed here: who asks will run it
    return os.geteuid() in (0, agent)


def check_files(config: Config, where: str = "config.toml", *, starting: bool = False) -> None:
    """Try every file that `config` names for reading, and its folders for writing.

    What this user may not read or write is no problem where another user is the agent.

    Args:
        config: names the files.
        where: names the configuration in messages.
        starting: leave out those of alert sources, and a medium that is full or has become read-only. A node
            without one of its sources, or with a failing card, still speaks, and says what it misses; one that
            does not start says nothing.

    Raises:
        ConfigError: with all problems at once.
    """
    problems = list(_problems(config, FAILING_MEDIUM if starting else frozenset()))
    if not starting:
        for file in files_of_sources(config):
            problems += _readable(file.section, file.key, file.path)
    if problems:
        raise ConfigError(where, problems)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that the configuration names, and that is to be read."""

    section: str
    key: str
    path: Path
    secret: bool = False


def named_files(config: Config) -> Iterator[NamedFile]:
    """All files that must be readable for the node to start."""
    for feed in config.feeds:
        yield NamedFile(f'[[feeds]] "{feed.name}"', "root", feed.root)
    broker = config.broker
    if broker is not None:
        for key, path, secret in (
            ("ca", broker.ca, False),
            ("cert", broker.cert, False),
            ("key", broker.key, True),
            ("password_file", broker.password_file, True),
        ):
            if path is not None:
                yield NamedFile("[broker]", key, path, secret)


def files_of_sources(config: Config) -> Iterator[NamedFile]:
    """All files that belong to alert sources."""
    for source in config.alert_sources:
        section = f'[[alert_sources]] "{source.name}"'
        for path in source.certificates:
            yield NamedFile(section, "certificates", path)
        if source.ca is not None:
            yield NamedFile(section, "ca", source.ca)


def _problems(config: Config, suffered: frozenset[int]) -> Iterator[Problem]:
    for file in named_files(config):
        yield from _readable(file.section, file.key, file.path)
        if file.secret:
            yield from _private(file.section, file.key, file.path)
    for key, path in (
        ("state", config.paths.state),
        ("cache", config.paths.cache),
        ("runtime", config.paths.runtime),
    ):
        yield from _folder("[paths]", key, path, suffered)
    if config.audio.output == "file":
        yield from _folder("[audio]", "device", Path(config.audio.device).absolute().parent, suffered)


def _readable(section: str, key: str, path: Path) -> Iterator[Problem]:
    try:
        with path.open("rb") as file:
            if not file.read(1):
                yield Problem(section, key, shown(key, path), "the file is empty")
    except OSError as error:
        if not isinstance(error, PermissionError) or speaks_for_the_agent():
            yield Problem(section, key, shown(key, path), f"cannot be read: {error.strerror}")


def _private(section: str, key: str, path: Path) -> Iterator[Problem]:
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # `_readable` has said so
    if mode & stat.S_IRWXO:
        message = f"others may use this secret (mode {stat.S_IMODE(mode):04o}): chmod o= {path}"
        yield Problem(section, key, shown(key, path), message)


def _folder(section: str, key: str, path: Path, suffered: frozenset[int]) -> Iterator[Problem]:
    """The folder, or the nearest part of its path that exists, must be a folder that can be written to.

    Errors of the system in `suffered` are no problem of the configuration.
    """
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        yield Problem(section, key, shown(key, path), f"{existing} is not a folder")
        return
    try:
        # asking for permission says nothing about a card that went read-only
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        if error.errno in suffered:
            return
        if not isinstance(error, PermissionError) or speaks_for_the_agent():
            yield Problem(
                section, key, shown(key, path), f"{existing} cannot be written to: {error.strerror}"
            )
