"""The child process that checks XML signatures: `python -m agent.alerts.verifier`.

It reads JSON lines: first the pinned certificates and the time, then one document a line. It answers with JSON
lines: what it makes of the certificates, then for each document what of it was signed, or why it is refused. It
has no network to use, a bound on memory and time, and nothing to lose: a document that brings libxml2 down costs
this process.

What is accepted is narrow on purpose. One signature, a child of the root, over the whole document (`URI=""`), with
no transform but the enveloped one and a canonicalisation: a signed part cannot be moved, doubled or wrapped where
only the whole can be signed. What is handed on is what was digested, never the document as it came.

References: XML Signature 1.1, https://www.w3.org/TR/xmldsig-core1/; CAP 1.2 §3.3.4.1 (enveloped signature).
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest
from signxml.verifier import SignatureConfiguration, XMLVerifier

MAX_MEMORY_BYTES: Final = 400_000_000
MAX_CPU_S: Final = 20
MIN_RSA_BITS: Final = 2_048
# as in playlists.alert, whose import would double this process's start; a test holds them equal
CAP_ALERT: Final = "{urn:oasis:names:tc:emergency:cap:1.2}alert"
MAX_SIGNED_BYTES: Final = 256_000

_DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_STRONG: Final = ("SHA256", "SHA384", "SHA512")
_METHODS: Final = frozenset(
    method
    for method in SignatureMethod
    if method.name in {f"{kind}_{digest}" for kind in ("RSA", "ECDSA") for digest in _STRONG}
    or method.name in {f"{digest}_RSA_MGF1" for digest in _STRONG}
)
_DIGESTS: Final = frozenset(digest for digest in DigestAlgorithm if digest.name in _STRONG)
_CANONICAL: Final = {method.value for method in CanonicalizationMethod}


class NotSigned(ValueError):  # noqa: N818 - the reason stands in its words
    """Error raised when a document is not, as a whole, what a pinned certificate signed."""


@dataclass(frozen=True)
class Pin:
    """A certificate whose signatures count."""

    certificate: x509.Certificate
    problem: str | None
    """Why they do not count now."""

    @property
    def name(self) -> str:
        """Its subject, for messages."""
        try:
            return self.certificate.subject.rfc4514_string()[:200] or "(no subject)"
        except ValueError:
            return "(unreadable subject)"


def read_pins(texts: list[str], at: datetime, *, exact: bool) -> tuple[list[Pin], list[str]]:
    """The certificates in PEM texts, and what is wrong with texts that hold none.

    Args:
        texts: each with one certificate or several.
        at: the time, or with `exact` false a moment that has certainly passed.
        exact: whether a certificate can be told to be not valid yet.
    """
    pins: list[Pin] = []
    problems: list[str] = []
    for text in texts:
        try:
            found = x509.load_pem_x509_certificates(text.encode())
        except ValueError as error:
            problems.append(f"is no certificate in PEM: {error}"[:300])
            continue
        pins += [Pin(certificate, _problem(certificate, at, exact)) for certificate in found]
    return pins, problems


def _problem(certificate: x509.Certificate, at: datetime, exact: bool) -> str | None:
    try:
        key = certificate.public_key()
    except Exception as error:  # noqa: BLE001 - whatever it holds, it is no key that can be used
        return f"has no key that can be used: {error}"[:300]
    if isinstance(key, RSAPublicKey):
        if key.key_size < MIN_RSA_BITS:
            return f"has an RSA key of {key.key_size} bits, at least {MIN_RSA_BITS} are accepted"
    elif not isinstance(key, EllipticCurvePublicKey):
        return "has a key of another kind than RSA and ECDSA"
    if at > certificate.not_valid_after_utc:
        return f"has expired on {certificate.not_valid_after_utc.isoformat()}"
    if exact and at < certificate.not_valid_before_utc:
        return f"is valid only from {certificate.not_valid_before_utc.isoformat()}"
    return None


def signed_part(document: str, pins: list[Pin]) -> bytes:
    """What of a document one of the pinned certificates signed: a whole CAP alert without its signature.

    Raises:
        NotSigned: none of them did, or the document is of another form than this module accepts.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(document.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotSigned(f"is not XML: {error}"[:300]) from error
    _check_form(root)
    usable = [pin for pin in pins if pin.problem is None]
    if not usable:
        told = "; ".join(f"{pin.name} {pin.problem}" for pin in pins) or "there is none"
        raise NotSigned(f"no pinned certificate can be used: {told}"[:500])
    reasons = []
    for pin in usable:
        try:
            signed = _verify(document, pin)
        except InvalidDigest as error:
            raise NotSigned("was changed after it was signed") from error
        except Exception as error:  # noqa: BLE001 - a stranger's input: whatever is wrong with it, it is refused
            reasons.append(f"{pin.name}: {type(error).__name__}: {error}"[:300])
            continue
        if len(signed) > MAX_SIGNED_BYTES:
            raise NotSigned(f"has {len(signed)} signed bytes, at most {MAX_SIGNED_BYTES} are accepted")
        return signed
    raise NotSigned(f"is not signed by a pinned certificate ({'; '.join(reasons)})"[:900])


def _verify(document: str, pin: Pin) -> bytes:
    # the validity of the certificate was judged already, by the node's own idea of the time
    begins = pin.certificate.not_valid_before_utc
    middle = begins + (pin.certificate.not_valid_after_utc - begins) / 2
    wanted = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        verification_time=middle,
    )
    result = XMLVerifier().verify(document.encode(), x509_cert=pin.certificate, expect_config=wanted)
    if isinstance(result, list) or result.signed_xml is None or result.signed_xml.tag != CAP_ALERT:
        raise NotSigned("what is signed is no alert of CAP 1.2")
    return result.signed_data


def _check_form(root: Any) -> None:
    """One signature, right below the root, over the whole."""
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None:
        raise NotSigned("has a document type, which is not accepted")
    if root.tag != CAP_ALERT:
        raise NotSigned(f"is no alert of CAP 1.2: the root element is {str(root.tag)[:100]!r}")
    signatures = list(root.iter(f"{_DS}Signature"))
    if not signatures:
        raise NotSigned("is not signed")
    if len(signatures) > 1:
        raise NotSigned(f"has {len(signatures)} signatures, one is accepted")
    if signatures[0].getparent() is not root:
        raise NotSigned("has its signature elsewhere than right below the root")
    signature = signatures[0]
    if signature.find(f"{_DS}Object") is not None:
        raise NotSigned("carries an Object in its signature, which is not accepted")
    references = list(signature.iter(f"{_DS}Reference"))
    if [reference.get("URI") for reference in references] != [""]:
        raise NotSigned("signs something else than the whole document once")
    for transform in references[0].iter(f"{_DS}Transform"):
        algorithm = transform.get("Algorithm")
        if algorithm != _ENVELOPED and algorithm not in _CANONICAL:
            raise NotSigned(f"is signed after a transform that is not accepted: {str(algorithm)[:100]}")


def main() -> int:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    first = json.loads(sys.stdin.buffer.readline())
    pins, problems = read_pins(first["pins"], datetime.fromisoformat(first["at"]), exact=first["exact"])
    _say(
        problems=problems,
        pins=[
            {
                "name": pin.name,
                "problem": pin.problem,
                "expires": pin.certificate.not_valid_after_utc.isoformat(),
            }
            for pin in pins
        ],
    )
    for line in sys.stdin.buffer:
        try:
            _say(signed=signed_part(json.loads(line), pins).decode())
        except (NotSigned, MemoryError, RecursionError) as error:
            _say(refused=str(error) or type(error).__name__)
    return 0


def _say(**answer: Any) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
