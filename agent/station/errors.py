"""Errors of the station. The class names the remedy."""

from __future__ import annotations

from collections.abc import Sequence


class StationError(Exception):
    """Base of every error this room raises on purpose."""


class Author(StationError, ValueError):  # noqa: N818 - named after who can help
    """Error raised when authoring files have mistakes: all of them at once. Nothing was published.

    `problems` has one line each: file, entry, key, why.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        count = f"{len(self.problems)} mistakes" if len(self.problems) > 1 else "1 mistake"
        super().__init__(f"{count}, nothing was published:\n" + "\n".join(f"  {line}" for line in problems))


class Technician(StationError):  # noqa: N818
    """Error raised when the station's machine needs a hand: no key, no ffmpeg, a disk that refuses."""


class Retry(StationError):  # noqa: N818
    """Error raised when the broker or the network failed: try again later."""
