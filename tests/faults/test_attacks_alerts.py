"""The table of alerts that must not be told, or not as they came: what is wrong → what is heard and reported.

They are all signed by the commune's officer: what is attacked here is what a node makes of the message itself. Those
that are not are in test_commands.py.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from playlists.models.command import Command
from tests.support.centre import CentreUnderTest
from tests.support.house import House, media, open_house, wait_until
from tests.support.node import ROOT
from tests.support.pulse import Sink
from tests.support.web import Host

STORM = (ROOT / "agent" / "station" / "sample" / "alert-storm.xml").read_text(encoding="utf-8")
SENDER = "pctt@tinh.example"
SOMETHING = f"{SENDER},A,2026-11-23T14:05:00+07:00"
FAR_NORTH = "22.0,104.0 22.0,105.0 23.0,105.0 22.0,104.0"
MUCH_MEMORY_BYTES = 30_000_000


@pytest.fixture(scope="module")
def stranger() -> Iterator[Host]:
    """A host that a message tries to have asked."""
    with Host({"secret": b"x", "storm.wav": b"x"}) as host:
        yield host


@pytest.fixture(scope="module")
def house(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node in Vinh that fetches recordings from nowhere."""
    directory = tmp_path_factory.mktemp("alerted")
    with open_house(
        centre, sink, directory, id="alerted-01", screen=True, screen_size=(320, 180), ready=False
    ) as house:
        yield house


def alert(identifier: str, kind: str = "Alert", *, names: str = "", **tags: str) -> str:
    """The sample's storm in one language and few words, sent now, with some elements changed."""
    now = datetime.now(UTC).replace(microsecond=0)
    text = re.sub(r"(?s)(<info>.*?</info>).*(</alert>)", r"\1\2", STORM)
    values = {
        "identifier": identifier,
        "sender": SENDER,
        "sent": now.isoformat(),
        "msgType": kind,
        "expires": (now + timedelta(minutes=10)).isoformat(),
        "description": "Bão lớn.",
        "instruction": "Sơ tán.",
        **tags,
    }
    for tag, value in values.items():
        text = re.sub(rf"(?s)<{tag}>.*?</{tag}>", lambda _, t=tag, v=value: f"<{t}>{v}</{t}>", text, count=1)
    return text.replace("</scope>", f"</scope><references>{names}</references>") if names else text


def reference(document: str) -> str:
    """The document as another one refers to it."""
    identifier, sent = (re.findall(rf"<{tag}>(.*?)</{tag}>", document)[0] for tag in ("identifier", "sent"))
    return f"{SENDER},{identifier},{sent}"


def prologue(text: str) -> Callable[[Host], str]:
    return lambda host: alert("X1").replace("<alert ", text.format(host=host.url) + "<alert ")


BOMB = "<!DOCTYPE a [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(9))

REFUSED: tuple[tuple[str, Callable[[Host], str], str], ...] = (
    ("an external entity", prologue("<!DOCTYPE a [<!ENTITY x SYSTEM '{host}secret'>]>"), "document type"),
    ("a file as entity", prologue("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"), "document type"),
    ("an external document type", prologue("<!DOCTYPE a SYSTEM '{host}secret'>"), "document type"),
    ("billion laughs", lambda _: BOMB + "]>" + alert("X2", event="&a9;"), "document type"),
    ("quadratic blowup", prologue("<!DOCTYPE a [<!ENTITY q '" + "q" * 50_000 + "'>]>"), "document type"),
    ("no end of elements", lambda _: "<a" * 60_000, "is not XML"),
    ("no alert", lambda _: "<rss/>", "is not an alert of CAP 1.2"),
    ("nothing to tell", lambda _: re.sub(r"(?s)<info>.*</info>", "", alert("X3")), "nothing to tell"),
    ("a name with a comma in it", lambda _: alert("X4,pctt"), "identifier"),
)

NOT_TOLD: tuple[tuple[str, Callable[[Host], str], str], ...] = (
    ("a test", lambda _: alert("T1", status="Test"), "status is Test"),
    ("a draft", lambda _: alert("T2", status="Draft"), "status is Draft"),
    ("the network's own", lambda _: alert("T3", status="System"), "status is System"),
    ("an acknowledgement", lambda _: alert("T4", "Ack", names=SOMETHING), "msgType is Ack"),
    ("an error", lambda _: alert("T5", "Error", names=SOMETHING), "msgType is Error"),
    ("a private one", lambda _: alert("T6", scope="Private"), "scope is Private"),
    ("one for another province", lambda _: alert("T7", polygon=FAR_NORTH), "leaves this node out"),
    ("one that is over", lambda _: alert("T8", expires="2026-01-01T00:00:00+07:00"), "expired at"),
)  # fmt: skip


