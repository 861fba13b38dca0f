"""Downloads over a bad line."""

import errno
import hashlib
import random
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.feeds.errors import Rejected, Retry
from agent.feeds.http import Client, StatusError, TooBig, Validators
from agent.feeds.pacing import back_off, jittered
from playlists.units import Seconds
from tests.support import web
from tests.support.wait import wait_until

CONTENT = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def host() -> Iterator[web.Host]:
    with web.Host({"big": CONTENT}) as host:
        yield host


def fetch(host: web.Host, part: Path) -> None:
    with Client() as client:
        client.download(host.url + "big", part, len(CONTENT), SHA256)


def test_a_broken_download_is_resumed_where_it_broke(host: web.Host, tmp_path: Path) -> None:
    part = tmp_path / "part"
    host.break_path("big", web.cut(100_000), times=2)
    for _ in range(2):
        with pytest.raises(Retry, match="IncompleteRead"):
            fetch(host, part)
    assert part.stat().st_size == 200_000
    fetch(host, part)
    assert part.read_bytes() == CONTENT
    assert [request.range for request in host.requests] == [None, "bytes=100000-", "bytes=200000-"]
    assert host.sent_bytes == len(CONTENT), "no byte came twice"


def test_a_host_without_ranges_starts_over(host: web.Host, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(CONTENT[:1_000])
    host.break_path("big", web.ignoring_range)
    fetch(host, part)
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_host_that_goes_on_elsewhere_is_not_believed(host: web.Host, tmp_path: Path, shift: int) -> None:
    part = tmp_path / "part"
    part.write_bytes(CONTENT[:1_000])
    host.break_path("big", web.wrong_range(shift))
    with pytest.raises(Retry, match="was asked to go on at byte 1000"):
        fetch(host, part)
    assert part.read_bytes() == CONTENT[:1_000]


def test_what_was_kept_but_is_wrong_is_thrown_away(host: web.Host, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"\0" * 1_000)
    with pytest.raises(Rejected, match="hashes to"):
        fetch(host, part)
    assert not part.exists()
    fetch(host, part)
    assert part.read_bytes() == CONTENT


def test_what_is_whole_already_is_only_verified(host: web.Host, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(CONTENT)
    fetch(host, part)
    assert host.requests == []


def test_leftovers_longer_than_the_content_are_thrown_away(host: web.Host, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(CONTENT + b"more")
    fetch(host, part)
    assert part.read_bytes() == CONTENT


def test_a_refused_range_starts_over_next_time(host: web.Host, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(CONTENT[:1_000])
    host.break_path("big", web.status(416), times=1)
    with pytest.raises(StatusError):
        fetch(host, part)
    fetch(host, part)
    assert part.read_bytes() == CONTENT


def test_a_full_disk_is_an_error_of_the_disk(host: web.Host, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            fetch(host, tmp_path / "part")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG
    assert not isinstance(caught.value, Retry)
    fetch(host, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == CONTENT


def test_a_small_file_has_a_cap(host: web.Host) -> None:
    with Client() as client, pytest.raises(TooBig, match="999 bytes"):
        client.read(host.url + "big", 999, Seconds(5))


def test_a_redirect_on_the_same_host_is_followed(host: web.Host) -> None:
    host.break_path("old", web.redirect("/big"))
    with Client() as client:
        assert client.read(host.url + "old", 1_000_000, Seconds(5)) == CONTENT


@given(st.integers(1, 1_000), st.floats(1, 86_400))
def test_waits_grow_and_stay_within_their_bound(failures: int, longest_s: float) -> None:
    wait_s = back_off(failures, Seconds(longest_s))
    assert 0 < wait_s <= longest_s * 1.1
    assert wait_s <= back_off(failures + 5, Seconds(longest_s)) * 1.25


@given(st.floats(1, 86_400), st.randoms())
def test_polls_are_spread_by_a_tenth(poll_s: float, chance: random.Random) -> None:
    assert 0.9 * poll_s <= jittered(Seconds(poll_s), chance) <= 1.1 * poll_s * 1.0001


def test_a_file_that_has_not_changed_costs_a_question_on_the_same_connection() -> None:
    with web.Host({"a": b"one"}, etags=True) as host, Client() as client:
        found = client.read_if_changed(host.url + "a", 100, Seconds(5), Validators())
        assert found is not None
        content, known = found
        assert content == b"one"
        assert [client.read_if_changed(host.url + "a", 100, Seconds(5), known) for _ in range(3)] == [
            None
        ] * 3
        assert (host.connections, host.unchanged) == (1, 3)
        host.content = {"a": b"two"}
        changed = client.read_if_changed(host.url + "a", 100, Seconds(5), known)
        assert changed is not None
        assert changed[0] == b"two"


def test_a_connection_that_the_host_has_closed_meanwhile_is_made_again() -> None:
    with web.Host({"a": b"one"}) as host, Client() as client:
        host.break_path("a", web.hanging_up_unasked)
        for count in (1, 2, 3):
            assert client.read_if_changed(host.url + "a", 100, Seconds(5), Validators()) is not None
            wait_until(lambda count=count: host.closed == count, 5, "the host has hung up")
        assert host.connections == 3


def test_a_host_that_says_unchanged_unasked_is_not_believed() -> None:
    with web.Host({"a": b"one"}) as host, Client() as client:
        host.break_path("a", web.status(304))
        with pytest.raises(StatusError, match="304"):
            client.read_if_changed(host.url + "a", 100, Seconds(5), Validators())


def test_a_state_of_a_file_that_is_longer_than_sense_is_not_sent_back() -> None:
    with web.Host({"a": b"one"}) as host, Client() as client:
        host.break_path("a", web.instead(b"one", {"ETag": "x" * 5_000, "Last-Modified": "Mon"}))
        found = client.read_if_changed(host.url + "a", 100, Seconds(5), Validators())
        assert found is not None
        assert found[1] == Validators(None, "Mon")
