"""Errors of speech. The class names what is the matter, and with it who can help."""

from __future__ import annotations


class SpeechError(Exception):
    """Base of every error this room raises on purpose."""


class NoVoice(SpeechError, LookupError):  # noqa: N818 - says what is the matter
    """Error raised for a language that no voice here speaks. Remedy: technician, a voice; or a recording."""


class SpeechFailed(SpeechError):  # noqa: N818
    """Error raised when an engine is missing, crashed, hung, or wrote no sound. Remedy: technician."""


class Unspeakable(SpeechError, ValueError):  # noqa: N818
    """Error raised for a text in which nothing can be spoken, or too much. Remedy: its author."""
