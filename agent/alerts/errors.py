"""Errors of the alert room. The class names the remedy; those of `agent.feeds.http` pass through."""

from __future__ import annotations


class AlertSourceError(Exception):
    """Base of every error this room raises on purpose. Alerts in force are not touched by any of them."""


class Refused(AlertSourceError):  # noqa: N818 - named after the remedy, as the design asks
    """Error raised when a document is not what a pinned certificate signed, or is no alert: somebody must look."""


class Unreadable(AlertSourceError, ValueError):  # noqa: N818
    """Error raised when what the address gives is no feed at all: a captive portal, or the wrong address."""


class Technician(AlertSourceError):  # noqa: N818
    """Error raised when only somebody at the node can help: no usable certificate, a disk that refuses."""
