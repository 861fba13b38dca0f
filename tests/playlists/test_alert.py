"""CAP 1.2: what is read, what is refused, what is said, and which alerts are in force."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.alert import (
    MAX_ALERT_BYTES,
    Alert,
    AlertBook,
    Began,
    Ended,
    Ignored,
    Info,
    Kind,
    Replaced,
    Status,
    read_alert,
)
from playlists.alert.book import MAX_IN_FORCE, MAX_REMEMBERED, REMEMBERED_FOR
from playlists.errors import Rejected
from tests.playlists import plain_alerts

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


def message(
    name: str,
    kind: Kind = Kind.ALERT,
    names: tuple[Alert, ...] = (),
    status: Status = Status.ACTUAL,
    expires: datetime | None = NOW + timedelta(hours=6),
) -> Alert:
    return Alert(
        identifier=name,
        sender="pctt@tinh.example",
        sent=SENT,
        status=status,
        kind=kind,
        references=tuple(one.reference for one in names),
        infos=(Info(language="vi-VN", event=name, expires=expires),),
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
        assert alert.silent_because == f"status is {status}: only Actual and Exercise are told to the public"

    @pytest.mark.parametrize("kind", ["Ack", "Error"])
    def test_an_answer_to_another_message_is_not_voiced(self, kind: str) -> None:
        alert = storm(("<msgType>Alert", f"<msgType>{kind}"))
        assert alert.spoken(["vi"]) == []
        assert alert.silent_because == f"msgType is {kind}: it answers another message"

    def test_what_is_not_for_the_public_is_not_voiced(self) -> None:
        assert storm(("<scope>Public", "<scope>Private")).spoken(["vi"]) == []

    def test_a_cancellation_without_words_is_silent(self) -> None:
        text = ALL_CLEAR.decode()
        alert = read_alert(text[: text.index("<info>")] + "</alert>")
        assert alert.spoken(["vi"]) == []
        assert alert.headline(["vi"]) == alert.event(["vi"]) == ""
        assert alert.silent_because == "it has no info block: nothing to tell"


statuses = st.sampled_from((Status.ACTUAL, Status.EXERCISE, Status.TEST))


@st.composite
def message_chains(draw: st.DrawFn) -> list[Alert]:
    """Messages each of which may name some of those before it."""
    messages: list[Alert] = []
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from((Kind.ALERT, Kind.UPDATE, Kind.CANCEL)))
        named = (
            draw(st.lists(st.sampled_from(messages), max_size=2))
            if messages and kind is not Kind.ALERT
            else []
        )
        expires = NOW + timedelta(hours=draw(st.sampled_from((-1, 1, 2))))
        messages.append(message(f"m{number}", kind, tuple(named), draw(statuses), expires))
    return messages


class TestBook:
    """Which alerts are in force."""

    @given(message_chains(), st.randoms(use_true_random=False), st.sampled_from((0, 1, 90)))
    def test_what_is_in_force_is_that_of_the_plain_model_in_any_order_of_arrival(
        self, messages: list[Alert], chance: random.Random, minutes: int
    ) -> None:
        arriving = [*messages, *chance.sample(messages, k=len(messages) // 2)]
        chance.shuffle(arriving)
        book = AlertBook()
        for alert in arriving:
            book, _ = book.apply(alert, NOW)
        later = NOW + timedelta(minutes=minutes)
        book, _ = book.expire(later)
        assert {alert.identifier for alert in book.in_force} == plain_alerts.in_force(messages, later)
        assert len(book.in_force) == len({alert.identifier for alert in book.in_force})

    @given(message_chains())
    def test_the_effects_account_for_every_change(self, messages: list[Alert]) -> None:
        book, in_force = AlertBook(), set[str]()
        for alert in messages:
            book, effects = book.apply(alert, NOW)
            for effect in effects:
                if isinstance(effect, Began | Replaced):
                    assert effect.alert.identifier not in in_force
                    in_force.add(effect.alert.identifier)
                if isinstance(effect, Ended | Replaced):
                    assert in_force.issuperset(one.identifier for one in effect.ended)
                    in_force.difference_update(one.identifier for one in effect.ended)
            assert {one.identifier for one in book.in_force} == in_force

    def test_an_alert_is_in_force_until_it_is_cancelled(self) -> None:
        alert, cancel = read_alert(STORM), read_alert(ALL_CLEAR)
        book, effects = AlertBook().apply(alert, NOW)
        assert effects == (Began(alert),)
        assert book.in_force == (alert,)
        book, effects = book.apply(cancel, NOW + timedelta(hours=6))
        assert effects == (Ended((alert,), "cancelled by VN-SAMPLE-2026-0911-0008", by=cancel),)
        assert book.in_force == ()

    def test_an_update_takes_the_place_of_what_it_names(self) -> None:
        first, other = message("first"), message("other")
        update = message("update", Kind.UPDATE, (first,))
        book, _ = AlertBook().apply(first, NOW)
        book, _ = book.apply(other, NOW)
        book, effects = book.apply(update, NOW)
        assert effects == (Replaced(update, (first,)),)
        assert book.in_force == (other, update)

    def test_a_message_that_comes_twice_is_ignored_even_after_its_end(self) -> None:
        alert, cancel = read_alert(STORM), read_alert(ALL_CLEAR)
        book, _ = AlertBook().apply(alert, NOW)
        again, (effect,) = book.apply(alert, NOW)
        assert isinstance(effect, Ignored)
        assert again.in_force == (alert,)
        book, _ = book.apply(cancel, NOW)
        book, (effect,) = book.apply(alert, NOW)
        assert isinstance(effect, Ignored)
        assert "seen before" in effect.reason
        assert book.in_force == ()

    def test_a_message_in_force_for_long_is_still_known_when_it_comes_again(self) -> None:
        book, _ = AlertBook().apply(read_alert(STORM), NOW)
        later = NOW + REMEMBERED_FOR
        book, _ = book.expire(later)
        again, (effect,) = book.apply(read_alert(STORM), later)
        assert isinstance(effect, Ignored)
        assert again.in_force == book.in_force

    def test_a_reference_may_write_its_moment_with_another_offset(self) -> None:
        book, _ = AlertBook().apply(read_alert(STORM), NOW)
        text = ALL_CLEAR.decode().replace("2026-11-23T14:05:00+07:00", "2026-11-23T07:05:00-00:00")
        book, _ = book.apply(read_alert(text), NOW)
        assert book.in_force == ()

    def test_a_cancellation_that_overtakes_its_alert_still_cancels_it(self) -> None:
        book, (effect,) = AlertBook().apply(read_alert(ALL_CLEAR), NOW)
        assert isinstance(effect, Ignored)
        book, (effect,) = book.apply(read_alert(STORM), NOW)
        assert isinstance(effect, Ignored)
        assert book.in_force == ()

    @pytest.mark.parametrize("status", [Status.EXERCISE, Status.TEST])
    def test_an_exercise_or_a_test_never_ends_what_is_meant_in_earnest(self, status: Status) -> None:
        alert = message("storm")
        book, _ = AlertBook().apply(alert, NOW)
        book, _ = book.apply(message("over", Kind.CANCEL, (alert,), status), NOW)
        assert book.in_force == (alert,)

    def test_an_exercise_does_not_keep_the_real_one_of_the_same_name_out(self) -> None:
        book, _ = AlertBook().apply(message("storm", status=Status.EXERCISE), NOW)
        book, effects = book.apply(message("storm"), NOW)
        assert effects == (Began(message("storm")),)

    def test_what_must_not_be_told_never_comes_into_force(self) -> None:
        alert = message("t", status=Status.TEST)
        book, effects = AlertBook().apply(alert, NOW)
        assert effects == (Ignored(alert, "status is Test: only Actual and Exercise are told to the public"),)
        assert book == AlertBook()

    def test_an_alert_ends_by_itself_when_it_expires(self) -> None:
        alert = message("storm")
        book, _ = AlertBook().apply(alert, NOW)
        assert book.next_expiry() == alert.expires
        assert book.expire(alert.expires - timedelta(seconds=1)) == (book, ())
        book, effects = book.expire(alert.expires)
        assert effects == (Ended((alert,), "expired"),)
        assert book.in_force == ()
        assert book.next_expiry() is None

    def test_an_expired_alert_does_not_come_into_force(self) -> None:
        alert = message("old", expires=NOW)
        book, (effect,) = AlertBook().apply(alert, NOW)
        assert isinstance(effect, Ignored)
        assert "old expired at" in effect.reason
        assert book.in_force == ()

    def test_what_has_expired_ends_before_the_next_message_is_taken_in(self) -> None:
        alert = message("storm")
        book, _ = AlertBook().apply(alert, NOW)
        _, effects = book.apply(message("next", expires=None), alert.expires)
        assert effects[0] == Ended((alert,), "expired")

    def test_the_book_survives_a_restart(self) -> None:
        book, _ = AlertBook().apply(read_alert(STORM), NOW)
        book, _ = book.apply(message("other"), NOW)
        assert AlertBook.model_validate_json(book.model_dump_json()) == book

    def test_the_book_is_bounded_and_the_alert_that_ends_soonest_makes_room(self) -> None:
        book, ends = AlertBook(), NOW + timedelta(hours=1)
        for number in range(MAX_IN_FORCE):
            book, _ = book.apply(message(f"m{number}", expires=ends + timedelta(minutes=number)), NOW)
        book, (effect,) = book.apply(message("last", expires=ends), NOW)
        assert isinstance(effect, Replaced)
        assert [one.identifier for one in effect.ended] == ["m0"]
        assert len(book.in_force) == MAX_IN_FORCE

    def test_what_the_book_remembers_is_bounded_in_number_and_time(self) -> None:
        many = tuple(message(f"m{number}") for number in range(MAX_REMEMBERED + 5))
        book, _ = AlertBook().apply(message("over", Kind.CANCEL, many), NOW)
        assert len(book.remembered) == MAX_REMEMBERED
        book, _ = book.expire(NOW + REMEMBERED_FOR)
        assert book.remembered == ()
