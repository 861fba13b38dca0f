"""Errors of the deciding room. The class names the remedy."""


class PlaylistsError(Exception):
    """Base of every error this room raises on purpose."""


class Rejected(PlaylistsError, ValueError):  # noqa: N818 - named after the remedy, as the design asks
    """Error raised when a document from outside breaks the contract; the last good one stays in force.

    `where` names the document (or the command) and `problems` says, one line each, which field, what
    was found and what was expected.
    """

    def __init__(self, where: str, problems: list[str]) -> None:
        self.where = where
        self.problems = problems
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        super().__init__(f"{where}: " + "; ".join(problems[:3]) + more)
