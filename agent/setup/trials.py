"""What can be tried of an answer, as plain data; who tries it is another's business."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Click:
    """Close and open a relay twice."""

    pin: int
    """BCM number."""
    active_high: bool


@dataclass(frozen=True)
class Tone:
    """Sound a tone, with these relays closed in this order."""

    device: str
    relays: tuple[Click, ...] = ()


@dataclass(frozen=True)
class Listen:
    """Take the level that comes from a microphone for a moment."""

    device: str


@dataclass(frozen=True)
class Page:
    """Show a test page."""

    rotate: int
    """Degrees clockwise."""


Trial = Click | Tone | Listen | Page
