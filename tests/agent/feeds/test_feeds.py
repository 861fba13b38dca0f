"""A feed is followed: new schedules take effect, media arrives, and what is good outlives a restart."""

import hashlib
import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from agent.clock import FakeClock
from agent.feeds import Feeds
from agent.feeds.events import (
    FeedChanged,
    FeedEnded,
    FeedExpired,
    FeedRecovered,
    FeedRefused,
    FeedUnreachable,
    MediaArrived,
    MediaUnavailable,
)
from agent.store import Store
from tests.agent.feeds.conftest import Bench, Settings
from tests.agent.feeds.repository import Repository, schedule
from tests.support import web
from tests.support.wait import wait_until

CHIME = b"chime" * 1_000


def test_a_signed_schedule_takes_effect_and_its_media_arrives(bench: Bench) -> None:
    bench.repository.custom["media/chime.ogg"] = {"gain_db": "-3.5", "duration_s": "2.25", "title": "Chuông"}
    bench.repository.publish(schedule(7, "media/chime.ogg"), chime_ogg=CHIME)
    bench.start()
    [changed] = bench.wait_for(FeedChanged)
    [arrived] = bench.wait_for(MediaArrived)
    assert changed.schedule.version == 7
    assert bench.feeds is not None
    info = bench.feeds.media("commune", "media/chime.ogg")
    assert info is not None
    assert info.path is not None
    assert info.path.read_bytes() == CHIME
    assert info.sha256 == arrived.sha256 == hashlib.sha256(CHIME).hexdigest()
    assert (info.gain_db, info.duration_s, info.title) == (-3.5, 2.25, "Chuông")
    bench.settled()
    assert bench.health[:2] == ("current", 7)


def test_a_new_schedule_replaces_the_old_one_and_a_deleted_item_is_gone(bench: Bench) -> None:
    bench.repository.publish(schedule(1, "media/a.ogg", "media/b.ogg"), a_ogg=b"a", b_ogg=b"b")
    bench.start()
    bench.wait_for(MediaArrived, 2)
    bench.settled()
    bench.repository.publish(schedule(2, "media/b.ogg"))
    bench.poll()
    assert [event.schedule.version for event in bench.told(FeedChanged)] == [1, 2]
    assert bench.feeds is not None
    assert bench.feeds.media("commune", "media/a.ogg") is None
    assert bench.feeds.media("commune", "media/b.ogg") is not None
    assert len(bench.told(MediaArrived)) == 2


def test_an_unchanged_feed_costs_two_small_requests_and_no_write(bench: Bench) -> None:
    bench.repository.publish(schedule(1, "media/chime.ogg"), chime_ogg=CHIME)
    bench.start()
    bench.wait_for(MediaArrived)
    bench.settled()
    before = {path: path.stat().st_mtime_ns for path in (bench.directory / "state").rglob("*")}
    bench.host.requests.clear()
    bench.host.sent_bytes = 0
    bench.poll()
    assert [request.path for request in bench.host.requests] == [
        "/metadata/2.root.json",
        "/metadata/timestamp.json",
    ]
    assert bench.host.sent_bytes < 1_000
    assert {path: path.stat().st_mtime_ns for path in (bench.directory / "state").rglob("*")} == before
    assert len(bench.told(FeedChanged)) == 1


def test_at_start_without_network_the_last_good_schedule_is_in_force(bench: Bench) -> None:
    bench.repository.publish(schedule(3, "media/chime.ogg"), chime_ogg=CHIME)
    bench.start()
    bench.wait_for(MediaArrived)
    bench.settled()
    bench.stop()
    bench.host.break_path("", web.status(503))
    bench.start()
    [changed] = bench.wait_for(FeedChanged)
    assert changed.schedule.version == 3
    assert bench.feeds is not None
    info = bench.feeds.media("commune", "media/chime.ogg")
    assert info is not None
    assert info.path is not None
    bench.wait_for(FeedUnreachable)
    assert bench.health[:2] == ("unreachable", 3)
    bench.host.mend()
    bench.poll()
    assert bench.told(FeedRecovered)
    assert bench.health == ("current", 3, "")


def test_unreachable_is_told_once(bench: Bench) -> None:
    bench.host.break_path("", web.status(500))
    bench.start()
    bench.settled()
    bench.poll()
    bench.poll()
    assert len(bench.told(FeedUnreachable)) == 1
    assert bench.health[0] == "unreachable"
    assert "500" in bench.health[2]


