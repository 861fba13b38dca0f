"""Alerts are told where they hold, again while they hold, in their own recording, and until somebody ends them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.conductor.tellings import RECORDING_WITHIN_S
from agent.library import Need, Prepared
from agent.player.protocol import ToneSource
from agent.shelf import Pcm
from playlists.alert.repetition import TRY_AGAIN_S
from playlists.units import Seconds
from tests.agent.conductor.fake_player import Heard
from tests.agent.conductor.fakes import House, programme
from tests.agent.conductor.test_alarms import SOON, cap, name_of

NODE = 'position = { lat = 18.67, lon = 105.69 }\ngeocodes = ["commune=16777"]'
AWAY = "<circle>21.0,105.8 20</circle>"
HERE = "<circle>18.7,105.7 20</circle>"
TONE, WORDS = "alarm", "Bão. Bão số 9. Bão đổ bộ. Sơ tán ngay."
EACH_S = 60.0

Build = Callable[..., House]


@pytest.fixture
def house(build: Build) -> House:
    return build(node=NODE, extra=f"[alerts]\nrepeat_s = {EACH_S}")


def what(heard: Heard) -> str:
    """The tone, the recording or the words that sounded."""
    source = heard.source
    return source.name if isinstance(source, ToneSource) else Path(getattr(source, "path", "")).name


def said(house: House, id_: str) -> list[str]:
    """What was heard of an alert."""
    return [what(heard) for heard in house.heard(id_)]


def told(house: House, id_: str = "alert/") -> list[Heard]:
    """The beginnings of all tellings."""
    return [heard for heard in house.heard(id_) if what(heard) == TONE]


def last_end(house: House, id_: str = "A1") -> float:
    """When the latest telling ended."""
    ended = house.heard(id_)[-1].ended
    assert ended is not None
    return ended


def remarks(house: House) -> list[str]:
    return [record.text or "" for record in house.records(kind="alert")]


class TestArea:
    """It is told where it holds."""

    def test_one_for_another_place_is_neither_heard_nor_shown_and_says_so(self, house: House) -> None:
        house.command("c1", type="alert", cap=cap("A1", house, area=AWAY))
        house.run_for(10)
        assert not house.player.heard
        assert house.receipts("c1") == ["finished"]
        assert house.uplink.receipts[-1].reason == "not told: the area of A1 leaves this node out"
        assert remarks(house) == ["not told: the area of A1 leaves this node out"]

    def test_one_for_this_place_is_told(self, house: House) -> None:
        house.command("c1", type="alert", cap=cap("A1", house, area=HERE))
        house.run_for(20)
        assert house.receipts("c1") == ["started", "finished"]

    def test_a_node_without_position_tells_what_was_addressed_to_it(self, build: Build) -> None:
        house = build()
        house.command("c1", type="alert", cap=cap("A1", house, area=AWAY))
        house.run_for(20)
        assert house.receipts("c1") == ["started", "finished"]

    def test_an_update_for_other_places_ends_it_here_and_says_so(self, house: House) -> None:
        document = cap("A1", house, area=HERE)
        house.command("c1", type="alert", cap=document)
        house.run_for(2)
        update = cap("A2", house, "Update", names=name_of(document), area=AWAY)
        house.command("c2", type="alert", cap=update)
        house.run_for(200)
        assert house.receipts("c1") == ["started", "interrupted"]
        assert house.receipts("c2") == ["started", "finished"]
        assert len(told(house, "A1")) == 1
        assert said(house, "A2")[:2] == ["chime", "Cảnh báo không còn hiệu lực tại đây: Bão số 9."]


class TestAgain:
    """It is told again while it holds."""

    def test_it_is_told_each_interval_from_end_to_start_with_its_tone_and_answered_once(
        self, house: House
    ) -> None:
        house.command("c1", type="alert", cap=cap("A1", house, for_s=200))
        house.run_for(300)
        starts = [one.began for one in told(house)]
        ends = [one.ended for one in house.heard("A1") if what(one) == WORDS and one.ended is not None]
        assert len(starts) == len(ends) == 3
        for end, start in zip(ends, starts[1:], strict=False):
            assert EACH_S <= start - end < EACH_S + 1.5
        assert house.receipts("c1") == ["started", "finished"]
        assert {play.alert for play in house.plays()} == {"A1"}

    def test_an_exercise_is_told_once(self, house: House) -> None:
        house.command("c1", type="alert", cap=cap("E1", house, status="Exercise"))
        house.run_for(300)
        assert len(told(house)) == 1

    def test_zero_tells_it_once(self, build: Build) -> None:
        house = build(extra="[alerts]\nrepeat_s = 0")
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(300)
        assert len(told(house)) == 1

    def test_a_restart_changes_nothing_of_when(self, build: Build, house: House) -> None:
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(30)
        ended = last_end(house)
        house.crash()
        after = build(clock=house.clock, extra=f"[alerts]\nrepeat_s = {EACH_S}")
        after.run_for(70)
        (again,) = told(after)
        assert EACH_S <= again.began - ended < EACH_S + 1.5
        assert after.receipts("c1") == []

    @pytest.mark.parametrize("by_s", [-86_400.0, 7.0])
    def test_a_clock_that_is_set_brings_it_no_sooner_and_no_later(self, house: House, by_s: float) -> None:
        house.command("c1", type="alert", cap=cap("A1", house, for_s=600))
        house.run_for(30)
        ended = last_end(house)
        house.jump(by_s)
        house.run_for(70)
        assert EACH_S <= told(house)[-1].began - ended < EACH_S + 1.5

    def test_a_telling_again_does_not_cut_an_officer_who_speaks_in_an_emergency(self, house: House) -> None:
        house.library.lengths["Nghe đây"] = 120.0
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(20)
        house.announce("o1", "Nghe đây", **{"class": "emergency"})
        house.run_for(100)
        assert house.receipts("o1") == ["started"]
        house.run_for(60)
        assert house.receipts("o1") == ["started", "finished"]
        assert len(told(house, "A1")) == 2

    def test_another_message_of_the_same_name_is_told_as_well(self, house: House) -> None:
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(20)
        house.command("c2", type="alert", cap=cap("A1", house))
        house.run_for(20)
        assert house.receipts("c2") == ["started", "finished"]
        assert len(told(house)) == 2

    def test_what_is_exercised_under_its_own_name_is_told_when_it_is_meant(self, house: House) -> None:
        drill = cap("A1", house, status="Exercise")
        house.command("c1", type="alert", cap=drill)
        house.run_for(30)
        house.command("c2", type="alert", cap=drill.replace("Exercise</status>", "Actual</status>"))
        house.run_for(30)
        assert house.receipts("c2") == ["started", "finished"]

    def test_one_that_the_amplifier_s_longest_time_cut_is_told_anew_at_once(self, build: Build) -> None:
        house = build(extra="[amplifier]\nlongest_on_s = 60\n[alerts]\nrepeat_s = 0")
        house.library.lengths["Nhạc"] = 600.0
        house.announce("m1", "Nhạc")
        house.run_for(57)
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(30)
        assert said(house, "A1") == [TONE, TONE, WORDS]
        cut, anew = told(house)
        assert cut.ended is not None and anew.began - cut.ended < 3.0
        assert house.receipts("c1") == ["started", "interrupted", "started", "finished"]

    def test_one_that_is_longer_than_the_amplifier_may_be_on_does_not_sound_without_end(
        self, build: Build
    ) -> None:
        house = build(extra=f"[amplifier]\nlongest_on_s = 60\n[alerts]\nrepeat_s = {EACH_S}")
        house.library.lengths[WORDS] = 600.0
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(170)
        assert len(told(house)) == 2
        house.run_for(30)
        assert len(told(house)) == 3


class TestWords:
    """What could not be said is tried again, and reported."""

    @pytest.mark.parametrize("each_s", [EACH_S, 0.0])
    def test_words_that_failed_once_are_tried_again_at_the_next_telling(
        self, build: Build, each_s: float
    ) -> None:
        house = build(extra=f"[alerts]\nrepeat_s = {each_s}")
        house.library.failures[WORDS] = "espeak-ng was killed"
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(30)
        assert said(house, "A1") == [TONE]
        del house.library.failures[WORDS]
        house.run_for(each_s or TRY_AGAIN_S)
        assert said(house, "A1") == [TONE, TONE, WORDS]

    def test_words_in_another_language_that_failed_once_are_tried_again_too(self, house: House) -> None:
        document = cap("A1", house)
        block = document[document.index("<info>") : document.index("</info>") + len("</info>")]
        other = block.replace(">vi<", ">fr<").replace("Bão số 9", "Typhon")
        house.library.failures = {WORDS: "no voice", "Bão. Typhon. Bão đổ bộ. Sơ tán ngay.": "killed"}
        house.command("c1", type="alert", cap=document.replace("</alert>", other + "</alert>"))
        house.run_for(30)
        house.library.failures.popitem()
        house.run_for(70)
        assert said(house, "A1")[-1] == "Bão. Typhon. Bão đổ bộ. Sơ tán ngay."

    def test_an_emergency_without_words_is_a_fault_until_one_has_words(self, house: House) -> None:
        house.library.failures[WORDS] = "espeak-ng was killed"
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(30)
        (fault,) = [one for one in house.node.faults.standing() if one.code == "emergency-unspoken"]
        assert fault.text == "Bão số 9 had no words: espeak-ng was killed"
        del house.library.failures[WORDS]
        house.run_for(70)
        assert "emergency-unspoken" not in house.faults()

    def test_an_announcement_in_an_emergency_that_failed_is_a_fault_and_can_be_sent_again(
        self, house: House
    ) -> None:
        house.library.failures["Sơ tán"] = "espeak-ng was killed"
        house.announce("o1", "Sơ tán", **{"class": "emergency"})
        house.run_for(5)
        assert house.receipts("o1") == ["failed"]
        assert "emergency-unspoken" in house.faults()
        del house.library.failures["Sơ tán"]
        house.announce("o2", "Sơ tán", **{"class": "emergency"})
        house.run_for(10)
        assert house.receipts("o2") == ["started", "finished"]
        assert "emergency-unspoken" not in house.faults()

    def test_one_that_somebody_stops_before_its_words_is_none(self, house: House) -> None:
        house.library.held.add(WORDS)
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(2)
        house.command("s1", type="stop", programme="A1")
        house.run_for(10)
        assert "emergency-unspoken" not in house.faults()

    def test_words_of_an_emergency_are_asked_for_before_all_others_and_once(self, house: House) -> None:
        house.library.held |= {"Thông báo", WORDS}
        house.announce("o1", "Thông báo")
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(3)
        house.library.release("nothing")
        house.feeds.post(Prepared("sha256:" + "0" * 64, Pcm(Path("/pcm/x"), Seconds(1.0))))
        house.run_for(3)
        assert house.library.needs == {"Thông báo": [Need.NOW], WORDS: [Need.EMERGENCY]}


class TestStop:
    """Whoever may silences it."""

    @pytest.mark.parametrize("name", ["A1", "c1"])
    def test_a_stop_by_its_name_ends_it_for_good_and_the_rest_goes_on(self, house: House, name: str) -> None:
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(2)
        house.command("s1", type="stop", programme=name)
        house.run_for(200)
        assert house.receipts("c1") == ["started", "interrupted"]
        assert house.receipts("s1") == ["finished"]
        assert len(told(house)) == 1
        assert [alert.identifier for alert in house.node.alarms.book.in_force] == ["A1"]
        assert any(text.startswith("silenced by command s1") for text in remarks(house))

    def test_between_two_tellings_as_well_and_over_a_restart(self, build: Build, house: House) -> None:
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(30)
        house.command("s1", type="stop", programme="A1")
        assert house.receipts("s1") == ["finished"]
        house.crash()
        after = build(clock=house.clock, extra=f"[alerts]\nrepeat_s = {EACH_S}")
        after.run_for(200)
        assert not after.player.heard

    def test_a_stop_of_whatever_sounds_ends_this_telling_only(self, house: House) -> None:
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(2)
        house.command("s1", type="stop")
        house.run_for(100)
        assert len(told(house)) == 2

    def test_a_lower_feed_does_not_silence_it(self, house: House) -> None:
        house.command("c1", "province", type="alert", cap=cap("A1", house))
        house.run_for(30)
        house.command("s1", "commune", type="stop", programme="A1")
        house.run_for(60)
        assert house.receipts("s1") == ["refused"]
        assert len(told(house)) == 2

    def test_a_technician_silences_it(self, house: House) -> None:
        house.command("c1", type="alert", cap=cap("A1", house))
        house.run_for(30)
        assert house.node.orders.stop("A1", "stopped at the node")
        house.run_for(100)
        assert len(told(house)) == 1


class TestCancel:
    """It ends when it is cancelled, and only then."""

    def test_sound_ends_at_once_and_words_of_the_nodes_own_follow(self, house: House) -> None:
        document = cap("A1", house)
        house.command("c1", type="alert", cap=document)
        house.run_for(2)
        head = cap("A2", house, "Cancel", names=name_of(document)).partition("<info>")[0]
        asked = house.now
        house.command("c2", type="alert", cap=head + "</alert>")
        house.run_for(200)
        assert last_end(house) - asked < 0.2
        assert said(house, "A2") == ["chime", "Cảnh báo đã được hủy: Bão số 9."]
        assert 0.4 < house.heard("A2")[0].began - asked < 1.0
        assert house.receipts("c2") == ["started", "finished"]
        assert len(told(house, "A1")) == 1

    def test_nothing_lower_begins_between_the_end_and_the_words(self, house: House) -> None:
        house.schedule(programme("music", SOON, "long.mp3"))
        house.run_for(100)
        document = cap("A1", house)
        house.command("c1", type="alert", cap=document)
        house.run_for(2)
        cancel = cap("A2", house, "Cancel", names=name_of(document))
        asked = house.now
        house.command("c2", type="alert", cap=cancel)
        house.run_for(30)
        assert not [one for one in house.heard("music") if asked < one.began < last_end(house, "A2")]
        assert house.heard("music")[-1].began > last_end(house, "A2")

    @pytest.mark.parametrize(
        "forge",
        [
            lambda text: text.replace("pctt@tinh.example</sender>", "pctt@other.example</sender>"),
            lambda text: text.replace("<status>Actual", "<status>Exercise"),
            lambda text: text.replace("<status>Actual", "<status>Test"),
            lambda text: text.replace("pctt@tinh.example,A1", "pctt@tinh.example,A9"),
        ],
        ids=["of another sender", "an exercise", "a test", "of another message"],
    )
    def test_a_forged_one_ends_nothing(self, house: House, forge: Callable[[str], str]) -> None:
        document = cap("A1", house)
        house.command("c1", type="alert", cap=document)
        house.run_for(2)
        house.command("c2", type="alert", cap=forge(cap("A2", house, "Cancel", names=name_of(document))))
        house.run_for(30)
        assert house.receipts("c1") == ["started", "finished"]
        assert house.receipts("c2") == ["finished"]
        assert [alert.identifier for alert in house.node.alarms.book.in_force] == ["A1"]

    def test_a_lower_feed_does_not_cancel_it(self, house: House) -> None:
        document = cap("A1", house)
        house.command("c1", "province", type="alert", cap=document)
        house.command("c2", "commune", type="alert", cap=cap("A2", house, "Cancel", names=name_of(document)))
        house.run_for(30)
        assert house.receipts("c1") == ["started", "finished"]
        assert "higher level" in (house.uplink.receipts[0].reason or "")


def recording(uri: str = "", content: bytes = b"", digest: str | None = None) -> str:
    inline = f"<derefUri>{base64.b64encode(content).decode()}</derefUri>" if content else ""
    address = f"<uri>{uri}</uri>" if uri else ""
    mark = f"<digest>{digest}</digest>" if digest else ""
    return (
        "<resource><resourceDesc>x</resourceDesc><mimeType>audio/mpeg</mimeType>"
        f"{address}{inline}{mark}</resource>"
    )


class TestRecording:
    """Its own recording is heard, and its words where that cannot be had."""

    def test_it_is_heard_in_place_of_the_words(self, house: House) -> None:
        house.library.lengths["storm.mp3"] = 8.0
        uri = "https://a.example/storm.mp3"
        house.command("c1", type="alert", cap=cap("A1", house, resource=recording(uri)))
        house.run_for(30)
        assert said(house, "A1") == [TONE, "storm.mp3"]
        (resource,) = house.recordings.wanted
        assert house.recordings.kept == {resource.key}
        assert [play.media for play in house.plays() if play.item == 1] == [resource.key]

    def test_one_that_is_not_to_be_had_is_spoken_and_reported_once(self, house: House) -> None:
        uri = "https://a.example/missing.mp3"
        house.command("c1", type="alert", cap=cap("A1", house, resource=recording(uri)))
        house.run_for(150)
        assert said(house, "A1") == [TONE, WORDS] * 3
        assert len(house.recordings.wanted) == 3
        missed = [text for text in remarks(house) if "recording" in text]
        assert missed == ["spoken, for want of its recording: the host answers 404"]

    def test_one_that_is_late_is_spoken_now_and_heard_the_next_time(self, house: House) -> None:
        house.library.lengths["late.mp3"] = 8.0
        uri = "https://a.example/late.mp3"
        house.recordings.held.add(uri)
        house.command("c1", type="alert", cap=cap("A1", house, resource=recording(uri)))
        asked = house.now
        house.run_for(20)
        tone, words = house.heard("A1")
        assert tone.began - asked < 0.5
        assert (what(words), words.began - asked < RECORDING_WITHIN_S + 1.0) == (WORDS, True)
        house.recordings.release(uri)
        house.run_for(80)
        assert said(house, "A1")[2:] == [TONE, "late.mp3"]

    def test_one_that_is_too_long_is_spoken(self, house: House) -> None:
        house.library.lengths["hour.mp3"] = 3_600.0
        uri = "https://a.example/hour.mp3"
        house.command("c1", type="alert", cap=cap("A1", house, resource=recording(uri)))
        house.run_for(30)
        assert said(house, "A1") == [TONE, WORDS]
        assert "3600 s long" in remarks(house)[-1]

    def test_one_that_came_with_the_message_is_found_again_after_a_restart(
        self, build: Build, house: House
    ) -> None:
        content = b"sound" * 100
        document = cap("A1", house, resource=recording(content=content))
        house.command("c1", type="alert", cap=document)
        house.run_for(1)
        (first,) = house.recordings.wanted
        assert (first.data, first.key) == (content, "sha256:" + hashlib.sha256(content).hexdigest())
        house.crash()
        after = build(clock=house.clock)
        after.run_for(1)
        (again,) = after.recordings.wanted
        assert (again.key, again.data) == (first.key, b"")


def test_what_of_it_could_not_be_read_is_written_down(house: House) -> None:
    house.command("c1", type="alert", cap=cap("A1", house, area="<circle>north 5</circle>"))
    house.run_for(5)
    assert any(text.startswith("left out: info 1: circle") for text in remarks(house))
