"""Signed alerts that somebody tampered with, and what each must be refused for. What `SIGNER` signs is pinned."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from lxml import etree

from tests.support.alerts import CAP, DS, Signer, cap

SIGNER = Signer()
STRANGER = Signer("stranger")
DOCUMENT = cap("storm-1")
SIGNED = SIGNER.sign(DOCUMENT)


def root_of(document: bytes) -> Any:
    """Parsed."""
    return etree.fromstring(document)


def text_of(root: Any) -> bytes:
    """Serialised."""
    return bytes(etree.tostring(root))


def evil() -> Any:
    """An alert that nobody signed."""
    return root_of(cap("evil", text="Hãy chạy đi."))


def signature_of(root: Any) -> Any:
    """The signature right below the root."""
    return root.find(f"{{{DS}}}Signature")


def unsigned() -> bytes:
    """As its author wrote it."""
    return DOCUMENT


def by_a_stranger() -> bytes:
    """Properly signed, by somebody else."""
    return STRANGER.sign(DOCUMENT)


def by_a_stranger_under_the_pinned_certificate() -> bytes:
    """The stranger's signature carries the certificate that is pinned."""
    root = root_of(STRANGER.sign(DOCUMENT))
    body = "".join(SIGNER.pem.decode().splitlines()[1:-1])
    next(root.iter(f"{{{DS}}}X509Certificate")).text = body
    return text_of(root)


def changed() -> bytes:
    """One word is another."""
    return SIGNED.replace(b"<urgency>Immediate", b"<urgency>Past")


def with_another_signature_value() -> bytes:
    """The value of the signature is another."""
    root = root_of(SIGNED)
    value = next(root.iter(f"{{{DS}}}SignatureValue"))
    value.text = "AAAA" + value.text[4:]
    return text_of(root)


def with_the_signature_of_another_alert() -> bytes:
    """A signature is moved to a document that nobody signed."""
    root = evil()
    root.append(signature_of(root_of(SIGNED)))
    return text_of(root)