def test_an_expired_feed_stays_in_force_for_its_days_and_says_so(bench: Bench) -> None:
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    bench.clock.advance(timedelta(days=3, minutes=1).total_seconds())
    bench.poll()
    [expired] = bench.told(FeedExpired)
    assert expired.in_force_until == bench.repository.timestamp.expires + timedelta(days=30)
    assert bench.health[:2] == ("expired", 1)
    bench.restart()
    assert bench.wait_for(FeedChanged)[0].schedule.version == 1
    bench.settled()
    assert not bench.told(FeedEnded)
    bench.clock.advance(timedelta(days=30).total_seconds())
    bench.poll()
    assert len(bench.told(FeedEnded)) == 1
    assert bench.health[:2] == ("expired", None)
    bench.restart()
    bench.settled()
    assert not bench.told(FeedChanged)
    assert bench.health[:2] == ("expired", None)


def test_renewed_signatures_bring_an_expired_feed_back(bench: Bench) -> None:
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    bench.clock.advance(timedelta(days=40).total_seconds())
    bench.poll()
    assert bench.health[:2] == ("expired", None)
    for part in (bench.repository.timestamp, bench.repository.snapshot):
        part.expires = bench.clock.now() + timedelta(days=3)
    bench.repository.publish_snapshot()
    bench.repository.publish_timestamp()
    bench.poll()
    assert bench.health[:2] == ("current", 1)
    assert len(bench.told(FeedChanged)) == 2


def test_a_clock_set_back_does_not_make_old_signatures_young(bench: Bench) -> None:
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    bench.clock.advance(timedelta(days=4).total_seconds())
    bench.clock.jump(-timedelta(days=365).total_seconds())
    bench.poll()
    assert bench.health[:2] == ("expired", 1)


def test_a_node_with_an_unset_clock_takes_a_fresh_feed(bench: Bench) -> None:
    bench.clock.jump(-timedelta(days=20_000).total_seconds())
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    assert bench.health[:2] == ("current", 1)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"not json", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'"text"', "must be a JSON object"),
        (json.dumps(schedule(2) | {"format": "loa.schedule/9"}).encode(), "loa.schedule/9"),
        (json.dumps(schedule(2, "media/../x")).encode(), "media"),
        (json.dumps(schedule(2, "/etc/passwd")).encode(), "media"),
        (json.dumps(schedule(2, "media\\x")).encode(), "media"),
        (json.dumps(schedule(2, "media/.hidden")).encode(), "media"),
        (b" " * 5_000_001, "5000000"),
    ],
    ids=["junk", "deep", "no object", "format", "dots", "absolute", "backslash", "hidden", "oversize"],
)
def test_a_genuine_but_bad_document_is_refused_whole_and_the_last_good_one_stays(
    bench: Bench, document: bytes, reason: str
) -> None:
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    bench.repository.publish(document)
    bench.poll()
    [refused] = bench.told(FeedRefused)
    assert reason in refused.reason
    assert bench.health[:2] == ("refused", 1)
    bench.poll()
    assert len(bench.told(FeedRefused)) == 1, "told once"


def test_the_last_good_document_also_outlives_a_restart_until_a_good_one_comes(bench: Bench) -> None:
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    bench.repository.publish(b"not json")
    bench.poll()
    bench.restart()
    assert bench.wait_for(FeedChanged)[0].schedule.version == 1
    bench.settled()
    assert bench.health[:2] == ("refused", 1)
    bench.repository.publish(schedule(3))
    bench.poll()
    assert bench.health == ("current", 3, "")


def test_a_bad_recurrence_or_bad_operators_refuse_the_feed_whole(bench: Bench) -> None:
    bad = schedule(1)
    bad["programmes"][0]["recurrence"] = "FREQ=SOMETIMES"
    bench.repository.publish(bad)
    bench.start()
    bench.settled()
    assert bench.health[:2] == ("refused", None)
    assert "SOMETIMES" in bench.health[2]
    bench.repository.content["operators.json"] = b'{"format": "loa.operators/1", "operators": [{}]}'
    bench.repository.publish(schedule(2))
    bench.poll()
    assert bench.health[:2] == ("refused", None)
    assert "operators" in bench.health[2]


def test_a_feed_without_schedule_is_refused(bench: Bench) -> None:
    bench.repository.publish(chime_ogg=CHIME)
    bench.start()
    bench.settled()
    assert bench.health == ("refused", None, "the feed has no schedule.json")


