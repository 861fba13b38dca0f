"""The table of texts that must not be spoken, or not as they are written: each is answered, and the node goes on.

All are signed by an entitled officer: what is wrong is the text.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from securesystemslib.dsse import Envelope

from agent.speech.reading import MOST_CHARACTERS
from agent.station import keys
from agent.station.commands import compose
from agent.tones import ALARM, TONES
from playlists.models.command import PAYLOAD_TYPE, Command
from tests.faults.test_attacks_alerts import alert
from tests.support.centre import FEED, CentreUnderTest
from tests.support.house import House, in_s, monotonic_of, open_house, shelve, speech, wait_until
from tests.support.pulse import Sink


@pytest.fixture(scope="module")
def house(centre: CentreUnderTest, sink: Sink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node that speaks."""
    with open_house(centre, sink, tmp_path_factory.mktemp("reader"), id="reader-01", ready=False) as house:
        yield house


@dataclass(frozen=True)
class Row:
    """A text, and what becomes of its announcement."""

    name: str
    text: str
    state: str
    reason: str = ""
    language: str = "vi"


NO_WORDS = "the text holds nothing that can be spoken"

REFUSED = (
    Row("a hundred kilobytes of text", "xin chào " * 11_000, "refused", "malformed"),
    Row("a language tag of a kilobyte", "hai", "refused", "malformed", language="vi" + "-aaaaaaaa" * 120),
    Row("a language that is none", "hai", "refused", "malformed", language="../vi"),
    Row("an option for a language", "hai", "refused", "malformed", language="-w/tmp/x"),
    Row("digits that grow when they are read", "7" * 20_000, "failed", f"at most {MOST_CHARACTERS}"),
    Row("control characters", "\x00\x01\x02\x1b\x7f", "failed", NO_WORDS),
    Row("emoji only", "😀🎉👍🏽", "failed", NO_WORDS),
    Row("marks that turn the line round", "\u202e\u2066\u2069\u200f", "failed", NO_WORDS),
    Row("blanks only", " \n\t ", "failed", NO_WORDS),
    Row("nothing", "", "refused", "malformed"),
    Row("a language without a voice", "Nyob zoo", "failed", "no voice for hmn", language="hmn"),
    Row("a language beside one with a voice", "侬好", "failed", "no voice for zh-wuu", language="zh-wuu"),
)

SPOKEN = (
    ("markup", "<audio src='file:///etc/passwd'/><break time='600s'/> hai", 8.0),
    ("a text like an option", "-w /tmp/loa-attack.wav", 8.0),
    ("commands of the engine", "\x0110S\x0199P hai ba", 5.0),
    ("phonemes", "[[h@'loU]] hai", 5.0),
    ("a page's address", "https://xa.example/" + "a%20" * 300, 6.0),
)
"""What it is, the text, and the seconds that reading it as words takes at most."""


def send(house: House, row: Row) -> Command:
    """Sign it as it is: the officer's own program would not."""
    command = {"type": "announce", "items": [speech("x")]}
    good = compose(command, feed=FEED, to=[f"node:{house.id}"], now=datetime.now(UTC))
    document = good.model_dump(mode="json", by_alias=True)
    document["do"]["items"] = [speech(row.text, row.language)]

    envelope = Envelope(json.dumps(document).encode(), PAYLOAD_TYPE, {})
    envelope.sign(keys.load(house.centre.folder, keys.OFFICER))
    house.wire.publish(f"node/{house.id}/command", json.dumps(envelope.to_dict()).encode())
    return good


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
def test_it_is_not_spoken_and_the_reason_is_told(row: Row, house: House) -> None:
    began = time.monotonic()
    command = send(house, row)
    receipt = house.centre.wait_for_receipt(command, row.state)
    assert row.reason in (receipt.reason or "")
    assert house.moments("relay", after=began) == []


