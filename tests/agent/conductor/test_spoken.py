"""Words that cannot be spoken: told with their reason, reported as long as it is so, and nothing else suffers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.conductor.fakes import House


def words(text: str, language: str = "vi") -> dict[str, dict[str, str]]:
    return {"speech": {"text": text, "language": language}}


def faults(house: House) -> dict[str, str]:
    return {fault.code: fault.text for fault in house.node.faults.standing()}


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.library.voiceless = {"hmn", "tyz"}
    return house


def test_one_language_without_a_voice_costs_an_announcement_only_its_own_words(house: House) -> None:
    items = [words("Nyob zoo", "hmn"), words("Kính mời bà con"), words("Hello", "en")]
    house.command("c1", type="announce", items=items)
    house.run_for(20)
    plays = house.records(kind="play", command="c1")
    assert [(play.item, play.outcome, play.reason) for play in plays] == [
        (0, "failed", "no voice for hmn"),
        (1, "finished", None),
        (2, "finished", None),
    ]
    assert [play.language for play in plays] == ["hmn", "vi", "en"]
    last = house.uplink.receipts[-1]
    assert (last.state, last.reason) == ("finished", "not all of it: no voice for hmn")
    assert faults(house) == {"speech:hmn": "texts in hmn cannot be spoken here: no voice for hmn"}


def test_an_announcement_in_no_other_language_fails_with_the_reason(house: House) -> None:
    house.command("c1", type="announce", items=[words("Nyob zoo", "hmn")])
    house.run_for(5)
    last = house.uplink.receipts[-1]
    assert (last.state, last.reason) == ("failed", "no voice for hmn")
    assert not any(relay.is_on for relay in house.relays.values())


def test_the_fault_goes_when_the_language_is_spoken_and_when_a_new_schedule_needs_it_no_more(
    house: House,
) -> None:
    for number, language in enumerate(("hmn", "tyz")):
        house.command(f"c{number}", type="announce", items=[words("Nyob zoo", language)])
    house.run_for(5)
    assert set(faults(house)) == {"speech:hmn", "speech:tyz"}
    house.library.voiceless.clear()
    house.command("c9", type="announce", items=[words("Nyob zoo sawv daws", "HMN")])
    house.run_for(5)
    assert set(faults(house)) == {"speech:tyz"}
    house.schedule()
    house.run_for(1)
    assert faults(house) == {}


def test_a_schedule_that_needs_the_language_is_reported_before_its_hour(house: House) -> None:
    house.schedule({"id": "tin", "start": "2026-11-23T12:00:00", "items": [words("Nyob zoo", "hmn")]})
    house.run_for(2)
    assert "speech:hmn" in faults(house)


def test_a_text_without_words_is_no_fault_of_the_node(house: House) -> None:
    house.library.failures["…"] = "the text holds nothing that can be spoken"
    house.announce("c1", "…")
    house.run_for(5)
    assert house.uplink.receipts[-1].reason == "the text holds nothing that can be spoken"
    assert faults(house) == {}


def test_however_many_languages_are_named_the_report_stays_short(house: House) -> None:
    languages = [f"a{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
    house.library.voiceless = set(languages)
    for number, language in enumerate(languages):
        house.command(f"c{number}", type="announce", items=[words("x", language)])
    house.run_for(30)
    assert len(faults(house)) == 16


def test_words_from_a_model_are_waited_for_and_others_are_not(tmp_path: Path) -> None:
    house = House(tmp_path, extra='[[voices]]\nlanguage = "hmn"\nmodel = "/nowhere/hmn.onnx"')
    house.library.held = {"slow", "stuck"}
    house.command("c1", type="announce", items=[words("slow", "hmn")])
    house.run_for(20)
    house.library.release("slow")
    house.run_for(10)
    assert house.uplink.receipts[-1].state == "finished"
    house.command("c2", type="announce", items=[words("stuck", "vi")])
    house.run_for(15)
    assert (house.uplink.receipts[-1].command, house.uplink.receipts[-1].state) == ("c2", "failed")
