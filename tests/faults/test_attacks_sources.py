"""The table of attacks on a source of alerts: what is wrong → refused, reported, silence, and the node goes on.

Everything comes through a real web host to a real daemon. It has three sources: `province`, `commune` which stands
lower, and `former`, whose pinned certificate has expired. The feed of its own centre may not claim an emergency.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from agent.alerts.feed import MAX_FEED_BYTES
from tests.support import web
from tests.support.alerts import Signer, atom, cap, toml
from tests.support.centre import CentreUnderTest
from tests.support.forgeries import FORGERIES, SIGNER, STRANGER
from tests.support.house import House, media, open_house, wait_until
from tests.support.pulse import Sink
from tests.support.web import Host

COMMUNE = Signer("commune")
FORMER = Signer("former", ends=datetime.now(UTC) - timedelta(days=1))
PROVINCE = "alert-source:province"


@dataclass
class Attacked:
    """A node, and the host that its sources trust to be there."""

    house: House
    host: Host
    numbers: Iterator[int]

    def offer(self, *documents: bytes, to: str = "province") -> None:
        """Put these documents, and no others, into the feed of a source, and have the node ask."""
        content = self.host.content
        assert isinstance(content, dict)
        names = [f"{next(self.numbers)}.xml" for _ in documents]
        content |= dict(zip(names, documents, strict=True))
        content[f"{to}.atom"] = atom(*names)
        self.sync()

    def sync(self) -> None:
        """Have the node ask."""
        self.house.centre.wait_for_receipt(self.house.command("sync"), "finished")

    def state(self, source: str = "province") -> dict[str, str]:
        """How a source stands, as `loa status` says."""
        found: dict[str, str] = self.house.node.ask("status")["alert_sources"][source]
        return found

    def in_force(self, identifier: str) -> None:
        """Wait until an alert sounds."""
        self.house.wait_for_moment("sound", identifier, "started")

    def reported(self, reason: str, code: str = PROVINCE) -> None:
        """Wait until the refusal stands among the faults."""

        def told() -> bool:
            words = self.house.faults().get(code, "")
            return any(part in words for part in reason.split("|"))

        wait_until(told, 10, f"{reason} is told; there are {self.house.faults()}")

    def silent(self, since: float) -> None:
        """Nothing has sounded, and nothing is about to."""
        assert self.house.sounds() is None
        assert self.house.moments("sound", after=since) == []


@pytest.fixture(scope="module")
def attacked(
    centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Attacked]:
    """One node for all rows."""
    directory = tmp_path_factory.mktemp("attacked")
    with Host({f"{name}.atom": atom() for name in ("province", "commune", "former")}, etags=True) as host:
        sections = [
            toml("province", f"{host.url}province.atom", SIGNER.pin(directory / "province.pem"), level=20),
            toml("commune", f"{host.url}commune.atom", COMMUNE.pin(directory / "commune.pem"), level=5),
            toml("former", f"{host.url}former.atom", FORMER.pin(directory / "former.pem"), level=5),
        ]
        with open_house(
            centre,
            sink,
            directory,
            id="attacked-01",
            ceiling="priority",
            ready=False,
            extra="\n".join(sections),
        ) as house:
            yield Attacked(house, host, itertools.count())


@pytest.fixture(autouse=True)
def at_rest(attacked: Attacked) -> Iterator[None]:
    """Every row begins with an empty feed and a silent node."""
    attacked.host.mend()
    attacked.offer()
    attacked.offer(to="commune")
    wait_until(lambda: PROVINCE not in attacked.house.faults(), 15, "the last row's fault is gone")
    yield
    attacked.house.quiet()


@pytest.mark.parametrize(("wrong", "reason"), FORGERIES, ids=lambda part: getattr(part, "__name__", None))
def test_a_forged_document_is_refused_reported_and_not_voiced(
    wrong: Callable[[], bytes], reason: str, attacked: Attacked
) -> None:
    began = time.monotonic()
    attacked.offer(wrong())
    attacked.reported(reason)
    attacked.silent(began)


def test_an_alert_by_an_expired_certificate_is_refused(attacked: Attacked) -> None:
    began = time.monotonic()
    attacked.offer(FORMER.sign(cap("storm-old")), to="former")
    attacked.reported("CN=former has expired on", "alert-source:former")
    wait_until(lambda: attacked.state("former")["state"] == "refused", 10, "the document is refused")
    attacked.silent(began)


def over() -> bytes:
    """Bigger than an alert may be, and properly signed."""
    return SIGNER.sign(cap("storm-big", text="mưa " * 100_000))


def elsewhere() -> str:
    """A link into the node's own network."""
    return "http://127.0.0.2:80/evil.xml"


def test_a_megabyte_of_text_is_refused(attacked: Attacked) -> None:
    began = time.monotonic()
    attacked.offer(over())
    attacked.reported("more than the 256000 bytes")
    attacked.silent(began)


def test_a_link_to_another_host_is_not_followed(attacked: Attacked) -> None:
    assert isinstance(attacked.host.content, dict)
    attacked.host.content["province.atom"] = atom(elsewhere())
    attacked.sync()
    attacked.reported("another host")


