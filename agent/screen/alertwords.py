"""From an alert to the takeover that shows it."""

from __future__ import annotations

from collections.abc import Iterable

from agent.screen.protocol import Status, Takeover, Words
from playlists.alert import Alert
from playlists.alert import Status as AlertStatus


def takeover_of(alert: Alert, languages: Iterable[str]) -> Takeover:
    """What covers the screen: the blocks that are told, in the order in which they are."""
    status: Status = "Exercise" if alert.status is AlertStatus.EXERCISE else "Actual"
    first, *more = (
        Words(
            language,
            info.event,
            info.headline,
            "\n".join(part for part in (info.description, info.instruction) if part),
        )
        for info, language in alert.blocks(languages)
    )
    return Takeover(
        alert.identifier,
        "emergency",
        first.event,
        first.headline,
        first.text,
        status,
        first.language,
        tuple(more),
    )
