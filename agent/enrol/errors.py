"""Errors of enrolment. The class names the remedy."""

from __future__ import annotations


class EnrolError(Exception):
    """Base of every error this room raises on purpose. Nothing of the node's configuration was changed."""


class BadCode(EnrolError, ValueError):  # noqa: N818 - says what is the matter
    """Error raised when what was typed is no code: look at it again."""


class NotGenuine(EnrolError, ValueError):  # noqa: N818 - says what is the matter
    """Error raised when something was not sealed with this code: somebody else made it, or changed it."""


class Rejected(EnrolError, ValueError):  # noqa: N818 - named after the remedy, as the design asks
    """Error raised when what came is genuine and cannot be used; the centre must correct it."""


class Refused(EnrolError):  # noqa: N818 - says what is the matter
    """Error raised when the centre refuses: the code is unknown, used up or expired. Ask for a new one."""


class Retry(EnrolError):  # noqa: N818 - named after the remedy, as the design asks
    """Error raised when the network or the centre failed: the same code may be tried again."""
