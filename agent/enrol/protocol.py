"""What passes between a node and its centre at enrolment, and the seal that both put on it.

The seal is an HMAC-SHA-256 keyed by the code. Nothing in between is trusted, TLS or not: who does not know the code
can neither ask for a node nor answer for the centre, and an answer is bound to the one request that it answers.
Nothing that passes is secret: the node's private key stays where it was made.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import Field

from agent.config.fields import Name, Url
from agent.enrol.errors import NotGenuine, Rejected
from agent.words import _
from playlists.errors import Rejected as RejectedDocument
from playlists.models.base import BulletinClass, Model, read_json, validate

REQUEST: Final = "loa.enrol-request/1"
ENROLMENT: Final = "loa.enrolment/1"
MAX_REQUEST_BYTES: Final = 16_384
MAX_ANSWER_BYTES: Final = 1_000_000
PATH: Final = "enrol"
"""Where a centre takes requests, below its URL."""

Pem = Annotated[str, Field(max_length=20_000)]


class Request(Model):
    """What a node asks with."""

    format: Literal["loa.enrol-request/1"]
    csr: Annotated[str, Field(max_length=8_000)]
    """PKCS #10 in PEM: the node's public key, signed with its private one."""


class EnrolledFeed(Model):
    """A feed that the node is to follow."""

    name: Name
    url: Url
    level: Annotated[int, Field(strict=True, ge=0, le=100)]
    ceiling: BulletinClass
    root: Annotated[str, Field(max_length=300_000)]
    """The trusted root, as TUF metadata in JSON."""


class EnrolledBroker(Model):
    """How the node reaches the broker."""

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")]
    port: Annotated[int, Field(strict=True, ge=1, le=65_535)]
    tls: bool
    ca: Pem | None = None
    """Who vouches for the broker's certificate; None: whom the system trusts."""


class Enrolment(Model):
    """What the centre answers with."""

    format: Literal["loa.enrolment/1"]
    node: Name
    site: Name
    groups: Annotated[tuple[Name, ...], Field(max_length=100)] = ()
    public_number: Annotated[str, Field(max_length=64)] = ""
    feeds: Annotated[tuple[EnrolledFeed, ...], Field(min_length=1, max_length=16)]
    broker: EnrolledBroker | None = None
    certificate: Pem | None = None
    """Of the node's key, with the node's name; None where the node has not asked for one yet (on a stick)."""


class Envelope(Model):
    """A sealed document."""

    code: Annotated[str, Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{4}$")]
    """Names the code, and is no secret."""
    body: Annotated[str, Field(max_length=MAX_ANSWER_BYTES)]
    mac: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


M = TypeVar("M", bound=Model)
Kind = Literal["request", "answer", "stick"]


def seal(code_id: str, key: bytes, kind: Kind, document: Model, answers: bytes = b"") -> bytes:
    """A document in its envelope.

    Args:
        code_id: names the code.
        key: of the code.
        kind: what the document is; a request is never taken for an answer.
        document: to be sealed.
        answers: the envelope of the request that it answers.
    """
    body = document.model_dump_json()
    mac = _mac(key, kind, body, answers)
    return json.dumps({"code": code_id, "body": body, "mac": mac}, ensure_ascii=False).encode()


def envelope(raw: bytes, where: str, max_bytes: int = MAX_ANSWER_BYTES + 50_000) -> Envelope:
    """An envelope that is not opened yet.

    Raises:
        Rejected: it is none.
    """
    try:
        return validate(Envelope, where, read_json(where, raw, max_bytes))
    except RejectedDocument as error:
        raise Rejected(str(error)) from error


def unseal(found: Envelope, key: bytes, kind: Kind, answers: bytes = b"") -> Any:
    """What is in an envelope, ready for its model.

    Raises:
        NotGenuine: it was not sealed with this code, or answers another request.
        Rejected: it is sealed, and no document.
    """
    if not hmac.compare_digest(_mac(key, kind, found.body, answers), found.mac):
        raise NotGenuine(
            _("it was not sealed with this code: the code is wrong, or somebody in between has changed it")
        )
    try:
        return read_json(kind, found.body.encode(), MAX_ANSWER_BYTES * 4)
    except RejectedDocument as error:
        raise Rejected(str(error)) from error


def read_request(document: Any) -> Request:
    """Raises Rejected where it breaks the protocol."""
    return _valid(Request, document)


def read_enrolment(document: Any) -> Enrolment:
    """Raises Rejected where it breaks the protocol."""
    return _valid(Enrolment, document)


def _valid(model: type[M], document: Any) -> M:
    try:
        return validate(model, "enrolment", document)
    except RejectedDocument as error:
        raise Rejected(str(error)) from error


def _mac(key: bytes, kind: Kind, body: str, answers: bytes) -> str:
    text = kind.encode() + b"\0" + hashlib.sha256(answers).digest() + body.encode()
    return hmac.new(key, text, hashlib.sha256).hexdigest()
