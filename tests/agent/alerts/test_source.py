"""One source against a real web host: what it asks for, hands over, remembers, refuses and says of itself."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.alerts import source as room
from agent.alerts.events import AlertFetched, DocumentRefused, SourceTroubled, SourceWell
from agent.alerts.feed import MAX_FEED_BYTES
from agent.alerts.source import Source
from agent.clock import FakeClock
from agent.config import AlertSource
from agent.feeds.http import Client
from playlists.alert import read_alert
from playlists.models.base import ClockState
from playlists.units import Seconds
from tests.support import web
from tests.support.alerts import Signer, atom, cap, rss
from tests.support.wait import wait_until
from tests.support.web import Host

SIGNER = Signer()
STRANGER = Signer("stranger")


@dataclass
class Bench:
    """A host, a source that asks it, and a conductor that takes what it is given."""

    host: Host
    directory: Path
    clock: FakeClock = field(default_factory=lambda: FakeClock(datetime.now(UTC)))
    takes: bool = True
    events: list[Any] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    source: Source = field(init=False)

    def __post_init__(self) -> None:
        self.pin = SIGNER.pin(self.directory / "pctt.pem")
        self.restart()

    def restart(self) -> None:
        """Begin anew with what is on disk."""
        settings = AlertSource.model_validate(
            {
                "name": "province",
                "url": self.host.url + "cap.atom",
                "certificates": [str(self.pin)],
                **self.settings,
            }
        )
        self.source = Source(
            settings,
            self.directory / "state",
            self._post,
            self.clock,
            Client(connect_s=2, stall_s=1, ca=settings.ca),
        )

    def _post(self, event: Any) -> None:
        self.events.append(event)
        if isinstance(event, AlertFetched) and self.takes:
            event.taken()

    def offer(self, *documents: bytes, feed: bytes | None = None) -> None:
        """Serve a feed with a link for each of these documents."""
        content = self.host.content
        assert isinstance(content, dict)
        names = []
        for document in documents:
            names.append(f"{len(content)}.xml")
            content[names[-1]] = document
        content["cap.atom"] = atom(*names) if feed is None else feed

    def round(self) -> list[str]:
        """Ask once; the identifiers that were handed over."""
        before = len(self.events)
        self.source.round()
        return [
            read_alert(e.document).identifier for e in self.events[before:] if isinstance(e, AlertFetched)
        ]

    def of(self, kind: type) -> list[str]:
        """The reasons of all events of a kind."""
        return [getattr(event, "reason", "") for event in self.events if isinstance(event, kind)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Host({}, etags=True) as host:
        yield Bench(host, tmp_path)


def storm(number: int = 1, **parts: Any) -> bytes:
    return SIGNER.sign(cap(f"storm-{number}", **parts))


def test_new_documents_are_handed_over_once(bench: Bench) -> None:
    bench.offer(storm(1))
    assert bench.round() == ["storm-1"]
    assert bench.round() == []
    bench.offer(storm(2))
    assert bench.round() == ["storm-2"]
    assert bench.source.health().state == "current"
    assert bench.of(SourceTroubled) == []


def test_an_unchanged_feed_costs_one_small_request(bench: Bench) -> None:
    bench.offer(storm(1))
    bench.round()
    asked = len(bench.host.requests)
    for _ in range(3):
        bench.round()
    assert len(bench.host.requests) - asked == 3
    assert bench.host.unchanged == 3


def test_what_was_taken_is_known_after_a_restart_and_so_is_the_state_of_the_host(bench: Bench) -> None:
    bench.offer(storm(1))
    bench.round()
    bench.restart()
    assert bench.round() == []
    assert bench.host.unchanged == 1
    bench.offer(storm(2))
    assert bench.round() == ["storm-2"]


def test_what_the_conductor_did_not_take_is_handed_over_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "TAKEN_WITHIN_S", Seconds(0.05))
    bench.takes = False
    bench.offer(storm(1))
    assert bench.round() == ["storm-1"]
    bench.takes = True
    assert bench.round() == ["storm-1"]
    assert bench.round() == []


def test_a_damaged_memory_is_replaced_and_alerts_come_again(bench: Bench) -> None:
    bench.offer(storm(1))
    bench.round()
    (bench.directory / "state" / "taken.json").write_bytes(b'{"format": 3')
    bench.restart()
    assert bench.round() == ["storm-1"]


def test_of_those_that_come_together_the_newest_is_first(bench: Bench) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    old = cap("storm-1", sent=now - timedelta(minutes=9))
    cancel = cap("storm-2", kind="Cancel", references=[("storm-1", now - timedelta(minutes=9))])
    bench.offer(SIGNER.sign(old), SIGNER.sign(cancel))
    assert bench.round() == ["storm-2", "storm-1"]


def test_rss_bare_documents_and_documents_inside_entries_are_read(bench: Bench) -> None:
    bench.offer(feed=storm(1))
    assert bench.round() == ["storm-1"]
    bench.offer(feed=atom(storm(2), storm(3)))
    assert sorted(bench.round()) == ["storm-2", "storm-3"]
    assert isinstance(bench.host.content, dict)
    bench.host.content["4.xml"] = storm(4)
    bench.offer(feed=rss(bench.host.url + "4.xml"))
    assert bench.round() == ["storm-4"]


def test_the_level_of_the_source_and_only_what_was_signed_are_handed_over(bench: Bench) -> None:
    bench.settings = {"level": 30}
    bench.restart()
    bench.offer(storm(1))
    bench.round()
    (event,) = (event for event in bench.events if isinstance(event, AlertFetched))
    assert event.level == 30
    assert "Signature" not in event.document


# ---- refused documents


def test_a_refused_document_is_reported_once_and_the_fault_goes_with_it(bench: Bench) -> None:
    bench.offer(cap("evil"), storm(1))
    assert bench.round() == ["storm-1"]
    for _ in range(3):
        bench.round()
    assert len(bench.of(DocumentRefused)) == 1
    assert "is not signed" in bench.of(SourceTroubled)[0]
    assert bench.source.health().state == "refused"
    bench.offer(storm(1))
    bench.round()
    assert len(bench.of(SourceWell)) == 1
    assert bench.source.health().state == "current"


def test_what_was_refused_is_judged_again_when_another_certificate_is_pinned(bench: Bench) -> None:
    bench.offer(STRANGER.sign(cap("storm-9")))
    assert bench.round() == []
    assert bench.round() == []
    bench.pin.write_bytes(SIGNER.pem + STRANGER.pem)
    assert bench.round() == ["storm-9"]
    assert bench.of(SourceWell)


def test_a_flood_of_forgeries_does_not_flood_the_log(bench: Bench) -> None:
    bench.offer(feed=atom(*(cap(f"evil-{number}") for number in range(40))))
    bench.round()
    assert len(bench.of(DocumentRefused)) == 10
    assert "and 39 more" in bench.of(SourceTroubled)[0]


@pytest.mark.parametrize(
    ("feed", "reason"),
    [
        (atom("http://127.0.0.2:9/evil.xml"), "another host"),
        (atom("http://user@127.0.0.1/evil.xml"), "another host"),
        (atom("http://[bad/"), "no address"),
        (atom("file:///etc/passwd"), "another host"),
        (atom(SIGNER.sign(cap("x")).replace(b"<identifier>x", b"<identifier>x y")), "changed"),
        (atom(SIGNER.sign(cap("x y"))), "identifier"),
        (atom(b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'>" + b"x" * 300_000 + b"</alert>"), "300"),
    ],
    ids=["elsewhere", "with a user", "no link", "a file", "changed", "no alert", "huge"],
)
def test_a_document_that_may_not_be_read_is_refused(bench: Bench, feed: bytes, reason: str) -> None:
    bench.offer(feed=feed)
    assert bench.round() == []
    assert reason in bench.of(DocumentRefused)[0]


def test_links_to_a_host_that_is_allowed_are_followed(bench: Bench) -> None:
    with Host({"1.xml": storm(1)}) as other:
        link = other.url.replace("127.0.0.1", "localhost") + "1.xml"
        bench.offer(feed=atom(link))
        assert bench.round() == []
        bench.settings = {"link_hosts": ["localhost"]}
        bench.restart()
        assert bench.round() == ["storm-1"]


# ---- a host that fails


def test_a_link_that_fails_delays_only_itself(bench: Bench) -> None:
    bench.offer(storm(1), storm(2))
    bench.host.break_path("0.xml", web.status(503), times=1)
    assert bench.round() == ["storm-2"]
    assert bench.round() == ["storm-1"]


def test_links_that_are_dead_do_not_keep_the_others_back_for_ever(bench: Bench) -> None:
    bench.offer(*(storm(number) for number in range(6)))
    bench.host.break_path("[0-3].xml", web.status(404))
    found = bench.round() + bench.round()
    assert sorted(found) == ["storm-4", "storm-5"]


HOSTS: tuple[tuple[web.Fault, str], ...] = (
    (web.status(500), "answers 500"),
    (web.redirect("http://127.0.0.2:9/"), "redirects to another place"),
    (web.instead(b"<html>Please log in</html>"), "neither Atom"),
    (web.instead(b" " * (MAX_FEED_BYTES + 1)), "more than"),
    (web.endless, "more than"),
    (web.instead(b"x", {"Content-Encoding": "gzip"}), "Content-Encoding"),
    (web.drip_headers, "longer than"),
    (web.drip_body, "longer than"),
    (web.stall, "timed out"),
)


@pytest.mark.parametrize(
    ("fault", "reason"),
    HOSTS,
    ids=["500", "redirect", "html", "huge", "endless", "packed", "slow headers", "slow body", "stall"],
)
def test_a_host_that_fails_is_said_at_once_and_a_fault_after_a_while(
    bench: Bench, fault: web.Fault, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FEED_WITHIN_S", Seconds(0.5 if "longer" in reason else 20.0))
    bench.offer(storm(1))
    bench.host.break_path("cap.atom", fault)
    assert bench.round() == []
    assert bench.source.health().state == "unreachable"
    assert reason in (bench.source.health().reason or "")
    assert bench.of(SourceTroubled) == []
    bench.clock.advance(200)
    bench.round()
    bench.round()
    assert len(bench.of(SourceTroubled)) == 1
    bench.host.mend()
    assert bench.round() == ["storm-1"]
    assert len(bench.of(SourceWell)) == 1


# ---- certificates and the clock


def test_a_missing_certificate_is_a_fault_and_mended_without_a_restart(bench: Bench) -> None:
    bench.pin.unlink()
    bench.offer(storm(1))
    assert bench.round() == []
    assert "pctt.pem" in bench.of(SourceTroubled)[0]
    SIGNER.pin(bench.pin)
    assert bench.round() == ["storm-1"]
    assert bench.of(SourceWell)


def test_a_certificate_that_runs_out_soon_is_told_unless_the_next_one_is_there(bench: Bench) -> None:
    ending = Signer("ending", ends=datetime.now(UTC) + timedelta(days=20))
    bench.pin.write_bytes(ending.pem)
    bench.offer(ending.sign(cap("storm-1")))
    assert bench.round() == ["storm-1"]
    assert "runs out on" in bench.of(SourceTroubled)[0]
    bench.pin.write_bytes(ending.pem + SIGNER.pem)
    bench.round()
    assert bench.of(SourceWell)


def test_an_expired_certificate_is_told_before_anything_is_signed_with_it(bench: Bench) -> None:
    bench.pin.write_bytes(Signer("over", ends=datetime.now(UTC) - timedelta(days=1)).pem)
    bench.offer(feed=atom())
    bench.round()
    assert "has expired" in bench.of(SourceTroubled)[0]


def test_a_clock_that_is_behind_does_not_silence_a_new_certificate(bench: Bench) -> None:
    bench.clock = FakeClock(datetime.now(UTC) - timedelta(days=400), ClockState.RESTORED)
    bench.restart()
    bench.offer(storm(1))
    assert bench.round() == ["storm-1"]


def test_what_the_wrong_time_refused_is_judged_again_when_the_clock_is_right(bench: Bench) -> None:
    bench.clock = FakeClock(datetime.now(UTC) - timedelta(days=400))
    bench.restart()
    bench.offer(storm(1))
    assert bench.round() == []
    assert "valid only from" in bench.of(DocumentRefused)[0]
    bench.clock.become(ClockState.RESTORED)
    assert bench.round() == ["storm-1"]


# ---- https, and the thread


def over_tls(host: Host, signer: Signer, directory: Path) -> None:
    """Let a host speak TLS."""
    (directory / "tls.pem").write_bytes(signer.private_pem + signer.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "tls.pem")
    host.socket = context.wrap_socket(host.socket, server_side=True)


def test_over_https_only_with_the_certificate_of_the_configuration(tmp_path: Path) -> None:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    tls = Signer("127.0.0.1")
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(extensions=[])
    tls.certificate = (
        builder.subject_name(tls.certificate.subject)
        .issuer_name(tls.certificate.subject)
        .public_key(tls.key.public_key())
        .serial_number(1)
        .not_valid_before(tls.certificate.not_valid_before_utc)
        .not_valid_after(tls.certificate.not_valid_after_utc)
        .add_extension(names, critical=False)
        .sign(tls.key, SHA256())
    )
    host = Host({}, etags=True)
    over_tls(host, tls, tmp_path)
    with host:
        url = host.url.replace("http:", "https:") + "cap.atom"
        bench = Bench(host, tmp_path, settings={"url": url})
        bench.offer(storm(1))
        assert bench.round() == []
        assert "certificate verify failed" in (bench.source.health().reason or "").lower()
        bench.settings["ca"] = str(tls.pin(tmp_path / "ca.pem"))
        bench.restart()
        assert bench.round() == ["storm-1"]
        bench.settings["ca"] = str(tmp_path / "nothing.pem")
        bench.restart()
        assert bench.round() == []
        assert "nothing.pem" in bench.of(SourceTroubled)[-1]


def test_the_thread_asks_at_once_when_told_and_ends_in_the_middle_of_a_stall(bench: Bench) -> None:
    bench.offer(storm(1))
    bench.source.start()
    wait_until(lambda: bench.source.rounds == 1, 10, "the first round is over")
    bench.host.break_path("cap.atom", web.stall)
    bench.source.poll()
    wait_until(lambda: len(bench.host.requests) >= 3, 10, "it has asked again")
    bench.source.stop(Seconds(5))
    assert not any(thread.name == "alerts-province" for thread in threading.enumerate())
