"""Errors of the tuner, named after what is the matter."""

from __future__ import annotations

from agent.player.protocol import PlayerError


class NotReceived(PlayerError):  # noqa: N818 - says what is the matter
    """Error raised when a stream cannot be had now. Remedy: try again."""


class NotAllowed(NotReceived):
    """Error raised where a stream leads to a host that the configuration does not allow. Remedy: technician."""


class NotSound(NotReceived):
    """Error raised when what comes is nothing that the tuner can make sound of. Remedy: another address."""
