"""Reports on a stick: a part of a node's log or its health, signed with the key that it shows the broker.

The centre believes a node's name where the certificate says so. The file is a JSON object: `node`, `certificate`
(PEM), `body` (text of a JSON document) and `signature` (ECDSA with SHA-256 over `loa.report/1`, a zero byte and the
body; base64).
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any, Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import Field

from agent.config.fields import Name
from playlists.errors import Rejected
from playlists.models.base import Model, read_json, validate

FORMAT: Final = "loa.report/1"
MAX_BYTES: Final = 3_000_000
"""Of one file."""


class Signed(Model):
    """A report as it lies on a stick."""

    node: Name
    certificate: Annotated[str, Field(max_length=20_000)]
    body: Annotated[str, Field(max_length=MAX_BYTES)]
    signature: Annotated[str, Field(max_length=500)]


class Report(Model):
    """What was signed."""

    format: Literal["loa.report/1"]
    node: Name
    site: Name
    kind: Literal["log", "health"]
    at: str
    """When it was written, by the node's clock."""
    document: dict[str, Any]


def sign(report: Report, key: ec.EllipticCurvePrivateKey, certificate: str) -> bytes:
    """A file for the stick."""
    body = report.model_dump_json()
    signature = key.sign(_signed(body), ec.ECDSA(hashes.SHA256()))
    signed = {"node": report.node, "certificate": certificate, "body": body}
    return json.dumps(
        {**signed, "signature": base64.b64encode(signature).decode()}, ensure_ascii=False
    ).encode()


def read(raw: bytes, where: str, authority: x509.Certificate) -> Report:
    """What a node has reported.

    Raises:
        Rejected: it is none, or not signed by who it says, or the authority has not certified that.
    """
    signed = validate(Signed, where, read_json(where, raw, MAX_BYTES))
    try:
        certificate = x509.load_pem_x509_certificate(signed.certificate.encode())
        certificate.verify_directly_issued_by(authority)
        names = [part.value for part in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        key = certificate.public_key()
        if names != [signed.node] or not isinstance(key, ec.EllipticCurvePublicKey):
            raise Rejected(where, [f"the certificate is not of the node {signed.node}"])
        signature = base64.b64decode(signed.signature, validate=True)
        key.verify(signature, _signed(signed.body), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Rejected(where, ["is not signed by a node of this centre"]) from error
    except (ValueError, TypeError, binascii.Error) as error:
        raise Rejected(where, [f"its certificate or signature cannot be read: {error}"]) from error
    report = validate(Report, where, read_json(where, signed.body.encode(), MAX_BYTES))
    if report.node != signed.node:
        raise Rejected(where, [f"speaks of {report.node}, and is signed by {signed.node}"])
    return report


def ours(raw: bytes, key: ec.EllipticCurvePublicKey) -> dict[str, Any] | None:
    """The document of a report that this key has signed; None for anything else."""
    try:
        signed = validate(Signed, "report", read_json("report", raw, MAX_BYTES))
        key.verify(base64.b64decode(signed.signature), _signed(signed.body), ec.ECDSA(hashes.SHA256()))
        return validate(Report, "report", json.loads(signed.body)).document
    except (InvalidSignature, ValueError):
        return None


def _signed(body: str) -> bytes:
    return FORMAT.encode() + b"\0" + body.encode()
