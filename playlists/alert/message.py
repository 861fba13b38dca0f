"""A CAP 1.2 message, and the words it is told in. Section numbers are those of the standard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from playlists.models.base import Model

VALID_WITHOUT_EXPIRY = timedelta(hours=24)
"""How long an information block without `expires` counts; §3.2.2 leaves it to the recipient."""

DRILL = {"vi": "Đây là cuộc diễn tập.", "en": "This is an exercise."}
"""What is said before and after an exercise; where a language is not here, it is said in Vietnamese."""


class Status(StrEnum):
    """§3.2.1: whether a message is meant."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class Kind(StrEnum):
    """§3.2.1, `msgType`: what a message does to others."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Reference(Model):
    """What names a message: its sender, its identifier, and when it was sent."""

    sender: str
    identifier: str
    sent: AwareDatetime

    @property
    def key(self) -> tuple[str, str, datetime]:
        """Equal for equal messages, whatever offset `sent` is written with."""
        return self.sender, self.identifier, self.sent

    def __str__(self) -> str:
        return f"{self.sender},{self.identifier},{self.sent.isoformat()}"


class Area(Model):
    """§3.2.4, kept as data: points are (latitude, longitude) in degrees, WGS 84."""

    description: str
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    circles: tuple[tuple[tuple[float, float], float], ...] = ()
    """Centre and radius in kilometres."""
    geocodes: tuple[tuple[str, str], ...] = ()
    """Pairs of the code's system and its value."""


class Info(Model):
    """§3.2.2: the message in one language."""

    language: str
    event: str
    categories: tuple[str, ...] = ()
    responses: tuple[str, ...] = ()
    urgency: str = "Unknown"
    severity: str = "Unknown"
    certainty: str = "Unknown"
    effective: AwareDatetime | None = None
    onset: AwareDatetime | None = None
    expires: AwareDatetime | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    areas: tuple[Area, ...] = ()

    def sentences(self) -> str:
        """Event, headline, description and instruction, each once and each ended by a full stop."""
        told: list[str] = []
        for part in (self.event, self.headline, self.description, self.instruction):
            sentence = _sentence(part)
            if sentence and sentence not in told:
                told.append(sentence)
        return " ".join(told)


class Alert(Model):
    """§3.2.1: one message. `remarks` say what in it could not be read and was left out."""

    identifier: str
    sender: str
    sent: AwareDatetime
    status: Status
    kind: Kind
    scope: str = "Public"
    note: str = ""
    references: tuple[Reference, ...] = ()
    infos: tuple[Info, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def reference(self) -> Reference:
        """What other messages call it by."""
        return Reference(sender=self.sender, identifier=self.identifier, sent=self.sent)

    @property
    def expires(self) -> datetime:
        """The last moment of its blocks (UTC); one without `expires` counts for a day after `sent`."""
        default = self.sent + VALID_WITHOUT_EXPIRY
        return max((info.expires or default for info in self.infos), default=default).astimezone(UTC)

    @property
    def not_public_because(self) -> str | None:
        """Why it is not for the public and must have no effect; None if it is."""
        if self.status not in (Status.ACTUAL, Status.EXERCISE):
            return f"status is {self.status}: only Actual and Exercise are told to the public"
        if self.kind in (Kind.ACK, Kind.ERROR):
            return f"msgType is {self.kind}: it answers another message"
        if self.scope != "Public":
            return f"scope is {self.scope}: it is not for the public"
        return None

    @property
    def silent_because(self) -> str | None:
        """Why nothing of it is said; None if it is."""
        return self.not_public_because or (None if self.infos else "it has no info block: nothing to tell")

    def blocks(self, languages: Iterable[str]) -> list[tuple[Info, str]]:
        """The information blocks for the node's languages, in the order of these, each with its language.

        A language that the node names is called as the node calls it (`vi` for `vi-VN`). When the message has
        none of them, it is told in the language of its first block.
        """
        found = [
            (info, language)
            for language in languages
            for info in self.infos
            if _primary(info.language) == _primary(language)
        ]
        first = self.infos[0].language if self.infos else ""
        return found or [(info, info.language) for info in self.infos if info.language == first]

    def spoken(self, languages: Sequence[str]) -> list[tuple[str, str]]:
        """What is to be said: pairs of text and language. Nothing when `silent_because` says why.

        An exercise is called one before and after.
        """
        if self.silent_because is not None:
            return []
        said: list[tuple[str, str]] = []
        for info, language in self.blocks(languages):
            text = info.sentences()
            drill = DRILL.get(_primary(language))
            if self.status is not Status.EXERCISE:
                said.append((text, language))
            elif drill is not None:
                said.append((f"{drill} {text} {drill}", language))
            else:
                said += [(DRILL["vi"], "vi"), (text, language), (DRILL["vi"], "vi")]
        return said

    def headline(self, languages: Sequence[str]) -> str:
        """The headline, or else the event, in the first of the node's languages that the message has."""
        blocks = self.blocks(languages)
        return (blocks[0][0].headline or blocks[0][0].event) if blocks else ""

    def event(self, languages: Sequence[str]) -> str:
        """The event in the first of the node's languages that the message has."""
        blocks = self.blocks(languages)
        return blocks[0][0].event if blocks else ""


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()


def _sentence(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return text if not text or text[-1] in ".!?…" else text.rstrip(",;:") + "."
