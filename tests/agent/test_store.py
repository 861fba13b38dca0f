"""The bounded, content-addressed store."""

import errno
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import files
from agent.store import Store, StoreFull, WrongContent
from tests.support.disk import read_only, small_disk


def key_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def test_what_is_added_is_found_again_after_a_restart(tmp_path: Path) -> None:
    key = Store(tmp_path, 100).add(b"chime")
    path = Store(tmp_path, 100).path(key)
    assert key == key_of(b"chime")
    assert path is not None
    assert path.read_bytes() == b"chime"


def test_content_with_another_hash_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    with pytest.raises(WrongContent):
        store.add(b"forged", key_of(b"genuine"))
    assert store.path(key_of(b"genuine")) is None
    assert store.used_bytes == 0


def test_the_least_recently_used_goes_first_and_what_is_needed_stays(tmp_path: Path) -> None:
    store = Store(tmp_path, 30)
    keys = [store.add(bytes([n]) * 10) for n in range(3)]
    store.keep([keys[0]])
    store.path(keys[1])  # used after keys[2]
    new = store.add(b"n" * 10)
    assert store.path(keys[0])
    assert store.path(keys[1])
    assert store.path(keys[2]) is None
    assert store.path(new)


def test_what_is_needed_is_not_evicted_even_above_the_bound(tmp_path: Path) -> None:
    big = Store(tmp_path, 100)
    keys = [big.add(bytes([n]) * 10) for n in range(3)]
    small = Store(tmp_path, 15)
    assert small.keep(keys[:2]) == [keys[2]]
    assert small.path(keys[0])
    assert small.path(keys[1])


def test_a_full_store_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    store = Store(tmp_path, 20)
    key = store.add(b"a" * 15)
    store.keep([key])
    with pytest.raises(StoreFull, match="at most 20 bytes"):
        store.add(b"b" * 10)
    assert store.path(key)
    assert store.used_bytes == 15


def test_spare_room_is_for_what_is_vital(tmp_path: Path) -> None:
    store = Store(tmp_path, 100, spare_bytes=30)
    everyday = store.add(b"e" * 70)
    store.keep([everyday])
    with pytest.raises(StoreFull, match="70 of at most 70"):
        store.add(b"more")
    with store.aside("f" * 64, 30, vital=True) as path:
        path.write_bytes(b"v" * 30)
    assert store.path("f" * 64)
    assert store.path(everyday)


def test_a_full_disk_is_told_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path, 100)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull, match="No space left"):
        store.add(b"chime")
    assert list(tmp_path.iterdir()) == []
    assert store.used_bytes == 0


def test_room_that_is_reserved_is_not_given_twice(tmp_path: Path) -> None:
    store = Store(tmp_path, 20)
    store.reserve("a" * 64, 15)
    with pytest.raises(StoreFull):
        store.reserve("b" * 64, 10)
    store.discard("a" * 64)
    store.reserve("b" * 64, 10)


def test_resuming_a_download_does_not_count_what_is_there_twice(tmp_path: Path) -> None:
    store = Store(tmp_path, 20)
    store.partial("a" * 64).write_bytes(b"x" * 12)
    assert store.used_bytes == 12
    store.reserve("a" * 64, 18)
    assert store.used_bytes == 18


def test_an_unfinished_download_survives_a_restart_until_nothing_needs_it(tmp_path: Path) -> None:
    Store(tmp_path, 100).partial("a" * 64).write_bytes(b"half")
    store = Store(tmp_path, 100)
    store.keep(["a" * 64])
    assert store.partial("a" * 64).read_bytes() == b"half"
    store.keep([])
    assert not store.partial("a" * 64).exists()


def test_leftovers_of_a_power_cut_are_removed(tmp_path: Path) -> None:
    (tmp_path / (files.ASIDE_PREFIX + "x")).write_bytes(b"half")
    Store(tmp_path, 100)
    assert list(tmp_path.iterdir()) == []


def test_content_removed_by_hand_is_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path, 100)
    key = store.add(b"chime")
    (tmp_path / key.removeprefix("sha256:")).unlink()
    assert store.path(key) is None
    assert store.used_bytes == 0


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 64, "a" * 63, "sha256:" + "g" * 64])
def test_a_key_that_is_no_hash_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        Store(tmp_path, 100).path(key)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 12), max_size=12),
    needed=st.sets(st.integers(0, 11)),
    bound=st.integers(1, 40),
)
def test_the_bound_holds_and_needed_content_is_never_lost(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], needed: set[int], bound: int
) -> None:
    store = Store(tmp_path_factory.mktemp("store"), bound)
    kept: set[str] = set()
    for number, size in enumerate(sizes):
        try:
            key = store.add(bytes([number]) * size)
        except StoreFull:
            continue
        if number in needed:
            kept.add(key)
        store.keep(kept)
        assert store.used_bytes <= bound
        assert all(store.path(k) for k in kept)


def test_what_cannot_be_removed_is_not_forgotten(tmp_path: Path) -> None:
    with small_disk(tmp_path / "card", 400):
        store = Store(tmp_path / "card", 1_000)
        keys = [store.add(bytes([n]) * 300) for n in range(3)]
        read_only(tmp_path / "card")
        with pytest.raises(StoreFull):
            store.add(b"x" * 700)
        assert store.keep([]) == []
        assert [store.path(key).read_bytes() for key in keys] == [bytes([n]) * 300 for n in range(3)]  # type: ignore[union-attr]