def send(house: House, document: str) -> Command:
    return house.command("alert", cap=document)


def silent(house: House, since: float) -> None:
    """Neither sound nor screen was taken."""
    assert house.moments("sound", after=since) == []
    assert house.moments("screen", after=since) == []
    assert house.sounds() is None


@pytest.mark.parametrize(("make", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_it_is_refused_as_malformed_and_nobody_is_asked(
    house: House, stranger: Host, make: Callable[[Host], str], reason: str
) -> None:
    began = time.monotonic()
    refused = house.ended(send(house, make(stranger)))
    assert refused.state == "refused"
    assert (refused.reason or "").startswith("malformed")
    assert reason in (refused.reason or "")
    silent(house, began)
    assert stranger.requests == []


@pytest.mark.parametrize(("make", "reason"), [row[1:] for row in NOT_TOLD], ids=[row[0] for row in NOT_TOLD])
def test_it_is_not_told_and_the_log_says_why(
    house: House, stranger: Host, make: Callable[[Host], str], reason: str
) -> None:
    began = time.monotonic()
    command = send(house, make(stranger))
    ended = house.ended(command)
    assert ended.state == "finished"
    assert reason in (ended.reason or "")
    (record,) = house.wait_for_records(1, kind="alert", command=command.id)
    assert reason in record["text"]
    silent(house, began)


def test_a_megabyte_is_refused_before_it_is_read(house: House) -> None:
    began = time.monotonic()
    assert house.node.process is not None
    daemon = psutil.Process(house.node.process.pid)
    before = daemon.memory_info().rss
    house.wire.publish(f"node/{house.id}/command", b"<" * 1_000_000)
    deep = "<x>" * 30_000 + "</x>" * 25_000
    refused = house.ended(send(house, alert("D1").replace("<scope>", deep + "<scope>")[:190_000]))
    assert refused.state == "refused"
    silent(house, began)
    assert daemon.memory_info().rss - before < MUCH_MEMORY_BYTES


def test_long_words_are_shortened_and_forged_ends_end_nothing(house: House, stranger: Host) -> None:
    """One alert that sounds all the while, and everything that somebody tries on it."""
    sent = time.monotonic()
    words = "Bão lớn. " * 15_000
    content = (
        "<resource><resourceDesc>x</resourceDesc><mimeType>audio/wav</mimeType>"
        f"<uri>{stranger.url}storm.wav</uri></resource><area>"
    )
    real = alert("R1", description=words).replace("<area>", content, 1)
    command = send(house, real)
    house.centre.wait_for_receipt(command, "started")
    alarm = house.ears.wait_for_sound(sent)
    assert alarm - sent < 3.0
    wait_until(
        lambda: len(house.records(kind="alert", command=command.id)) >= 3, 15, "what was left out is told"
    )
    told = " ".join(record["text"] for record in house.records(kind="alert", command=command.id))
    assert "description: has 134999 characters, shortened to 4000" in told
    assert "127.0.0.1 is not among [alerts] hosts" in told
    assert stranger.requests == []

    names = reference(real)
    forged = {
        "a stranger's": alert("F1", "Cancel", names=names, sender="stranger@elsewhere.example"),
        "an exercise's": alert("F2", "Cancel", names=names, status="Exercise"),
        "a test's": alert("F3", "Cancel", names=names, status="Test"),
        "of another moment": alert("F4", "Cancel", names=names.replace("+00:00", "+07:00")),
        "of another one": alert("F5", "Cancel", names=names.replace("R1", "R2")),
    }
    for what, document in forged.items():
        ended = house.ended(send(house, document))
        assert ended.state == "finished", what
        assert (ended.reason or "").startswith("not told: "), what
    sounding = house.sounds()
    assert sounding is not None
    assert sounding["alert"] == "R1"
    assert house.node.health()["now"]["screen"]["takeover"] == "R1"

    cancelled = time.monotonic()
    over = send(house, alert("F6", "Cancel", names=names))
    house.wait_for_moment("screen", "", "board again", after=cancelled)
    assert house.ended(command).state == "interrupted"
    house.centre.wait_for_receipt(over, "started")
    house.quiet()


def test_after_all_of_it_the_node_goes_on(house: House) -> None:
    assert house.ended(house.command("announce", items=[media("high")])).state == "finished"
    house.all_is_stored()
    assert [code for code in house.faults() if code.startswith("defect")] == []
