"""What a signature is believed for: real keys, real signatures, and documents that somebody tampered with."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import etree

from agent.alerts import verifier
from agent.alerts.errors import Refused, Technician
from agent.alerts.verifier import NotSigned, Pin, read_pins, signed_part
from agent.alerts.verifying import Verifier
from playlists.alert import read_alert
from playlists.alert.reader import MAX_ALERT_BYTES, NAMESPACE
from playlists.units import Seconds
from tests.support.alerts import CAP, DS, Signer, cap, rsa_key

SIGNER = Signer()
STRANGER = Signer("stranger")
NOW = datetime.now(UTC)
DOCUMENT = cap("storm-1")
SIGNED = SIGNER.sign(DOCUMENT)


def pins(*signers: Signer, at: datetime = NOW, exact: bool = True) -> list[Pin]:
    found, problems = read_pins([signer.pem.decode() for signer in signers], at, exact=exact)
    assert not problems
    return found


def checked(document: bytes, *signers: Signer, **when: Any) -> bytes:
    return signed_part(document.decode(), pins(*(signers or (SIGNER,)), **when))


def test_the_child_agrees_with_the_reader_of_alerts() -> None:
    assert f"{{{NAMESPACE}}}alert" == verifier.CAP_ALERT
    assert verifier.MAX_SIGNED_BYTES == MAX_ALERT_BYTES


def test_what_was_signed_comes_back_without_its_signature() -> None:
    signed = checked(SIGNED)
    assert b"Signature" not in signed
    assert read_alert(signed) == read_alert(DOCUMENT)


@pytest.mark.parametrize(
    ("signer", "how"),
    [
        (Signer(key=rsa_key(2048)), {}),
        (Signer(key=rsa_key(2048)), {"signature_algorithm": "sha256-rsa-MGF1"}),
        (SIGNER, {"signature_algorithm": "ecdsa-sha512", "digest_algorithm": "sha512"}),
        (SIGNER, {"c14n_algorithm": "http://www.w3.org/2006/12/xml-c14n11"}),
        (SIGNER, {"c14n_algorithm": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"}),
    ],
    ids=["rsa", "rsa-pss", "sha512", "c14n 1.1", "c14n 1.0"],
)
def test_the_usual_algorithms_are_accepted(signer: Signer, how: dict[str, Any]) -> None:
    assert read_alert(checked(signer.sign(DOCUMENT, **how), signer)) == read_alert(DOCUMENT)


def test_any_of_several_pinned_certificates_will_do() -> None:
    assert checked(SIGNED, STRANGER, SIGNER)


def test_comments_and_processing_instructions_do_not_change_what_is_read() -> None:
    commented = SIGNED.replace(b"storm-1<", b"storm<!-- x -->-1<")
    assert read_alert(checked(commented)).identifier == "storm-1"


# ---- what is refused


def root_of(document: bytes) -> Any:
    return etree.fromstring(document)


def text_of(root: Any) -> bytes:
    return bytes(etree.tostring(root))


def evil() -> Any:
    """An alert that nobody signed."""
    return root_of(cap("evil", text="Hãy chạy đi."))


def signature_of(root: Any) -> Any:
    return root.find(f"{{{DS}}}Signature")


def unsigned() -> bytes:
    return DOCUMENT


def by_a_stranger() -> bytes:
    return STRANGER.sign(DOCUMENT)


def by_a_stranger_under_the_pinned_certificate() -> bytes:
    """The stranger's signature carries the certificate that is pinned."""
    root = root_of(STRANGER.sign(DOCUMENT))
    body = "".join(SIGNER.pem.decode().splitlines()[1:-1])
    next(root.iter(f"{{{DS}}}X509Certificate")).text = body
    return text_of(root)


def changed() -> bytes:
    return SIGNED.replace(b"<urgency>Immediate", b"<urgency>Past")


def with_another_signature_value() -> bytes:
    root = root_of(SIGNED)
    value = next(root.iter(f"{{{DS}}}SignatureValue"))
    value.text = "AAAA" + value.text[4:]
    return text_of(root)


def with_the_signature_of_another_alert() -> bytes:
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
    return signed_by_id(double=True)


def with_only_a_part_signed() -> bytes:
    return signed_by_id(double=False)


def with_two_signatures() -> bytes:
    root = root_of(SIGNED)
    root.append(copy.deepcopy(signature_of(root)))
    return text_of(root)


