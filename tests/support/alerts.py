"""A source of alerts as others run it: keys and certificates, signed CAP documents, an Atom or RSS feed of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
DS = "http://www.w3.org/2000/09/xmldsig#"
SENDER = "pctt@tinh.example"


class Signer:
    """Somebody with a key and a certificate, valid from `begins` to `ends` (default: about now)."""

    def __init__(
        self,
        name: str = "pctt",
        *,
        begins: datetime | None = None,
        ends: datetime | None = None,
        key: Any = None,
    ) -> None:
        now = datetime.now(UTC)
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins or now - timedelta(days=30))
            .not_valid_after(ends or now + timedelta(days=700))
            .sign(self.key, SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def private_pem(self) -> bytes:
        """The private key."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def pin(self, path: Path) -> Path:
        """Write the certificate, for a node to pin."""
        path.write_bytes(self.pem)
        return path

    def sign(self, document: bytes, **how: Any) -> bytes:
        """The document with an enveloped signature; `how` is for `XMLSigner` and its `sign`."""
        reference = how.pop("reference_uri", None)
        made = {
            "c14n_algorithm": CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
            "signature_algorithm": "ecdsa-sha256"
            if isinstance(self.key, ec.EllipticCurvePrivateKey)
            else "rsa-sha256",
            **how,
        }
        signed = XMLSigner(**made).sign(
            etree.fromstring(document), key=self.private_pem, cert=self.pem.decode(), reference_uri=reference
        )
        return bytes(etree.tostring(signed))


@functools.cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """An RSA key; making one takes time."""
    return rsa.generate_private_key(65_537, bits)


def cap(
    identifier: str,
    *,
    sent: datetime | None = None,
    kind: str = "Alert",
    references: Sequence[tuple[str, datetime]] = (),
    text: str = "Bão tan.",
    expires_s: float = 600.0,
    sender: str = SENDER,
) -> bytes:
    """A CAP document, unsigned; `references` are identifiers of that sender and when they were sent.

    It expires so long after it was sent.
    """
    sent = sent or datetime.now(UTC).replace(microsecond=0)
    named = " ".join(f"{sender},{name},{at.isoformat()}" for name, at in references)
    lines = [
        f'<alert xmlns="{CAP}">',
        f"<identifier>{identifier}</identifier><sender>{sender}</sender><sent>{sent.isoformat()}</sent>",
        f"<status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>",
        f"<references>{named}</references>" if named else "",
        "<info><language>vi-VN</language><category>Met</category><event>Bão</event><urgency>Immediate</urgency>",
        "<severity>Severe</severity><certainty>Observed</certainty>",
        f"<expires>{(sent + timedelta(seconds=expires_s)).isoformat()}</expires>",
        f"<headline>{text}</headline><description>{text}</description>",
        "<area><areaDesc>Xã Mẫu</areaDesc></area></info></alert>",
    ]
    return "".join(lines).encode()


def atom(*entries: bytes | str) -> bytes:
    """An Atom feed: a link for each address, a document inside for each CAP document."""
    parts = []
    for number, entry in enumerate(entries):
        inner = (
            f'<link rel="alternate" type="application/cap+xml" href="{entry}"/>'
            if isinstance(entry, str)
            else f'<content type="application/cap+xml">{entry.decode()}</content>'
        )
        parts.append(f"<entry><id>urn:{number}</id><updated>2026-11-23T00:00:00Z</updated>{inner}</entry>")
    body = "".join(parts)
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Cảnh báo</title>{body}</feed>'.encode()


def rss(*links: str) -> bytes:
    """An RSS feed with a link for each address."""
    items = "".join(
        f"<item><title>Bão</title><link>{link}</link><guid>{link}</guid></item>" for link in links
    )
    return f'<rss version="2.0"><channel><title>Cảnh báo</title>{items}</channel></rss>'.encode()


def toml(name: str, url: str, *pins: Path, level: int = 20, poll_s: float = 5.0, more: str = "") -> str:
    """The section of a source in a node's configuration."""
    paths = ", ".join(f'"{pin}"' for pin in pins)
    return (
        f'[[alert_sources]]\nname = "{name}"\nurl = "{url}"\ncertificates = [{paths}]\n'
        f"level = {level}\npoll_s = {poll_s}\n{more}\n"
    )
