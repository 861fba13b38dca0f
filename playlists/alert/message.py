"""A CAP 1.2 message, and the words it is told in. Section numbers are those of the standard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, Field

from playlists.languages import language_of
from playlists.models.base import Model
from playlists.units import Level

VALID_WITHOUT_EXPIRY = timedelta(hours=24)
"""How long an information block without `expires` counts; §3.2.2 leaves it to the recipient."""

AUDIO_SCHEMES = ("https://", "http://")

DRILL = {"vi": "Đây là cuộc diễn tập.", "en": "This is an exercise."}
"""What is said before and after an exercise; where a language is not here, it is said in Vietnamese."""

ALL_CLEAR = {
    "Cancel": {"vi": "Cảnh báo đã được hủy: {name}.", "en": "The warning has been cancelled: {name}."},
    "Update": {
        "vi": "Cảnh báo không còn hiệu lực tại đây: {name}.",
        "en": "The warning is no longer in force here: {name}.",
    },
}
"""What is said of an alert that is ended by a Cancel without words for this node, or by an Update that leaves the
node out; otherwise as above."""


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


NOT_TOLD = {
    Status.TEST: "understood, and disregarded as every recipient shall",
    Status.SYSTEM: "it is for the alerting network itself",
    Status.DRAFT: "it is not actionable as it is",
}
"""§3.2.1: what is neither said nor shown, and why."""

ANSWERS = {Kind.ACK: "accepts", Kind.ERROR: "rejects"}


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
    """§3.2.4: what its parts cover together. Points are (latitude, longitude) in degrees, WGS 84."""

    description: str
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    circles: tuple[tuple[tuple[float, float], float], ...] = ()
    """Centre and radius in kilometres."""
    geocodes: tuple[tuple[str, str], ...] = ()
    """Pairs of the code's system and its value."""
    altitude_ft: float | None = None
    ceiling_ft: float | None = None
    """Above mean sea level. Kept; a node does not know how high it stands."""


class Resource(Model):
    """§3.2.3: a file that belongs to an information block."""

    key: str
    """`sha256:…`; names what it holds here: the content where that came with the message."""
    description: str = ""
    mime_type: str = ""
    size_bytes: int | None = None
    uri: str = ""
    inline: bool = False
    """Its content came with the message (`derefUri`)."""
    sha1: str | None = None
    """`digest`, in lower-case hex: SHA-1, as the standard has it."""
    data: bytes = Field(default=b"", exclude=True, repr=False)
    """The content of one that is `inline`; it is not kept with the message."""

    @property
    def is_audio(self) -> bool:
        """Whether it can be sounded in place of its block's words."""
        return self.mime_type.lower().startswith("audio/") and (
            self.inline or self.uri.lower().startswith(AUDIO_SCHEMES)
        )


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
    audience: str = ""
    web: str = ""
    contact: str = ""
    event_codes: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()

    @property
    def recording(self) -> Resource | None:
        """The recording that is sounded in place of its words: the first one."""
        return next((resource for resource in self.resources if resource.is_audio), None)

    def sentences(self) -> str:
        """Event, headline, description and instruction, each once and each ended by a full stop."""
        told: list[str] = []
        for part in (self.event, self.headline, self.description, self.instruction):
            sentence = _sentence(part)
            if sentence and sentence not in told:
                told.append(sentence)
        return " ".join(told)


class Utterance(Model):
    """Something to be said. A `recording` of it is sounded where it can be had, else the words."""

    text: str
    language: str
    recording: Resource | None = None
    instead: tuple[Utterance, ...] = ()
    """What is said where nobody speaks its language: the first of these that can be spoken."""


