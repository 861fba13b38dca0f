"""Errors of the uplink. The class names the remedy."""

from __future__ import annotations

from playlists.models.command import RefusalReason


class UplinkError(Exception):
    """Base of every error this room raises on purpose."""


class Technician(UplinkError):  # noqa: N818 - named after the remedy, as the design asks
    """Error raised when the broker's settings cannot work: a certificate or password file is not there."""


class Refused(UplinkError):  # noqa: N818 - what the contract calls it
    """Error raised when a command is not to be obeyed.

    `reason` is the contract's word, `text` says more for a human. `command_id` is None where the envelope
    names none; it is what a stranger wrote unless `signed` says that an operator's key vouches for it.
    """

    def __init__(
        self, reason: RefusalReason, text: str, command_id: str | None = None, *, signed: bool = False
    ) -> None:
        self.reason: RefusalReason = reason
        self.text = text
        self.command_id = command_id
        self.signed = signed
        super().__init__(f"{reason}: {text}" if text else reason)


class TooBig(UplinkError, ValueError):  # noqa: N818 - says what is wrong with the upload
    """Error raised when a picture or a bundle of log lines exceeds what the contract allows."""
