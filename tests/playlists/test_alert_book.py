"""CAP 1.2: which alerts are in force."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playlists.alert import Alert, AlertBook, Began, Ended, Ignored, Kind, Replaced, Status, read_alert
from playlists.alert.book import MAX_IN_FORCE, MAX_REMEMBERED, REMEMBERED_FOR
from tests.playlists import plain_alerts
from tests.playlists.test_alert import ALL_CLEAR, NOW, SENT, STORM, message, storm

EARLY = "2026-11-23T15:00:00+07:00"

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
        messages.append(
            message(
                f"m{number}",
                kind,
                tuple(named),
                draw(statuses),
                expires,
                sender=draw(st.sampled_from(("pctt@tinh.example", "stranger"))),
                level=draw(st.sampled_from((0, 10))),
                here=draw(st.sampled_from((True, True, False))),
            )
        )
    return messages


def full_of(one: Alert, *, level: int) -> AlertBook:
    """A book in which there is no room: `one`, and others of that level, meant in earnest, that end in a week."""
    book, _ = AlertBook().apply(one, NOW)
    for number in range(MAX_IN_FORCE - 1):
        book, _ = book.apply(message(f"m{number}", level=level, expires=NOW + timedelta(days=7)), NOW)
    return book


def ended(effects: tuple[object, ...]) -> list[str]:
    """Who is no longer in force."""
    return [one.identifier for effect in effects if isinstance(effect, Ended) for one in effect.ended]


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

    @pytest.mark.parametrize(
        ("forged", "why"),
        [
            ({"sender": "stranger"}, "names only messages of others"),
            ({"level": 9}, "was issued at a higher level"),
            ({"status": Status.EXERCISE}, "is Actual, which a Cancel of status Exercise may not end"),
        ],
    )
    def test_a_forged_cancellation_ends_nothing_before_or_after(self, forged: dict, why: str) -> None:
        alert = message("storm", level=10)
        cancel = message("over", Kind.CANCEL, (alert,), **forged)
        book, _ = AlertBook().apply(alert, NOW)
        book, (effect,) = book.apply(cancel, NOW)
        assert isinstance(effect, Ignored)
        assert why in effect.reason
        assert book.in_force == (alert,)
        early, _ = AlertBook().apply(cancel, NOW)
        early, _ = early.apply(alert, NOW)
        assert early.in_force == (alert,)

    def test_a_cancellation_of_another_moment_ends_nothing(self) -> None:
        alert = message("storm")
        other = alert.model_copy(update={"sent": SENT + timedelta(seconds=1)})
        book, _ = AlertBook().apply(alert, NOW)
        book, (effect,) = book.apply(message("over", Kind.CANCEL, (other,)), NOW)
        assert isinstance(effect, Ignored)
        assert effect.reason == "nothing that it cancels is in force here"
        assert book.in_force == (alert,)

    def test_the_same_message_from_higher_up_is_not_told_again_and_can_be_ended_only_there(self) -> None:
        alert, higher = message("storm"), message("storm", level=20)
        book, _ = AlertBook().apply(alert, NOW)
        book, (effect,) = book.apply(higher, NOW)
        assert isinstance(effect, Ignored)
        assert book.in_force == (higher,)
        book, _ = book.apply(message("over", Kind.CANCEL, (alert,)), NOW)
        assert book.in_force == (higher,)

    def test_another_message_under_its_name_does_not_stand_against_higher_up(self) -> None:
        false = message("storm", expires=NOW + timedelta(hours=1))
        true = message("storm", level=20)
        book, _ = AlertBook().apply(false, NOW)
        book, effects = book.apply(true, NOW)
        assert effects == (Replaced(true, (false,)),)
        book, (effect,) = book.apply(false, NOW)
        assert isinstance(effect, Ignored)
        assert book.in_force == (true,)

    def test_a_message_for_other_places_is_not_told_and_comes_when_the_node_has_moved(self) -> None:
        away = message("storm", here=False)
        book, (effect,) = AlertBook().apply(away, NOW)
        assert effect == Ignored(away, "the area of storm leaves this node out")
        book, (effect,) = book.apply(message("storm"), NOW)
        assert isinstance(effect, Began)

    def test_an_update_for_other_places_ends_what_it_updates(self) -> None:
        alert = message("storm")
        away = message("update", Kind.UPDATE, (alert,), here=False)
        book, _ = AlertBook().apply(alert, NOW)
        book, effects = book.apply(away, NOW)
        assert effects == (Ended((alert,), "the area of update leaves this node out", by=away),)
        assert book.in_force == ()

    def test_a_block_that_has_expired_is_told_no_more_and_the_others_are(self) -> None:
        alert = storm(("2036-11-24T02:00:00+07:00</expires>\n    <sender", f"{EARLY}</expires>\n    <sender"))
        book, _ = AlertBook().apply(alert, NOW)
        first = datetime.fromisoformat(EARLY).astimezone(UTC)
        assert book.next_expiry(NOW) == first
        book, effects = book.expire(first)
        assert (book.in_force, effects) == ((alert,), ())
        assert [language for _, language in alert.at(first).spoken(["vi", "en"])] == ["en"]
        assert book.next_expiry(first) == alert.expires

    def test_what_must_not_be_told_never_comes_into_force(self) -> None:
        alert = message("t", status=Status.TEST)
        book, effects = AlertBook().apply(alert, NOW)
        assert effects == (
            Ignored(alert, "status is Test: understood, and disregarded as every recipient shall"),
        )
        assert book == AlertBook()

    def test_an_alert_ends_by_itself_when_it_expires(self) -> None:
        alert = message("storm")
        book, _ = AlertBook().apply(alert, NOW)
        assert book.next_expiry(NOW) == alert.expires
        assert book.expire(alert.expires - timedelta(seconds=1)) == (book, ())
        book, effects = book.expire(alert.expires)
        assert effects == (Ended((alert,), "expired"),)
        assert book.in_force == ()
        assert book.next_expiry(alert.expires) is None

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
        book, (made_room, began) = book.apply(message("last", expires=ends), NOW)
        assert isinstance(made_room, Ended)
        assert [one.identifier for one in made_room.ended] == ["m0"]
        assert made_room.reason == "made room for last: 64 alerts are in force"
        assert began == Began(message("last", expires=ends))
        assert len(book.in_force) == MAX_IN_FORCE

    @pytest.mark.parametrize(
        ("newcomer", "victim"),
        [
            ({"level": 10}, "drill"),
            ({"level": 0}, "drill"),
            ({"level": 20, "status": Status.EXERCISE}, "drill"),
            ({"level": 0, "status": Status.EXERCISE}, None),
        ],
    )
    def test_an_exercise_makes_room_first_and_never_takes_that_of_what_is_meant_in_earnest(
        self, newcomer: dict, victim: str | None
    ) -> None:
        book = full_of(message("drill", status=Status.EXERCISE, level=20), level=10)
        book, effects = book.apply(message("last", **newcomer), NOW)
        assert ended(effects) == ([] if victim is None else [victim])
        assert isinstance(effects[-1], Ignored if victim is None else Began)

    def test_a_lower_one_makes_room_for_a_higher_and_not_the_other_way_round(self) -> None:
        low = message("low", level=5, expires=NOW + timedelta(days=9))
        book = full_of(low, level=10)
        refused, (effect,) = book.apply(message("lower", level=4), NOW)
        assert isinstance(effect, Ignored)
        assert effect.reason == "64 alerts are in force, none of which it may end"
        assert refused.in_force == book.in_force
        book, effects = book.apply(message("higher", level=20), NOW)
        assert ended(effects) == ["low"]

    def test_one_that_found_no_room_comes_when_there_is_some(self) -> None:
        soon = message("soon", level=10, expires=NOW + timedelta(minutes=1))
        book, _ = full_of(soon, level=10).apply(message("low"), NOW)
        book, effects = book.apply(message("low"), NOW + timedelta(minutes=2))
        assert effects == (Ended((soon,), "expired"), Began(message("low")))

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(1, 5)), max_size=14))
    def test_nobody_is_crowded_out_by_who_may_not_end_it(self, arriving: list[tuple[bool, int, int]]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("playlists.alert.book.MAX_IN_FORCE", 4)
            book = AlertBook()
            for number, (drill, level, hours) in enumerate(arriving):
                status = Status.EXERCISE if drill else Status.ACTUAL
                new = message(f"m{number}", status=status, level=level, expires=NOW + timedelta(hours=hours))
                before = book.in_force
                yielding = [
                    one
                    for one in before
                    if (one.status is Status.EXERCISE and not drill)
                    or (one.status is status and one.level <= level)
                ]
                book, effects = book.apply(new, NOW)
                gone = [one for one in before if one not in book.in_force]
                if len(before) < 4:
                    assert not gone and new in book.in_force
                elif not yielding:
                    assert not gone and new not in book.in_force
                else:
                    (victim,) = gone
                    assert new in book.in_force
                    assert victim in yielding
                    drills = [one for one in yielding if one.status is Status.EXERCISE] or yielding
                    lowest = min(one.level for one in drills)
                    assert victim in drills and victim.level == lowest
                    assert victim.expires == min(one.expires for one in drills if one.level == lowest)
                assert ended(effects) == [one.identifier for one in gone]

    def test_what_the_book_remembers_is_bounded_in_number_and_time(self) -> None:
        many = tuple(message(f"m{number}") for number in range(MAX_REMEMBERED + 5))
        book, _ = AlertBook().apply(message("over", Kind.CANCEL, many), NOW)
        assert len(book.remembered) == MAX_REMEMBERED
        book, _ = book.expire(NOW + REMEMBERED_FOR)
        assert book.remembered == ()