def with_a_stranger_signature_first() -> bytes:
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
    head = b'<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    return head + SIGNED.replace(b"storm-1<", b"&x;<")


def with_a_billion_laughs() -> bytes:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    return f"<!DOCTYPE alert [{entities}]>".encode() + SIGNED.replace(b"storm-1<", b"&a9;<")


def nested_deep() -> bytes:
    return SIGNED.replace(b"</alert>", b"<x>" * 100_000 + b"</x>" * 100_000 + b"</alert>")


def of_html() -> bytes:
    return b"<html><body>Please log in</body></html>"


def of_noise() -> bytes:
    return "\x01\x02 không phải XML".encode()


WRONG: tuple[tuple[Callable[[], bytes], str], ...] = (
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


@pytest.mark.parametrize(("wrong", "reason"), WRONG, ids=lambda part: getattr(part, "__name__", None))
def test_it_is_refused_and_the_reason_said(wrong: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(NotSigned, match=reason):
        checked(wrong())


def test_the_stranger_rows_would_pass_with_the_strangers_certificate() -> None:
    assert checked(by_a_stranger(), STRANGER)


# ---- the life of a certificate

YOUNG = Signer("young", begins=NOW - timedelta(days=2), ends=NOW + timedelta(days=100))


@pytest.mark.parametrize(
    ("at", "exact", "reason"),
    [
        (NOW, True, None),
        (NOW + timedelta(days=101), True, "expired"),
        (NOW + timedelta(days=101), False, "expired"),
        (NOW - timedelta(days=3), True, "valid only from"),
        (NOW - timedelta(days=300), False, None),
    ],
    ids=["in its life", "over", "over for certain", "too young", "a clock that may be behind"],
)
def test_a_certificate_counts_in_its_life(at: datetime, exact: bool, reason: str | None) -> None:
    document = YOUNG.sign(DOCUMENT)
    if reason is None:
        assert checked(document, YOUNG, at=at, exact=exact)
    else:
        with pytest.raises(NotSigned, match=reason):
            checked(document, YOUNG, at=at, exact=exact)


def test_a_weak_key_is_no_pin() -> None:
    weak = Signer("weak", key=rsa_key(1024))
    with pytest.raises(NotSigned, match="1024 bits"):
        checked(weak.sign(DOCUMENT), weak)


def test_a_file_without_certificate_is_told() -> None:
    found, problems = read_pins(["-----BEGIN NOTHING-----"], NOW, exact=True)
    assert not found
    assert "no certificate" in problems[0]


# ---- the child


def test_the_child_answers_document_by_document_and_says_what_is_pinned() -> None:
    with Verifier([SIGNER.pem.decode(), "nothing"], NOW, exact=True) as child:
        certificates, problems = child.certificates()
        assert [(c.name, c.problem) for c in certificates] == [("CN=pctt", None)]
        assert len(problems) == 1
        assert read_alert(child.check(SIGNED)).identifier == "storm-1"
        with pytest.raises(Refused, match="not signed"):
            child.check(DOCUMENT)
        with pytest.raises(Refused, match="UTF-8"):
            child.check(DOCUMENT.decode().encode("utf-16"))
        assert read_alert(child.check(SIGNED)).identifier == "storm-1"


DIES_OF_IT = """
import json, os, sys
sys.stdin.readline()
print(json.dumps({"pins": [], "problems": []}), flush=True)
for line in sys.stdin:
    if "bomb" in line:
        os.abort()
    if "hang" in line:
        import time
        time.sleep(60)
    print(json.dumps({"signed": json.loads(line)}), flush=True)
"""


@pytest.mark.parametrize("poison", ["bomb", "hang"])
def test_a_document_that_kills_the_child_costs_itself_alone(poison: str) -> None:
    argv = [sys.executable, "-c", DIES_OF_IT]
    with Verifier([], NOW, exact=True, argv=argv, answer_within_s=Seconds(1.0)) as child:
        assert child.check(b"one") == "one"
        with pytest.raises(Refused, match="could not be checked"):
            child.check(poison.encode())
        assert child.check(b"two") == "two"


def test_a_machine_where_the_child_does_not_work_is_told() -> None:
    with (
        Verifier([], NOW, exact=True, argv=["/nonexistent"]) as child,
        pytest.raises(Technician, match="cannot be checked"),
    ):
        child.check(SIGNED)
