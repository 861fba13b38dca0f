"""CAP 1.2: what is read, what is refused, what is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.alert import (
    MAX_ALERT_BYTES,
    Alert,
    Info,
    Kind,
    Status,
    read_alert,
)
from playlists.alert.reader import MAX_WORDS
from playlists.errors import Rejected
from playlists.units import Level

DATA = Path(__file__).parent / "data"
STORM = (DATA / "alert-storm.xml").read_bytes()
ALL_CLEAR = (DATA / "alert-storm-cancel.xml").read_bytes()
NOW = datetime.fromisoformat("2026-11-23T14:05:10+07:00")
SENT = datetime.fromisoformat("2026-11-23T14:05:00+07:00")


def storm(*changes: tuple[str, str]) -> Alert:
    """The storm alert, with pieces of its text changed."""
    return read_alert(changed(*changes))


def changed(*changes: tuple[str, str]) -> str:
    text = STORM.decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def resource(content: str) -> str:
    return f"<resource><resourceDesc>read</resourceDesc><mimeType>audio/mpeg</mimeType>{content}</resource>"


def message(
    name: str,
    kind: Kind = Kind.ALERT,
    names: tuple[Alert, ...] = (),
    status: Status = Status.ACTUAL,
    expires: datetime | None = NOW + timedelta(hours=6),
    sender: str = "pctt@tinh.example",
    level: int = 0,
    here: bool = True,
) -> Alert:
    return Alert(
        identifier=name,
        sender=sender,
        level=Level(level),
        sent=SENT,
        status=status,
        kind=kind,
        references=tuple(one.reference for one in names),
        infos=(Info(language="vi-VN", event=name, expires=expires),) if here else (),
    )


class TestReading:
    """What a message says."""

    def test_the_storm_alert_is_read_whole(self) -> None:
        alert = read_alert(STORM)
        assert (alert.identifier, alert.sender, alert.sent) == (
            "VN-SAMPLE-2026-0911-0007",
            "pctt@tinh.example",
            SENT,
        )
        assert (alert.status, alert.kind, alert.scope) == (Status.ACTUAL, Kind.ALERT, "Public")
        vietnamese, english = alert.infos
        assert (vietnamese.language, english.language) == ("vi-VN", "en-US")
        assert (vietnamese.urgency, vietnamese.severity, vietnamese.certainty) == (
            "Immediate",
            "Extreme",
            "Observed",
        )
        assert vietnamese.responses == ("Evacuate",)
        assert vietnamese.sender_name == "Ban chỉ huy phòng chống thiên tai tỉnh"
        assert alert.expires == datetime(2036, 11, 23, 19, 0, tzinfo=UTC)
        assert alert.remarks == ()

    def test_areas_are_kept_as_data(self) -> None:
        (area,) = read_alert(STORM).infos[0].areas
        assert area.description == "Các xã ven biển"
        assert area.geocodes == (("commune", "16777"),)
        assert area.polygons == (((18.6, 105.6), (18.6, 105.9), (18.9, 105.9), (18.9, 105.6), (18.6, 105.6)),)
        circle = storm(("<geocode>", "<circle>18.7,105.7 12.5</circle><geocode>")).infos[0].areas[0].circles
        assert circle == (((18.7, 105.7), 12.5),)

    def test_parameters_are_kept(self) -> None:
        alert = storm(
            ("<area>", "<parameter><valueName>tone</valueName><value>siren</value></parameter><area>")
        )
        assert alert.infos[0].parameters == (("tone", "siren"),)

    def test_all_of_its_head_is_kept(self) -> None:
        head = (
            "<source>desk 3</source><scope>Restricted</scope><restriction>staff</restriction>"
            '<addresses>a@b "Chi cục B" c</addresses><code>x</code><code>y</code><note>n</note>'
            '<incidents>I1 "I 2"</incidents>'
        )
        code = "<eventCode><valueName>SAME</valueName><value>HUW</value></eventCode>"
        heights = "<altitude>30</altitude><ceiling>90.5</ceiling>"
        alert = storm(
            ("<scope>Public</scope>", head),
            ("<headline>Bão", f"<audience>all</audience>{code}<headline>Bão"),
            ("<area>\n", f"<web>https://a.example/</web><contact>113</contact><area>\n{heights}"),
        )
        assert (alert.source, alert.restriction, alert.note) == ("desk 3", "staff", "n")
        assert (alert.addresses, alert.codes) == (("a@b", "Chi cục B", "c"), ("x", "y"))
        assert alert.incidents == ("I1", "I 2")
        assert alert.silent_because == "scope is Restricted: it is for staff"
        info = alert.infos[0]
        assert (info.audience, info.web, info.contact) == ("all", "https://a.example/", "113")
        assert info.event_codes == (("SAME", "HUW"),)
        assert (info.areas[0].altitude_ft, info.areas[0].ceiling_ft) == (30.0, 90.5)

    def test_a_recording_belongs_to_its_block(self) -> None:
        digest = f"<digest>{'A' * 40}</digest>"
        read = resource(f"<size>9</size><uri>https://a.example/a.mp3</uri>{digest}")
        alert = storm(("<area>\n", read + "<area>\n"))
        recording = alert.infos[0].recording
        assert recording is not None
        assert (recording.description, recording.mime_type) == ("read", "audio/mpeg")
        assert (recording.uri, recording.sha1, recording.size_bytes) == (
            "https://a.example/a.mp3",
            "a" * 40,
            9,
        )
        assert alert.infos[1].recording is None
        assert [said.recording is not None for said in alert.utterances(["vi", "en"])] == [True, False]

    def test_a_recording_that_came_with_it_is_not_kept_with_it(self) -> None:
        inline = resource("<derefUri>U01J\n TEU=</derefUri>")
        alert = storm(("<area>\n", inline + "<area>\n"))
        recording = alert.infos[0].recording
        assert recording is not None
        assert (recording.inline, recording.data) == (True, b"SMILE")
        kept = Alert.model_validate_json(alert.model_dump_json()).infos[0].recording
        assert kept == recording.model_copy(update={"data": b""})

    @pytest.mark.parametrize(
        "content",
        ["", "<uri>file:///etc/passwd</uri>", "<uri>ftp://a.example/a.mp3</uri>", "<derefUri>***</derefUri>"],
    )
    def test_what_is_not_fetched_over_the_web_is_no_recording(self, content: str) -> None:
        assert storm(("<area>\n", resource(content) + "<area>\n")).infos[0].recording is None

    def test_a_picture_is_no_recording(self) -> None:
        picture = resource("<uri>https://a.example/map.png</uri>").replace("audio/mpeg", "image/png")
        alert = storm(("<area>\n", picture + "<area>\n"))
        assert alert.infos[0].recording is None
        assert len(alert.infos[0].resources) == 1

    def test_a_digest_that_is_none_is_never_met(self) -> None:
        odd = resource("<uri>https://a.example/a.mp3</uri><digest>md5:1</digest>")
        recording = storm(("<area>\n", odd + "<area>\n")).infos[0].recording
        assert recording is not None
        assert recording.sha1 == "md5:1"

    def test_more_blocks_than_can_be_said_are_left_out(self) -> None:
        block = (
            STORM.decode()
            .partition("<info>")[2]
            .partition("</info>")[0]
            .replace("Bão số 9 cách", "x" * 3_900)
        )
        alert = storm(("</alert>", f"<info>{block}</info>" * 8 + "</alert>"))
        assert sum(len(text) for text, _ in alert.spoken(["vi"])) <= MAX_WORDS
        assert any("left out" in remark for remark in alert.remarks)

    def test_a_cancellation_names_what_it_cancels(self) -> None:
        alert = read_alert(ALL_CLEAR)
        assert alert.kind == "Cancel"
        assert [reference.key for reference in alert.references] == [read_alert(STORM).reference.key]

    def test_text_and_bytes_are_the_same_document(self) -> None:
        assert read_alert(STORM.decode()) == read_alert(STORM) == read_alert(b"\xef\xbb\xbf" + STORM)

    def test_a_block_without_language_is_english_as_the_standard_says(self) -> None:
        alert = storm(("<language>en-US</language>", ""))
        assert alert.infos[1].language == "en-US"

    def test_an_underscore_in_a_language_is_meant_as_a_hyphen(self) -> None:
        assert storm(("vi-VN", "vi_VN")).infos[0].language == "vi-VN"

    def test_a_block_without_expiry_counts_for_a_day(self) -> None:
        expires = "<expires>2036-11-24T02:00:00+07:00</expires>"
        assert storm((expires, "")).expires == SENT + timedelta(hours=24)

    @pytest.mark.parametrize(
        ("old", "new", "remark"),
        [
            ("18.60,105.60 18.60,105.90", "18.60,105.60 north", "info 1: polygon"),
            (
                "18.60,105.60 18.60,105.90",
                "18.60,105.60 99.0,105.90",
                "info 1: polygon: a point lies outside",
            ),
            ("<geocode>", "<circle>18.7,105.7 nan</circle><geocode>", "info 1: circle"),
            ("2036-11-24T02:00:00+07:00", "tomorrow", "info 1: expires"),
            ("2036-11-24T02:00:00+07:00", "9999-12-31T23:59:59-12:00", "info 1: expires: lies outside"),
            ("vi-VN", "tiếng Việt", "info 1: language"),
            ("<scope>", "<references>nonsense</references><scope>", "references"),
            ("Bão số 9 cách bờ biển", "x" * 5_000, "info 1: description: has 51"),
            ("</info>", "</info><info><category>Met</category></info>", "info 2: has neither"),
        ],
    )
    def test_a_crooked_detail_is_remarked_and_the_warning_still_told(
        self, old: str, new: str, remark: str
    ) -> None:
        alert = storm((old, new))
        assert any(remark in text for text in alert.remarks), alert.remarks
        assert alert.spoken(["vi", "en"])


class TestRefusing:
    """What is not a message that the node may trust itself to understand."""

    @pytest.mark.parametrize(
        ("old", "new", "problem"),
        [
            ("<identifier>VN-SAMPLE-2026-0911-0007</identifier>", "", "identifier: is missing"),
            ("VN-SAMPLE-2026-0911-0007", "a,b", "identifier: has at most 500 characters"),
            ("VN-SAMPLE-2026-0911-0007", "x" * 501, "identifier: has at most 500 characters"),
            ("pctt@tinh.example", "p c t t", "sender: has at most"),
            ("<sent>2026-11-23T14:05:00+07:00", "<sent>2026-11-23T14:05:00", "sent: needs an offset"),
            ("<sent>2026-11-23T14:05:00+07:00", "<sent>soon", "sent: "),
            ("<status>Actual", "<status>Serious", "status: is none of Actual, Exercise"),
            ("<msgType>Alert", "<msgType>Shout", "msgType: is none of Alert, Update"),
            ("<msgType>Alert", "<msgType>Update", "references: Update must name"),
            ("<msgType>Alert", "<msgType>Cancel", "references: Cancel must name"),
            ("cap:1.2", "cap:1.1", "is not an alert of CAP 1.2"),
            ("<info>", "<other>", "is not XML"),
        ],
    )
    def test_a_message_that_may_be_misunderstood_is_rejected(self, old: str, new: str, problem: str) -> None:
        with pytest.raises(Rejected, match=r"^storm\.xml: ") as caught:
            read_alert(changed((old, new)), where="storm.xml")
        assert problem in str(caught.value)

    def test_all_problems_are_told_at_once(self) -> None:
        with pytest.raises(Rejected) as caught:
            storm(("<status>Actual", "<status>Serious"), ("<msgType>Alert", "<msgType>Shout"))
        assert len(caught.value.problems) == 2

    def test_an_alert_with_nothing_to_tell_is_rejected(self) -> None:
        text = STORM.decode()
        with pytest.raises(Rejected, match="nothing to tell"):
            read_alert(text[: text.index("<info>")] + "</alert>")

    def test_size_is_checked_before_anything_is_parsed(self) -> None:
        with pytest.raises(Rejected, match=f"at most {MAX_ALERT_BYTES}"):
            read_alert(b"<" * (MAX_ALERT_BYTES + 1))

    @pytest.mark.parametrize(
        "prologue",
        [
            '<!DOCTYPE alert [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>',
            '<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE alert SYSTEM "http://stranger.example/x.dtd">',
            "<!DOCTYPE alert>",
        ],
    )
    def test_entities_and_document_types_are_refused(self, prologue: str) -> None:
        with pytest.raises(Rejected, match="document type or an entity"):
            read_alert(changed(("<alert ", prologue + "<alert ")))

    @pytest.mark.parametrize(
        "document",
        [
            b"",
            b"\xff\xfe",
            b"not xml",
            "\ud800",
            b"<a/>",
            b"<?xml version='1.0' encoding='utf-7'?><a/>",
            "<a" * 80_000,
        ],
    )
    def test_rubbish_is_rejected(self, document: bytes | str) -> None:
        with pytest.raises(Rejected):
            read_alert(document)

    def test_deep_nesting_is_survived(self) -> None:
        deep = "<x>" * 30_000 + "</x>" * 30_000
        assert storm(("<scope>", deep + "<scope>")) == storm()

    @given(st.binary(max_size=60), st.integers(0, len(STORM)), st.integers(0, 40))
    def test_a_damaged_document_is_read_or_rejected_and_never_more(
        self, noise: bytes, at: int, cut: int
    ) -> None:
        try:
            alert = read_alert(STORM[:at] + noise + STORM[at + cut :])
        except Rejected:
            return
        assert alert.expires.tzinfo is UTC
        assert alert.headline(["vi"])


class TestSaying:
    """What residents hear."""

    def test_event_headline_description_and_instruction_are_sentences(self) -> None:
        ((text, language),) = read_alert(ALL_CLEAR).spoken(["vi"])
        assert language == "vi"
        assert text == (
            "Bão số 9. Hủy cảnh báo bão số 9. "
            "Bão đã suy yếu thành áp thấp nhiệt đới. Người dân có thể trở về nhà."
        )

    def test_each_of_the_nodes_languages_is_spoken_in_the_nodes_order(self) -> None:
        spoken = read_alert(STORM).spoken(["en", "hmn", "vi"])
        assert [language for _, language in spoken] == ["en", "vi"]
        assert spoken[0][0].startswith("Typhoon. Typhoon landfall within 6 hours. The typhoon is 60 km off")
        assert spoken[1][0].endswith("Không ra khỏi nơi trú ẩn khi chưa có thông báo.")

    def test_without_a_block_in_its_languages_the_first_is_spoken(self) -> None:
        assert [language for _, language in read_alert(STORM).spoken(["hmn"])] == ["vi-VN"]
        assert read_alert(STORM).headline(["hmn"]) == "Bão số 9 đổ bộ trong 6 giờ tới"

    def test_a_language_that_is_another_one_is_not_called_as_the_node_calls_its_own(self) -> None:
        alert = storm(("<language>en-US", "<language>vi-abc"))
        assert [language for _, language in alert.spoken(["vi"])] == ["vi"]
        assert [language for _, language in alert.spoken(["vi-abc"])] == ["vi-abc"]

    def test_what_is_said_in_one_language_only_has_the_others_to_fall_back_on(self) -> None:
        alert = storm()
        [said] = alert.utterances(["vi"])
        assert [(one.language, one.text) for one in said.instead] == [
            ("en-US", alert.spoken(["en-US"])[0][0]),
        ]
        assert [one.instead for one in alert.utterances(["vi", "en"])] == [(), ()]
        assert [one.instead for one in storm(("en-US", "vi-VN")).utterances(["vi"])] == [(), ()]

    def test_an_exercise_falls_back_only_on_languages_in_which_it_can_be_called_one(self) -> None:
        exercise = ("<status>Actual", "<status>Exercise")
        [said] = storm(exercise).utterances(["vi"])
        assert [one.text.startswith("This is an exercise. ") for one in said.instead] == [True]
        [said] = storm(exercise, ("en-US", "fr")).utterances(["vi"])
        assert said.instead == ()

    def test_two_blocks_of_one_language_are_both_spoken(self) -> None:
        spoken = storm(("<language>en-US", "<language>vi-VN")).spoken(["vi"])
        assert [text.split(".")[0] for text, _ in spoken] == ["Bão số 9", "Typhoon"]

    def test_headline_and_event_are_in_the_first_language_that_there_is(self) -> None:
        alert = read_alert(STORM)
        assert alert.headline(["hmn", "en", "vi"]) == "Typhoon landfall within 6 hours"
        assert alert.event(["vi"]) == "Bão số 9"
        without = storm(("<headline>Bão số 9 đổ bộ trong 6 giờ tới</headline>", ""))
        assert without.headline(["vi"]) == "Bão số 9"

    def test_layout_and_repetition_are_not_spoken(self) -> None:
        alert = storm(("Bão số 9 đổ bộ trong 6 giờ tới", " Bão\n   số 9; "), ("Bão số 9 cách", "Bão cách"))
        assert alert.spoken(["vi"])[0][0].startswith("Bão số 9. Bão cách bờ biển 60 ki lô mét")

    def test_an_exercise_is_called_one_before_and_after_in_its_language(self) -> None:
        spoken = storm(("<status>Actual", "<status>Exercise")).spoken(["vi", "en"])
        for (text, _), drill in zip(spoken, ("Đây là cuộc diễn tập.", "This is an exercise."), strict=True):
            assert text.startswith(drill + " ")
            assert text.endswith(" " + drill)

    def test_an_exercise_in_another_language_is_called_one_in_vietnamese(self) -> None:
        spoken = storm(("<status>Actual", "<status>Exercise"), ("en-US", "hmn")).spoken(["hmn"])
        assert [language for _, language in spoken] == ["vi", "hmn", "vi"]
        assert spoken[0] == spoken[2] == ("Đây là cuộc diễn tập.", "vi")

    def test_what_is_meant_in_earnest_is_never_called_an_exercise(self) -> None:
        assert all(
            "diễn tập" not in text and "exercise" not in text for text, _ in storm().spoken(["vi", "en"])
        )

    @pytest.mark.parametrize("status", ["Test", "System", "Draft"])
    def test_a_test_is_never_voiced_and_says_why(self, status: str) -> None:
        alert = storm(("<status>Actual", f"<status>{status}"))
        assert alert.spoken(["vi", "en"]) == []
        assert (alert.silent_because or "").startswith(f"status is {status}: ")

    @pytest.mark.parametrize("kind", ["Ack", "Error"])
    def test_an_answer_to_another_message_is_not_voiced(self, kind: str) -> None:
        alert = storm(("<msgType>Alert", f"<msgType>{kind}"))
        assert alert.spoken(["vi"]) == []
        does = {"Ack": "accepts", "Error": "rejects"}[kind]
        assert alert.silent_because == f"msgType is {kind}: it {does} no message"

    def test_an_answer_says_what_it_is_about_and_why(self) -> None:
        names = "pctt@tinh.example,A1,2026-11-23T14:05:00+07:00"
        alert = storm(
            ("<msgType>Alert", "<msgType>Error"),
            ("<scope>", f"<note>no such polygon</note><references>{names}</references><scope>"),
        )
        assert alert.silent_because == f"msgType is Error: it rejects {names}: no such polygon"

    def test_what_is_not_for_the_public_is_not_voiced(self) -> None:
        assert storm(("<scope>Public", "<scope>Private")).spoken(["vi"]) == []

    def test_an_exercise_with_a_recording_is_called_one_before_and_after_it(self) -> None:
        read = resource("<uri>https://a.example/a.mp3</uri>")
        said = storm(("<status>Actual", "<status>Exercise"), ("<area>\n", read + "<area>\n")).utterances(
            ["vi"]
        )
        assert [one.recording is not None for one in said] == [False, True, False]
        assert said[0].text == said[2].text == "Đây là cuộc diễn tập."

    def test_the_node_has_words_of_its_own_for_the_end_of_an_alert(self) -> None:
        said = read_alert(STORM).all_clear(Kind.CANCEL, ["vi", "hmn", "en"])
        assert [(one.text, one.language) for one in said] == [
            ("Cảnh báo đã được hủy: Bão số 9 đổ bộ trong 6 giờ tới.", "vi"),
            ("The warning has been cancelled: Typhoon landfall within 6 hours.", "en"),
        ]
        (moved,) = read_alert(STORM).all_clear(Kind.UPDATE, ["hmn"])
        assert moved.text.startswith("Cảnh báo không còn hiệu lực tại đây: Bão số 9")
        (drill,) = storm(("<status>Actual", "<status>Exercise")).all_clear(Kind.CANCEL, ["vi"])
        assert drill.text.startswith("Đây là cuộc diễn tập. Cảnh báo đã được hủy")

    def test_a_cancellation_without_words_is_silent(self) -> None:
        text = ALL_CLEAR.decode()
        alert = read_alert(text[: text.index("<info>")] + "</alert>")
        assert alert.spoken(["vi"]) == []
        assert alert.headline(["vi"]) == alert.event(["vi"]) == ""
        assert alert.silent_because == "it has no info block: nothing to tell"