@pytest.mark.parametrize("gain", [200, "200", "nan", "inf", "loud", True, [], "1e999"])
def test_an_absurd_gain_is_refused(bench: Bench, gain: object) -> None:
    bench.repository.custom["media/chime.ogg"] = {"gain_db": gain}
    bench.repository.publish(schedule(1, "media/chime.ogg"), chime_ogg=CHIME)
    bench.start()
    bench.settled()
    assert bench.health[0] == "refused"
    assert "gain_db" in bench.health[2]


@pytest.mark.parametrize(("text", "kept"), [("Kính mời", "Kính mời"), ("x" * 4_001, None)])
def test_the_words_of_a_recording_come_with_it_unless_they_are_too_many(
    bench: Bench, text: str, kept: str | None
) -> None:
    bench.repository.custom["media/chime.ogg"] = {"text": text}
    bench.repository.publish(schedule(1, "media/chime.ogg"), chime_ogg=CHIME)
    bench.start()
    bench.wait_for(MediaArrived)
    assert bench.feeds is not None
    info = bench.feeds.media("commune", "media/chime.ogg")
    assert info is not None
    assert info.text == kept


def test_words_that_are_none_are_refused(bench: Bench) -> None:
    bench.repository.custom["media/chime.ogg"] = {"text": ["Kính mời"]}
    bench.repository.publish(schedule(1, "media/chime.ogg"), chime_ogg=CHIME)
    bench.start()
    bench.settled()
    assert bench.health[0] == "refused"
    assert "custom text must be text" in bench.health[2]


def test_unknown_fields_are_ignored_and_told(bench: Bench) -> None:
    bench.repository.publish(schedule(1, brightness=3))
    bench.start()
    assert bench.wait_for(FeedChanged)[0].unknown_fields == ("brightness",)


def test_operators_come_with_the_feed(bench: Bench) -> None:
    key = bench.repository.signers["root"].public_key.to_dict()
    operator = {
        "keyid": "k1",
        "name": "Cán bộ văn hóa",
        "key": key,
        "actions": ["announce"],
        "expires": "2027-01-01T00:00:00Z",
    }
    bench.repository.content["operators.json"] = json.dumps(
        {"format": "loa.operators/1", "operators": [operator]}
    ).encode()
    bench.repository.publish(schedule(1))
    bench.start()
    [changed] = bench.wait_for(FeedChanged)
    assert [operator.keyid for operator in changed.operators.operators] == ["k1"]
    bench.settled()
    bench.repository.content.pop("operators.json")
    bench.repository.publish()
    bench.poll()
    assert bench.told(FeedChanged)[1].operators.operators == (), "revoked with the feed"


@pytest.mark.parametrize("victim", ["last-good.json", "metadata/timestamp.json", "document"])
def test_damaged_state_costs_a_fetch_and_nothing_else(
    bench: Bench, victim: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "loa")
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    bench.stop()
    folder = bench.directory / "state" / "feeds" / "commune"
    path = next(folder.glob("document-*")) if victim == "document" else folder / victim
    path.write_bytes(b"\0" * 100)
    bench.start()
    bench.settled()
    assert bench.health == ("current", 1, "")
    assert not caplog.records


def test_what_a_power_cut_left_is_cleaned_up(bench: Bench) -> None:
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    bench.stop()
    state = bench.directory / "state" / "feeds" / "commune"
    leftovers = [folder / ".aside-x" for folder in (state, state / "metadata", bench.directory / "cache")]
    for leftover in leftovers:
        leftover.write_bytes(b"half")
    bench.start()
    bench.settled()
    assert not [leftover for leftover in leftovers if leftover.exists()]
    assert bench.health == ("current", 1, "")


def test_a_stalled_feed_delays_no_other(tmp_path: Path, clock: FakeClock, repository: Repository) -> None:
    repository.publish(schedule(1))
    events: list[object] = []
    root = tmp_path / "root.json"
    root.write_bytes(repository.trusted_root)
    with web.Host(repository.files) as good, web.Host(repository.files) as stalled:
        stalled.break_path("", web.stall)
        settings = [Settings(f"stalled-{n}", stalled.url, root) for n in range(8)]
        settings.append(Settings("good", good.url, root))
        feeds = Feeds(settings, Store(tmp_path / "cache", 1_000), tmp_path / "state", events.append, clock)
        feeds.start()
        try:
            wait_until(lambda: feeds.state()["good"].state == "current", 10, "the good feed is in force")
            repository.publish(schedule(2))
            feeds.poll("good")
            wait_until(lambda: feeds.state()["good"].version == 2, 10, "a hint is followed")
            assert feeds.state()["stalled-0"].state == "none"
        finally:
            feeds.stop()


