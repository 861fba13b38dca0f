"""Replaces `config.toml`: nothing that a node could not start with, nothing lost that was there.

Beside the file stand `NAME.last-good`, the last content that was right before the present one, and `NAME.history/`
with the last contents, right or wrong, numbered upwards (a clock may be wrong, a count is not).
"""

from __future__ import annotations

import contextlib
import grp
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from agent.config.errors import ConfigError, Problem
from agent.config.files import check_files
from agent.config.load import MAX_CONFIG_BYTES, parse
from agent.config.model import Config
from agent.config.voices import check_voices
from agent.files import atomic_file, locked, sync_directory

HISTORY = 20
"""So many earlier contents are kept."""

GROUP = "loa"
NEW_MODE = 0o640


class Changed(Exception):  # noqa: N818 - says what is the matter
    """Error raised when somebody else has changed the file meanwhile; it was left as they made it."""


@dataclass(frozen=True)
class Earlier:
    """One earlier content."""

    number: int
    text: str
    replaced_at: float
    """Seconds since 1970, by the clock of then."""


@dataclass(frozen=True)
class ConfigFile:
    """The configuration file of one node and what is kept beside it."""

    path: Path

    @property
    def _real(self) -> Path:
        """A link is followed, so that a file on a data partition stays there."""
        return self.path.resolve()

    @property
    def _last_good(self) -> Path:
        return self._real.with_name(self._real.name + ".last-good")

    @property
    def _history(self) -> Path:
        return self._real.with_name(self._real.name + ".history")

    @property
    def writable(self) -> bool:
        """Whether this user may write here."""
        return os.access(self._real.parent, os.W_OK)

    def read(self) -> str:
        """The text as it stands; empty where there is no file yet.

        Raises:
            ConfigError: it cannot be read, or is no text.
        """
        return self._text(self._real) or ""

    def last_good(self) -> str | None:
        """The last right content before the present one.

        Raises:
            ConfigError: it cannot be read.
        """
        return self._text(self._last_good)

    def earlier(self) -> list[Earlier]:
        """What is kept of earlier contents, newest first.

        Raises:
            ConfigError: one of them cannot be read.
        """
        found = []
        for number, path in reversed(self._numbered()):
            with contextlib.suppress(FileNotFoundError):  # somebody has just written, and the oldest went
                found.append(Earlier(number, self._text(path) or "", path.stat().st_mtime))
        return found

    def check(self, text: str, before: str | None = None) -> Config:
        """Judge a content for this place: keys, values, and the files and voices that it names.

        A file that is missing is no objection if it is missing in the content `before` as well.

        Raises:
            ConfigError: with all problems at once.
        """
        where, base = str(self.path), self._real.absolute().parent
        config = parse(text, where, base=base)
        found = _outside(config, where)
        if found and before is not None:
            with contextlib.suppress(ConfigError):
                known = {_told(problem) for problem in _outside(parse(before, where, base=base), where)}
                found = [problem for problem in found if _told(problem) not in known]
        if found:
            raise ConfigError(where, found)
        return config

    def replace(self, text: str, expected: str) -> None:
        """Put a content in place that `check` found right, if the present one is still `expected`.

        Raises:
            ConfigError: it is not right.
            Changed: the file is not as expected.
            OSError: it cannot be written; it is as it was.
        """
        self.check(text, expected)
        real = self._real
        with locked(real.parent):
            if self.read() != expected:
                raise Changed(f"{self.path} was changed by somebody else meanwhile; it was left as it is")
            if expected == text:
                return
            owner = self._owner()
            if expected:
                self._keep(expected, owner)
            _write(real, text, owner)

    def _keep(self, text: str, owner: _Owner) -> None:
        """Keep a content before it is replaced."""
        kept = self._numbered()
        number = kept[-1][0] + 1 if kept else 1
        if not self._history.exists():
            self._history.mkdir(mode=0o750)
            with contextlib.suppress(PermissionError):
                os.chown(self._history, owner.uid, owner.gid)
            sync_directory(self._history.parent)
        _write(self._history / f"{number:06}.toml", text, owner)
        for _, path in kept[: -HISTORY + 1]:
            path.unlink(missing_ok=True)
        with contextlib.suppress(ConfigError):
            parse(text)  # a wrong one is kept in the history, but is nothing to go back to
            _write(self._last_good, text, owner)

    def _numbered(self) -> list[tuple[int, Path]]:
        if not self._history.is_dir():
            return []
        names = ((re.fullmatch(r"(\d{6,12})\.toml", path.name), path) for path in self._history.iterdir())
        return sorted((int(match[1]), path) for match, path in names if match)

    def _owner(self) -> _Owner:
        try:
            found = self._real.stat()
            return _Owner(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))
        except FileNotFoundError:
            gid = -1
            with contextlib.suppress(KeyError):
                gid = grp.getgrnam(GROUP).gr_gid
            return _Owner(-1, gid, NEW_MODE)

    def _text(self, path: Path) -> str | None:
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_CONFIG_BYTES + 1)
            if len(raw) > MAX_CONFIG_BYTES:
                raise ConfigError(
                    str(path), [Problem("", "", None, f"is bigger than {MAX_CONFIG_BYTES} bytes")]
                )
            return raw.decode("utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            problem = Problem("", "", None, f"cannot be read: {error.strerror or error}")
            raise ConfigError(str(path), [problem]) from error
        except UnicodeDecodeError as error:
            raise ConfigError(str(path), [Problem("", "", None, "is not UTF-8 text")]) from error


@dataclass(frozen=True)
class _Owner:
    uid: int
    gid: int
    mode: int


def _write(path: Path, text: str, owner: _Owner) -> None:
    with atomic_file(path, owner.mode) as file:
        file.write(text.encode())
        with contextlib.suppress(PermissionError):  # who is not root keeps what they may
            os.fchown(file.fileno(), owner.uid, owner.gid)


def _outside(config: Config, where: str) -> list[Problem]:
    """What is wrong outside of the file itself."""
    problems: list[Problem] = []
    for check in (check_files, check_voices):
        try:
            check(config, where)
        except ConfigError as error:
            problems += error.problems
    return problems


def _told(problem: Problem) -> tuple[str, str, str | None, str]:
    return problem.section, problem.key, problem.value, problem.message