HOSTS: tuple[tuple[web.Fault, str], ...] = (
    (web.redirect("http://127.0.0.2:80/province.atom"), "redirects to another place"),
    (web.instead(b"<!DOCTYPE html><html><body>Please log in</body></html>"), "document type"),
    (web.instead(b"<html><body>Please log in</body></html>"), "neither Atom"),
    (web.instead(b"<rss>" + b" " * MAX_FEED_BYTES), "more than"),
    (web.endless, "more than"),
    (web.instead(b'<!DOCTYPE f [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><rss>&b;</rss>'), "document type"),
    (web.instead(b'<!DOCTYPE f [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss>&a;</rss>'), "document type"),
)


@pytest.mark.parametrize(
    ("fault", "reason"),
    HOSTS,
    ids=["redirect", "portal", "html", "huge", "endless", "bomb", "external-entity"],
)
def test_a_feed_that_is_none_is_told_and_the_node_goes_on(
    fault: web.Fault, reason: str, attacked: Attacked
) -> None:
    attacked.host.break_path("province.atom", fault)
    attacked.sync()
    wait_until(lambda: reason in (attacked.state()["reason"] or ""), 10, f"{reason}: {attacked.state()}")
    assert attacked.state()["state"] == "unreachable"
    attacked.host.mend()
    attacked.sync()
    wait_until(lambda: attacked.state()["state"] == "current", 10, "the source is back")


def test_an_alert_is_not_voiced_again_after_its_cancel(attacked: Attacked) -> None:
    sent = datetime.now(UTC).replace(microsecond=0)
    alert = SIGNER.sign(cap("storm-7", sent=sent))
    attacked.offer(alert)
    attacked.in_force("storm-7")
    later = sent + timedelta(seconds=1)
    cancel = cap("storm-8", kind="Cancel", sent=later, references=[("storm-7", sent)], text="Hủy.")
    attacked.offer(SIGNER.sign(cancel))
    attacked.house.wait_for_moment("sound", "storm-7", "interrupted")
    attacked.house.quiet()
    began = time.monotonic()
    # the same signed content, in other bytes
    attacked.offer(re.sub(rb"(<(\w+:)?Signature) ", rb"\1  ", alert, count=1))
    reason = "storm-7 was seen before, or ended by a message that came first"
    ignored = attacked.house.wait_for_records(1, kind="alert", text=f"not told: {reason}")
    assert ignored[0]["feed"] == "source:province"
    attacked.silent(began)


@pytest.mark.parametrize(
    ("forger", "source", "reason"),
    [
        (STRANGER, "province", "is not signed by a pinned certificate"),
        (COMMUNE, "province", "is not signed by a pinned certificate"),
        (COMMUNE, "commune", "was issued at a higher level than this Cancel"),
    ],
    ids=["by a stranger", "by the key of another source", "by a source that stands lower"],
)
def test_a_forged_cancel_ends_nothing(forger: Signer, source: str, reason: str, attacked: Attacked) -> None:
    sent = datetime.now(UTC).replace(microsecond=0)
    name = f"storm-{time.monotonic_ns()}"
    attacked.offer(SIGNER.sign(cap(name, sent=sent, text="Bão rất mạnh. " * 10)))
    attacked.in_force(name)
    cancel = cap(f"{name}-c", kind="Cancel", references=[(name, sent)])
    attacked.offer(forger.sign(cancel), to=source)

    def logged() -> bool:
        records = attacked.house.node.records()
        return any(
            reason in (record.get("text") or "") for record in records if record["kind"] in {"alert", "fault"}
        )

    wait_until(logged, 10, f"{reason} is logged")
    assert (attacked.house.sounds() or {}).get("alert") == name


def test_who_may_not_alert_gains_nothing_by_what_a_source_has_said(attacked: Attacked) -> None:
    """The officer of a feed below emergency hands in the province's own words, takes them back, and stops them."""
    house, sent = attacked.house, datetime.now(UTC).replace(microsecond=0)
    name = f"storm-{time.monotonic_ns()}"
    said = SIGNER.sign(cap(name, sent=sent, text="Bão rất mạnh. " * 10))
    began = time.monotonic()
    refused = house.ended(house.command("alert", cap=said.decode()))
    assert (refused.state, (refused.reason or "")[:13]) == ("refused", "above ceiling")
    attacked.silent(began)

    attacked.offer(said)
    attacked.in_force(name)
    cancel = cap(f"{name}-c", kind="Cancel", references=[(name, sent)]).decode()
    for what in ({"type": "alert", "cap": cancel}, {"type": "stop", "programme": name}):
        refused = house.ended(house.command(what.pop("type"), **what))
        assert (refused.state, (refused.reason or "")[:13]) == ("refused", "above ceiling"), what
    assert (house.sounds() or {}).get("alert") == name


def test_a_host_that_drips_delays_no_other_source_and_no_command(attacked: Attacked) -> None:
    attacked.host.break_path("province.atom", web.drip_headers)
    attacked.sync()
    attacked.offer(COMMUNE.sign(cap("flood-1")), to="commune")
    attacked.in_force("flood-1")
    attacked.house.quiet()
    assert attacked.house.ended(attacked.house.announce(media("high"))).state == "finished"
