"""A feed of signed alerts: CAP documents with an XML signature, listed in an Atom feed beside the schedules.

Its key is not one of the feed's: an ECDSA key on P-256 with a certificate of its own, which nodes pin. Alerts that
have expired, and those that a Cancel or an Update ended, are not listed any more; what ended them is, for as long
as they could still be in force somewhere.

References: CAP 1.2 §3.3.4.1; XML Signature 1.1, https://www.w3.org/TR/xmldsig-core1/; RFC 4287 (Atom).
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from agent.files import sync_directory, write_atomically
from agent.station.errors import Author, Technician
from agent.station.folder import Folder
from agent.station.keys import path_of
from playlists.alert import Alert, read_alert
from playlists.errors import Rejected

KEY: Final = "alerts"
NEXT: Final = "alerts-next"
INDEX: Final = "index.atom"
VALID_YEARS: Final = 3
MAX_LISTED: Final = 50
_ATOM: Final = "http://www.w3.org/2005/Atom"
_ROOM: Final = 30
"""Characters that file names of alerts have."""


@dataclass(frozen=True)
class Listed:
    """One entry of the feed."""

    file: str
    key: tuple[str, str, str]
    """Sender, identifier and sent, as references name it."""
    title: str
    added: datetime
    until: datetime
    """When it may be taken off the list."""


def make_key(folder: Folder, name: str = KEY, *, now: datetime | None = None) -> Path:
    """Make a key and its certificate, replacing former ones of that name; returns the certificate's path.

    Raises:
        OSError: they cannot be written.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    now = now or datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    number = x509.random_serial_number()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"loa alerts {number % 10**8:08d}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(number)
        # a node whose clock is a little behind must not find it too young
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * VALID_YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    folder.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_atomically(path_of(folder, name), private, mode=0o600)
    path = folder.certificate(name)
    write_atomically(path, certificate.public_bytes(Encoding.PEM), mode=0o644)
    return path


def use_next_key(folder: Folder) -> None:
    """Sign with the key that `make_key(folder, NEXT)` made, from now on; the former one is gone.

    Raises:
        Technician: there is none.
        OSError: it cannot be put in place.
    """
    if not path_of(folder, NEXT).exists():
        raise Technician(f"{path_of(folder, NEXT)} is not there; `loa station alerts new-key` makes it")
    path_of(folder, NEXT).replace(path_of(folder, KEY))
    folder.certificate(NEXT).replace(folder.certificate(KEY))
    sync_directory(folder.keys)
    sync_directory(folder.path)


def sign(document: bytes, key: bytes, certificate: bytes) -> bytes:
    """A CAP document with an enveloped XML signature (ECDSA on P-256, SHA-256, exclusive canonicalisation).

    Args:
        document: the alert.
        key: private key, PEM.
        certificate: its certificate, PEM.

    Raises:
        ValueError: the key or the document cannot be used.
    """
    from lxml import etree
    from signxml.algorithms import CanonicalizationMethod
    from signxml.signer import XMLSigner

    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    signer = XMLSigner(
        signature_algorithm="ecdsa-sha256",
        digest_algorithm="sha256",
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed = signer.sign(etree.fromstring(document, parser), key=key, cert=certificate.decode())
    return bytes(etree.tostring(signed, xml_declaration=True, encoding="UTF-8"))


def publish(folder: Folder, document: bytes, *, now: datetime | None = None) -> Alert:
    """Sign an alert and list it; what has expired, or is ended by it, is listed no more.

    Raises:
        Author: it is no CAP 1.2 alert, or has expired already.
        Technician: the key is not there, or others may read it.
        OSError: it cannot be written.
    """
    now = now or datetime.now(UTC)
    try:
        alert = read_alert(document)
    except Rejected as error:
        raise Author([str(error)]) from error
    if alert.expires <= now:
        raise Author([f"{alert.identifier}: expired on {alert.expires.isoformat()}"])
    if not path_of(folder, KEY).exists() and not folder.certificate(KEY).exists():
        make_key(folder, now=now)
    signed = sign(document, _private(folder), _read(folder.certificate(KEY)))
    named = {_key(*reference.key) for reference in alert.references}
    before = listed(folder)
    ended = [one for one in before if one.key in named]
    key = _key(*alert.reference.key)
    entry = Listed(
        file=f"{hashlib.sha256(signed).hexdigest()[:_ROOM]}.xml",
        key=key,
        title=(alert.infos[0].headline or alert.infos[0].event) if alert.infos else alert.kind,
        added=now,
        until=max([alert.expires, *(one.until for one in ended)]),
    )
    kept = [one for one in before if one.until > now and one not in ended and one.key != key]
    _write(folder, [entry, *kept][:MAX_LISTED], entry, signed)
    return alert


def listed(folder: Folder) -> list[Listed]:
    """What the feed lists, newest first.

    Raises:
        Technician: the list is damaged.
    """
    path = folder.path / "alerts.json"
    if not path.exists():
        return []
    try:
        return [
            Listed(
                one["file"],
                tuple(one["key"]),
                one["title"],
                datetime.fromisoformat(one["added"]),
                datetime.fromisoformat(one["until"]),
            )
            for one in json.loads(path.read_bytes())
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Technician(f"{path}: {error}; without it the feed begins anew") from error


def _key(sender: str, identifier: str, sent: datetime) -> tuple[str, str, str]:
    return sender, identifier, sent.astimezone(UTC).isoformat()


def _write(folder: Folder, entries: Sequence[Listed], new: Listed, signed: bytes) -> None:
    """The document first, then the list, then the feed; what it names no more goes last."""
    folder.alerts.mkdir(parents=True, exist_ok=True)
    write_atomically(folder.alerts / new.file, signed, mode=0o644)
    content = json.dumps([asdict(one) for one in entries], default=_iso, ensure_ascii=False, indent=1)
    write_atomically(folder.path / "alerts.json", content.encode())
    write_atomically(folder.alerts / INDEX, _atom(entries), mode=0o644)
    names = {one.file for one in entries}
    for path in folder.alerts.glob("*.xml"):
        if path.name not in names:
            path.unlink(missing_ok=True)


def _atom(entries: Sequence[Listed]) -> bytes:
    feed = Element("feed", xmlns=_ATOM)
    _text(feed, "id", "urn:loa:alerts")
    _text(feed, "title", "Cảnh báo")
    _text(feed, "updated", _iso(entries[0].added))
    SubElement(SubElement(feed, "author"), "name").text = "loa station"
    for one in entries:
        entry = SubElement(feed, "entry")
        _text(entry, "id", f"urn:loa:alert:{one.file.removesuffix('.xml')}")
        _text(entry, "title", one.title)
        _text(entry, "updated", _iso(one.added))
        SubElement(entry, "link", rel="alternate", type="application/cap+xml", href=one.file)
    return bytes(tostring(feed, encoding="utf-8", xml_declaration=True))


def _text(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = text


def _iso(value: Any) -> str:
    return str(value.isoformat())


def _private(folder: Folder) -> bytes:
    path = path_of(folder, KEY)
    data = _read(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise Technician(f"{path}: others may read this key (mode {mode:04o}); chmod 600 it")
    return data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Technician(f"{path}: {error.strerror or error}") from error