def test_a_megabyte_to_speak_is_refused_however_it_comes(house: House) -> None:
    began, version = time.monotonic(), house.feed()["version"]
    megabyte = "xin chào " * 120_000
    # the broker keeps the first one: the node has told it how much it takes
    for text in (megabyte, megabyte[:150_000]):
        send(house, Row("more than a command may have", text, "refused"))

    def refused() -> bool:
        reasons = [record.get("reason") or "" for record in house.records(kind="command")]
        return any("malformed" in reason and "at most 256000" in reason for reason in reasons)

    wait_until(refused, 15, "what is too big is refused in the log")
    programme = {"id": "long", "start": in_s(3_600).isoformat(), "items": [speech(megabyte)]}
    shelve(house.centre, programme, node=house.id)
    house.wire.publish(f"feed/{FEED}", {"version": version + 1})
    assert "items.0.speech.speech.text" in house.wait_for_fault(f"feed-refused:{FEED}")
    assert house.feed()["version"] == version
    house.publish()
    wait_until(lambda: f"feed-refused:{FEED}" not in house.faults(), 10, "the next one is good")
    assert house.moments("relay", after=began) == []


def test_what_would_command_an_engine_is_spoken_as_words_and_nothing_else_happens(house: House) -> None:
    command = house.command("announce", items=[speech(text) for _, text, _ in SPOKEN])
    assert house.ended(command, 40).reason is None
    plays = house.wait_for_records(len(SPOKEN), command=command.id, kind="play")
    for play, (name, _, longest_s) in zip(plays, SPOKEN, strict=True):
        assert 0.2 < play["played_s"] < longest_s, name
    assert not Path("/tmp/loa-attack.wav").exists()


def test_the_node_reports_what_it_cannot_speak_and_goes_on(house: House) -> None:
    command = house.command(
        "announce", items=[speech("Nyob zoo sawv daws", "hmn"), speech("Kính mời bà con")]
    )
    ended = house.ended(command)
    assert (ended.state, ended.reason) == ("finished", "not all of it: no voice for hmn")
    assert house.wait_for_fault("speech:hmn") == "texts in hmn cannot be spoken here: no voice for hmn"
    plays = house.wait_for_records(2, command=command.id, kind="play")
    assert [(p["language"], p["outcome"]) for p in plays] == [("hmn", "failed"), ("vi", "finished")]
    wait_until(
        lambda: any(f["code"] == "speech:hmn" for f in house.reported("health").get("faults", [])),
        15,
        "the centre knows",
    )
    house.publish()
    wait_until(lambda: "speech:hmn" not in house.faults(), 10, "a new schedule needs it no more")


WORDS_WITHIN_S = 1.5
"""After the alarm tone, which has been sounding since; the machine is busy with the long text as well."""


def test_words_of_an_alert_do_not_wait_for_a_long_announcement_whose_voice_hangs(house: House) -> None:
    long = "Trạm y tế xã thông báo lịch tiêm chủng mở rộng. " * 400
    announcement = house.command("announce", items=[speech("Kính mời."), *[speech(long)] * 2])
    engine = wait_until(lambda: speaking(house, 10_000), 15, "the long text is being spoken")
    engine.suspend()
    try:
        told = house.command("alert", cap=alert("U1"))
        plays = house.wait_for_records(2, 20, kind="play", command=told.id)
    finally:
        engine.resume()
    tone, words = sorted(plays, key=lambda play: int(play["item"]))
    assert [tone["outcome"], words["outcome"]] == ["finished", "finished"]
    begins, spoken = monotonic_of(tone["started"]), monotonic_of(words["started"])
    assert spoken - begins < TONES[ALARM].length_s + WORDS_WITHIN_S
    assert house.ears.longest_silence(begins + 0.2, spoken + 0.3) < WORDS_WITHIN_S
    house.command("stop", programme=announcement.id)
    house.ended(announcement)
    house.quiet()


def speaking(house: House, text_bytes: int) -> psutil.Process | None:
    """The engine that this node has read a text of so many bytes, while it does."""
    assert house.node.process is not None
    for child in psutil.Process(house.node.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.name() == "espeak-ng" and child.io_counters().read_chars > text_bytes:
                return child
    return None
