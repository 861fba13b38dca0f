"""Errors of the journal. The class names the remedy."""


class JournalError(Exception):
    """Base of every error this room raises on purpose. Whoever catches it plays on."""


class Retry(JournalError):  # noqa: N818 - named after the remedy, as the design asks
    """Error raised when the medium refuses and memory has no room either: what was to be written is lost."""


class Technician(JournalError):  # noqa: N818 - named after the remedy
    """Error raised when only a human can help: another process holds the journal."""
