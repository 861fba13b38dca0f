"""Errors of the configuration: all problems of a file at once, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agent.words import _, ngettext, retell


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where, and what would be right."""

    section: str
    """`[broker]`, `[[feeds]] 'commune'`, or empty for the file itself."""
    key: str
    """Name of the key, or empty for a whole section."""
    value: str | None
    """What was found, as the file would write it; None where nothing was. Secrets are masked."""
    message: str
    """What is wrong, with the bound or the allowed values."""
    hint: str = ""
    """`did you mean …`, or empty."""
    line: int | None = None
    """Line of the file, counted from 1, where it could be told."""

    def __str__(self) -> str:
        place = " ".join(part for part in (self.section, self.key) if part)
        found = f" = {self.value}" if self.value is not None and self.key else ""
        head = _("line {line}: ").format(line=self.line) if self.line is not None else ""
        where = f"{place}{found}: " if place else ""
        hint = f"; {retell(self.hint)}" if self.hint else ""
        return f"{head}{where}{retell(self.message)}{hint}"


class ConfigError(Exception):
    """Error raised when the configuration cannot be used; a technician must change the file.

    `where` names the file, `problems` has every problem that was found, in the order of the file.
    """

    def __init__(self, where: str, problems: Iterable[Problem]) -> None:
        self.where = where
        self.problems = tuple(
            sorted(problems, key=lambda p: (p.line is None, p.line or 0, p.section, p.key, p.message))
        )
        count = len(self.problems)
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        head = ngettext("{where}: {count} problem", "{where}: {count} problems", count)
        super().__init__(head.format(where=where, count=count) + lines)
