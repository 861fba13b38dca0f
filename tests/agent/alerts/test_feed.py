"""What a feed offers: Atom, RSS and bare CAP, and what is no feed."""

from __future__ import annotations

import hashlib

import pytest

from agent.alerts.errors import Unreadable
from agent.alerts.feed import MAX_ENTRIES, read_feed
from agent.alerts.verifier import read_pins, signed_part
from tests.support.alerts import Signer, atom, cap, rss

SIGNER = Signer()
SIGNED = SIGNER.sign(cap("storm-1"))
ATOM = "http://www.w3.org/2005/Atom"


def links(raw: bytes) -> list[str | None]:
    return [entry.link for entry in read_feed(raw)]


def test_atom_entries_name_their_documents() -> None:
    assert links(atom("storm-1.xml", "https://cap.example/2")) == ["storm-1.xml", "https://cap.example/2"]


def test_rss_items_name_their_documents() -> None:
    assert links(rss("https://cap.example/1", "https://cap.example/2")) == [
        "https://cap.example/1",
        "https://cap.example/2",
    ]


def test_an_enclosure_of_cap_is_preferred_to_the_page_about_it() -> None:
    raw = (
        b'<rss version="2.0"><channel><item><link>https://news.example/storm.html</link>'
        b'<enclosure type="application/cap+xml" url="https://cap.example/1.xml"/></item></channel></rss>'
    )
    assert links(raw) == ["https://cap.example/1.xml"]


def test_pages_for_people_are_passed_over() -> None:
    raw = (
        f'<feed xmlns="{ATOM}"><entry><link type="text/html" href="page.html"/>'
        f'<link rel="self" href="entry.atom"/><link href="plain"/>'
        f'<link type="application/cap+xml" rel="enclosure" href="cap.xml"/></entry>'
        f'<entry><link type="text/html" href="nothing-in-force.html"/></entry></feed>'
    ).encode()
    assert links(raw) == ["cap.xml"]


def test_a_bare_document_is_its_own_feed() -> None:
    (entry,) = read_feed(b'\xef\xbb\xbf<?xml version="1.0"?>\n' + SIGNED)
    assert entry.document is not None
    assert entry.document.endswith(SIGNED)


@pytest.mark.parametrize("how", [{}, {"c14n_algorithm": "http://www.w3.org/2006/12/xml-c14n11"}])
def test_a_document_inside_an_entry_is_cut_out_so_that_its_signature_holds(how: dict[str, str]) -> None:
    signed = SIGNER.sign(cap("storm-2"), **how)
    first, second = read_feed(atom(SIGNED, signed))
    assert first.document == SIGNED
    assert second.document == signed
    pins, _ = read_pins([SIGNER.pem.decode()], SIGNER.certificate.not_valid_before_utc, exact=True)
    assert signed_part(second.document.decode(), pins)


def test_an_entry_is_new_again_when_it_was_updated() -> None:
    before, after = atom("a.xml"), atom("a.xml").replace(b"00:00:00Z", b"00:01:00Z")
    assert read_feed(before) == read_feed(before)
    assert read_feed(before)[0].key != read_feed(after)[0].key


def test_what_is_listed_twice_is_offered_once() -> None:
    assert len(read_feed(atom(SIGNED, SIGNED))) == 1


def test_a_feed_without_end_is_cut() -> None:
    many = [f"{number}.xml" for number in range(MAX_ENTRIES + 50)]
    assert links(atom(*many)) == many[:MAX_ENTRIES]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"<html><body>Please log in</body></html>", "neither Atom, RSS"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "document type"),
        (b"Please log in", "not XML"),
        (b"", "not XML"),
        (b"\xff\xfe<\x00", "UTF-8"),
        (atom("a.xml")[:-20], "not XML"),
        (b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.1"/>', "neither Atom"),
        (b"<rss>" + b"<x>" * 10_000, "deeper"),
        (
            b'<!DOCTYPE f [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><feed>&b;</feed>',
            "document type",
        ),
        (b'<!DOCTYPE f [<!ENTITY a SYSTEM "file:///etc/passwd">]><feed>&a;</feed>', "document type"),
    ],
)
def test_what_is_no_feed_is_told_apart(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_feed(raw)


def test_keys_are_short_and_of_the_content() -> None:
    (entry,) = read_feed(SIGNED)
    assert entry.key == hashlib.sha256(SIGNED).hexdigest()[:32]
