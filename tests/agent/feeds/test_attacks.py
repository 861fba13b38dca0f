"""Every attack on a feed is refused, told with its reason, and leaves the last good schedule in force."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner

from agent.clock import FakeClock
from agent.feeds import http, trust
from agent.feeds.events import FeedChanged, FeedExpired, FeedRefused, FeedUnreachable, MediaUnavailable
from playlists.units import Seconds
from tests.agent.feeds.conftest import Bench
from tests.agent.feeds.repository import Repository, schedule
from tests.support import web
from tests.support.wait import wait_until


@pytest.fixture
def running(bench: Bench) -> Bench:
    """A node that follows schedule 2 of a feed."""
    bench.repository.publish(schedule(1))
    bench.repository.publish(schedule(2))
    bench.start()
    bench.settled()
    assert bench.health == ("current", 2, "")
    return bench


def refused(bench: Bench, *words: str) -> None:
    """The node refuses, says why, and keeps schedule 2, also over a restart."""
    bench.poll()
    state, version, reason = bench.health
    assert (state, version) == ("refused", 2), reason
    assert all(word in reason for word in words), reason
    assert bench.told(FeedRefused)[-1].reason == reason
    assert [event.schedule.version for event in bench.told(FeedChanged)] == [2]
    bench.restart()
    assert bench.wait_for(FeedChanged)[0].schedule.version == 2
    bench.settled()
    assert bench.health[:2] == ("refused", 2)


def test_rollback_of_the_timestamp(running: Bench) -> None:
    running.repository.timestamp.version = 0
    running.repository.publish_timestamp()
    refused(running, "metadata/timestamp.json: is older than")


def test_rollback_of_the_snapshot(running: Bench) -> None:
    running.repository.snapshot.version = 0
    running.repository.publish_snapshot()
    running.repository.publish_timestamp()
    refused(running, "metadata/timestamp.json: is older than")


def test_rollback_of_the_targets(running: Bench) -> None:
    running.repository.targets.version = 0
    running.repository.publish(schedule(3))
    refused(running, "is older than what was taken before")


def test_mix_and_match_of_old_targets_with_a_new_snapshot(running: Bench) -> None:
    old = running.repository.files["metadata/1.targets.json"]
    running.repository.publish(schedule(3))
    running.repository.files["metadata/3.targets.json"] = old
    refused(running, "metadata/3.targets.json: is older than", "does not belong")


def test_a_snapshot_under_another_versions_name(running: Bench) -> None:
    old = running.repository.files["metadata/2.snapshot.json"]
    running.repository.publish(schedule(3))
    running.repository.files["metadata/3.snapshot.json"] = old
    refused(running, "metadata/3.snapshot.json: is older than", "does not belong")


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_a_stranger_signs(running: Bench, role: str) -> None:
    running.repository.signers[role] = CryptoSigner.generate_ed25519()
    running.repository.publish(schedule(3))
    refused(running, f"{role}.json: is not signed by the keys that this node trusts")


def test_a_whole_repository_of_a_stranger(running: Bench) -> None:
    stranger = Repository(running.clock.now())
    for number in range(5):
        stranger.publish(schedule(10 + number))
    running.repository.files.clear()
    running.repository.files.update(stranger.files)
    refused(running, "is not signed by")


def test_a_root_that_the_old_keys_did_not_sign(running: Bench) -> None:
    running.repository.root.revoke_key(running.repository.signers["root"].public_key.keyid, "root")
    running.repository.signers["root"] = CryptoSigner.generate_ed25519()
    running.repository.root.add_key(running.repository.signers["root"].public_key, "root")
    running.repository.publish_root()
    refused(running, "root.json: is not signed by")


def test_freeze(running: Bench) -> None:
    running.clock.advance(timedelta(days=3, minutes=1).total_seconds())
    running.poll()
    assert running.health[:2] == ("expired", 2)
    assert "timestamp" in running.health[2]
    assert len(running.told(FeedExpired)) == 1


def test_root_rotation_is_followed_and_the_revoked_key_is_refused(running: Bench) -> None:
    old = running.repository.rotate("targets")
    running.repository.rotate("root")
    running.repository.publish(schedule(3))
    running.poll()
    assert running.health == ("current", 3, "")
    running.repository.signers["targets"] = old
    running.repository.publish(schedule(4))
    running.poll()
    assert running.health[:2] == ("refused", 3)
    assert "4.targets.json: is not signed by" in running.health[2]


@pytest.mark.parametrize("path", ["3.root.json", "timestamp.json"])
def test_not_metadata_at_all(running: Bench, path: str) -> None:
    running.repository.rotate("targets")
    running.host.break_path(path, web.instead(b"<html>Please log in</html>"))
    running.host.break_path("2.root", web.status(404))
    if path == "3.root.json":
        running.host.break_path("2.root", web.instead(b"<html>Please log in</html>"))
    refused(running, f"{path}: cannot be read" if path == "timestamp.json" else "root.json: cannot be read")


@pytest.mark.parametrize(
    "junk", [b"[" * 8_000, b'{"signed": {}, "signatures": []}', b"\xff\xfe", b"null", b""]
)
def test_malformed_metadata(running: Bench, junk: bytes) -> None:
    running.host.break_path("timestamp.json", web.instead(junk))
    refused(running)


def test_endless_metadata_is_cut_off(running: Bench) -> None:
    running.host.break_path("timestamp.json", web.endless)
    running.host.sent_bytes = 0
    refused(running, "16384 bytes")
    assert running.host.sent_bytes < 20_000_000


def test_oversize_metadata_is_refused(running: Bench) -> None:
    running.host.break_path("timestamp.json", web.instead(b" " * 20_000))
    refused(running, "16384 bytes")


def test_a_compressed_answer_is_refused_unopened(running: Bench) -> None:
    running.host.break_path("timestamp.json", web.instead(b"\x1f\x8b bomb", {"Content-Encoding": "gzip"}))
    refused(running, "Content-Encoding 'gzip'")


def test_a_document_that_is_not_the_signed_one(running: Bench) -> None:
    running.repository.publish(schedule(3))
    running.host.break_path(
        "schedule.json", web.instead(b"x" * len(running.repository.content["schedule.json"]))
    )
    refused(running, "were signed")


def test_an_endless_document(running: Bench) -> None:
    running.repository.publish(schedule(3))
    running.host.break_path("schedule.json", web.endless)
    refused(running, "bytes it may have")


@pytest.mark.parametrize(
    "fault", [web.stall, web.drip_headers, web.drip_body], ids=lambda fault: fault.__name__
)
def test_a_host_that_keeps_the_line_open_is_left(
    running: Bench, fault: web.Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "patience", lambda _max_bytes: Seconds(0.3))
    running.host.break_path("timestamp.json", fault)
    running.poll()
    assert running.health[:2] == ("unreachable", 2)
    assert "took longer than 0 s" in running.health[2]
    assert len(running.told(FeedUnreachable)) == 1


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.2:1/",
        "https://evil.example/timestamp.json",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "//x/",
    ],
)
def test_a_redirect_to_another_place_is_not_followed(running: Bench, to: str) -> None:
    running.host.break_path("timestamp.json", web.redirect(to))
    running.poll()
    assert running.health[:2] == ("unreachable", 2)
    assert "redirects to another place" in running.health[2]


def test_a_circle_of_redirects_is_left(running: Bench) -> None:
    running.host.break_path("timestamp.json", web.redirect("/metadata/timestamp.json"))
    running.poll()
    assert "redirects" in running.health[2]


def test_media_that_is_not_the_signed_one_never_gets_a_place(running: Bench) -> None:
    running.repository.publish(schedule(3, "media/chime.ogg"), chime_ogg=b"genuine")
    running.host.break_path("chime.ogg", web.instead(b"foreign"))
    running.poll()
    assert "hashes to" in running.wait_for(MediaUnavailable)[0].reason
    assert running.feeds is not None
    info = running.feeds.media("commune", "media/chime.ogg")
    assert info is not None
    assert info.path is None
    assert [path for path in (running.directory / "cache").iterdir() if path.stat().st_size] == []


def test_endless_media_is_cut_off(running: Bench) -> None:
    running.repository.publish(schedule(3, "media/chime.ogg"), chime_ogg=b"genuine")
    running.host.break_path("chime.ogg", web.endless)
    running.poll()
    assert "7 bytes that were signed" in running.wait_for(MediaUnavailable)[0].reason
    assert [path for path in (running.directory / "cache").iterdir() if path.stat().st_size] == []


@pytest.mark.parametrize(
    "name",
    ["media/../../../escape", "/etc/escape", "media\\..\\escape", "..", "media/\x00escape", "../root.json"],
)
def test_path_tricks_in_target_names_write_nothing_outside(running: Bench, name: str) -> None:
    running.repository.content[name] = b"escaped"
    running.repository.publish(schedule(3))
    before = _tree(running.directory)
    running.poll()
    assert running.health == ("current", 3, "")
    new = _tree(running.directory) - before
    assert all(path.name.startswith("document-") for path in new), new


def _tree(directory: Path) -> set[Path]:
    return {path for path in directory.parent.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "wipe", [lambda state: None, lambda state: [path.unlink() for path in state.rglob("timestamp.json")]]
)
def test_a_replay_of_an_old_feed_to_a_node_that_forgot(
    running: Bench, wipe: Callable[[Path], object]
) -> None:
    """Even with its newest timestamp lost, what the snapshot remembers is not rolled back."""
    running.stop()
    wipe(running.directory / "state")
    running.repository.timestamp.version = running.repository.snapshot.version = 0
    running.repository.targets.version = 0
    running.repository.publish(schedule(1))
    running.start()
    assert running.wait_for(FeedChanged)[0].schedule.version == 2
    running.settled()
    assert running.health[:2] == ("refused", 2)


def test_a_broken_tls_peer_is_unreachable(bench: Bench) -> None:
    bench.url = bench.host.url.replace("http://", "https://")
    bench.start()
    bench.settled()
    assert bench.health[0] == "unreachable"


def test_no_thread_dies_of_a_surprise(running: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_arguments: object) -> bytes:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(http.Client, "read", surprise)
        running.poll()
        assert running.health[:2] == ("refused", 2)
        assert "ZeroDivisionError" in running.health[2]
    running.poll()
    assert running.health == ("current", 2, "")


def test_the_clients_overrides_of_python_tuf_are_in_use(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    """A new python-tuf may rename private members: then writes would no longer be durable, unnoticed."""
    written: list[str] = []
    real = trust.write_atomically
    monkeypatch.setattr(
        trust, "write_atomically", lambda path, data: (written.append(path.name), real(path, data))
    )
    bench.repository.publish(schedule(1))
    bench.start()
    wait_until(lambda: bench.rounds, 10, "a round")
    assert written == ["1.root.json", "timestamp.json", "snapshot.json", "targets.json"]
