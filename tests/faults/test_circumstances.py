"""What happens around a node: no broker, no room on disk, a damaged journal. It plays on, and says so."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.centre import FEED, CentreUnderTest
from tests.support.disk import fill, read_only, small_disk
from tests.support.house import (
    TONE_S,
    TONES_HZ,
    House,
    in_s,
    media,
    monotonic_of,
    open_centre,
    open_house,
    shelve,
    speech,
    wait_until,
)
from tests.support.pulse import Sink


@pytest.fixture(scope="module")
def own_centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CentreUnderTest]:
    """A centre whose broker may be stopped."""
    with open_centre(tmp_path_factory.mktemp("lonely")) as centre:
        yield centre


def test_without_a_broker_all_plays_and_the_log_arrives_once_when_it_is_back(
    own_centre: CentreUnderTest, sink: Sink, tmp_path: Path
) -> None:
    with open_house(own_centre, sink, tmp_path, id="lonely-01") as house:
        wait_until(lambda: house.reported("status").get("state") == "online", 10, "it is online")
        start = in_s(1.3)
        house.publish({"id": "alone", "start": start.isoformat(), "items": [media("high"), media("low")]})
        own_centre.broker.stop()
        try:
            house.wait_for_moment("sound", "alone", "finished")
            (heard,) = house.ears.stretches(monotonic_of(start) - 0.5)
            assert heard.seconds == pytest.approx(2 * TONE_S, abs=0.05)
            status = house.node.ask("status")
            assert status["link"].startswith("not connected")
            assert status["health"]["log"]["last"] > status["health"]["log"]["stored_through"]
            assert len([r for r in house.node.records() if r["kind"] == "play"]) >= 2
        finally:
            own_centre.broker.start()
        plays = house.wait_for_records(2, 30, programme="alone")
        assert [play["outcome"] for play in plays] == ["finished"] * 2
        house.all_is_stored(60)  # the pauses between attempts have grown meanwhile
        numbers = [record["seq"] for record in house.records()]
        assert sorted(numbers) == list(range(1, house.node.health()["log"]["last"] + 1))


def test_what_was_sent_while_the_node_was_away_is_obeyed_when_it_is_back(kiosk: House) -> None:
    house = kiosk
    house.quiet()
    house.node.stop()
    began = time.monotonic()
    command = house.command("announce", items=[media("high")])
    house.node.start()
    assert house.ended(command).state == "finished"
    assert house.ears.stretches(began)


def test_with_a_full_disk_it_plays_on_and_says_so(
    centre: CentreUnderTest, sink: Sink, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "state", 4_000), open_house(centre, sink, tmp_path, id="full-01") as house:
        start = in_s(2.0)
        house.publish({"id": "tight", "start": start.isoformat(), "items": [media("low"), media("high")]})
        filler = fill(tmp_path / "state")
        house.wait_for_moment("sound", "tight", "finished")
        heard = house.ears.stretches(monotonic_of(start) - 0.5)
        assert heard
        assert heard[0].began == pytest.approx(monotonic_of(start), abs=0.05)
        said = house.wait_for_fault("journal")
        assert "full" in said
        # its receipts wait with the log, since what cannot be written is not sent; it is heard all the same
        sent = time.monotonic()
        waiting = house.command("announce", items=[media("high")])
        house.ears.wait_for_sound(sent, seconds=0.8)
        house.wire.publish(f"feed/{FEED}", {"version": shelve(centre, node=house.id)})
        wait_until(
            lambda: "No space" in (house.feed()["reason"] or ""), 10, f"the feed says so: {house.feed()}"
        )
        filler.unlink()
        # what waited in memory is written with the next record
        house.ended(house.command("announce", items=[media("low")]))
        assert house.ended(waiting).state == "finished"
        wait_until(lambda: "journal" not in house.faults(), 10, "the fault has gone")
        plays = house.wait_for_records(2, programme="tight")
        assert [play["outcome"] for play in plays] == ["finished"] * 2
        house.all_is_stored()
        numbers = sorted(record["seq"] for record in house.records())
        assert numbers == list(range(1, len(numbers) + 1))


def test_on_a_card_that_is_read_only_it_starts_and_speaks_what_it_never_spoke_before(
    centre: CentreUnderTest, sink: Sink, tmp_path: Path
) -> None:
    """As a worn card does at the next start. Announcement and alert are words that were not rendered ahead."""
    with contextlib.ExitStack() as stack:
        for folder in ("state", "cache"):
            stack.enter_context(small_disk(tmp_path / folder, 60_000))
        house = stack.enter_context(open_house(centre, sink, tmp_path, id="worn-01"))
        house.node.stop()
        for folder in ("state", "cache"):
            read_only(tmp_path / folder)
        house.node.start()
        assert "cannot be written" in house.wait_for_fault("journal")
        began = time.monotonic()
        house.announce(speech("Bà con chú ý, nước sông đang lên."))
        house.ears.wait_for_sound(began, seconds=0.8)
        house.quiet()
        began = time.monotonic()
        house.announce(speech("Sơ tán ngay lên trường học."), **{"class": "emergency"})
        house.ears.wait_for_sound(began, seconds=0.8)


@pytest.mark.parametrize("damage", ["overwritten", "cut short"])
def test_a_damaged_journal_is_set_aside_and_reported_and_the_node_speaks(
    damage: str, kiosk: House, tmp_path: Path
) -> None:
    house = kiosk
    house.quiet()
    house.all_is_stored()
    house.node.stop()
    journal = house.node.directory / "state" / "journal" / "journal.db"
    whole = journal.read_bytes()
    for suffix in ("-wal", "-shm"):
        journal.with_name(journal.name + suffix).unlink(missing_ok=True)
    cut = {"overwritten": whole[:100] + b"\xa5" * (len(whole) - 100), "cut short": whole[:5_000]}
    journal.write_bytes(cut[damage])
    former = house.reported("status")["epoch"]
    began = time.monotonic()
    house.node.start()
    house.ended(house.announce(media("high")))
    assert house.ears.stretches(began)[0].hz == pytest.approx(TONES_HZ["high"], rel=0.01)
    wait_until(lambda: house.reported("status")["epoch"] != former, 10, "a new epoch")
    epoch = house.reported("status")["epoch"]
    told = house.wait_for_records(2, kind="system", epoch=epoch)
    assert any("journal" in record["text"] for record in told), told
    assert [path for path in journal.parent.iterdir() if "damaged" in path.name]
    house.all_is_stored()
    numbers = sorted(record["seq"] for record in house.records(epoch=epoch))
    assert numbers == list(range(1, len(numbers) + 1))