class Alert(Model):
    """§3.2.1: one message. `remarks` say what in it could not be read and was left out."""

    identifier: str
    sender: str
    sent: AwareDatetime
    status: Status
    kind: Kind
    scope: str = "Public"
    source: str = ""
    restriction: str = ""
    addresses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    note: str = ""
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    infos: tuple[Info, ...] = ()
    remarks: tuple[str, ...] = ()
    level: Level = Level(0)
    """How high whoever vouches for it stands at this node: never read from the message."""

    @property
    def reference(self) -> Reference:
        """What other messages call it by."""
        return Reference(sender=self.sender, identifier=self.identifier, sent=self.sent)

    @property
    def expires(self) -> datetime:
        """The last moment of its blocks (UTC); one without `expires` counts for a day after `sent`."""
        return max(map(self.ends, self.infos), default=self.sent + VALID_WITHOUT_EXPIRY).astimezone(UTC)

    def ends(self, info: Info) -> datetime:
        """When one of its blocks ends by itself."""
        return (info.expires or self.sent + VALID_WITHOUT_EXPIRY).astimezone(UTC)

    def at(self, now: datetime) -> Alert:
        """What of it is left to be told at that moment: the blocks that have not expired."""
        return self.model_copy(update={"infos": tuple(i for i in self.infos if self.ends(i) > now)})

    @property
    def not_public_because(self) -> str | None:
        """Why it is not for the public and must have no effect; None if it is."""
        if self.status in NOT_TOLD:
            return f"status is {self.status}: {NOT_TOLD[self.status]}"
        if self.kind in ANSWERS:
            about = ", ".join(str(reference) for reference in self.references) or "no message"
            note = f": {self.note[:200]}" if self.note else ""
            return f"msgType is {self.kind}: it {ANSWERS[self.kind]} {about}{note}"
        if self.scope == "Restricted":
            return f"scope is Restricted: it is for {self.restriction[:200] or 'those who need it'}"
        if self.scope != "Public":
            return f"scope is {self.scope[:40]}: it is not for the public"
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
            if language_of(info.language) == language_of(language)
        ]
        first = self.infos[0].language if self.infos else ""
        return found or [(info, info.language) for info in self.infos if info.language == first]

    def utterances(self, languages: Sequence[str]) -> list[Utterance]:
        """What is to be said. Nothing when `silent_because` says why.

        An exercise is called one before and after. What is to be said in one language only can be said in the
        message's others instead.
        """
        if self.silent_because is not None:
            return []
        said: list[Utterance] = []
        blocks = self.blocks(languages)
        for number, (info, language) in enumerate(blocks):
            words = Utterance(text=info.sentences(), language=language, recording=info.recording)
            if number == 0 and len({language_of(language) for _, language in blocks}) == 1:
                words = words.model_copy(update={"instead": tuple(self._in_others_than(language))})
            said += self._marked(words)
        return said

    def _in_others_than(self, language: str) -> Iterator[Utterance]:
        """All its words in each other language, in the order in which the message has these."""
        told: dict[str, list[Info]] = {}
        for info in self.infos:
            told.setdefault(info.language.lower(), []).append(info)
        for infos in told.values():
            if language_of(infos[0].language) != language_of(language):
                text = " ".join(info.sentences() for info in infos)
                said = self._marked(Utterance(text=text, language=infos[0].language))
                if len(said) == 1:  # an exercise is not told in a language in which it cannot be called one
                    yield said[0]

    def spoken(self, languages: Sequence[str]) -> list[tuple[str, str]]:
        """The words of `utterances`: pairs of text and language."""
        return [(said.text, said.language) for said in self.utterances(languages)]

    def all_clear(self, by: Kind, languages: Sequence[str]) -> list[Utterance]:
        """That a message of kind `by` has ended this one, in the node's own words."""
        words = ALL_CLEAR[Kind.UPDATE if by is Kind.UPDATE else Kind.CANCEL]
        told = [language for _, language in self.blocks(languages)]
        known = [language for language in told if language_of(language) in words] or ["vi"]
        said: list[Utterance] = []
        for language in dict.fromkeys(known):
            text = words[language_of(language)].format(name=self.headline([language]).rstrip(" .!?…;:,"))
            said += self._marked(Utterance(text=_sentence(text), language=language))
        return said

    def _marked(self, words: Utterance) -> list[Utterance]:
        """The words, between those that call an exercise one."""
        if self.status is not Status.EXERCISE:
            return [words]
        drill = DRILL.get(language_of(words.language))
        if drill is not None and words.recording is None:
            return [words.model_copy(update={"text": f"{drill} {words.text} {drill}"})]
        mark = Utterance(text=drill or DRILL["vi"], language=words.language if drill else "vi")
        return [mark, words, mark]

    def headline(self, languages: Sequence[str]) -> str:
        """The headline, or else the event, in the first of the node's languages that the message has."""
        blocks = self.blocks(languages)
        return (blocks[0][0].headline or blocks[0][0].event) if blocks else ""

    def event(self, languages: Sequence[str]) -> str:
        """The event in the first of the node's languages that the message has."""
        blocks = self.blocks(languages)
        return blocks[0][0].event if blocks else ""


def _sentence(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return text if not text or text[-1] in ".!?…" else text.rstrip(",;:") + "."
