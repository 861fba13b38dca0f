"""The one error of the preview."""

from __future__ import annotations

from collections.abc import Iterable


class Author(Exception):  # noqa: N818 - named after the remedy, as the design asks
    """There is nothing that could be shown; the author puts it right. `problems` are sentences."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))
