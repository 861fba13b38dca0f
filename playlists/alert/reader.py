"""Reads CAP 1.2 from outside: size first, then defusedxml (no DTD, no entities, nothing external).

What says who speaks, about which message and whether in earnest must be right, or the message is rejected.
The rest is read as far as it can be, with a remark: a storm warning is not thrown away for a crooked polygon.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from playlists.alert import values
from playlists.alert.message import Alert, Area, Info, Kind, Reference, Resource, Status
from playlists.errors import Rejected

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
MAX_ALERT_BYTES = 256_000
MAX_NAME = 500
"""Characters of an identifier, a sender and other names."""
MAX_NAMES = 100
"""Addresses, codes and incidents that are kept."""
DEFAULT_LANGUAGE = "en-US"
"""§3.2.2: a block without `language` is in it."""
MAX_TEXT = 4_000
"""Characters of a headline, a description, an instruction: some five minutes of speech."""
MAX_WORDS = 10_000
"""Characters of all blocks of one language: a good ten minutes of speech. What is beyond is left out."""
FORBIDDEN_IN_NAMES = set(" ,<&")
"""§3.2.1: they would break `references`."""

T = TypeVar("T")


def read_alert(document: str | bytes, where: str = "alert") -> Alert:
    """Read one message.

    Raises:
        Rejected: too big, not UTF-8, not XML, with a DTD or entities, not CAP 1.2, or without a usable
            identifier, sender, sent, status, msgType, or what its msgType needs.
    """
    raw = _utf8(document, where)
    try:
        root = fromstring(raw, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise Rejected(
            where, [f"a document type or an entity is not accepted ({type(error).__name__})"]
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise Rejected(where, [f"is not XML: {error}"]) from error
    if root.tag != f"{{{NAMESPACE}}}alert":
        raise Rejected(where, [f"is not an alert of CAP 1.2: the root element is {root.tag[:100]!r}"])
    return _Reader(where).alert(root)


def _utf8(document: str | bytes, where: str) -> str:
    try:
        raw = document.encode() if isinstance(document, str) else document
        if len(raw) > MAX_ALERT_BYTES:
            raise Rejected(where, [f"is {len(raw)} bytes, at most {MAX_ALERT_BYTES} are accepted"])
        return raw.decode("utf-8-sig")
    except UnicodeError as error:
        raise Rejected(where, [f"is not UTF-8: {error}"]) from error


class _Reader:
    """Reads one document and gathers what is wrong with it."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.problems: list[str] = []
        self.remarks: list[str] = []

    def alert(self, root: Element) -> Alert:
        identifier, sender = self._name(root, "identifier"), self._name(root, "sender")
        sent = self._needed(root, "sent", values.moment)
        status = self._needed(root, "status", values.one_of(Status))
        kind = self._needed(root, "msgType", values.one_of(Kind))
        references = tuple(
            reference for part in _text(root, "references").split() if (reference := self._reference(part))
        )
        me = f"{identifier},{sender},{sent}"
        infos = self._not_too_many(
            info
            for number, part in enumerate(_all(root, "info"), 1)
            if (info := self._info(part, number, me))
        )
        if kind in (Kind.ALERT, Kind.UPDATE) and not infos:
            self.problems.append("info: no usable block, there is nothing to tell")
        if kind in (Kind.UPDATE, Kind.CANCEL) and not references:
            self.problems.append(f"references: {kind} must name the message it is about")
        if self.problems or sent is None or status is None or kind is None:
            raise Rejected(self.where, self.problems)
        return Alert(
            identifier=identifier,
            sender=sender,
            sent=sent,
            status=status,
            kind=kind,
            scope=_text(root, "scope") or "Public",
            source=_text(root, "source")[:MAX_NAME],
            restriction=_text(root, "restriction")[:MAX_TEXT],
            addresses=values.names(_text(root, "addresses"))[:MAX_NAMES],
            codes=_texts(root, "code")[:MAX_NAMES],
            note=self._words(root, "note", ""),
            references=references,
            incidents=values.names(_text(root, "incidents"))[:MAX_NAMES],
            infos=infos,
            remarks=tuple(self.remarks),
        )

    def _not_too_many(self, infos: Iterable[Info]) -> tuple[Info, ...]:
        """The blocks whose words a loudspeaker can be asked to say."""
        said: Counter[str] = Counter()
        kept: list[Info] = []
        for number, info in enumerate(infos, 1):
            said[info.language.lower()] += len(info.sentences())
            if said[info.language.lower()] > MAX_WORDS and kept:
                self.remarks.append(
                    f"usable info {number}: more than {MAX_WORDS} characters in {info.language}, left out"
                )
            else:
                kept.append(info)
        return tuple(kept)

    def _info(self, element: Element, number: int, alert: str) -> Info | None:
        place = f"info {number}: "
        event = self._words(element, "event", place)
        headline = self._words(element, "headline", place)
        description = self._words(element, "description", place)
        if not (event or headline or description):
            self.remarks.append(f"{place}has neither event, headline nor description, left out")
            return None
        return Info(
            language=self._lenient(element, "language", values.language, place) or DEFAULT_LANGUAGE,
            event=event,
            categories=_texts(element, "category"),
            responses=_texts(element, "responseType"),
            urgency=_text(element, "urgency") or "Unknown",
            severity=_text(element, "severity") or "Unknown",
            certainty=_text(element, "certainty") or "Unknown",
            effective=self._lenient(element, "effective", values.moment, place),
            onset=self._lenient(element, "onset", values.moment, place),
            expires=self._lenient(element, "expires", values.moment, place),
            sender_name=_text(element, "senderName"),
            headline=headline,
            description=description,
            instruction=self._words(element, "instruction", place),
            audience=self._words(element, "audience", place),
            web=_text(element, "web")[:MAX_NAME],
            contact=self._words(element, "contact", place),
            event_codes=_pairs(element, "eventCode"),
            parameters=_pairs(element, "parameter"),
            resources=tuple(
                self._resource(part, f"{place}resource {nth}: ", alert)
                for nth, part in enumerate(_all(element, "resource"), 1)
            ),
            areas=tuple(self._area(part, place) for part in _all(element, "area")),
        )

    def _area(self, element: Element, place: str) -> Area:
        return Area(
            description=_text(element, "areaDesc"),
            polygons=self._each(element, "polygon", values.polygon, place),
            circles=self._each(element, "circle", values.circle, place),
            geocodes=_pairs(element, "geocode"),
            altitude_ft=self._lenient(element, "altitude", values.feet, place),
            ceiling_ft=self._lenient(element, "ceiling", values.feet, place),
        )

    def _resource(self, element: Element, place: str, alert: str) -> Resource:
        data = self._lenient(element, "derefUri", values.content, place) or b""
        uri = _text(element, "uri")[:MAX_TEXT]
        # one that is not a SHA-1 is kept as it is: no content has it, so none is taken for genuine
        digest = _text(element, "digest").lower()[:100] or None
        name = data or f"{alert}\0{uri}\0{digest}".encode()
        return Resource(
            key="sha256:" + hashlib.sha256(name).hexdigest(),
            description=self._words(element, "resourceDesc", place),
            mime_type=_text(element, "mimeType")[:MAX_NAME],
            size_bytes=self._lenient(element, "size", values.byte_count, place),
            uri=uri,
            inline=bool(data),
            sha1=digest,
            data=data,
        )

    def _name(self, root: Element, tag: str) -> str:
        def name(text: str) -> str:
            if len(text) > MAX_NAME or not FORBIDDEN_IN_NAMES.isdisjoint(text) or len(text.split()) != 1:
                raise ValueError(f"has at most {MAX_NAME} characters, without space, comma, < and &")
            return text

        return self._needed(root, tag, name) or ""

    def _words(self, element: Element, tag: str, place: str) -> str:
        text = _text(element, tag)
        if len(text) > MAX_TEXT:
            self.remarks.append(f"{place}{tag}: has {len(text)} characters, shortened to {MAX_TEXT}")
        return text[:MAX_TEXT]

    def _reference(self, text: str) -> Reference | None:
        try:
            sender, identifier, sent = text.split(",")
            return Reference(sender=sender, identifier=identifier, sent=values.moment(sent))
        except ValueError:
            self.remarks.append(f"references: {text[:80]!r} is not sender,identifier,sent; left out")
            return None

    def _needed(self, element: Element, tag: str, read: Callable[[str], T]) -> T | None:
        text = _text(element, tag)
        if not text:
            self.problems.append(f"{tag}: is missing")
            return None
        try:
            return read(text)
        except ValueError as error:
            self.problems.append(f"{tag}: {error} (found {text[:60]!r})")
            return None

    def _lenient(self, element: Element, tag: str, read: Callable[[str], T], place: str) -> T | None:
        return next(iter(self._each(element, tag, read, place)), None)

    def _each(self, element: Element, tag: str, read: Callable[[str], T], place: str) -> tuple[T, ...]:
        found = []
        for text in _texts(element, tag):
            try:
                found.append(read(text))
            except ValueError as error:
                self.remarks.append(f"{place}{tag}: {error}, left out (found {text[:60]!r})")
        return tuple(found)


def _all(element: Element, tag: str) -> list[Element]:
    return element.findall(f"{{{NAMESPACE}}}{tag}")


def _texts(element: Element, tag: str) -> tuple[str, ...]:
    return tuple(text for part in _all(element, tag) if (text := (part.text or "").strip()))


def _text(element: Element, tag: str) -> str:
    return next(iter(_texts(element, tag)), "")


def _pairs(element: Element, tag: str) -> tuple[tuple[str, str], ...]:
    return tuple((_text(part, "valueName"), _text(part, "value")) for part in _all(element, tag))
