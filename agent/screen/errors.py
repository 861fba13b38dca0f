"""Errors of the screen worker. The class names the remedy."""


class ScreenError(Exception):
    """Base of every error this room raises on purpose."""


class Rejected(ScreenError, ValueError):  # noqa: N818 - named after the remedy, as the design asks
    """Error raised when a message breaks the protocol; it is ignored, and what was shown stays."""


class Quarantine(ScreenError):  # noqa: N818 - named after the remedy
    """Error raised when one bulletin cannot be shown: it loses its turn, the others keep theirs."""


class Retry(ScreenError, OSError):  # noqa: N818 - named after the remedy
    """Error raised when there is no screen (yet): the worker tries again, with a growing pause."""
