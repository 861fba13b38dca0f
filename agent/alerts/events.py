"""What the alert room tells the conductor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playlists.units import Level


@dataclass(frozen=True)
class AlertFetched:
    """A CAP document that a pinned certificate of this source signed; only what was signed of it."""

    source: str
    document: str
    level: Level
    taken: Callable[[], None]
    """To be called when the document has had its effect, or has been refused: it is not handed over again."""


@dataclass(frozen=True)
class DocumentRefused:
    """A document of this source was refused; told once for each document, and not for a flood of them."""

    source: str
    reason: str


@dataclass(frozen=True)
class SourceTroubled:
    """The source needs somebody's eye; told again when the words change."""

    source: str
    reason: str


@dataclass(frozen=True)
class SourceWell:
    """What was told of the source by `SourceTroubled` is over."""

    source: str
