"""Words that cannot be spoken: told with their reason, reported as long as it is so, and nothing else suffers."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.speech import Speech
from tests.agent.conductor.fakes import House
from tests.agent.conductor.test_alarms import cap
from tests.agent.conductor.test_alarms_told import recording, what
from tests.agent.conductor.test_commands import ask


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


def alert(house: House, *languages: str, resource: str = "") -> str:
    """An alert with a block in each of these languages."""
    document = cap("A1", house, resource=resource)
    begin, block, end = document.partition("<info>")[0], *document.partition("<info>")[2].split("</info>")
    blocks = [
        block.replace("<language>vi", f"<language>{language}").replace("Bão", f"Bão-{language}")
        for language in languages
    ]
    return begin + "".join(f"<info>{one}</info>" for one in blocks) + end


def told(house: House) -> list[str | None]:
    """Languages of what was heard of the alert, its tone apart."""
    plays = [play for play in house.records(kind="play") if play.alert == "A1"]
    return [play.language for play in sorted(plays, key=lambda play: play.seq) if play.outcome == "finished"][
        1:
    ]


class TestAlerts:
    """What an alert says in a language without a voice is said in the next, and never in a wrong voice."""

    def test_the_next_of_the_node_s_languages_is_told_and_the_lack_is_reported(self, house: House) -> None:
        house.library.voiceless = {"vi"}
        house.command("c1", type="alert", cap=alert(house, "vi", "en"))
        house.run_for(30)
        assert told(house) == ["en"]
        last = house.uplink.receipts[-1]
        assert (last.state, last.reason) == ("finished", "not all of it: no voice for vi")
        assert faults(house) == {"speech:vi": "texts in vi cannot be spoken here: no voice for vi"}

    def test_where_it_has_only_one_of_them_its_other_words_are_told(self, house: House) -> None:
        house.library.voiceless = {"vi", "tyz"}
        house.command("c1", type="alert", cap=alert(house, "vi", "tyz", "fr"))
        house.run_for(30)
        assert told(house) == ["fr"]
        assert set(faults(house)) == {"speech:vi", "speech:tyz"}

    def test_where_it_has_none_of_them_the_first_that_can_be_spoken_is(self, house: House) -> None:
        house.command("c1", type="alert", cap=alert(house, "hmn", "tyz", "fr"))
        house.run_for(30)
        assert told(house) == ["fr"]

    def test_where_it_can_be_spoken_no_other_is_even_made(self, house: House) -> None:
        house.command("c1", type="alert", cap=alert(house, "vi", "fr"))
        house.run_for(30)
        assert told(house) == ["vi"]
        assert {source.language for _, source in house.library.wanted if hasattr(source, "language")} == {
            "vi"
        }

    @pytest.mark.parametrize(
        ("voiceless", "engines"), [((), {"espeak-ng"}), ({"vi"}, {"espeak-ng", "piper"})]
    )
    def test_the_quick_voice_speaks_it_and_the_slow_one_where_no_other_can(
        self, voiceless: set[str], engines: set[str], tmp_path: Path
    ) -> None:
        house = House(tmp_path, extra='[[voices]]\nlanguage = "vi"\nmodel = "/nowhere/vi.onnx"')
        house.library.voiceless = set(voiceless)
        house.command("c1", type="alert", cap=alert(house, "vi"))
        house.run_for(30)
        assert told(house) == ["vi"]
        assert {
            source.voice.engine for _, source in house.library.wanted if isinstance(source, Speech)
        } == engines
        assert faults(house) == {}

    def test_its_recording_is_heard_and_needs_no_voice(self, house: House) -> None:
        house.library.lengths["hmn.mp3"] = 8.0
        house.command(
            "c1", type="alert", cap=alert(house, "hmn", resource=recording("https://a.example/hmn.mp3"))
        )
        house.run_for(30)
        assert told(house) == ["hmn"]
        assert what(house.heard("A1")[-1]) == "hmn.mp3"

    def test_without_its_recording_what_can_be_spoken_is(self, house: House) -> None:
        document = alert(house, "hmn", "fr", resource=recording("https://a.example/missing.mp3"))
        house.command("c1", type="alert", cap=document)
        house.run_for(30)
        assert told(house) == ["fr"]

    def test_a_block_of_a_language_beside_the_node_s_is_not_taken_for_it(self, house: House) -> None:
        """`zh-yue` is no `zh`: RFC 5646, 2.2.2."""
        house.command("c1", type="alert", cap=alert(house, "en-abc", "en"))
        house.run_for(30)
        assert told(house) == ["en"]


def test_a_node_that_says_who_it_is_leaves_out_what_it_cannot_speak(house: House) -> None:
    house.library.voiceless = {"vi"}
    ask(house, "identify")
    house.run_for(20)
    plays = house.records(kind="play")
    assert [(play.language, play.outcome) for play in plays] == [("vi", "failed"), ("en", "finished")]
    assert set(faults(house)) == {"speech:vi"}


def test_what_is_shown_is_as_it_was_written(house: House) -> None:
    house.command("c1", type="announce", items=[words("Họp lúc 19h30 ngày 28/11.")])
    house.run_for(0.5)
    [p] = house.node.voice.performances.values()
    assert p.sounds[0].text == "Họp lúc 19h30 ngày 28/11."
