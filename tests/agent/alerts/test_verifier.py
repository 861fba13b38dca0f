"""What a signature is believed for: real keys, real signatures, and documents that somebody tampered with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.alerts import verifier
from agent.alerts.errors import Refused, Technician
from agent.alerts.verifier import NotSigned, Pin, read_pins, signed_part
from agent.alerts.verifying import Verifier
from playlists.alert import read_alert
from playlists.alert.reader import MAX_ALERT_BYTES, NAMESPACE
from playlists.units import Seconds
from tests.support.alerts import Signer, rsa_key
from tests.support.forgeries import DOCUMENT, FORGERIES, SIGNED, SIGNER, STRANGER, by_a_stranger

NOW = datetime.now(UTC)


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


@pytest.mark.parametrize(("wrong", "reason"), FORGERIES, ids=lambda part: getattr(part, "__name__", None))
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