def test_media_that_is_not_in_the_feed_is_told_and_the_rest_plays(bench: Bench) -> None:
    bench.repository.publish(schedule(1, "media/gone.ogg", "media/chime.ogg"), chime_ogg=CHIME)
    bench.start()
    bench.wait_for(MediaArrived)
    [missing] = bench.wait_for(MediaUnavailable)
    assert missing.path == "media/gone.ogg"
    assert "not among" in missing.reason


def test_a_full_cache_is_told_and_what_fits_still_arrives(bench: Bench) -> None:
    bench.max_bytes = 2_000
    bench.repository.publish(schedule(1, "media/a.ogg", "media/b.ogg"), a_ogg=b"a" * 5_000, b_ogg=b"b" * 500)
    bench.start()
    assert [event.path for event in bench.wait_for(MediaArrived)] == ["media/b.ogg"]
    assert "do not fit" in bench.wait_for(MediaUnavailable)[0].reason
    bench.settled()
    assert bench.health[0] == "current"


def test_media_of_another_feed_is_not_evicted(
    tmp_path: Path, clock: FakeClock, repository: Repository
) -> None:
    other = Repository(clock.now())
    repository.publish(schedule(1, "media/a.ogg"), a_ogg=b"a" * 600)
    other.publish(schedule(1, "media/b.ogg"), b_ogg=b"b" * 600)
    for name, source in (("one", repository), ("two", other)):
        (tmp_path / f"{name}.json").write_bytes(source.trusted_root)
    events: list[object] = []
    with web.Host(repository.files) as first, web.Host(other.files) as second:
        settings = [
            Settings("one", first.url, tmp_path / "one.json"),
            Settings("two", second.url, tmp_path / "two.json"),
        ]
        store = Store(tmp_path / "cache", 1_000)
        feeds = Feeds(settings, store, tmp_path / "state", events.append, clock)
        feeds.start()
        try:
            wait_until(lambda: any(isinstance(e, MediaUnavailable) for e in events), 10, "one is too much")
            wait_until(lambda: any(isinstance(e, MediaArrived) for e in events), 10, "the other is there")
            feeds.poll()
            wait_until(lambda: feeds.rounds("one") > 1 and feeds.rounds("two") > 1, 10, "another round")
            held = [feeds.media("one", "media/a.ogg"), feeds.media("two", "media/b.ogg")]
            assert len([info for info in held if info is not None and info.path is not None]) == 1
        finally:
            feeds.stop()


def test_content_that_two_feeds_share_is_fetched_once(
    tmp_path: Path, clock: FakeClock, repository: Repository
) -> None:
    repository.publish(schedule(1, "media/chime.ogg"), chime_ogg=CHIME)
    root = tmp_path / "root.json"
    root.write_bytes(repository.trusted_root)
    events: list[object] = []
    with web.Host(repository.files) as host:
        settings = [Settings(f"feed-{n}", host.url, root) for n in range(2)]
        feeds = Feeds(settings, Store(tmp_path / "cache", 100_000), tmp_path / "s", events.append, clock)
        feeds.start()
        try:
            wait_until(
                lambda: (
                    {e.feed for e in events if isinstance(e, MediaArrived)} | _has(feeds)
                    == {"feed-0", "feed-1"}
                ),
                15,
                "both feeds have it",
            )
        finally:
            feeds.stop()
        assert len([r for r in host.requests if r.path.endswith("chime.ogg")]) == 1


def _has(feeds: Feeds) -> set[str]:
    found = {name: feeds.media(name, "media/chime.ogg") for name in ("feed-0", "feed-1")}
    return {name for name, info in found.items() if info is not None and info.path is not None}


def test_stopping_in_the_middle_of_a_stall_does_not_wait_for_it(bench: Bench) -> None:
    bench.host.break_path("", web.stall)
    bench.start()
    wait_until(lambda: bench.host.requests, 10, "the request is under way")
    assert bench.feeds is not None
    threads = [bench.feeds._followers["commune"]._thread]
    bench.stop()
    assert not any(thread.is_alive() for thread in threads)
