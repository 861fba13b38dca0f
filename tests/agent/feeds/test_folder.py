"""A feed that somebody brings in a folder: taken as from the network, and trusted no more."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from agent.feeds.errors import Retry
from agent.feeds.events import FeedChanged, FeedUnreachable, MediaArrived, MediaUnavailable
from agent.feeds.folder import Folder, FolderClient
from agent.feeds.follower import Brought
from tests.agent.feeds.conftest import Bench
from tests.agent.feeds.repository import Repository, schedule
from tests.support.disk import exfat
from tests.support.wait import wait_until
from tests.support.web import drip_body, status

A, B = b"a" * 300_000, b"b" * 200_000


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    path = tmp_path / "stick"
    path.mkdir()
    return path


@pytest.fixture
def alone(bench: Bench) -> Bench:
    """A node whose feed cannot be reached."""
    bench.url = "http://127.0.0.1:9/"
    bench.start()
    bench.settled()
    return bench


def put(repository: Repository, stick: Path, *but: str) -> None:
    """Copy the feed, as it is published now, but for some of its files."""
    for name, data in repository.files.items():
        if not any(part in name for part in but):
            path = stick / "f" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def bring(bench: Bench, stick: Path) -> Brought:
    assert bench.feeds is not None
    bench.feeds.bring("commune", Folder(stick, ("f",)))

    def over() -> Brought | None:
        assert bench.feeds is not None
        found = bench.feeds.brought("commune")
        return found if found is not None and found.state != "running" else None

    return wait_until(over, 15, "the folder is taken or refused")


def test_a_node_without_a_network_gets_schedule_and_media(alone: Bench, stick: Path) -> None:
    alone.repository.publish(schedule(1, "media/a.ogg", "media/b.ogg"), a_ogg=A, b_ogg=B)
    put(alone.repository, stick)
    assert bring(alone, stick) == Brought("finished", None, 1, 2, 0)
    assert alone.health[:2] == ("current", 1)
    assert alone.feeds is not None
    info = alone.feeds.media("commune", "media/a.ogg")
    assert info is not None
    assert info.path is not None
    assert info.path.read_bytes() == A
    assert len(alone.told(FeedChanged)) == 1
    alone.wait_for(MediaArrived, 2)


def test_it_stays_in_force_after_a_restart_and_a_second_time_changes_nothing(
    alone: Bench, stick: Path
) -> None:
    alone.repository.publish(schedule(1, "media/a.ogg"), a_ogg=A)
    put(alone.repository, stick)
    bring(alone, stick)
    assert bring(alone, stick) == Brought("finished", None, 1, 1, 0)
    assert len(alone.told(FeedChanged)) == 1
    alone.restart()
    alone.wait_for(FeedChanged)


def test_what_is_not_on_the_stick_is_told_and_asked_of_the_network(bench: Bench, stick: Path) -> None:
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    bench.repository.publish(schedule(2, "media/a.ogg", "media/b.ogg"), a_ogg=A, b_ogg=B)
    put(bench.repository, stick, "b.ogg")
    bench.host.break_path(r"b\.ogg", status(503))
    done = bring(bench, stick)
    assert (done.state, done.media, done.missing) == ("finished", 2, 1)
    assert "is not on the stick" in (done.reason or "")
    bench.wait_for(MediaUnavailable)
    bench.host.mend()
    bench.poll()
    bench.wait_for(MediaArrived, 2)


def test_an_older_feed_is_a_rollback(bench: Bench, stick: Path) -> None:
    bench.repository.publish(schedule(1))
    put(bench.repository, stick)
    bench.repository.publish(schedule(2))
    bench.start()
    bench.settled()
    before = bench.health
    done = bring(bench, stick)
    assert (done.state, "timestamp" in (done.reason or "")) == ("failed", True)
    assert bench.health == before


def test_a_strangers_feed_is_refused(alone: Bench, stick: Path) -> None:
    stranger = Repository(alone.clock.now())
    stranger.publish(schedule(9))
    put(stranger, stick)
    done = bring(alone, stick)
    assert done.state == "failed"
    assert done.reason == "f/metadata/timestamp.json: is not signed by the keys that this node trusts for it"
    assert alone.told(FeedChanged) == []


def test_a_file_of_the_metadata_that_was_changed_is_named_by_its_place_on_the_stick(
    alone: Bench, stick: Path
) -> None:
    alone.repository.publish(schedule(1))
    put(alone.repository, stick)
    path = stick / "f/metadata/timestamp.json"
    genuine = path.read_bytes()
    for content, why in (
        (genuine[:-100], "cannot be read: damaged"),
        (genuine.replace(b'"version":', b'"version":1'), "is not signed by the keys that this node trusts"),
    ):
        path.write_bytes(content)
        done = bring(alone, stick)
        assert done.state == "failed"
        assert f"f/metadata/timestamp.json: {why}" in (done.reason or "")
    assert alone.told(FeedChanged) == []


def test_changed_content_is_refused(alone: Bench, stick: Path) -> None:
    alone.repository.publish(schedule(1, "media/a.ogg"), a_ogg=A)
    put(alone.repository, stick)
    for path in (stick / "f/targets/media").iterdir():
        path.write_bytes(A[:-1] + b"x")
    done = bring(alone, stick)
    assert (done.state, done.missing) == ("finished", 1)
    assert "not what was signed" in (done.reason or "")
    for path in (stick / "f/targets").glob("*schedule.json"):
        path.write_bytes(b"{}")
    alone.repository.publish(schedule(2))
    put(alone.repository, stick, "schedule.json")
    assert bring(alone, stick).state == "failed"
    assert alone.health[1] == 1


@pytest.mark.parametrize("but", ["timestamp.json", "snapshot.json", "targets.json", "schedule.json"])
def test_half_a_copy_changes_nothing(alone: Bench, stick: Path, but: str) -> None:
    alone.repository.publish(schedule(1))
    put(alone.repository, stick, but)
    done = bring(alone, stick)
    assert (done.state, "is not on the stick" in (done.reason or "")) == ("failed", True)
    assert alone.told(FeedChanged) == []
    put(alone.repository, stick)
    assert bring(alone, stick).state == "finished"


def test_signatures_that_have_run_out_are_refused(alone: Bench, stick: Path) -> None:
    alone.repository.publish(schedule(1))
    put(alone.repository, stick)
    alone.clock.advance(timedelta(days=10).total_seconds())
    done = bring(alone, stick)
    assert (done.state, "run out" in (done.reason or "")) == ("failed", True)


def test_links_on_the_stick_lead_nowhere(alone: Bench, stick: Path, tmp_path: Path) -> None:
    alone.repository.publish(schedule(1))
    put(alone.repository, stick)
    real = tmp_path / "elsewhere"
    (stick / "f/metadata").rename(real)
    (stick / "f/metadata").symlink_to(real)
    done = bring(alone, stick)
    assert (done.state, "link" in (done.reason or "")) == ("failed", True)


def test_a_stick_that_is_gone_is_told_and_says_nothing_of_the_feed(bench: Bench, stick: Path) -> None:
    bench.repository.publish(schedule(1))
    bench.start()
    bench.settled()
    stick.rmdir()
    assert bring(bench, stick).state == "failed"
    assert bench.health[:2] == ("current", 1)
    assert bench.told(FeedUnreachable) == []


def test_a_download_that_crawls_makes_way(bench: Bench, stick: Path) -> None:
    bench.repository.publish(schedule(1, "media/a.ogg"), a_ogg=A)
    put(bench.repository, stick)
    bench.host.break_path(r"a\.ogg", drip_body)
    bench.start()
    bench.settled()
    wait_until(
        lambda: any("a.ogg" in request.path for request in bench.host.requests), 10, "the download has begun"
    )
    assert bring(bench, stick) == Brought("finished", None, 1, 1, 0)


def test_a_stick_that_is_pulled_out_in_the_middle_leaves_nothing_that_counts(tmp_path: Path) -> None:
    big = b"x" * 8_000_000
    with exfat(tmp_path) as plugged:
        (plugged.at / "targets").mkdir()
        (plugged.at / "targets/big").write_bytes(big)
        pulls = iter([plugged.pull])

        def stopped() -> bool:
            next(pulls, lambda: None)()
            return False

        part = tmp_path / "part"
        with (
            FolderClient(Folder(plugged.at), "http://f/") as client,
            pytest.raises(Retry, match="pulled out"),
        ):
            client.download("http://f/targets/big", part, len(big), sha256(big).hexdigest(), stopped)
        assert part.stat().st_size < len(big)
