"""Recordings of alerts: fetched or taken from the message, checked, made soundable; or a reason why not."""

from __future__ import annotations

import hashlib
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import recordings as room
from agent.library import Library, Prepared, Unplayable
from agent.recordings import MAX_AT_ONCE, MAX_BYTES, Recordings
from agent.store import Store
from playlists.alert import Resource
from playlists.units import Seconds
from tests.support.sound import sine, write_wav
from tests.support.web import Host, cut, instead, redirect, stall, status

KEY = "sha256:" + "a" * 64


@pytest.fixture
def sound(tmp_path: Path) -> bytes:
    return write_wav(tmp_path / "sound.wav", sine(440.0, 0.5)).read_bytes()


@pytest.fixture
def host(sound: bytes) -> Iterator[Host]:
    with Host({"storm.wav": sound, "noise.wav": b"no sound" * 1_000}) as host:
        yield host


class Desk:
    """Recordings, a real library, and what both say."""

    def __init__(self, directory: Path, hosts: tuple[str, ...] = ("127.0.0.1",)) -> None:
        self.said: queue.Queue[Any] = queue.Queue()
        self.library = Library(directory / "sounds", 100_000_000, self.said.put)
        self.library.start()
        self.store = Store(directory / "alerts", 50_000_000)
        self.recordings = Recordings(self.store, hosts, self.library, self.said.put)

    def want(self, resource: Resource) -> Prepared | Unplayable:
        self.recordings.want(resource)
        answer: Prepared | Unplayable = self.said.get(timeout=20)
        return answer

    def refusal(self, resource: Resource) -> str:
        answer = self.want(resource)
        assert isinstance(answer, Unplayable), answer
        assert self.store.path(resource.key) is None or "noise" in resource.uri
        return answer.reason


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.recordings.stop()
    desk.library.stop()


def at(uri: str, content: bytes | None = None, **parts: Any) -> Resource:
    sha1 = hashlib.sha1(content).hexdigest() if content is not None else None
    return Resource(**{"key": KEY, "mime_type": "audio/wav", "uri": uri, "sha1": sha1, **parts})


def test_one_with_its_digest_is_fetched_once_and_can_sound(desk: Desk, host: Host, sound: bytes) -> None:
    answer = desk.want(at(host.url + "storm.wav", sound))
    assert isinstance(answer, Prepared)
    assert answer.key == KEY
    assert answer.pcm.duration_s == pytest.approx(0.5, abs=0.05)
    desk.library._shelf.store.discard(KEY)
    assert isinstance(desk.want(at(host.url + "storm.wav", sound)), Prepared)
    assert len(host.requests) == 1


def test_one_that_came_with_the_message_is_kept_without_it(desk: Desk, sound: bytes) -> None:
    digest = hashlib.sha1(sound).hexdigest()
    inline = Resource(key=KEY, mime_type="audio/wav", inline=True, data=sound, sha1=digest)
    assert isinstance(desk.want(inline), Prepared)
    desk.library._shelf.store.discard(KEY)
    assert isinstance(desk.want(inline.model_copy(update={"data": b""})), Prepared)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"sha1": "0" * 40}, "its digest is"),
        ({"sha1": "md5:1"}, "its digest is"),
        ({"sha1": None}, "without https and without a digest nobody vouches for it"),
        ({"size_bytes": MAX_BYTES + 1}, "at most"),
        ({"uri": "http://stranger.example/storm.wav"}, "stranger.example is not among [alerts] hosts"),
        ({"uri": "http://127.0.0.1@stranger.example/storm.wav"}, "stranger.example is not among"),
        ({"uri": "http://me:secret@127.0.0.1/storm.wav"}, "carries a user name"),
        ({"uri": "http://[::1"}, "Invalid IPv6 URL"),
        ({"inline": True, "data": b""}, "is not here any more"),
        ({"inline": True, "data": b"other"}, "its digest is"),
    ],
)
def test_one_that_nobody_vouches_for_is_not_sounded(
    desk: Desk, host: Host, sound: bytes, parts: dict[str, Any], reason: str
) -> None:
    assert reason in desk.refusal(at(**{"uri": host.url + "storm.wav", "content": sound, **parts}))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (status(404), "answers 404"),
        (redirect("http://stranger.example/"), "redirects to another place"),
        (cut(100), "IncompleteRead"),
        (instead(b"x" * (MAX_BYTES + 1)), "has more than"),
    ],
)
def test_a_host_that_fails_is_answered_with_a_reason(
    desk: Desk, host: Host, sound: bytes, fault: Any, reason: str
) -> None:
    host.break_path("storm", fault)
    assert reason in desk.refusal(at(host.url + "storm.wav", sound))


def test_a_host_that_never_answers_is_left(
    desk: Desk, host: Host, sound: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FETCHED_WITHIN_S", Seconds(0.3))
    host.break_path("storm", stall)
    assert "took longer than" in desk.refusal(at(host.url + "storm.wav", sound))


def test_what_is_no_sound_is_not_sounded(desk: Desk, host: Host) -> None:
    noise = host.read("/noise.wav")
    assert "noise" not in desk.refusal(at(host.url + "noise.wav", noise))


def test_only_so_many_at_once_and_the_same_one_once(desk: Desk, host: Host, sound: bytes) -> None:
    host.break_path("storm", stall)
    busy = [at(host.url + "storm.wav", sound, key=f"sha256:{n:064x}") for n in range(MAX_AT_ONCE)]
    for resource in [*busy, *busy]:
        desk.recordings.want(resource)
    assert "being fetched already" in desk.refusal(at(host.url + "storm.wav", sound))
    desk.recordings.stop()
    reasons = [desk.said.get(timeout=20).reason for _ in busy]
    assert all("broken off" in reason for reason in reasons), reasons
    assert desk.said.empty()