def wrapped_in_an_object() -> bytes:
    """The signed alert is moved into an Object of the signature; the root is another."""
    root, original = evil(), root_of(SIGNED)
    signature = signature_of(original)
    original.remove(signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(original)
    root.append(signature)
    return text_of(root)


def wrapped_in_another_root() -> bytes:
    """The signed alert lies whole inside an unsigned one."""
    root = evil()
    root.append(root_of(SIGNED))
    return text_of(root)


def wrapped_deep() -> bytes:
    """The signed alert lies in a parameter of an unsigned one."""
    root = evil()
    parameter = etree.SubElement(root.find(f"{{{CAP}}}info"), f"{{{CAP}}}parameter")
    etree.SubElement(parameter, f"{{{CAP}}}value").append(root_of(SIGNED))
    return text_of(root)


def with_an_unsigned_sibling() -> bytes:
    """A second info block is put beside the signed one."""
    root = root_of(SIGNED)
    root.insert(1, copy.deepcopy(evil().find(f"{{{CAP}}}info")))
    return text_of(root)


def signed_by_id(double: bool) -> bytes:
    """Only a part that is named by its Id is signed."""
    root = root_of(DOCUMENT)
    info = root.find(f"{{{CAP}}}info")
    info.set("Id", "part")
    signed = root_of(SIGNER.sign(text_of(root), reference_uri="part"))
    other = copy.deepcopy(evil().find(f"{{{CAP}}}info"))
    if double:
        other.set("Id", "part")
    signed.insert(1, other)
    return text_of(signed)


def with_one_id_twice() -> bytes:
    """The Id of the signed part stands on another part, too."""
    return signed_by_id(double=True)


def with_only_a_part_signed() -> bytes:
    """Beside the signed part stands one that nobody signed."""
    return signed_by_id(double=False)


def with_two_signatures() -> bytes:
    """The signature stands there twice."""
    root = root_of(SIGNED)
    root.append(copy.deepcopy(signature_of(root)))
    return text_of(root)


def with_a_stranger_signature_first() -> bytes:
    """A stranger's signature stands before the good one."""
    root = root_of(SIGNED)
    root.insert(0, signature_of(root_of(STRANGER.sign(DOCUMENT))))
    return text_of(root)


def with_a_filter() -> bytes:
    """A transform that would leave most of the document out."""
    root = root_of(SIGNED)
    transform = next(root.iter(f"{{{DS}}}Transform"))
    transform.set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    etree.SubElement(transform, f"{{{DS}}}XPath").text = "ancestor-or-self::*"
    return text_of(root)


def with_the_signature_as_root() -> bytes:
    """An enveloping signature: the alert is inside."""
    root = root_of(SIGNED)
    signature = signature_of(root)
    root.remove(signature)
    etree.SubElement(signature, f"{{{DS}}}Object").append(root)
    return text_of(signature)


def by_sha1() -> bytes:
    """signxml would not sign with it, so its name is written over another; it must be refused for its name."""
    return SIGNED.replace(
        b"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", b"http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    )


def digested_by_sha1() -> bytes:
    """The digest is said to be SHA-1."""
    return SIGNED.replace(
        b"http://www.w3.org/2001/04/xmlenc#sha256", b"http://www.w3.org/2000/09/xmldsig#sha1"
    )


def by_hmac_of_the_certificate() -> bytes:
    """What is pinned is public: as the secret of an HMAC it must count for nothing."""
    from signxml import XMLSigner
    from signxml.algorithms import CanonicalizationMethod

    signer = XMLSigner(
        signature_algorithm="hmac-sha256",
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    return text_of(signer.sign(root_of(DOCUMENT), key=SIGNER.pem))


def with_an_external_entity() -> bytes:
    """An entity would read a file of the node."""
    head = b'<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    return head + SIGNED.replace(b"storm-1<", b"&x;<")


def with_a_billion_laughs() -> bytes:
    """Entities that unfold to gigabytes."""
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return f"<!DOCTYPE alert [{entities}]>".encode() + SIGNED.replace(b"storm-1<", b"&a9;<")


def nested_deep() -> bytes:
    """Twenty thousand elements, each in the other."""
    return SIGNED.replace(b"</alert>", b"<x>" * 20_000 + b"</x>" * 20_000 + b"</alert>")


def of_html() -> bytes:
    """The page of a captive portal."""
    return b"<html><body>Please log in</body></html>"


def of_noise() -> bytes:
    """No XML at all."""
    return "\x01\x02 không phải XML".encode()


FORGERIES: tuple[tuple[Callable[[], bytes], str], ...] = (
    (unsigned, "is not signed"),
    (by_a_stranger, "is not signed by a pinned certificate"),
    (by_a_stranger_under_the_pinned_certificate, "is not signed by a pinned certificate"),
    (changed, "was changed"),
    (with_another_signature_value, "is not signed by a pinned certificate"),
    (with_the_signature_of_another_alert, "was changed"),
    (wrapped_in_an_object, "Object"),
    (wrapped_in_another_root, "elsewhere"),
    (wrapped_deep, "elsewhere"),
    (with_an_unsigned_sibling, "was changed"),
    (with_one_id_twice, "something else than the whole document"),
    (with_only_a_part_signed, "something else than the whole document"),
    (with_two_signatures, "2 signatures"),
    (with_a_stranger_signature_first, "2 signatures"),
    (with_a_filter, "transform"),
    (with_the_signature_as_root, "root element"),
    (by_sha1, "is not signed by a pinned certificate"),
    (digested_by_sha1, "is not signed by a pinned certificate"),
    (by_hmac_of_the_certificate, "is not signed by a pinned certificate"),
    (with_an_external_entity, "document type"),
    (with_a_billion_laughs, "document type|entit"),
    (nested_deep, "is not XML"),
    (of_html, "root element"),
    (of_noise, "is not XML"),
)
